"""Facts of each signal and level of noise, a row each: bands, what is learned when, rates."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from koopscope.experiments.denoising.names import FINAL, band_name
from koopscope.koopman.trust import RESIDUAL_LIMIT
from koopscope.report.cells import median, spread
from koopscope.report.datasets import plain, strings

ROUNDING = 1e-9


def each_case(found: xr.Dataset) -> Iterator[tuple[str, float, xr.Dataset]]:
    """Each signal and level of noise, with what was found of them."""
    for i, signal in enumerate(strings(found["signal"]).tolist()):
        for j, snr in enumerate(found["snr"].values.tolist()):
            yield signal, snr, found.isel(signal=i, snr=j)


def bands(found: xr.Dataset) -> list[dict[str, Any]]:
    """Median error of each method in each band of wave numbers."""
    rows = []
    for signal, snr, own in each_case(found):
        own = own.isel(band=np.flatnonzero(np.isfinite(own["band_low"].values)))
        edges = own["band_low"].values.tolist(), own["band_high"].values.tolist()
        names = list(map(band_name, *edges))
        end = own["band_error"].isel(stop=strings(own["stop"]).tolist().index(FINAL))
        methods = [("the clean values", own["clean_band"])]
        methods += [(n, end.isel(loss=k)) for k, n in enumerate(strings(own["loss"]).tolist())]
        methods += [
            (n, own["filter_band_error"].isel(filter=k))
            for k, n in enumerate(strings(own["filter"]).tolist())
        ]
        for method, values in methods:
            middle = [median(v) for v in values.transpose("band", "seed").values]
            # Rounding is nothing.
            middle = [0.0 if m is not None and m < ROUNDING else m for m in middle]
            row = {"signal": signal, "snr": snr, "method": method}
            rows.append(row | {"names": names, "medians": middle})
    return rows


def learned(found: xr.Dataset) -> list[dict[str, Any]]:
    """When each loss has learned each tone, and what its modes say."""
    rows = []
    for signal, snr, own in each_case(found):
        # A tone that no network could have learned is not there, or not in this signal.
        there = np.isfinite(own["tone_share"]).any(("loss", "seed", "record")).values
        for k, loss in enumerate(strings(own["loss"]).tolist()):
            at = own.isel(loss=k)
            steps = at["learned_at"].transpose("tone", "seed").values[there]
            # Never is later than any step: the median is taken with it.
            middle = np.median(np.where(np.isfinite(steps), steps, np.inf), axis=1)
            residual = at["residual"].values
            untrusted = residual[np.isfinite(residual)] > RESIDUAL_LIMIT
            rows.append(
                {
                    "signal": signal,
                    "snr": snr,
                    "loss": loss,
                    "tones": own["tone"].values[there].tolist(),
                    "steps": [float(m) if np.isfinite(m) else None for m in middle],
                    "order": spread(at["order"].values),
                    "untrusted": plain(untrusted.mean()) if untrusted.size else None,
                }
            )
    return rows


def rates(found: xr.Dataset) -> list[dict[str, Any]]:
    """Which learning rate each loss was given, and what each would have come to; if tried."""
    if found.sizes["trial"] < 2:
        return []
    rows = []
    for signal, snr, own in each_case(found):
        end = own.isel(stop=strings(own["stop"]).tolist().index(FINAL))
        for k, loss in enumerate(strings(own["loss"]).tolist()):
            at = end.isel(loss=k)
            rows.append(
                {
                    "signal": signal,
                    "snr": snr,
                    "loss": loss,
                    "trials": own["trial"].values.tolist(),
                    "errors": [plain(error) for error in at["rate_error"].values],
                    "taken": plain(at["rate"].values),
                }
            )
    return rows
