"""What spectra of a run's windows say at chosen epochs, as numbers that rules can use."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from koopscope.errors import InputError
from koopscope.experiments.watching.names import WINDOW
from koopscope.monitor.spectrum import WindowSpectrum
from koopscope.monitor.verdict import classify
from koopscope.monitor.window import SlidingWindow

# Few directions, since a noisy window of full rank has no small residual; fixed as WINDOW was.
RANK = 4
# Time constants and displacements beyond these count as these.
LONGEST, SHORTEST_WAY = 1e6, 1e-6
# A window without motion: all that it has stands still.
MOTIONLESS = {
    "slow_share": 1.0,
    "growing_share": 0.0,
    "untrusted_share": 0.0,
    "largest": 1.0,
    "time_constant": LONGEST,
    "spread": 0.0,
    "predicted_displacement": 0.0,
    "past_displacement": 0.0,
}


def at_epochs(
    runs: xr.Dataset, epochs: Sequence[int], window: int = WINDOW, rank: int = RANK
) -> xr.Dataset:
    """Spectra of the windows that end at these epochs.

    Parameters
    ----------
    runs
        As :func:`koopscope.experiments.watching.runs.train_ensemble` gives them.
    epochs
        Each at least 1.
    window
        Snapshots in a window; all since the start where there are fewer.
    rank
        Directions kept, fewer where a window has fewer.

    Returns
    -------
    xarray.Dataset
        Dims (run, epoch): ``slow_share``, ``growing_share`` (of
        :class:`~koopscope.monitor.WindowSpectrum`), ``untrusted_share`` (of modes with
        larger residuals), ``largest`` (resolved |λ| by modulus, 0 if none is), ``time_constant``
        (the longest among resolved λ that are not within 1/m of 1, snapshots), ``spread`` (root
        mean square distance of the eigenvalues from their mean, both by share),
        ``predicted_displacement`` (for the next window) and ``past_displacement`` (the greatest
        from the window's first snapshot), both over the displacement so far; ``verdict``, the
        monitor's status (:func:`~koopscope.monitor.classify`). Dims (run, epoch, mode):
        ``eigenvalue``, ``residual``, ``share``. NaN where a run is not finite (and the status
        ``diverging``); a window without motion counts as one λ = 1.

    Raises
    ------
    InputError
        If an epoch is not there, or a window would have fewer than three snapshots.
    """
    per_epoch = runs.attrs["snapshots_per_epoch"]
    last = (runs.sizes["snapshot"] - 1) // per_epoch
    for epoch in epochs:
        if not 1 <= epoch <= last:
            raise InputError(f"epochs: {epoch} is none of the run's 1 to {last}")
    shape = (runs.sizes["run"], len(epochs))
    out = {name: np.full(shape, np.nan) for name in MOTIONLESS}
    modes = {
        "eigenvalue": np.full((*shape, rank), complex(np.nan, np.nan)),
        "residual": np.full((*shape, rank), np.nan),
        "share": np.full((*shape, rank), np.nan),
    }
    words = np.full(shape, "diverging", dtype=object)
    for i, sketch in enumerate(runs["sketch"].values):
        for j, epoch in enumerate(epochs):
            end = epoch * per_epoch + 1
            seen = sketch[max(0, end - window) : end]
            if not np.isfinite(seen).all():
                continue
            spectrum = _fitted(seen, rank)
            if spectrum is None:
                numbers = MOTIONLESS
                modes["eigenvalue"][i, j, 0], modes["residual"][i, j, 0] = 1, 0
                modes["share"][i, j, 0] = 1
                words[i, j] = "converged" if np.any(seen[-1] != sketch[0]) else "stalled"
            else:
                last_seen = seen[-1].astype(np.float64)
                displacement = float(np.linalg.norm(last_seen - sketch[0]))
                numbers = measures(spectrum, seen, displacement)
                size = float(np.linalg.norm(last_seen))
                words[i, j] = classify(spectrum, displacement, size).status
                found = (spectrum.eigenvalues, spectrum.residuals, spectrum.variance_shares)
                for values, new in zip(modes.values(), found, strict=True):
                    values[i, j, : len(new)] = new
            for name, number in numbers.items():
                out[name][i, j] = number
    return xr.Dataset(
        {name: (("run", "epoch"), values) for name, values in out.items()}
        | {name: (("run", "epoch", "mode"), values) for name, values in modes.items()}
        | {"verdict": (("run", "epoch"), words)},
        coords={"epoch": list(epochs), "seed": runs["seed"], "start": runs["start"]},
        attrs={"window": window, "rank": rank},
    )


def _fitted(seen: np.ndarray, rank: int) -> WindowSpectrum | None:
    """Spectrum of these snapshots; None if they are all the same."""
    window = SlidingWindow(len(seen), seen.shape[1], min(rank, len(seen) - 1, seen.shape[1]))
    for snapshot in seen:
        window.add(snapshot)
    return window.spectrum() if window.moved else None


def measures(spectrum: WindowSpectrum, seen: np.ndarray, displacement: float) -> dict[str, float]:
    """Numbers of :func:`at_epochs` for one window of snapshots (step, feature)."""
    trusted, shares, values = spectrum.resolved, spectrum.variance_shares, spectrum.eigenvalues
    away = trusted & ~spectrum.near_one
    mean = np.sum(shares * values)
    return {
        "slow_share": spectrum.slow_share,
        "growing_share": spectrum.growing_share,
        "untrusted_share": float(shares[~trusted].sum()),
        "largest": float(np.abs(values[trusted]).max(initial=0)),
        "time_constant": float(np.minimum(spectrum.time_constants[away], LONGEST).max(initial=0)),
        "spread": float(np.sqrt(np.sum(shares * np.abs(values - mean) ** 2))),
        "predicted_displacement": spectrum.predicted_displacement() / displacement
        if displacement > 0
        else 0.0,
        "past_displacement": float(np.linalg.norm(seen - seen[0].astype(float), axis=1).max())
        / displacement
        if displacement > 0
        else 0.0,
    }
