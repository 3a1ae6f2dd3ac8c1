"""Train a network by several ways to prune it on the way, and count time and operations.

Input: the data set. Output: a sealed store, dims (seed, pruner, evaluation), (seed, pruner,
pruning). Wildcard: ``monitor``.
"""

import logging
import tempfile
from pathlib import Path

import torch

from koopscope import store
from koopscope.monitor.pruned_training import run_seeds
from koopscope.monitoring import plan_from
from koopscope.progress import bar, stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    logging.captureWarnings(True)
    question = plan_from(snakemake.params.plan)
    plan = question.plan
    torch.set_num_threads(snakemake.threads)
    (path,) = snakemake.input
    provenance = stamp(
        "pruned_training",
        parameters=snakemake.params.plan,
        inputs={path: store.sealed_digest(path)},
        code=snakemake.params.code,
        threads=snakemake.threads,
    )
    runs = len(plan.seeds) * len(plan.methods)
    # Windows are as large as the data of a whole epoch: beside the results, not in memory.
    beside = Path(snakemake.output[0]).parent
    with (
        bar(runs, question.name, " runs") as progress,
        tempfile.TemporaryDirectory(prefix=store.PARTIAL, dir=beside) as folder,
    ):
        data = store.read(path, "data")
        found = run_seeds(plan, data, Path(folder), lambda _: progress.update(1))
    names = {"study": question.name, "question": question.question}
    store.write(snakemake.output[0], found.assign_attrs(names), provenance)
