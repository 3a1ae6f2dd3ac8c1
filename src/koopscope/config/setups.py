"""Setups of every kind: what a study compares."""

import math
from collections.abc import Mapping
from typing import Any

from koopscope.config.models import ModelSetup, model_from_dict
from koopscope.config.runs import RecordedRuns
from koopscope.config.setup import NetworkSetup, OnlineSetup, network_from_dict, online_from_dict
from koopscope.config.values import as_tuple

# What is trained on a data set, and what else.
Trained = NetworkSetup | ModelSetup
Setup = Trained | OnlineSetup | RecordedRuns


def factor_value(setup: Setup, field: str) -> float:
    """Value of a setup's field as a number; a single layer's width; NaN for what is no number."""
    value = getattr(setup, field, None)
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number else math.nan


def setup_from_dict(canonical: Mapping[str, Any]) -> Setup:
    """Rebuild a setup from its canonical form; the data set gets its kind as its name."""
    if "online" in canonical:
        return online_from_dict(canonical)
    if "runs" in canonical:
        return RecordedRuns(**{k: as_tuple(v) for k, v in canonical["runs"].items()})
    if "model" in canonical:
        return model_from_dict(canonical)
    return network_from_dict(canonical)
