from koopscope.summary.facts import (
    RESIDUAL_LIMIT,
    facts,
    pairs,
    require,
    samples_by_variant,
    strings,
)
from koopscope.summary.reliability import calibration_facts, sensitivity_facts
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
    "RESIDUAL_LIMIT",
    "TOO_FEW",
    "as_expected",
    "calibration_facts",
    "facts",
    "interval",
    "markdown",
    "number",
    "outcome",
    "pairs",
    "require",
    "samples_by_variant",
    "sensitivity_facts",
    "strings",
]
