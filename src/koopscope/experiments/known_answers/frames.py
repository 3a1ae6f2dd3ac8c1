"""Tables of a benchmark of known answers, each with what its columns mean."""

from collections.abc import Mapping
from typing import Any

from koopscope.report.frames import AGAINST, Frame, Row, flat


def _cases(facts: Mapping[str, Any]) -> list[Row]:
    return [
        flat({**row, "method": method, "rate": cell}, leave=("cells",))
        for row in facts["cases"]
        for method, cell in row["cells"].items()
    ]


FRAMES = {
    "methods": Frame(
        "A method",
        lambda facts: [flat(row) for row in facts["methods"]],
        {
            "method": "the method",
            "family": "kind of the method",
            "worst": "highest rate of false positives among core equivalences, %",
            "worst_case": "the case of it",
            "admissible": "whether it stays within the limit in every core equivalence",
            "power": "mean power over all differences, %",
            "power_same_curve": "mean power over differences with the same loss curve, %",
            "power_other_curve": "mean power over differences with another loss curve, %",
            "equal_power": "power at the p that 5 % of the draws of core equivalences reach, %",
            "seconds": "time of all its answers, seconds",
            "unanswered": "cases to which it gives no answer",
        },
    ),
    "cases": Frame(
        "A case and a method",
        _cases,
        {
            "case": "the pair of ways to train",
            "group": "kind of the case",
            "system": "what trains",
            "because": "why the answer is known",
            "method": "the method",
            "rate": "share of draws called different, %",
        },
    ),
    "against": AGAINST,
}
