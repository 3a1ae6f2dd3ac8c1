from koopscope.summary.facts import (
    RESIDUAL_LIMIT,
    facts,
    pairs,
    require,
    samples_by_variant,
    strings,
)
from koopscope.summary.hsvr import FALLEN, hsvr_facts
from koopscope.summary.intervals import mean_interval
from koopscope.summary.monitor import monitor_facts
from koopscope.summary.pruning import pruning_facts
from koopscope.summary.reliability import calibration_facts, sensitivity_facts
from koopscope.summary.sobolev import sobolev_facts
from koopscope.summary.text import markdown
from koopscope.summary.wording import (
    EXPECTED_WORDS,
    TOO_FEW,
    as_expected,
    interval,
    number,
    outcome,
)

__all__ = [
    "EXPECTED_WORDS",
    "FALLEN",
    "RESIDUAL_LIMIT",
    "TOO_FEW",
    "as_expected",
    "calibration_facts",
    "facts",
    "hsvr_facts",
    "interval",
    "markdown",
    "mean_interval",
    "monitor_facts",
    "number",
    "outcome",
    "pairs",
    "pruning_facts",
    "require",
    "samples_by_variant",
    "sensitivity_facts",
    "sobolev_facts",
    "strings",
]
