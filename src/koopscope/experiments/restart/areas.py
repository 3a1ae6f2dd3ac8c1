"""Areas under the curve of predictors of a bad end, with intervals over resampled seeds."""

import numpy as np
import xarray as xr

from koopscope.compare.areas import weighted_auc
from koopscope.compare.intervals import bounds, finite_mean, multiplicities
from koopscope.experiments.restart.names import PAIRS
from koopscope.experiments.watching.names import pair_coordinates

RESAMPLES = 1000


def resampled(found: xr.Dataset, seed: int = 0) -> dict[str, np.ndarray]:
    """How often each seed of each setup stands in a resample; (resamples + 1, seed) by setup.

    The first is each seed once. Seeds and not runs are drawn, since a seed's starts see the same
    batches, and the same for all setups, which share their starts.
    """
    seeds = np.unique(found["seed"].values)
    count = len(seeds)
    (draws,) = multiplicities((count,), RESAMPLES, seed)
    draws = np.concatenate([np.ones((1, count), int), draws])
    setups = found["setup"].values
    return {
        setup: draws[:, np.isin(seeds, found["seed"].values[setups == setup])]
        for setup in dict.fromkeys(setups)
    }


def areas(found: xr.Dataset, probability: xr.DataArray, seed: int = 0) -> xr.Dataset:
    """Area under the curve of each predictor, by checkpoint.

    Parameters
    ----------
    found, probability
        As :func:`koopscope.experiments.restart.run.joined` and
        :func:`~koopscope.experiments.restart.run.predicted` give them.
    seed
        Draws the resamples of seeds.

    Returns
    -------
    xarray.Dataset
        ``auc`` (setup, epoch, predictor), NaN where a setup has no bad run or no other;
        ``mean_auc`` (epoch, predictor, bound), over setups, ``bound`` being ``mean``, ``low`` and
        ``high`` (95 % over resampled seeds); ``gain`` (epoch, pair, bound): of the mean area, of
        the first of each pair over the second; ``counted`` (setup, epoch), runs that are finite.
    """
    names = probability["predictor"].values.tolist()
    weights = resampled(found, seed)
    setups = list(weights)
    shape = (len(setups), found.sizes["epoch"], len(names), RESAMPLES + 1)
    every = np.full(shape, np.nan)
    counted = np.zeros(shape[:2], dtype=int)
    for i, setup in enumerate(setups):
        chosen = found["setup"].values == setup
        places = np.unique(found["seed"].values[chosen], return_inverse=True)[1]
        for j in range(found.sizes["epoch"]):
            finite = found["finite"].values[chosen, j]
            counted[i, j] = finite.sum()
            for k in range(len(names)):
                scores = probability.values[chosen, j, k]
                every[i, j, k] = weighted_auc(
                    scores[finite], found["bad"].values[chosen][finite], places[finite],
                    weights[setup],
                )  # fmt: skip
    # A resample without a bad run, or without another, says nothing of its setup.
    mean = finite_mean(every, axis=0)
    count = len(np.unique(found["seed"].values))
    gain = np.stack([mean[:, names.index(a)] - mean[:, names.index(b)] for a, b in PAIRS], axis=1)
    return xr.Dataset(
        {
            "auc": (("setup", "epoch", "predictor"), every[..., 0]),
            "mean_auc": (("epoch", "predictor", "bound"), bounds(mean, count)),
            "gain": (("epoch", "pair", "bound"), bounds(gain, count)),
            "counted": (("setup", "epoch"), counted),
        },
        coords={
            "setup": setups,
            "epoch": found["epoch"].values,
            "predictor": names,
            "bound": ["mean", "low", "high"],
            **pair_coordinates(PAIRS),
        },
    )
