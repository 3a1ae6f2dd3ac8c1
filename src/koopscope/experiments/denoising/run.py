"""Networks fitted to noise under each loss, and plain filters, against the clean values.

[ours] Rules fixed before any run. Every loss has the same networks, steps and optimiser (Adam: a
factor before a loss changes nothing), and the best of the same rates, chosen on seeds of their own
at each level of noise. A network that fits noise is a low-pass while it has not yet fitted all, so
errors are given at the end, where the error is least (an oracle), and where the residual's mean
square first falls to the estimated variance of the noise (discrepancy principle, Morozov 1966).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import xarray as xr

from koopscope.experiments.denoising import learning
from koopscope.experiments.denoising.filters import denoised, noise_estimate
from koopscope.experiments.denoising.names import DISCREPANCY, FINAL, LEAST
from koopscope.experiments.denoising.networks import fit_networks, record_steps
from koopscope.experiments.denoising.targets import target
from koopscope.experiments.denoising.waves import Waves, edges
from koopscope.experiments.means import Means
from koopscope.training.devices import choose_device

if TYPE_CHECKING:
    from koopscope.experiments.denoising.plan import Denoising

STOPS = (FINAL, LEAST, DISCREPANCY)
OF_THE_SIGNAL = ("side", "axes", "boundary")


@dataclass(frozen=True)
class Case:
    """One target at one level of noise, drawn by several seeds."""

    clean: np.ndarray
    noisy: np.ndarray
    noise: float
    boundary: str

    @property
    def waves(self) -> Waves:
        """Of the grid."""
        return Waves(self.clean.shape[1:], self.boundary)


def run(experiment: "Denoising", data: Sequence[xr.Dataset], means: Means) -> xr.Dataset:
    """Fit, filter and measure everything that an experiment asks for.

    Parameters
    ----------
    experiment
        What to do.
    data
        None is needed.
    means
        Progress is reported after each training step of a batch.

    Returns
    -------
    xarray.Dataset
        Errors are root mean squares against the clean values ÷ their standard deviation: 1 is what
        a constant comes to. Dims ``signal``, ``snr`` (dB), ``seed``, and ``loss``, ``stop``:
        ``error``, ``band_error`` (with ``band``), ``stopped_at`` (step; NaN where the rule never
        stopped, and the end counts), ``rate``; ``rate_error`` (with ``trial``, median over the
        tuning seeds); ``filter``: ``filter_error``, ``filter_band_error``; ``record`` (coordinate
        ``step``): ``curve``, ``tone_share`` (with ``tone``), of the rate chosen for the end; and of
        the same ``learned_at`` (``tone``), ``eigenvalue``, ``residual``, ``time_constant``,
        ``mode_number`` (``mode``), ``order`` (:mod:`koopscope.experiments.denoising.learning`).
        ``clean_band`` (signal, snr, seed, band): root mean square of the clean values;
        ``band_low``, ``band_high`` (signal, band): wave numbers, in periods in the domain. Of the
        first seed, over ``point`` (of the flattened grid, whose side is ``side`` and number of axes
        ``axes``): ``shown_clean``, ``shown_noisy``, ``shown`` (loss, stop) and ``shown_filter``.
    """
    device = choose_device(means.device)
    torch.set_num_threads(means.threads)
    parts = [
        xr.concat(
            [
                _level(experiment, name, points, snr, device, means.progress)
                for snr in experiment.snr
            ],
            dim="snr",
            data_vars="all",
            combine_attrs="override",
        )
        for name, points in experiment.signals
    ]
    parts = [
        part.assign({k: part.attrs[k] for k in OF_THE_SIGNAL}).assign(_bands(part))
        for part in parts
    ]
    # Bands, tones and points that a smaller grid does not have are filled with NaN.
    out = xr.concat(parts, dim="signal", data_vars="all", join="outer", combine_attrs="drop")
    return out.assign_coords(
        signal=[name for name, _ in experiment.signals],
        snr=list(experiment.snr),
        loss=list(experiment.losses),
        filter=list(experiment.filters),
        stop=list(STOPS),
        trial=list(experiment.learning_rates),
        seed=list(experiment.seeds),
        step=("record", record_steps(experiment.steps, experiment.record_every)),
    )


def _level(
    experiment: "Denoising",
    name: str,
    points: int,
    snr: float,
    device: torch.device | str,
    progress: Callable[[int], object],
) -> xr.Dataset:
    case = _case(name, points, snr, experiment.seeds)
    waves, losses = case.waves, experiment.losses
    trial_errors, chosen = _rates(experiment, name, points, snr, device, progress)
    # Rates that are best for one way to stop need not be for another: run each that is.
    wanted = sorted({(i, int(r)) for i, row in enumerate(chosen) for r in row})
    outputs = _fit(experiment, case, experiment.seeds, wanted, device, progress)
    found = {
        "error": np.empty((len(losses), len(STOPS), len(experiment.seeds))),
        "stopped_at": np.empty((len(losses), len(STOPS), len(experiment.seeds))),
    }
    kept = np.empty((len(losses), len(STOPS), *case.clean.shape), np.float32)
    steps = record_steps(experiment.steps, experiment.record_every)
    of_end, curves = [], []
    for i in range(len(losses)):
        for j, stop in enumerate(STOPS):
            member = outputs[:, wanted.index((i, int(chosen[i, j])))]
            error = _rms(member - case.clean, waves)
            at, record = _stopped(stop, member, error, case)
            across = np.arange(len(experiment.seeds))
            found["error"][i, j] = error[record, across]
            found["stopped_at"][i, j] = np.where(at, steps[record], np.nan)
            kept[i, j] = member[record, across]
            if stop == FINAL:
                curves.append(error)
                of_end.append(member)
    filtered = np.stack(
        [
            [
                denoised(f, c, v, case.noise, case.boundary)
                for c, v in zip(case.clean, case.noisy, strict=True)
            ]
            for f in experiment.filters
        ]
    )
    by = ("loss", "stop", "seed")
    ds = xr.Dataset(
        {
            "error": (by, found["error"]),
            "stopped_at": (by, found["stopped_at"]),
            "band_error": ((*by, "band"), np.sqrt(waves.band_power(kept - case.clean))),
            "rate": (("loss", "stop"), np.asarray(experiment.learning_rates)[chosen]),
            "rate_error": (("loss", "stop", "trial"), trial_errors),
            "filter_error": (("filter", "seed"), _rms(filtered - case.clean, waves)),
            "filter_band_error": (
                ("filter", "seed", "band"),
                np.sqrt(waves.band_power(filtered - case.clean)),
            ),
            "clean_band": (("seed", "band"), np.sqrt(waves.band_power(case.clean))),
            "curve": (("loss", "seed", "record"), np.stack(curves).transpose(0, 2, 1)),
            "shown_clean": ("point", case.clean[0].ravel()),
            "shown_noisy": ("point", case.noisy[0].ravel()),
            "shown": (("loss", "stop", "point"), kept[:, :, 0].reshape(*kept.shape[:2], -1)),
            "shown_filter": (("filter", "point"), filtered[:, 0].reshape(len(filtered), -1)),
        },
        coords={"band": np.arange(waves.bands.max() + 1), "point": np.arange(case.clean[0].size)},
        attrs={"side": points, "axes": len(waves.shape), "boundary": case.boundary},
    )
    return ds.merge(_learning(experiment, case, of_end, steps))


def _bands(part: xr.Dataset) -> dict[str, tuple[str, np.ndarray]]:
    """Wave numbers between which each band lies; above the last one there are no others."""
    between = edges((part.attrs["side"],))
    return {
        "band_low": ("band", np.append(0.0, between)),
        "band_high": ("band", np.append(between, np.inf)),
    }


def _learning(
    experiment: "Denoising", case: Case, outputs: list[np.ndarray], steps: np.ndarray
) -> xr.Dataset:
    waves = case.waves
    reached = np.stack(
        [
            [learning.shares(waves, clean, member[:, s]) for s, clean in enumerate(case.clean)]
            for member in outputs
        ]
    )
    regular = len(steps) - (experiment.steps % experiment.record_every != 0)
    modes = [
        [
            learning.koopman_modes(
                waves, member[:regular, s], experiment.record_every, experiment.modes
            )
            for s in range(len(case.clean))
        ]
        for member in outputs
    ]
    by = ("loss", "seed")
    ds = xr.Dataset(
        {
            "tone_share": ((*by, "record", "tone"), reached.astype(np.float32)),
            "learned_at": (
                (*by, "tone"),
                learning.learned_at(steps, np.moveaxis(reached, 2, 0)),
            ),
            "order": (by, np.array([[learning.order(m) for m in row] for row in modes])),
        },
        coords={"tone": list(learning.tones(waves))},
    )
    names = modes[0][0]
    return ds.assign(
        {n: ((*by, "mode"), np.array([[m[n] for m in row] for row in modes])) for n in names}
    )


def _case(name: str, points: int, snr: float, seeds: tuple[int, ...]) -> Case:
    drawn = [target(name, points, snr, seed) for seed in seeds]
    return Case(
        np.stack([d["clean"].values for d in drawn]),
        np.stack([d["noisy"].values for d in drawn]),
        drawn[0].attrs["noise"],
        drawn[0].attrs["boundary"],
    )


def _rates(
    experiment: "Denoising",
    name: str,
    points: int,
    snr: float,
    device: torch.device | str,
    progress: Callable[[int], object],
) -> tuple[np.ndarray, np.ndarray]:
    """Errors on the tuning seeds (loss, stop, rate); index of the best rate (loss, stop)."""
    losses, rates = len(experiment.losses), len(experiment.learning_rates)
    if rates == 1:
        return np.full((losses, len(STOPS), 1), np.nan), np.zeros((losses, len(STOPS)), int)
    case = _case(name, points, snr, experiment.tuning_seeds)
    wanted = [(i, r) for i in range(losses) for r in range(rates)]
    outputs = _fit(experiment, case, experiment.tuning_seeds, wanted, device, progress)
    errors = np.empty((losses, len(STOPS), rates))
    for at, (i, r) in enumerate(wanted):
        error = _rms(outputs[:, at] - case.clean, case.waves)
        for j, stop in enumerate(STOPS):
            _, record = _stopped(stop, outputs[:, at], error, case)
            errors[i, j, r] = np.median(error[record, np.arange(error.shape[1])])
    return errors, np.where(np.isfinite(errors), errors, np.inf).argmin(axis=-1)


def _fit(
    experiment: "Denoising",
    case: Case,
    seeds: tuple[int, ...],
    wanted: list[tuple[int, int]],
    device: torch.device | str,
    progress: Callable[[int], object],
) -> np.ndarray:
    """Outputs (record, wanted, seed, *grid) of pairs of a loss and a rate, by their indices."""
    return fit_networks(
        case.noisy,
        case.boundary,
        [experiment.losses[i] for i, _ in wanted],
        seeds,
        np.array([experiment.learning_rates[r] for _, r in wanted]),
        experiment.steps,
        experiment.record_every,
        experiment.width,
        experiment.fourier_features,
        device,
        progress,
    )


def _stopped(
    stop: str, outputs: np.ndarray, error: np.ndarray, case: Case
) -> tuple[np.ndarray, np.ndarray]:
    """Whether a rule stops each seed's run, and the record at which it does, else the last one."""
    last = np.full(error.shape[1], len(error) - 1)
    if stop == FINAL:
        return np.ones(len(last), bool), last
    if stop == LEAST:
        return np.ones(len(last), bool), np.where(np.isfinite(error), error, np.inf).argmin(axis=0)
    variance = np.array([noise_estimate(v, case.boundary) ** 2 for v in case.noisy])
    there = _rms(outputs - case.noisy, case.waves) ** 2 <= variance
    return there.any(axis=0), np.where(there.any(axis=0), there.argmax(axis=0), last)


def _rms(values: np.ndarray, waves: Waves) -> np.ndarray:
    return np.sqrt(np.mean(np.square(values), axis=tuple(range(-len(waves.shape), 0))))
