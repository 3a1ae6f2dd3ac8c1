"""Pools of networks with known answers: recodings, surrogates, other setups.

The recorded weights are those of the output layer, after Redman et al. (NeurIPS 2024). A symmetry
of the hidden units acts on that layer alone as on its rows, whose places are all that a recoding of
the whole network would leave of it there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from koopscope.config.data import CLASSES
from koopscope.controls import recodings, surrogates
from koopscope.data.controls import permute, relabel
from koopscope.training.ensemble import train
from koopscope.training.loop import Accuracy

if TYPE_CHECKING:
    from koopscope.config.setup import NetworkSetup

# Loss times this, a power of two: gradient and rate are scaled without rounding.
LOSS_FACTOR = 8
# Of the scales of units that move along a symmetry: their logarithm's amplitude, waves in a run.
BREATH, WAVES = 0.1, 10
Recoding = Callable[[xr.DataArray, np.random.Generator], xr.DataArray]


class Networks:
    """Pools of one setup and of what is made of it.

    Parameters
    ----------
    setup
        The base: one initialisation, output layer and probe recorded.
    data
        Its data set.
    seeds
        Of the first pool and of the second.
    maps
        How many maps a recoding draws; each recodes its share of the second pool.
    device
        Where to train.
    """

    def __init__(
        self,
        setup: "NetworkSetup",
        data: xr.Dataset,
        seeds: tuple[Sequence[int], Sequence[int]],
        maps: int,
        device: str,
    ) -> None:
        self.setup, self.data, self.seeds, self.maps = setup, data, seeds, maps
        self.device = device
        self._base: dict[int, xr.Dataset] = {}

    def pools(self, case: str, runs: int) -> tuple[xr.Dataset, xr.Dataset]:
        """First and second pool of a case, so many seeds each, dims (seed, init, step, weight)."""
        if case == "h5 h40":
            return self._with(0, runs, hidden_widths=(5,)), self._with(1, runs, hidden_widths=(40,))
        return self.base(0, runs), self._second(case, runs)

    def base(self, side: int, runs: int) -> xr.Dataset:
        """Pool of the setup itself, trained once."""
        if side not in self._base:
            self._base[side] = self._with(side, len(self.seeds[side]))
        return self._base[side].isel(seed=slice(runs)).assign_attrs(reused=f"side {side}")

    def _second(self, case: str, runs: int) -> xr.Dataset:
        if case == "fresh seeds":
            return self.base(1, runs)
        if case == "loss times 8":
            return self.base(1, runs).assign(loss=LOSS_FACTOR * self.base(1, runs)["loss"])
        if case == "permuted pixels":
            return self._with(1, runs, data=permute(self.data, seed=1))
        if case == "renamed classes":
            return self._with(1, runs, data=relabel(self.data, seed=1))
        if case in SURROGATES:
            return self._surrogates(runs, SURROGATES[case])
        if case in RECODINGS:
            return self._recoded(runs, RECODINGS[case])
        return self._with(1, runs, **OTHERS[case](self.setup))

    def _with(
        self, side: int, runs: int, data: xr.Dataset | None = None, **changes: Any
    ) -> xr.Dataset:
        """Pool of a side's first seeds, of a setup with changes."""
        setup = replace(self.setup, seeds=tuple(self.seeds[side][:runs]), **changes)
        shape = len(setup.seeds), setup.initialisations, setup.steps
        found = {name: np.empty((*shape, setup.features(name)), np.float32) for name in OBSERVED}
        losses = np.empty(shape, np.float32)
        for piece in train(setup, self.data if data is None else data, setup.steps, self.device):
            if not isinstance(piece, Accuracy):
                at = piece.seeds, slice(None), piece.steps
                losses[at] = piece.losses
                for name, values in found.items():
                    values[at] = piece.observed[name]
        dims = ("seed", "init", "step")
        return xr.Dataset(
            {
                "weights": ((*dims, "weight"), found["weights"]),
                "probe": ((*dims, "response"), found["probe"]),
                "loss": (dims, losses),
            },
            coords={"seed": list(setup.seeds), "step": np.arange(1, setup.steps + 1)},
        )

    def _recoded(self, runs: int, recoding: Recoding) -> xr.Dataset:
        """Second pool in other coordinates of the weights, a map for each part of its seeds."""
        base = self.base(1, runs)
        part = np.arange(base.sizes["seed"]) % self.maps
        made = []
        for k in range(self.maps):
            of_part = base["weights"].isel(seed=np.flatnonzero(part == k))
            made.append(recoding(of_part, np.random.default_rng([k, len(part)])))
        weights = xr.concat(made, "seed").sel(seed=base["seed"])
        return _other(base, weights=weights).assign_coords(part=("seed", part))

    def _surrogates(self, runs: int, surrogate: Recoding) -> xr.Dataset:
        """Second pool without its dynamics: weights, and answers on the probe; losses are kept."""
        base = self.base(1, runs)
        draw = np.random.default_rng(base.sizes["seed"])
        probe = base["probe"].rename(response="weight")
        made = surrogate(probe, draw).rename(weight="response")
        return _other(base, weights=surrogate(base["weights"], draw), probe=made)


def units_permuted(runs: xr.DataArray, draw: np.random.Generator) -> xr.DataArray:
    """Rows of the output layer in another order: what another order of hidden units leaves."""
    rows = np.arange(runs.sizes["weight"]).reshape(-1, CLASSES)
    order = draw.permutation(rows).ravel()
    return runs.copy(data=runs.values[..., order])


def units_rescaled(
    runs: xr.DataArray, draw: np.random.Generator, factor: float = 4.0
) -> xr.DataArray:
    """Rows of the output layer over a constant each, from 1 ÷ factor to factor."""
    units = runs.sizes["weight"] // CLASSES
    scales = np.repeat(factor ** draw.uniform(-1, 1, units), CLASSES)
    return runs.copy(data=runs.values / scales)


def units_breathing(runs: xr.DataArray, draw: np.random.Generator) -> xr.DataArray:
    """Rows of the output layer times scales that move in time, each with a phase of its own."""
    units, steps = runs.sizes["weight"] // CLASSES, runs.sizes["step"]
    angles = 2 * np.pi * WAVES * np.arange(steps) / steps
    waves = np.sin(angles[:, None] + draw.uniform(0, 2 * np.pi, units))
    scales = np.repeat(np.exp(BREATH * waves), CLASSES, axis=1)
    return runs.transpose(..., "step", "weight").copy(data=runs.values * scales)


def _other(pool: xr.Dataset, **variables: xr.DataArray) -> xr.Dataset:
    """Another pool, with some variables of its own."""
    return pool.assign(variables).drop_attrs(deep=False)


OBSERVED = ("weights", "probe")
RECODINGS: dict[str, Recoding] = {
    "units permuted": units_permuted,
    "units rescaled": units_rescaled,
    "units breathing": units_breathing,
    "weights rescaled": recodings.rescaled,
    "weights bent": recodings.bent,
    "weights rotated": recodings.rotated,
    "weights mixed 10": partial(recodings.mixed, condition=10.0),
    "weights mixed 100": partial(recodings.mixed, condition=100.0),
    "weights warped": recodings.warped,
}
SURROGATES: Mapping[str, Recoding] = surrogates.SURROGATES
OTHERS: dict[str, Callable[["NetworkSetup"], dict[str, Any]]] = {
    "rate 0.8": lambda base: {"learning_rate": 0.8 * base.learning_rate},
    "rate 0.5": lambda base: {"learning_rate": 0.5 * base.learning_rate},
    "batch 0.5": lambda base: {"batch_size": max(1, base.batch_size // 2)},
    "momentum": lambda base: {"optimizer": "momentum", "learning_rate": 0.1 * base.learning_rate},
    "adam": lambda base: {"optimizer": "adam", "learning_rate": 0.01 * base.learning_rate},
    "tanh": lambda base: {"activation": "tanh"},
    "h5": lambda base: {"hidden_widths": (5,)},
    "h40": lambda base: {"hidden_widths": (40,)},
}
