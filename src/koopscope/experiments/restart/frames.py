"""Tables of a question on poor initialisations, each with what its columns mean."""

from collections.abc import Mapping
from typing import Any

from koopscope.report.frames import AGAINST, Frame, Row, along, flat

EPOCH = {"epoch": "epoch of the checkpoint"}


def _starts(facts: Mapping[str, Any]) -> list[Row]:
    return [
        flat({**row, "init_scheme": kind, "share_bad": share}, leave=("kinds",))
        for row in facts["setups"]
        for kind, share in row["kinds"].items()
    ]


FRAMES = {
    "areas": Frame(
        "A predictor at a checkpoint",
        lambda facts: along(facts["areas"], "epoch", facts["checkpoints"], {"cells": "area"}),
        EPOCH
        | {
            "predictor": "what predicts a bad end",
            "area": "area under the curve, mean over held-out setups",
        },
    ),
    "gains": Frame(
        "A predictor less another at a checkpoint",
        lambda facts: along(
            facts["gains"], "epoch", facts["checkpoints"], {"cells": "area", "saved": "saved"}
        ),
        EPOCH
        | {
            "pair": "the difference in words",
            "first": "the predictor",
            "second": "the one taken off",
            "area": "difference of areas under the curve, mean over held-out setups",
            "saved": "difference of steps saved, %",
        },
    ),
    "verdicts": Frame(
        "A verdict of the monitor at a checkpoint",
        lambda facts: along(
            facts["verdicts"], "epoch", facts["checkpoints"], {"runs": "runs", "bad": "bad"}
        ),
        EPOCH
        | {
            "word": "the verdict",
            "runs": "runs with it, count",
            "bad": "of these, runs that end badly, count",
        },
    ),
    "policies": Frame(
        "A policy at a checkpoint",
        lambda facts: along(
            facts["policies"],
            "epoch",
            facts["checkpoints"],
            {"cells": "saved", "given_up": "given_up", "never": "never"},
        ),
        EPOCH
        | {
            "policy": "by what is started again",
            "saved": "steps to the target saved, mean over setups, %",
            "given_up": "share of good runs given up",
            "never": "setups in which it never comes to the target, count",
        },
    ),
    "steps": Frame(
        "A policy in a setup, at the checkpoint of the figures",
        lambda facts: along(facts["steps"], "policy", facts["policy_names"], {"cells": "steps"}),
        {
            "setup": "the setup",
            "policy": "by what is started again",
            "steps": "expected steps to the target; empty for never",
        },
    ),
    "starts": Frame(
        "A kind of start in a setup",
        _starts,
        {
            "setup": "the setup",
            "runs": "runs of the setup, count",
            "bad": "of these, runs that end badly, count",
            "reached": "of these, runs that come to the target, count",
            "target": "target accuracy, share",
            "init_scheme": "kind of start",
            "share_bad": "share of its runs that end badly",
        },
    ),
    "against": AGAINST,
}
