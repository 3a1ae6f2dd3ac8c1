"""How the spectra of each variant were estimated, as a reader has to see it beside a verdict."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.report.datasets import samples_by_variant
from koopscope.report.tables import table


def fit_facts(comparison: xr.Dataset) -> list[dict[str, Any]]:
    """One row for each way to fit: the variants that were fitted so, and its choices.

    Parameters
    ----------
    comparison
        The attribute ``fits`` (:func:`koopscope.experiments.equivalence.comparison.join`), without
        which nothing is known; ``rank`` and ``constant_weights`` (sample).
    """
    ranks: dict[str, np.ndarray] = {}
    left_out: dict[str, np.ndarray] = {}
    for name, found in (("rank", ranks), ("constant_weights", left_out)):
        if name in comparison:
            at = samples_by_variant(comparison)
            found |= {n: comparison[name].values[places] for n, places in at.items()}
    alike: dict[tuple[tuple[str, Any], ...], list[str]] = {}
    for name, fit in json.loads(comparison.attrs.get("fits", "{}")).items():
        row = {
            "observable": fit["observable"],
            "coordinates": _coordinates(fit["weight_coordinates"], left_out.get(name)),
            "delays": fit["delays"],
            "rank": _rank(fit["rank"], ranks.get(name, np.array([]))),
            "solver": fit["solver"],
            "window": _window(fit),
            "initialisations": fit["initialisations"] or "all",
        }
        alike.setdefault(tuple(row.items()), []).append(name)
    return [{"variants": names, **dict(row)} for row, names in alike.items()]


def fit_table(rows: list[Mapping[str, Any]]) -> str:
    """Table of how the variants were fitted; nothing where nothing is known."""
    if not rows:
        return ""
    head = ("fitted", *(name for name in rows[0] if name != "variants"))
    cells = [[", ".join(row["variants"]), *(str(row[name]) for name in head[1:])] for row in rows]
    return table(head, cells)


def _rank(asked: int | None, used: np.ndarray) -> str:
    """Rank that was asked for, and those of the seeds where they are others."""
    said = "numerical" if asked is None else str(asked)
    found = used[used > 0]
    if not found.size or (found == asked).all():
        return said
    low, high = int(found.min()), int(found.max())
    return f"{said}: {low}" if low == high else f"{said}: {low} to {high}"


def _coordinates(name: str, left_out: np.ndarray | None) -> str:
    """Coordinates, and how many weights of a seed never change, so that they have none."""
    if left_out is None or not left_out.any():
        return name
    low, high = int(left_out.min()), int(left_out.max())
    return f"{name}, without {low if low == high else f'{low} to {high}'} constant weights"


def _window(fit: Mapping[str, Any]) -> str:
    stop = "the end" if fit["stop"] is None else f"{fit['stop']}"
    said = f"snapshots {fit['start']} to {stop}"
    return said if fit["stride"] == 1 else f"{said}, every {fit['stride']}"
