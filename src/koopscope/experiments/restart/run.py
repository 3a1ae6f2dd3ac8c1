"""Does the spectrum tell a poor initialisation early? And what does starting again save?

Starts of several setups are followed to the end; a bad one never comes to a test loss near that of
plain starts. Predictors see a run up to a checkpoint. Each is a logistic regression that learned on
the other setups alone, so what it says of a setup is said of one that it has never seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from koopscope.compare.intervals import bounds, finite_mean
from koopscope.errors import InputError
from koopscope.experiments.means import Means
from koopscope.experiments.restart.areas import RESAMPLES, areas, resampled
from koopscope.experiments.restart.names import (
    BASELINE,
    GRADIENT,
    LOSS,
    NEVER,
    ORACLE,
    PAIRS,
    POLICIES,
    PREDICTORS,
    SPECTRUM,
    TOGETHER,
)
from koopscope.experiments.watching.features import SHORTEST_WAY, at_epochs
from koopscope.experiments.watching.names import PLAIN, WINDOW, pair_coordinates
from koopscope.experiments.watching.trained import trained
from koopscope.training.devices import one_blas_thread

if TYPE_CHECKING:
    from koopscope.experiments.restart.plan import Restart

# [ours] Bad is a least test loss of so many times the plain starts' median, the target so much
# accuracy below their median at the end, a start again at a probability above 1/2.
BAD, SHORT, LIKELY = 1.5, 0.01, 0.5
BY_SPECTRUM = (
    "slow_share",
    "growing_share",
    "untrusted_share",
    "largest",
    "time_constant",
    "spread",
    "predicted_displacement",
)
BY_LOSS, BY_CURVE = ("loss",), ("loss", "fall")
# Squared too, since both too short and too long a gradient are bad signs.
BY_GRADIENT = ("gradient", "gradient_squared", "gradient_fall")
FEATURES: Mapping[str, tuple[str, ...]] = {
    LOSS: BY_LOSS,
    GRADIENT: BY_GRADIENT,
    BASELINE: (*BY_CURVE, *BY_GRADIENT),
    SPECTRUM: BY_SPECTRUM,
    TOGETHER: (*BY_CURVE, *BY_GRADIENT, *BY_SPECTRUM),
}
SMALLEST = 1e-8


def cases_of(name: str, runs: xr.Dataset, checkpoints: Sequence[int]) -> xr.Dataset:
    """Features of the runs of one setup at the checkpoints, and how they end.

    Parameters
    ----------
    name
        Of the setup.
    runs
        As :func:`koopscope.experiments.watching.runs.train_ensemble` gives them.
    checkpoints
        Epochs.

    Returns
    -------
    xarray.Dataset
        Dim ``run`` (coordinates ``setup``, ``seed``, ``start``): ``bad``; ``least_loss`` (test,
        over the run; NaN if not finite at the end), ``final_accuracy``; ``target`` (accuracy);
        ``reached`` (first epoch at the target, NaN if none); ``budget`` (epochs), ``epoch_steps``.
        Dims (run, epoch): ``finite`` so far; ``loss`` (log10 of the training loss since the last
        snapshot), ``fall`` (log10 of that at the window's start over it), ``gradient`` (log10 of
        the gradient's mean length since the last snapshot), ``gradient_squared`` (of ``gradient``),
        ``gradient_fall`` (as ``fall``), and the spectral features, time constant and predicted
        displacement as log10.
        Dims (run, epoch, mode): the spectra.

    Raises
    ------
    InputError
        If there is no plain start.
    """
    plain = runs["start"].values == PLAIN
    if not plain.any():
        raise InputError(f"starts: {name} has no start 'plain' to measure others by; add one")
    seen = at_epochs(runs, checkpoints)
    loss, accuracy = runs["test_loss"].values, runs["test_accuracy"].values
    # The least and not the last, which says how a network overfits and not how it started.
    least = np.where(np.isfinite(loss[:, -1]), np.fmin.reduce(loss, axis=1), np.nan)
    limit, target = BAD * np.nanmedian(least[plain]), np.nanmedian(accuracy[plain, -1]) - SHORT
    # A run that is not finite compares false.
    bad = ~(least <= limit)
    above = accuracy >= target
    reached = np.where(above.any(axis=1), above.argmax(axis=1), np.nan)
    per_epoch = runs.attrs["snapshots_per_epoch"]
    ends = np.array(checkpoints) * per_epoch
    begins = np.maximum(ends - WINDOW + 1, 1)
    losses = np.log10(np.maximum(runs["train_loss"].values, SMALLEST))
    norms = np.log10(np.maximum(runs["gradient_norm"].values, SMALLEST))
    return seen.assign(
        time_constant=np.log10(np.maximum(seen["time_constant"], 0.1)),
        predicted_displacement=np.log10(np.maximum(seen["predicted_displacement"], SHORTEST_WAY)),
        loss=(("run", "epoch"), losses[:, ends]),
        fall=(("run", "epoch"), losses[:, begins] - losses[:, ends]),
        gradient=(("run", "epoch"), norms[:, ends]),
        gradient_squared=(("run", "epoch"), norms[:, ends] ** 2),
        gradient_fall=(("run", "epoch"), norms[:, begins] - norms[:, ends]),
        finite=(
            ("run", "epoch"),
            np.isfinite(losses[:, ends]) & np.isfinite(seen["predicted_displacement"].values),
        ),
        bad=("run", bad),
        least_loss=("run", least),
        final_accuracy=("run", accuracy[:, -1]),
        target=("run", np.full(len(bad), target)),
        reached=("run", reached),
        budget=("run", np.full(len(bad), runs.sizes["epoch"] - 1)),
        epoch_steps=("run", np.full(len(bad), runs.attrs["steps_per_epoch"])),
    ).assign_coords(setup=("run", np.full(len(bad), name, dtype=object)))


def run(plan: "Restart", data: Sequence[xr.Dataset], means: Means) -> xr.Dataset:
    """Train the runs of a question on initialisations, predict their ends, count what that saves.

    Parameters
    ----------
    plan, data, means
        As for :func:`koopscope.experiments.stopping.run.run`.

    Returns
    -------
    xarray.Dataset
        What :func:`joined` gives (dim ``run`` over all setups, whose names
        are ``of_setup``), with ``probability`` (run, epoch, predictor), and what
        :func:`areas` and :func:`savings` give
        (dim ``setup``).
    """
    starts = tuple(kind for kind, count in plan.init_schemes for _ in range(count))
    with one_blas_thread(means.threads):
        found = joined(
            cases_of(runs.name, found, plan.checkpoints)
            for runs, found in trained(plan, starts, data, means)
        )
        probability = predicted(found)
        parts = [
            found.rename(setup="of_setup").assign(probability=probability),
            areas(found, probability),
            savings(found, probability),
        ]
    return xr.merge(parts, compat="no_conflicts", combine_attrs="drop_conflicts").assign_attrs(
        epochs=plan.epochs,
        init_schemes=", ".join(f"{count} {kind}" for kind, count in plan.init_schemes),
    )


def joined(parts: Iterable[xr.Dataset]) -> xr.Dataset:
    """Cases of several setups (:func:`cases_of`) as one dataset."""
    return xr.concat(list(parts), dim="run", combine_attrs="drop_conflicts")


def predicted(found: xr.Dataset) -> xr.DataArray:
    """Probability of a bad end of each run, by predictors that never saw its setup.

    Parameters
    ----------
    found
        As :func:`joined` gives it.

    Returns
    -------
    xarray.DataArray
        Dims (run, epoch, predictor); 1 where the run is not finite any more; NaN where the other
        setups have no bad run or no other.

    Raises
    ------
    InputError
        If there is only one setup.
    """
    setups = found["setup"].values
    if len(set(setups)) < 2:
        raise InputError("setups: one; give at least two, so that each can be held out")
    bad, finite = found["bad"].values, found["finite"].values
    out = np.full((found.sizes["run"], found.sizes["epoch"], len(PREDICTORS)), np.nan)
    for j in range(found.sizes["epoch"]):
        for k, predictor in enumerate(PREDICTORS):
            features = np.stack([found[name].values[:, j] for name in FEATURES[predictor]], axis=1)
            for setup in dict.fromkeys(setups):
                held = (setups == setup) & finite[:, j]
                others = (setups != setup) & finite[:, j]
                if held.any() and len(set(bad[others])) == 2:
                    model = make_pipeline(
                        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
                    )
                    model.fit(features[others], bad[others])
                    out[held, j, k] = model.predict_proba(features[held])[:, 1]
        out[~finite[:, j], j] = 1
    return xr.DataArray(
        out,
        dims=("run", "epoch", "predictor"),
        coords={"epoch": found["epoch"].values, "predictor": list(PREDICTORS)},
    )


def savings(found: xr.Dataset, probability: xr.DataArray, seed: int = 0) -> xr.Dataset:
    """Expected steps to the target accuracy by policy, if a run that fails is started again.

    An attempt draws one of a setup's runs. It ends at the target, at the checkpoint if the policy
    says so, or at the end of the budget, and after the last two another one begins. So the expected
    total is the mean cost of an attempt over the share of attempts that come to the target.

    Parameters
    ----------
    found, probability
        As :func:`joined` and :func:`predicted` give them.
    seed
        Draws the resamples of seeds.

    Returns
    -------
    xarray.Dataset
        Dims (setup, epoch, policy): ``steps``, NaN if no attempt comes to the target; ``success``,
        share of attempts that do; ``given_up``, share of the attempts that would have come to it
        but were ended. Dims (epoch, policy, bound): ``saved``, share of the steps of ``no restart``
        saved, mean over the setups in which every policy comes to the target. Dims (epoch, pair,
        bound): ``saved_gain``, of the first of each pair of ``PAIRS`` over the second. Dims (epoch,
        policy): ``never``, number of setups in which no attempt comes to it.
    """
    weights = resampled(found, seed)
    setups = list(weights)
    shape = (len(setups), found.sizes["epoch"], len(POLICIES))
    steps, success, given_up = (np.full(shape, np.nan) for _ in range(3))
    saved = np.full((*shape, RESAMPLES + 1), np.nan)
    for i, setup in enumerate(setups):
        part = found.isel(run=np.flatnonzero(found["setup"].values == setup))
        places = np.unique(part["seed"].values, return_inverse=True)[1]
        draws = weights[setup][:, places].astype(float)
        chance = probability.values[found["setup"].values == setup]
        for j, checkpoint in enumerate(found["epoch"].values):
            totals = []
            for k, policy in enumerate(POLICIES):
                ended = _ended(policy, part, chance[:, j], checkpoint)
                done, cost = attempts(part, ended, checkpoint)
                share = draws @ done / draws.sum(axis=1)
                with np.errstate(divide="ignore", invalid="ignore"):
                    total = draws @ cost / draws.sum(axis=1) / share
                totals.append(np.where(share > 0, total, np.nan))
                steps[i, j, k], success[i, j, k] = totals[k][0], share[0]
                could = np.isfinite(part["reached"].values)
                given_up[i, j, k] = np.mean(could & ~done) if could.any() else np.nan
            saved[i, j] = 1 - np.array(totals) / totals[0]
    # The same setups for all, lest a policy gain by failing in one where all save little.
    by_all = np.isfinite(saved).all(axis=2, keepdims=True)
    mean = finite_mean(np.where(by_all, saved, np.nan), axis=0)
    of = POLICIES.index
    count = len(np.unique(found["seed"].values))
    gain = np.stack([mean[:, of(one)] - mean[:, of(other)] for one, other in PAIRS], axis=1)
    return xr.Dataset(
        {
            "steps": (("setup", "epoch", "policy"), steps),
            "success": (("setup", "epoch", "policy"), success),
            "given_up": (("setup", "epoch", "policy"), given_up),
            "saved": (("epoch", "policy", "bound"), bounds(mean, count)),
            "saved_gain": (("epoch", "pair", "bound"), bounds(gain, count)),
            "never": (("epoch", "policy"), np.isnan(steps).sum(axis=0)),
        },
        coords={
            "setup": setups,
            "epoch": found["epoch"].values,
            "policy": list(POLICIES),
            "bound": ["mean", "low", "high"],
            **pair_coordinates(PAIRS),
        },
    )


def attempts(part: xr.Dataset, ended: np.ndarray, checkpoint: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether each run comes to the target, (run,), and its cost in steps, (run,).

    Parameters
    ----------
    part
        Runs of :func:`cases_of`.
    ended
        Whether the policy ends each run at the checkpoint, if it is not at the target by then.
    checkpoint
        Epoch.
    """
    reached, budget = part["reached"].values, part["budget"].values
    early = reached <= checkpoint
    done = early | (np.isfinite(reached) & ~ended)
    epochs = np.where(done, reached, np.where(ended, checkpoint, budget))
    return done, epochs * part["epoch_steps"].values


def _ended(policy: str, part: xr.Dataset, chance: np.ndarray, checkpoint: int) -> np.ndarray:
    """Whether a policy ends each run at the checkpoint; ``chance`` has shape (run, predictor)."""
    if policy == NEVER:
        return np.zeros(part.sizes["run"], dtype=bool)
    if policy == ORACLE:
        return np.isnan(part["reached"].values)
    return chance[:, PREDICTORS.index(policy)] > LIKELY
