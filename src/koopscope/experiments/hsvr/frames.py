"""Tables of a question on hierarchical regression, each with what its columns mean."""

from collections.abc import Mapping
from typing import Any

from koopscope.report.frames import Frame, Row, along, flat

COMMON = {
    "signal": "the signal",
    "noise": "noise, share of the range",
    "seeds": "seeds, count",
    "points": "points of training, count",
    "rule": "the rule that predicts the number of layers",
    "cases": "cases, count",
    "regressor": "the regressor",
}
ERROR = "held-out error, root mean square ÷ range, median"


def _predicted(facts: Mapping[str, Any]) -> list[Row]:
    names = ("signal", "noise", "predicted")
    rows = [{name: row[name] for name in names} for row in facts["layers"]]
    return along(rows, "rule", facts["names"], {"predicted": "predicted"})


def _ratios(facts: Mapping[str, Any]) -> list[Row]:
    rows = [{"noise": row["noise"], "predicted": row["predicted"]} for row in facts["errors"]]
    return along(rows, "rule", facts["names"], {"predicted": "ratio"})


FRAMES = {
    "layers": Frame(
        "A signal at a level of noise",
        lambda facts: [flat(row, leave=("predicted",)) for row in facts["layers"]],
        COMMON
        | {
            "observed": "layers at which the training error has fallen, median over seeds",
            "never": "seeds in which it does not fall, count",
            "best": "layers with the least held-out error, median over seeds",
            "held_out_rms": ERROR,
            "support_vectors": "support vectors of all layers, median over seeds, count",
            "seconds": "time of the fit of all layers, median over seeds, seconds",
        },
    ),
    "predicted": Frame(
        "A rule on a signal at a level of noise",
        _predicted,
        COMMON | {"predicted": "layers predicted, median over seeds"},
    ),
    "rules": Frame(
        "A rule at a level of noise",
        lambda facts: [flat(row, leave=("sentence",)) for row in facts["rules"]],
        COMMON
        | {
            "against": "transition: the observed layer; best: that of the least held-out error",
            "right": "cases predicted right, count",
            "within_one": "cases predicted within one layer, count",
            "over": "cases with too many layers, count",
            "under": "cases with too few layers, count",
            "most_over": "by up to how many layers too many",
            "most_under": "by up to how many layers too few",
            "cost": "time of a prediction ÷ of a fit, median",
        },
    ),
    "errors": Frame(
        "A level of noise",
        lambda facts: [flat(row, leave=("predicted",)) for row in facts["errors"]],
        COMMON
        | {
            "least": f"least {ERROR} over signals and seeds",
            "all": "error of all layers ÷ the least one, median",
        },
    ),
    "error_ratios": Frame(
        "A rule at a level of noise",
        _ratios,
        COMMON | {"ratio": "error of the depth that it predicts ÷ the least one, median"},
    ),
    "regressors": Frame(
        "A regressor on a signal at a level of noise",
        lambda facts: [flat(row) for row in facts["regressors"]],
        COMMON
        | {
            "held_out_rms": f"{ERROR} over seeds",
            "fit_seconds": "time of a fit, median over seeds, seconds",
            "predict_seconds": "time of a prediction, median over seeds, seconds",
        },
    ),
    "compared": Frame(
        "A regressor at a level of noise",
        lambda facts: [flat(row, leave=("sentence",)) for row in facts["compared"]],
        COMMON
        | {
            "held_out_rms": f"{ERROR} over signals and seeds",
            "fit_seconds": "time of a fit, median, seconds",
            "predict_seconds": "time of a prediction, median, seconds",
            "error_ratio": "error ÷ that of the first regressor, median",
            "time_ratio": "time of a fit ÷ that of the first regressor, median",
        },
    ),
}
