"""Train every network of a setup and record its trajectories.

Input: ``data``, the data set. Output: a sealed store, dims (seed, init, step, weight).
Wildcard: ``setup``, its id.
"""

import torch

from koopscope.artefacts import store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.progress import bar, stage
from koopscope.artefacts.provenance import stamp
from koopscope.config.setup import network_from_dict
from koopscope.training.devices import choose_device
from koopscope.training.recording import record

with stage(snakemake.log[0]):
    setup = network_from_dict(snakemake.params.setup)
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
        record(setup, data, folder, device, progress.update, provenance)
