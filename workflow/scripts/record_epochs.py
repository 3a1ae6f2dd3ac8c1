"""Train a network of one seed with snapshots after every batch of the epochs that end in pruning.

Input: ``data``. Output: a sealed folder with ``epoch-K.zarr``, dims (step, weight), and
``epoch-K.pt``, the network's state. Wildcards: ``run`` and ``seed``.
"""

import torch

from koopscope.artefacts import store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.names import named
from koopscope.artefacts.progress import bar, stage
from koopscope.artefacts.provenance import stamp
from koopscope.experiments.pruning.epochs import record_epochs
from koopscope.training.devices import choose_device

PROTOCOL = "koopscope.experiments.pruning.protocol:protocol_from_dict"

with stage(snakemake.log[0]):
    protocol, seed = named(PROTOCOL)(snakemake.params.protocol), int(snakemake.wildcards.seed)
    device = choose_device(snakemake.config["training"]["device"])
    torch.set_num_threads(snakemake.threads)
    provenance = stamp(
        "epochs",
        parameters=snakemake.params.protocol | {"seed": seed},
        inputs=contents(snakemake.params.inputs),
        code=snakemake.params.code,
        device=device.type,
        threads=snakemake.threads,
    )
    title = f"{snakemake.wildcards.run}, seed {seed}"
    with (
        bar(protocol.epochs[-1], title, " epochs") as progress,
        store.staged(snakemake.output[0], provenance) as folder,
    ):
        data = store.read(snakemake.input.data, "data")
        record_epochs(protocol, data, seed, folder, device, progress.update)
