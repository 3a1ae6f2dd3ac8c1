"""Stores of a made-up experiment with hierarchical regression, with known answers."""

import numpy as np
import xarray as xr

RULES = ("fft", "tapered", "lomb-scargle")
REGRESSORS = ("hsvr", "svr-search", "trees")


def transitions_store(
    signals: tuple[str, ...] = ("tone", "steps", "rings"), depth: int = 6
) -> xr.Dataset:
    """Errors that fall at layer 4 without noise and, under noise, never or at the last one.

    "fft" foretells one layer too many, "tapered" the layer without noise, and "lomb-scargle"
    nothing for the last signal.
    """
    cases = [(s, 0.0, 1) for s in signals] + [(s, 0.1, n) for s in signals for n in (1, 2)]
    signal, noise, seed = (list(column) for column in zip(*cases, strict=True))
    clean = np.array(noise) == 0
    observed = np.where(clean, 4.0, np.where(np.array(seed) == 1, np.nan, depth))
    at = np.arange(1, depth + 1)
    error = np.where(at >= np.nan_to_num(observed, nan=99)[:, None], 0.01, 0.5 / at)
    predicted = np.tile([5.0, 4.0, 4.0], (len(cases), 1))
    predicted[np.array(signal) == signals[-1], 2] = np.nan
    scale = np.broadcast_to(8 / 2.0 ** (at - 1), error.shape).copy()
    by_case, by_rule = ("case", "layers"), ("case", "rule")
    return xr.Dataset(
        {
            "train_error": (by_case, error),
            "held_out_rms": (by_case, 0.01 * (1 + np.abs(at - 4)) * np.ones_like(error)),
            "support_vectors": (by_case, np.full(error.shape, 40)),
            "scale": (by_case, scale),
            "transition": ("case", observed),
            "best": ("case", np.full(len(cases), 4.0)),
            "points": ("case", np.full(len(cases), 101)),
            "seconds": ("case", np.full(len(cases), 2.0)),
            "critical_scale": (by_rule, 8 / 2.0 ** (predicted - 1)),
            "predicted": (by_rule, predicted),
            "prediction_seconds": (by_rule, np.full(predicted.shape, 0.01)),
            "miss": (by_rule, predicted - observed[:, None]),
        },
        coords={
            "signal": ("case", np.array(signal)),
            "noise": ("case", noise),
            "seed": ("case", seed),
            "layers": at,
            "rule": list(RULES),
        },
        attrs={"study": "depth", "question": "How deep?", "epsilon": 0.01, "decay": 2.0},
    )


def baselines_store(signals: tuple[str, ...] = ("tone", "steps")) -> xr.Dataset:
    """Errors and times of three regressors, over two seeds, without noise and with it."""
    cases = [(s, noise, seed) for s in signals for noise in (0.0, 0.1) for seed in (1, 2)]
    signal, noise, seed = (list(column) for column in zip(*cases, strict=True))
    factor = np.array([1 + 0.1 * n for n in seed])[:, None]
    errors = factor * (0.01 + np.array(noise)[:, None]) * [1.0, 0.8, 9.0]
    seconds = factor * np.array([[0.02, 2.0, 0.3]])
    by = ("case", "regressor")
    return xr.Dataset(
        {
            "held_out_rms": (by, errors),
            "fit_seconds": (by, seconds),
            "predict_seconds": (by, seconds / 10),
            "points": ("case", np.full(len(cases), 101)),
        },
        coords={
            "signal": ("case", np.array(signal)),
            "noise": ("case", noise),
            "seed": ("case", seed),
            "regressor": list(REGRESSORS),
        },
        attrs={"study": "depth", "question": "How deep?", "epsilon": 0.01},
    )
