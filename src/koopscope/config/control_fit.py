"""Fits of controls: plain frozen values without numerical libraries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from koopscope.config.controls import NAMES
from koopscope.config.fit import FitSpec


@dataclass(frozen=True)
class ControlFit(FitSpec):
    """A fit of what is made of the trajectories: ``control`` is one of
    :data:`koopscope.config.controls.NAMES`.

    Apart from :class:`koopscope.config.fit.FitSpec`, which training reads too: a new control
    retrains nothing.
    """

    control: str = NAMES[0]


def fit_from_dict(canonical: Mapping[str, Any]) -> FitSpec:
    """Rebuild a fit from its canonical form."""
    return (ControlFit if "control" in canonical else FitSpec)(**canonical)
