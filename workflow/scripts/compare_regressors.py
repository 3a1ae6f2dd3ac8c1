"""Fit other regressors to some of an experiment's signals.

Output: a sealed store, dims (case, regressor). Wildcard: ``experiment``.
"""

import logging

from koopscope import store
from koopscope.data.signals import draws
from koopscope.hsvr.experiment import baselines
from koopscope.plans.hsvr import experiment_from
from koopscope.progress import bar, stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    # Such as that a likelihood was flat: the log is the place for it.
    logging.captureWarnings(True)
    params = snakemake.params
    experiment = experiment_from(params.experiment, params.baselines)
    provenance = stamp(
        "baselines",
        parameters={"experiment": params.experiment, "baselines": params.baselines},
        code=params.code,
    )
    points = dict(experiment.signals)
    chosen = {name: points[name] for name in experiment.baselines.signals}
    signals = draws(chosen, experiment.noise, experiment.seeds)
    with bar(len(signals), experiment.name, " comparisons") as progress:
        found = baselines(
            signals, experiment.baselines.regressors, experiment.epsilon, progress.update
        )
    names = {"study": experiment.name, "question": experiment.question}
    store.write(snakemake.output[0], found.assign_attrs(names), provenance)
