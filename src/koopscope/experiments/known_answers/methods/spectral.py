"""Koopman spectra as a method: an observable, its coordinates, a distance of spectra."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from koopscope.compare.metrics import metric_matrix
from koopscope.errors import InputError, RankError
from koopscope.koopman.fitting import fit

Fitted = tuple[np.ndarray, np.ndarray, np.ndarray]
NONE: Fitted = (np.empty(0, complex), np.empty(0), np.empty(0))


@dataclass
class Spectra:
    """Fits of pools, a seed each, kept where a pool is asked for again.

    Attributes
    ----------
    threads
        Fits side by side; the numbers do not depend on it.
    """

    threads: int = 1
    _kept: dict[tuple[str, str, str], list[Fitted]] = field(default_factory=dict)

    def of(self, pool: xr.Dataset, observable: str, coordinates: str) -> list[Fitted]:
        """Eigenvalues, residuals and amplitudes of each seed; none where no fit is possible.

        A pool with the attribute ``reused`` is fitted once, and its first seeds stand for others of
        that name; of any other, until :meth:`forget`.
        """
        count = pool.sizes["seed"]
        name = str(pool.attrs.get("reused", id(pool))), observable, coordinates
        if len(self._kept.get(name, ())) >= count:
            return self._kept[name][:count]
        runs = observed(pool, observable)
        delays, rank = int(pool.attrs["delays"]), int(pool.attrs["rank"])

        def one(k: int) -> Fitted:
            return _fitted(list(runs[k]), delays, rank, coordinates)

        with threadpool_limits(1), ThreadPoolExecutor(self.threads) as threads:
            found = list(threads.map(one, range(len(runs))))
        self._kept[name] = found
        return found

    def forget(self) -> None:
        """Forget the fits of pools that are not asked for again."""
        self._kept = {name: fits for name, fits in self._kept.items() if not name[0].isdigit()}


@dataclass(frozen=True)
class Spectral:
    """Distances between the spectra of runs.

    Attributes
    ----------
    coordinates
        As for :func:`koopscope.koopman.fit`.
    distance
        One of :data:`koopscope.compare.METRICS`.
    observable
        ``weights``, ``probe`` (answers of the network on fixed samples) or ``loss``.
    spectra
        Fits, shared with other methods.
    """

    coordinates: str
    distance: str
    observable: str
    spectra: Spectra

    def distances(self, first: xr.Dataset, second: xr.Dataset) -> np.ndarray:
        """Distances between all runs of two pools, the first pool's first; NaN without spectrum."""
        fits = [
            *self.spectra.of(first, self.observable, self.coordinates),
            *self.spectra.of(second, self.observable, self.coordinates),
        ]
        return metric_matrix(self.distance, *map(list, zip(*fits, strict=True)))


def observed(pool: xr.Dataset, observable: str) -> np.ndarray:
    """Values of an observable, shape (seed, init, step, feature); none where it was not recorded.

    The logarithm of the loss, since it falls over orders of magnitude.
    """
    if observable not in pool:
        return np.empty((pool.sizes["seed"], 0, 0, 0))
    values = pool[observable]
    if observable == "loss":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(values.transpose("seed", "init", "step").values.astype(float))[..., None]
    return values.transpose("seed", "init", "step", ...).values


def _fitted(runs: list[np.ndarray], delays: int, rank: int, coordinates: str) -> Fitted:
    if not runs:
        return NONE
    try:
        # Of one number a few delays span no more.
        rank = min(rank, (delays + 1) * runs[0].shape[-1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = fit(runs, delays, rank, coordinates=coordinates)
            except RankError as error:
                found = fit(runs, delays, max(1, min(rank, error.found)), coordinates=coordinates)
    except InputError:
        return NONE
    return found.eigenvalues, found.residuals, found.amplitudes
