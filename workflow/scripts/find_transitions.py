"""Fit deep hierarchies to an experiment's signals, and predict their layers by each rule.

Output: a sealed store, dims (case, layers) and (case, rule). Wildcard: ``experiment``.
"""

import logging

from koopscope import store
from koopscope.data.signals import draws
from koopscope.hsvr.experiment import phase_transitions
from koopscope.plans.hsvr import experiment_from
from koopscope.progress import bar, stage
from koopscope.provenance import stamp

with stage(snakemake.log[0]):
    # Such as that a rule finds no frequency: the log is the place for it.
    logging.captureWarnings(True)
    experiment = experiment_from(snakemake.params.experiment)
    provenance = stamp(
        "transitions", parameters=snakemake.params.experiment, code=snakemake.params.code
    )
    signals = draws(dict(experiment.signals), experiment.noise, experiment.seeds)
    with bar(len(signals), experiment.name, " hierarchies") as progress:
        found = phase_transitions(
            signals,
            experiment.rules,
            progress.update,
            decay=experiment.decay,
            epsilon=experiment.epsilon,
        )
    names = {"study": experiment.name, "question": experiment.question}
    store.write(snakemake.output[0], found.assign_attrs(names), provenance)
