"""Fit networks to an experiment's noisy targets under each loss, and filter the same targets.

Output: a sealed store, dims (signal, snr, loss, …). Wildcard: ``sobolev``.
"""

import torch

from koopscope import store
from koopscope.plans.sobolev import denoising_from
from koopscope.progress import bar, stage
from koopscope.provenance import stamp
from koopscope.sobolev.denoising import batches, run
from koopscope.training.ensemble import choose_device

with stage(snakemake.log[0]):
    experiment = denoising_from(snakemake.params.experiment)
    device = choose_device(snakemake.config["training"]["device"])
    torch.set_num_threads(snakemake.threads)
    provenance = stamp(
        "sobolev",
        parameters=snakemake.params.experiment,
        code=snakemake.params.code,
        device=device.type,
        threads=snakemake.threads,
    )
    with bar(batches(experiment), experiment.name, " steps") as progress:
        found = run(experiment, device, progress.update)
    names = {"study": experiment.name, "question": experiment.question}
    store.write(snakemake.output[0], found.assign_attrs(names), provenance)
