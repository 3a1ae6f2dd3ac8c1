"""What a study's error_rates and its sensitivity came to, as plain numbers."""

import json
from typing import Any

import numpy as np
import xarray as xr

from koopscope.compare.words import DISTINGUISHED, NOT_DISTINGUISHED
from koopscope.experiments.equivalence.labels import CONTROL_LINE
from koopscope.report.datasets import plain, require, strings

# Numbers of an alternate's control line.
OF_LINES = ("effect", "effect_low", "effect_high", "p_value")


def error_rates_facts(error_rates: xr.Dataset) -> dict[str, Any]:
    """Numbers of an error_rates store: one row for each pair and size of group that was drawn.

    Raises
    ------
    InputError
        If the dataset lacks a variable or has no pair.
    """
    names = ("p_value", "verdict", "swapped_pair_p", "true_effect", "rate", "equal_rate")
    require(error_rates, "error_rates", "error_rates", names, dim="pair")
    alpha = float(error_rates.attrs["alpha"])
    rows = []
    for i in range(error_rates.sizes["pair"]):
        for j in range(error_rates.sizes["size"]):
            at = error_rates.isel(pair=i, size=j)
            main = at.isel(metric=0)
            if not np.isfinite(main["rate"].values):
                continue
            words = strings(at["verdict"])
            control = at["swapped_pair_p"].values
            first, second = str(at["first"].values), str(at["second"].values)
            name = f"{first}, split" if first == second else f"{first} / {second}"
            rows.append(
                {
                    "name": name,
                    "expected": str(at["expected"].values),
                    "size": int(at["size"].values),
                    "true_effect": plain(at["true_effect"].values),
                    "rate": plain(main["rate"].values),
                    "rate_low": plain(main["rate_low"].values),
                    "rate_high": plain(main["rate_high"].values),
                    "distinguished": float(np.mean(words == DISTINGUISHED)),
                    "not_distinguished": float(np.mean(words == NOT_DISTINGUISHED)),
                    "swapped": (
                        float(np.mean(control[np.isfinite(control)] <= alpha))
                        if np.isfinite(control).any()
                        else None
                    ),
                    "equal_rate": [plain(x) for x in at["equal_rate"].values],
                }
            )
    return {
        "rows": rows,
        "metrics": strings(error_rates["metric"]).tolist(),
        "alpha": alpha,
        "draws": int(error_rates.attrs["draws"]),
        "pool": ", ".join(
            f"{name} {seeds}" for name, seeds in json.loads(error_rates.attrs["pool"]).items()
        ),
    }


def sensitivity_facts(sensitivity: xr.Dataset) -> dict[str, Any]:
    """Numbers of a sensitivity store: one row for each way to estimate.

    Raises
    ------
    InputError
        If the dataset lacks a variable or has no alternate.
    """
    names = ("effect", "effect_low", "effect_high", "p_adjusted", "verdict", "survives", "changes")
    names += ("smallest_effect",)
    require(sensitivity, "sensitivity", "sensitivity", names, dim="alternate")
    first, second = strings(sensitivity["first"]), strings(sensitivity["second"])
    controls = (
        strings(sensitivity[CONTROL_LINE]).tolist() if CONTROL_LINE in sensitivity.dims else []
    )
    rows = []
    for i, alternate in enumerate(strings(sensitivity["alternate"])):
        at = sensitivity.isel(alternate=i)
        cells = [
            {n: plain(at[n].values[j]) for n in names[:4]}
            | {"verdict": str(at["verdict"].values[j])}
            for j in range(sensitivity.sizes["pair"])
        ]
        lines = [
            {n: plain(at[f"control_{n}"].values[j]) for n in OF_LINES}
            | {"verdict": str(at["control_verdict"].values[j])}
            for j in range(len(controls))
        ]
        rows.append(
            {
                "name": str(alternate),
                "changes": str(at["changes"].values),
                "cells": cells,
                "smallest_effect": plain(at["smallest_effect"].values),
                "controls": lines if any(line["verdict"] for line in lines) else [],
            }
        )
    return {
        "controls": controls,
        "pairs": [f"{a} / {b}" for a, b in zip(first, second, strict=True)],
        "rows": rows,
        "survives": [bool(x) for x in sensitivity["survives"].values],
    }
