"""Tables of a question about grokking, each with what its columns mean."""

from collections.abc import Mapping
from typing import Any

from koopscope.report.frames import AGAINST, Frame, Row, flat

OUTCOME = {
    "runs": "runs, count",
    "memorise": "runs that reach a training accuracy of 0.99, count",
    "generalise": "runs that reach a test accuracy of 0.95, count",
    "grok": "runs that memorise first and generalise later, count",
    "memorised_at": "step of the first, median over the runs that do",
    "generalised_at": "step of the second, median over the runs that do",
}
EFFECT = {
    "effect": "distance between ÷ within",
    "p_value": "p of the permutation test",
    "p_adjusted": "p corrected for the lines of a window",
    "verdict": "the verdict in words",
}


def _windows(facts: Mapping[str, Any]) -> list[Row]:
    return [
        flat({"line": row["line"], "expected": row["expected"], **at})
        for row in facts["lines"]
        for at in row["windows"]
    ]


def _alternates(facts: Mapping[str, Any]) -> list[Row]:
    return [
        flat({"coordinates": row["alternate"], **line})
        for row in facts["alternates"]
        for line in row["lines"]
    ]


def _settings(facts: Mapping[str, Any]) -> list[Row]:
    return [flat(row) for row in (facts["prediction"] or {"settings": ()})["settings"]]


def _areas(facts: Mapping[str, Any]) -> list[Row]:
    return [
        flat(
            {
                "step": at["horizon"],
                "predictor": name,
                "area": area,
                "chance": at["chance"]["auc"],
                "better": name in at["better"]["auc"],
                "within": at["within"][name],
                "chance_within": at["chance"]["within"],
                "better_within": name in at["better"]["within"],
            }
        )
        for at in (facts["prediction"] or {"horizons": ()})["horizons"]
        for name, area in at["auc"].items()
    ]


FRAMES = {
    "groups": Frame(
        "A group of runs",
        lambda facts: [flat(row) for row in facts["groups"]],
        {
            "group": "the group",
            **OUTCOME,
            "test_accuracy": "test accuracy in the end, median over runs, share",
        },
    ),
    "windows": Frame(
        "What is compared with the reference, and a window from the beginning",
        _windows,
        {
            "line": "a group or a control",
            "expected": "the verdict that is right, or open",
            "window": "last step of the window",
            "before": "whether it is the window before the test accuracy rises",
            "margin": "smallest effect that counts",
            "reason": "why the verdict is inconclusive",
            **EFFECT,
        },
    ),
    "alternates": Frame(
        "Other coordinates, in the window before the rise",
        _alternates,
        {"coordinates": "coordinates of the weights", "line": "a group or a control", **EFFECT},
    ),
    "settings": Frame(
        "A setting of the prediction",
        _settings,
        {"setting": "the setting", **OUTCOME},
    ),
    "areas": Frame(
        "A horizon and a predictor",
        _areas,
        {
            "step": "the horizon",
            "predictor": "what predicts",
            "area": "area under the curve, settings held out, mean",
            "chance": "area of random fingerprints, median of draws",
            "chance_low": "5 % of the draws lie below",
            "chance_high": "5 % of the draws lie above",
            "better": "whether the area is above that of 95 % of the draws",
            "within": "area under the curve within settings, mean",
            "chance_within": "area of random numbers within settings, median of draws",
            "chance_within_low": "5 % of the draws lie below",
            "chance_within_high": "5 % of the draws lie above",
            "better_within": "whether the area is above that of 95 % of the draws",
        },
    ),
    "against": AGAINST,
}
