"""A control made of the runs of many seeds, one seed at a time.

A recoding is one map of the weights, the same for every seed of a group; of what it takes from the
data, the spread of each weight, all seeds are read beforehand, one after the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from koopscope.config.controls import NAMES, RECODED
from koopscope.controls.recodings import RECODINGS, SPREAD, spread_of
from koopscope.controls.surrogates import SURROGATES
from koopscope.errors import InputError

# Random streams: of a map, which all seeds share, and of a seed's surrogates; see also the streams
# of koopman.ensemble and training.batches.
MAP, SHUFFLES = 21, 22


@dataclass(frozen=True)
class Making:
    """What becomes of a seed's runs; a value, so that it can travel to workers.

    Attributes
    ----------
    control
        One of :data:`koopscope.config.controls.NAMES`.
    spread
        Of each weight over all seeds, where the map depends on it; shape (weight,).
    """

    control: str
    spread: np.ndarray | None = None

    def __call__(self, runs: xr.DataArray, seed: int) -> xr.DataArray:
        """Runs of the control, made of a seed's runs; dims ``(…, step, weight)``."""
        kind, _, name = self.control.partition(":")
        if kind == RECODED:
            draw = np.random.default_rng(MAP)
            if self.spread is None:
                return RECODINGS[name](runs, draw)
            return SPREAD[name](runs, draw, spread=self.spread)
        return SURROGATES[name.replace("_", " ")](runs, np.random.default_rng([seed, SHUFFLES]))


def making(control: str, runs: Iterable[xr.DataArray]) -> Making:
    """How a control is made of a group of seeds.

    Parameters
    ----------
    control
        One of :data:`koopscope.config.controls.NAMES`.
    runs
        Of each seed, dims ``(…, step, weight)``; read only where the map depends on the spread.

    Raises
    ------
    InputError
        If the control is unknown.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from koopscope.controls.making import making
    >>> runs = xr.DataArray(np.ones((4, 2)), dims=("step", "weight"))
    >>> making("recoded:rescaled", [])(runs, seed=0).shape
    (4, 2)
    """
    if control not in NAMES:
        raise InputError(f"control: unknown {control!r}; give one of {', '.join(NAMES)}")
    kind, _, name = control.partition(":")
    needed = kind == RECODED and name in SPREAD
    return Making(control, spread_of(runs) if needed else None)
