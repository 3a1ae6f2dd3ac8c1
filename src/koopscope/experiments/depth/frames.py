"""Tables of a question on depth, each with what its columns mean."""

from collections.abc import Mapping
from typing import Any

from koopscope.report.frames import AGAINST, Frame, Row, flat

CASE = {"case": "the task"}
NESTED = ("predicted", "regret", "pairs", "errors", "hsvr")


def _predictions(facts: Mapping[str, Any]) -> list[Row]:
    return [
        {
            "case": row["case"],
            "predictor": name,
            "predicted": row["predicted"][name],
            "regret": row["regret"][name],
        }
        for row in facts["cases"]
        for name in facts["names"]
    ]


def _errors(facts: Mapping[str, Any]) -> list[Row]:
    return [
        {"case": row["case"], "depth": depth, "error": error}
        for row in facts["cases"]
        for depth, error in zip(facts["depths"], row["errors"], strict=True)
    ]


FRAMES = {
    "observed": Frame(
        "A task",
        lambda facts: [flat(row, leave=NESTED) for row in facts["cases"]],
        CASE
        | {
            "task": "kind of the task",
            "observed": "first depth within the tolerance of the least error, layers",
            "steps": "steps of a full training",
            "pilot_steps": "steps of a short training",
        },
    ),
    "predictions": Frame(
        "A task and a predictor",
        _predictions,
        CASE
        | {
            "predictor": "what predicts the depth",
            "predicted": "depth predicted, layers; empty for none",
            "regret": "error at that depth above the least one's, share of it",
        },
    ),
    "effects": Frame(
        "Two neighbouring depths of a task",
        lambda facts: [
            {"case": row["case"], **flat(pair)} for row in facts["cases"] for pair in row["pairs"]
        ],
        CASE
        | {
            "shallower": "the lesser depth, layers",
            "effect": "distance between spectra of the depths ÷ that within one",
            "p_adjusted": "p adjusted for the pairs of depths",
            "verdict": "distinguished, not distinguished or inconclusive",
        },
    ),
    "errors": Frame(
        "A depth of a task",
        _errors,
        CASE | {"depth": "layers", "error": "error after full training, mean over seeds"},
    ),
    "predictors": Frame(
        "A predictor over all tasks",
        lambda facts: [flat(row, leave=("sentence",)) for row in facts["predictors"]],
        {
            "predictor": "what predicts the depth",
            "said": "the same in words",
            "cases": "tasks, count",
            "right": "tasks predicted right, count",
            "within_one": "tasks predicted within one layer, count",
            "none": "tasks without a prediction, count",
            "mean_regret": "error at the depth predicted above the least one's, mean, share",
        },
    ),
    "hsvr_layers": Frame(
        "A task and a rule of hierarchical regression",
        lambda facts: [
            {"case": row["case"], "rule": rule, "layers": layers}
            for row in facts["cases"]
            for rule, layers in row["hsvr"].items()
        ],
        CASE
        | {"rule": "the rule", "layers": "layers of a hierarchical regression; empty for none"},
    ),
    "against": AGAINST,
}
