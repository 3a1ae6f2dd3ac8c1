"""Train every network of a setup and record its trajectories.

Input: ``data``, the data set. Output: a sealed store, dims (seed, init, step, weight).
Wildcard: ``setup``, its id. Params: ``reads`` and ``records``, the functions that make the setup of
its canonical form, and that record it.
"""

import torch

from koopscope.artefacts import store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.names import named
from koopscope.artefacts.progress import bar, stage
from koopscope.artefacts.provenance import stamp
from koopscope.training.devices import choose_device

with stage(snakemake.log[0]):
    setup = named(snakemake.params.reads)(snakemake.params.setup)
    device = choose_device(snakemake.config["training"]["device"])
    torch.set_num_threads(snakemake.threads)
    provenance = stamp(
        "trajectories",
        parameters=setup.to_dict(),
        inputs=contents(snakemake.params.inputs),
        code=snakemake.params.code,
        named_by_digest=True,
        seeds=list(setup.seeds),
        device=device.type,
        threads=snakemake.threads,
    )
    steps = len(setup.seeds) * setup.initialisations * setup.steps
    with (
        bar(steps, snakemake.wildcards.setup, " network steps") as progress,
        store.staged(snakemake.output[0], provenance) as folder,
    ):
        data = store.read(snakemake.input.data, "data")
        named(snakemake.params.records)(setup, data, folder, device, progress.update, provenance)
