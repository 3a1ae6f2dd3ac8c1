"""An experiment with negative Sobolev losses as the library gives it, with known answers."""

import numpy as np
import xarray as xr

LOSSES = ("mse", "s1")
FILTERS = ("noisy", "wiener-oracle", "bayesshrink")
STOPS = ("final", "least", "discrepancy")
TONES = (1, 3, 9)


def denoising_store(
    signals: tuple[str, ...] = ("falling-tones", "digits"),
    levels: tuple[float, ...] = (20.0, -10.0),
    losses: tuple[str, ...] = LOSSES,
    filters: tuple[str, ...] = FILTERS,
) -> xr.Dataset:
    """Three seeds at factors 0.9, 1 and 1.1 of the errors.

    At −10 dB mean squared error ends at 3 and its least error is 1.2; the next loss has 0.9 of that
    everywhere, and half of it at the end; filters have 3, 0.3 and 0.6. Tone 9 is never learned
    under the second loss, and "digits" has no tone 9. Its grid is a plane, with a band less.
    """
    seeds, side = np.array([0.9, 1.0, 1.1]), 8
    noise = 10 ** (-np.array(levels) / 20)[:, None, None, None]
    of_loss = np.array([1.0 if k == 0 else 0.9 for k in range(len(losses))])[:, None, None]
    of_stop = np.array([3, 1.2, 1.5])[:, None] / 10**0.5
    end = np.ones((len(losses), 3, 1))
    end[1:, 0] = 0.5 / 0.9
    error = np.tile(noise * of_loss * of_stop * end * seeds, (len(signals), 1, 1, 1, 1))
    of_filter = np.array([3, 0.3, 0.6, *[1.0] * 20])[: len(filters), None] / 10**0.5
    filtered = np.tile(noise[..., 0] * of_filter * seeds, (len(signals), 1, 1, 1))
    shares = np.array([0.5, 0.5, np.sqrt(0.5), 0])
    flat = np.array([name == "digits" for name in signals])
    bands = np.where(flat[:, None] & (np.arange(4) == 3), np.nan, shares)

    def banded(values: np.ndarray) -> np.ndarray:
        return values[..., None] * bands.reshape(len(signals), *[1] * (values.ndim - 1), 4)

    low, high = np.array([0, 1.7, 5.2, 15.6]), np.array([1.7, 5.2, 15.6, np.inf])
    records = np.arange(0, 101, 10)
    learned = np.full((len(signals), len(levels), len(losses), 3, 3), [10.0, 20, 50])
    learned[:, :, 1:, :, 2] = np.nan
    reached = np.ones((len(signals), len(levels), len(losses), 3, len(records), 3))
    reached[flat, ..., 2] = np.nan
    learned[flat, ..., 2] = np.nan
    point = np.arange(side * side)
    clean = np.where(flat[:, None] | (point < side), np.sin(point), np.nan)
    by = ("signal", "snr", "loss", "seed")
    shown = np.broadcast_to(
        clean[:, None, None, None] + 0.1, (len(signals), len(levels), len(losses), 3, len(point))
    )
    modes = np.broadcast_to([1.0, 3, 9, 2], (*error.shape[:3], 3, 4))
    residual = np.broadcast_to([0.01, 0.05, 0.5, np.nan], modes.shape)
    return xr.Dataset(
        {
            "error": ((*by[:3], "stop", "seed"), error),
            "stopped_at": ((*by[:3], "stop", "seed"), np.full(error.shape, 100.0)),
            "band_error": ((*by[:3], "stop", "seed", "band"), banded(error)),
            "rate": ((*by[:3], "stop"), np.full(error.shape[:4], 0.03)),
            "rate_error": ((*by[:3], "stop", "trial"), np.stack([error[..., 1]] * 2, axis=-1)),
            "filter_error": (("signal", "snr", "filter", "seed"), filtered),
            "filter_band_error": (("signal", "snr", "filter", "seed", "band"), banded(filtered)),
            "clean_band": (
                ("signal", "snr", "seed", "band"),
                banded(np.ones((len(signals), len(levels), 3))),
            ),
            "band_low": (("signal", "band"), np.where(np.isnan(bands), np.nan, low)),
            "band_high": (("signal", "band"), np.where(np.isnan(bands), np.nan, high)),
            "side": ("signal", np.full(len(signals), side)),
            "axes": ("signal", np.where(flat, 2, 1)),
            "learned_at": ((*by, "tone"), learned),
            "tone_share": ((*by, "record", "tone"), reached),
            "order": (by, np.full(modes.shape[:4], 0.5)),
            "memory": ((*by, "mode"), 10 * modes),
            "mode_number": ((*by, "mode"), modes),
            "residual": ((*by, "mode"), residual),
            "shown_clean": (("signal", "snr", "point"), np.stack([clean] * len(levels), axis=1)),
            "shown_noisy": (("signal", "snr", "point"), np.stack([clean + 1] * len(levels), 1)),
            "shown": (("signal", "snr", "loss", "stop", "point"), shown),
            "shown_filter": (
                ("signal", "snr", "filter", "point"),
                np.broadcast_to(
                    clean[:, None, None] + 0.2,
                    (len(signals), len(levels), len(filters), len(point)),
                ),
            ),
        },
        coords={
            "signal": list(signals),
            "snr": list(levels),
            "loss": list(losses),
            "filter": list(filters),
            "stop": list(STOPS),
            "seed": [1, 2, 3],
            "trial": [0.01, 0.03],
            "tone": list(TONES),
            "step": ("record", records),
        },
        attrs={"study": "denoise", "question": "What is left of noise?"},
    )
