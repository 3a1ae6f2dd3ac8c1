"""Stores of made-up experiments with depths and with pruning while training, of known answers."""

import numpy as np
import xarray as xr

from koopscope.depth_plan import DepthFamily, Regression
from koopscope.monitor.depth_rules import agreement, judged

METHODS = ("dense", "koopman", "koopman:units", "magnitude:units", "random")


def depths_store(cases: tuple[str, ...] = ("mnist", "tones", "steps"), count: int = 4):
    """Spectra that settle at depth 3 in the second case and never in the last one."""
    seeds = tuple(range(1, 7))
    family = DepthFamily(Regression("tones"), tuple(range(1, count + 1)), seeds)
    rng = np.random.default_rng(0)
    found = {}
    for k, case in enumerate(cases):
        falls = {0: 1, len(cases) - 1: count}.get(k, 3)
        centres = [1 - 0.1 * min(d, falls) for d in family.depths]
        spectra = [
            [c - 0.1 * np.arange(5) + 0.01 * rng.normal(size=5) + 0j for _ in seeds]
            for c in centres
        ]
        errors = np.array([0.4 / min(d, 3) for d in family.depths])[:, None]
        errors = errors * (1 + 0.02 * rng.random((count, len(seeds))))
        if k == 0:
            errors[:, 0] = np.nan
        made = judged(family, spectra, errors, errors[::-1])
        if k:
            made["hsvr"] = "hsvr_rule", [7.0 + k, 6.0 + k]
            made = made.assign_coords(hsvr_rule=["fft", "tapered"])
        found[case] = made
    joined = xr.concat(found.values(), dim="case", join="outer", combine_attrs="drop")
    kinds = ["classification"] + ["regression"] * (len(cases) - 1)
    return (
        joined.assign(
            task=("case", np.array(kinds, dtype=object)),
            steps=("case", [1000] * len(cases)),
            short=("case", [100] * len(cases)),
        )
        .assign_coords(case=list(cases))
        .merge(agreement(found))
        .assign_attrs(
            study="layers", question="How many layers?", tolerance=0.1, smallest_effect=1.1
        )
    )


def pruned_store(methods: tuple[str, ...] = METHODS, seeds: int = 3) -> xr.Dataset:
    """Costs of half the dense run's for whole units; "random" never reaches the target."""
    rng = np.random.default_rng(0)
    epochs = np.arange(0, 3.5, 0.5)
    shape = (seeds, len(methods), len(epochs))
    speed = np.array([0.5 if m.endswith(":units") else 1.0 for m in methods])[None, :, None]
    cost = np.broadcast_to(epochs * speed, shape) * (1 + 0.1 * rng.random((seeds, 1, 1)))
    never = np.array([m == "random" for m in methods])
    accuracy = np.broadcast_to(0.98 - 0.88 * np.exp(-2 * epochs), shape).copy()
    accuracy += 0.005 * rng.random(shape)
    accuracy[:, never] = np.minimum(accuracy[:, never], 0.8)
    enough = accuracy >= 0.95
    first = enough.argmax(axis=2)
    needed = np.take_along_axis(cost, first[:, :, None], axis=2)[:, :, 0]
    needed = np.where(enough.any(axis=2), needed, np.nan)
    by, target = ("seed", "pruner", "evaluation"), ("seed", "pruner")
    kept = np.broadcast_to([0.5, 0.25], (seeds, len(methods), 2)).copy()
    kept[:, 0] = 1
    names = ("seconds", "processor_seconds", "multiply_adds", "multiply_adds_nonzero")
    scale = (1, 1, 1e9, 1e9)
    refused = np.full(kept.shape, "", dtype=object)
    refused[0, 1:2, 0] = "window: no eigenvalue within 0.05 of 1"
    return xr.Dataset(
        {
            "accuracy": (by, accuracy),
            **{n: (by, cost * s) for n, s in zip(names, scale, strict=True)},
            **{f"target_{n}": (target, needed * s) for n, s in zip(names, scale, strict=True)},
            "target_epoch_needed": (target, needed),
            "reached": (target, enough.any(axis=2)),
            "weights_kept": (("seed", "pruner", "pruning"), kept),
            "units_kept": (("seed", "pruner", "pruning"), np.sqrt(kept)),
            "score_seconds": (("seed", "pruner", "pruning"), np.full(kept.shape, 0.1)),
            "refused": (("seed", "pruner", "pruning"), refused),
        },
        coords={
            "seed": np.arange(1, seeds + 1),
            "pruner": list(methods),
            "epoch": ("evaluation", epochs),
            "after_epoch": ("pruning", [1, 2]),
            "compression": ("pruning", [2.0, 4.0]),
        },
        attrs={
            "study": "lighter",
            "question": "Is it cheaper?",
            "target": 0.95,
            "network": "fcn 300-100",
            "epochs": 3,
            "train_samples": 1000,
            "test_samples": 500,
        },
    )
