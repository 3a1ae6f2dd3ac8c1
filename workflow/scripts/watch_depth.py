"""Train networks of several depths, and compare the spectra of their first steps.

Inputs: the data set of each classification. Output: a sealed store, dims (case, depth, seed),
(case, pair), (case, predictor) and more. Wildcard: ``monitor``.
"""

import logging

import torch
from threadpoolctl import threadpool_limits

from koopscope import store
from koopscope.data.signals import signal
from koopscope.depth_plan import Classification
from koopscope.monitor.depth import run_families
from koopscope.monitoring import plan_from
from koopscope.progress import bar, stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    logging.captureWarnings(True)
    plan = plan_from(snakemake.params.plan)
    torch.set_num_threads(snakemake.threads)
    paths = list(snakemake.input)
    provenance = stamp(
        "depth",
        parameters=snakemake.params.plan,
        inputs={path: store.sealed_digest(path) for path in paths},
        code=snakemake.params.code,
        threads=snakemake.threads,
    )
    stores, data = iter(paths), {}
    for name, family in plan.families:
        task = family.task
        if isinstance(task, Classification):
            data[name] = store.read(next(stores), "data")
        else:
            data[name] = signal(task.signal, task.points, task.noise)
    depths = sum(len(family.depths) for _, family in plan.families)
    with threadpool_limits(1, "blas"), bar(depths, plan.name, " depths") as progress:
        found = run_families(dict(plan.families), data, progress.update)
    names = {"study": plan.name, "question": plan.question}
    store.write(snakemake.output[0], found.assign_attrs(names), provenance)
