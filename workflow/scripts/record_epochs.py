"""Train a network of one seed with snapshots after every batch of the epochs that end in pruning.

Input: ``data``. Output: a sealed folder with ``epoch-K.zarr``, dims (step, weight), and
``epoch-K.pt``, the network's state. Wildcards: ``run`` and ``seed``.
"""

import torch

from koopscope import store
from koopscope.plans.protocol import protocol_from
from koopscope.progress import bar, stage
from koopscope.provenance import stamp
from koopscope.pruning.epochs import record_epochs
from koopscope.training.ensemble import choose_device

with stage(snakemake.log[0]):
    protocol, seed = protocol_from(snakemake.params.protocol), int(snakemake.wildcards.seed)
    device = choose_device(snakemake.config["training"]["device"])
    torch.set_num_threads(snakemake.threads)
    provenance = stamp(
        "epochs",
        parameters=snakemake.params.protocol | {"seed": seed},
        inputs={snakemake.input.data: store.sealed_digest(snakemake.input.data)},
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
