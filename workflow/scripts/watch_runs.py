"""Train the runs of a question on stopping or on bad starts, and answer it.

Inputs: the data set of each of its runs. Output: a sealed store, dims (arm, run, setting) or
(setup, epoch, policy) and more. Wildcard: ``monitor``.
"""

import torch
from threadpoolctl import threadpool_limits

from koopscope import store
from koopscope.monitor import restart, stopping
from koopscope.monitor.experiments import epochs_in_all
from koopscope.plans.monitor import plan_from
from koopscope.progress import bar, stage
from koopscope.provenance import stamp
from koopscope.training.ensemble import choose_device

KINDS = {"stopping": stopping.run, "restart": restart.run}

with stage(snakemake.log[0]):
    plan = plan_from(snakemake.params.plan)
    device = choose_device(snakemake.config["training"]["device"])
    torch.set_num_threads(snakemake.threads)
    paths = list(snakemake.input)
    provenance = stamp(
        plan.kind,
        parameters=snakemake.params.plan,
        inputs={path: store.sealed_digest(path) for path in paths},
        code=snakemake.params.code,
        device=device.type,
        threads=snakemake.threads,
    )
    # Small matrices in BLAS with many threads would take many times as long.
    with threadpool_limits(1, "blas"), bar(epochs_in_all(plan), plan.name, " epochs") as progress:
        data = [store.read(path, "data") for path in paths]
        found = KINDS[plan.kind](plan, data, device, progress.update)
    store.write(snakemake.output[0], found, provenance)
