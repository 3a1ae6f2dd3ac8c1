"""Prune the network of one seed after one epoch, in every way that the protocol names.

Inputs: ``data``, and ``snapshots``, the folder of the seed's recorded epochs. Output: a sealed
store, dims (score, compression, pair, layer, moment). Wildcards: ``name``, ``seed``, ``epoch``.
"""

import logging
from pathlib import Path

import torch

from koopscope.artefacts import store
from koopscope.artefacts.consumed import stamped
from koopscope.artefacts.expected import contents
from koopscope.artefacts.names import named
from koopscope.artefacts.progress import bar, stage
from koopscope.artefacts.provenance import stamp
from koopscope.experiments.pruning.names import evaluated
from koopscope.experiments.pruning.run import prune
from koopscope.training.devices import choose_device

PROTOCOL = "koopscope.experiments.pruning.protocol:protocol_from_dict"

with stage(snakemake.log[0]):
    # Such as that a layer is emptied: the log is the place for it.
    logging.captureWarnings(True)
    protocol = named(PROTOCOL)(snakemake.params.protocol)
    seed, epoch = int(snakemake.wildcards.seed), int(snakemake.wildcards.epoch)
    device = choose_device(snakemake.config["training"]["device"])
    torch.set_num_threads(snakemake.threads)
    snapshots = snakemake.input.snapshots
    inputs = contents(snakemake.params.inputs)
    consumed = stamped({snapshots: inputs.pop(snapshots)})
    provenance = stamp(
        "pruned",
        parameters=snakemake.params.protocol | {"seed": seed, "epoch": epoch},
        inputs=inputs,
        consumed=consumed,
        code=snakemake.params.code,
        device=device.type,
        threads=snakemake.threads,
    )
    methods = evaluated(protocol.methods, protocol.evaluated)
    masks = 1 + len(methods) * len(protocol.compression_ratios)
    title = f"{snakemake.wildcards.name}, seed {seed}, epoch {epoch}"
    with bar(masks, title, " masks") as progress:
        data = store.read(snakemake.input.data, "data")
        found = prune(protocol, data, seed, epoch, Path(snapshots), device, progress.update)
    store.write(snakemake.output[0], found, provenance)
