"""Run an experiment, or that part of it that one of its stores holds.

Inputs: the data sets that it reads, in their order. Output: a sealed store. Wildcards: ``name`` and
``store``. Params: ``plan``, what the store depends on; ``planner`` and ``runs``, the modules whose
``from_dict`` makes a plan of it and whose ``run`` answers it.
"""

import logging

from koopscope.artefacts import store
from koopscope.artefacts.expected import contents
from koopscope.artefacts.names import named
from koopscope.artefacts.progress import bar, stage
from koopscope.artefacts.provenance import stamp
from koopscope.experiments.means import Means, timings

with stage(snakemake.log[0]):
    # Such as that a rule finds no frequency, or a layer is emptied: the log is the place for it.
    logging.captureWarnings(True)
    params, kind = snakemake.params, snakemake.wildcards.store
    plan = named(f"{params.planner}:from_dict")(params.plan)
    paths = list(snakemake.input)
    provenance = stamp(
        kind,
        parameters=params.plan,
        inputs=contents(params.inputs),
        code=params.code,
        device=snakemake.config["training"]["device"],
        threads=snakemake.threads,
    )
    work, unit = plan.work(kind)
    with bar(work, plan.name, f" {unit}") as progress, store.scratch(snakemake.output[0]) as folder:
        means = Means(provenance["device"], snakemake.threads, folder, progress.update)
        data = [store.read(path, "data") for path in paths]
        found = named(f"{params.runs}:run")(plan, data, means)
    names = {"study": plan.name, "question": plan.question}
    store.write(snakemake.output[0], found.assign_attrs(names), provenance, timings=timings(found))
