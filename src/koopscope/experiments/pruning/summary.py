"""What a pruning experiment came to, as plain numbers and as Markdown."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

from koopscope.experiments.pruning.names import (
    KOOPMAN,
    LATE,
    MAGNITUDE,
    MEAN,
    MILD,
    MOMENTS,
    SHARP,
    SHUFFLED,
    nearest,
    pair_name,
)
from koopscope.report.cells import cell_said, mean_cell, spread, spread_said, word_of
from koopscope.report.datasets import plain, require, strings
from koopscope.report.numbers import number
from koopscope.report.tables import escaped, table

# [ours] Two ways to prune count as one where the Jaccard index of what they keep, with its whole
# interval, is at least this at every compression.
SAME = 0.95
# What Koopman magnitude is measured by against its controls.
OVERLAP_LATE = "overlap with late magnitudes"
ACCURACY = {moment: f"accuracy {moment} fine-tuning" for moment in MOMENTS}


def facts(stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one experiment as plain JSON values; None stands for one that does not exist.

    Parameters
    ----------
    stores
        ``pruning``, as :func:`koopscope.experiments.pruning.run.gathered` gives it.

    Returns
    -------
    dict
        ``seeds``, ``epochs``, ``compression_ratios``, ``layers``; rows of
        ``overlaps`` (pair, epoch, ``cells`` by compression, ``spearman``), ``accuracies`` (method,
        epoch, moment, ``cells``), ``unpruned`` (by epoch), ``eigenvalues`` (by epoch), ``kept``
        (method, epoch, ``cells`` by layer at the compression ``sharp``) and ``differences`` (what,
        epoch, ``cells``: paired, over seeds); ``predicted`` (rank correlations of the overlap with
        the spectrum); ``sentences``. Cells are ``mean``, ``low`` and ``high`` over seeds (95 %,
        Student's t).

    Raises
    ------
    InputError
        If the dataset lacks a variable or has no seed.
    """
    found = stores["pruning"]
    names = ("pair", "score", "jaccard", "spearman", "accuracy", "accuracy_unpruned", "kept")
    require(found, "pruning", "pruning", (*names, "refused"), dim="seed")
    epochs = [int(epoch) for epoch in found["epoch"].values]
    compression_ratios = [float(c) for c in found["compression"].values]
    facts = {
        "seeds": [int(seed) for seed in found["seed"].values],
        "epochs": epochs,
        "compression_ratios": compression_ratios,
        "layers": [name.removesuffix(".weight") for name in strings(found["layer"])],
        "mild": nearest(compression_ratios, MILD),
        "sharp": nearest(compression_ratios, SHARP),
        "chance": _cells(found["jaccard_by_chance"].isel(epoch=0), "compression"),
        "overlaps": [
            {
                "pair": str(pair),
                "epoch": epoch,
                "cells": _cells(found["jaccard"].sel(pair=pair, epoch=epoch), "compression"),
                "spearman": mean_cell(found["spearman"].sel(pair=pair, epoch=epoch).values),
            }
            for pair in found["pair"].values
            for epoch in epochs
        ],
        "unpruned": [
            mean_cell(found["accuracy_unpruned"].sel(epoch=epoch).values) for epoch in epochs
        ],
        "accuracies": _accuracies(found, epochs),
        "eigenvalues": [_eigenvalue(found, epoch) for epoch in epochs],
        "differences": _differences(found, epochs),
        "predicted": _predicted(found),
    }
    facts["kept"] = _kept(found, epochs, facts["sharp"])
    facts["sentences"] = _sentences(facts)
    return facts


def text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one experiment."""
    asked = pair_name(KOOPMAN, MAGNITUDE)
    overlaps = [row for row in facts["overlaps"] if row["pair"] == asked]
    blocks = [
        f"{len(facts['seeds'])} seeds; means over them, with 95 % intervals by Student's t.",
        "\n".join(f"- {escaped(sentence)}" for sentence in facts["sentences"]),
        overlap_table({**facts, "overlaps": overlaps}),
        difference_table(facts),
    ]
    return "\n\n".join(block for block in blocks if block)


def overlap_table(facts: Mapping[str, Any]) -> str:
    """Table of Jaccard indices of what two ways keep, and of the rank correlation of scores."""
    head = ["kept by", "after epoch", *_headings(facts), "Spearman's ρ of scores"]
    rows = [
        [row["pair"], str(row["epoch"]), *map(cell_said, row["cells"]), cell_said(row["spearman"])]
        for row in facts["overlaps"]
    ]
    rows.append(["two random masks", "", *(number(c["mean"]) for c in facts["chance"]), "0"])
    return "Jaccard index of what is kept, by compression:\n\n" + table(head, rows)


def accuracy_table(facts: Mapping[str, Any]) -> str:
    """Table of test accuracies before and after fine-tuning; nothing where none was measured."""
    rows = [
        [row["method"], str(row["epoch"]), row["moment"], *map(cell_said, row["cells"])]
        for row in facts["accuracies"]
    ]
    if not rows:
        return ""
    plainly = zip(facts["epochs"], facts["unpruned"], strict=True)
    said = ", ".join(f"epoch {epoch} {cell_said(cell)}" for epoch, cell in plainly)
    head = ["pruned by", "after epoch", "fine-tuning", *_headings(facts)]
    return f"Accuracy on the test set, by compression (not pruned: {said}):\n\n" + table(head, rows)


def difference_table(facts: Mapping[str, Any]) -> str:
    """Table of what Koopman magnitude has over its controls, paired by seed."""
    if not facts["differences"]:
        return ""
    head = ["difference, paired by seed", "after epoch", *_headings(facts)]
    rows = [
        [row["what"], str(row["epoch"]), *map(cell_said, row["cells"])]
        for row in facts["differences"]
    ]
    return "Koopman magnitude less its controls, by compression:\n\n" + table(head, rows)


def eigenvalue_table(facts: Mapping[str, Any]) -> str:
    """Table of the eigenvalues taken for 1."""
    names = ("distance", "residual", "second_distance", "second_residual", "decaying_share")
    head = ("after epoch", "|λ − 1|, taken for 1", "residual", "|λ − 1|, next", "residual, next")
    head += ("share that decays", "refused windows")
    rows = [
        [str(row["epoch"]), *(spread_said(row[name], 2) for name in names), _refused(row)]
        for row in facts["eigenvalues"]
    ]
    return "Eigenvalue taken for 1, median [least, greatest] over seeds:\n\n" + table(head, rows)


def kept_table(facts: Mapping[str, Any]) -> str:
    """Table of what each layer keeps; nothing for networks of many layers (see the figure)."""
    if len(facts["layers"]) > 8:
        return ""
    head = ["kept by", "after epoch", *facts["layers"]]
    rows = [
        [row["method"], str(row["epoch"]), *(cell_said(cell, 2) for cell in row["cells"])]
        for row in facts["kept"]
    ]
    return f"Share of a layer kept at compression {facts['sharp']:g}:\n\n" + table(head, rows)


def cases(facts: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Spectrum, baseline, measure and word of each case in which the spectrum met a baseline."""
    for row in facts["differences"]:
        for compression, cell in zip(facts["compression_ratios"], row["cells"], strict=True):
            # At compression 1 nothing is pruned.
            if compression > 1 and cell["low"] is not None:
                yield KOOPMAN, row["baseline"], row["measure"], word_of(cell)


# By the name that a page of findings gives.
TABLES = {
    "overlaps": overlap_table,
    "accuracies": accuracy_table,
    "differences": difference_table,
    "eigenvalues": eigenvalue_table,
    "kept": kept_table,
}


def _accuracies(found: xr.Dataset, epochs: Iterable[int]) -> list[dict[str, Any]]:
    rows = []
    for method in strings(found["score"]):
        for epoch in epochs:
            for moment in MOMENTS:
                values = found["accuracy"].sel(score=method, epoch=epoch, moment=moment)
                if values.notnull().any():
                    row = {"method": str(method), "epoch": epoch, "moment": moment}
                    rows.append(row | {"cells": _cells(values, "compression")})
    return rows


def _eigenvalue(found: xr.Dataset, epoch: int) -> dict[str, Any]:
    at = found.sel(epoch=epoch)
    missing = xr.full_like(at["accuracy_unpruned"], np.nan)
    values = {
        "distance": np.abs(at.get("eigenvalue", missing) - 1),
        "second_distance": np.abs(at.get("second_eigenvalue", missing) - 1),
    }
    for name in ("residual", "second_residual", "gap", "decaying_share"):
        values[name] = at.get(name, missing)
    reasons = [reason for reason in strings(at["refused"]) if reason not in ("", "nan")]
    return {
        "epoch": epoch,
        **{name: spread(found.values) for name, found in values.items()},
        "refused": len(reasons),
        "reason": reasons[0] if reasons else "",
    }


def _differences(found: xr.Dataset, epochs: Iterable[int]) -> list[dict[str, Any]]:
    """What Koopman magnitude has over its controls: differences paired by seed."""
    pairs, scores = set(strings(found["pair"])), set(strings(found["score"]))
    compared = []
    for other in (MAGNITUDE, MEAN):
        late = [pair_name(name, LATE) for name in (KOOPMAN, other)]
        if set(late) <= pairs:
            one, two = (found["jaccard"].sel(pair=pair) for pair in late)
            compared.append((OVERLAP_LATE, other, one - two))
    both = [pair_name(KOOPMAN, MAGNITUDE), pair_name(MAGNITUDE, MEAN)]
    if set(both) <= pairs:
        one, two = (found["jaccard"].sel(pair=pair) for pair in both)
        compared.append(("overlap with magnitude", MEAN, one - two))
    for other in (MAGNITUDE, MEAN, SHUFFLED):
        if {KOOPMAN, other} <= scores:
            one, two = (found["accuracy"].sel(score=score) for score in (KOOPMAN, other))
            for moment in MOMENTS:
                compared.append((ACCURACY[moment], other, (one - two).sel(moment=moment)))
    return [
        {
            "what": f"{measure}, less that of {other}",
            "measure": measure,
            "baseline": other,
            "epoch": epoch,
            "cells": _cells(values.sel(epoch=epoch), "compression"),
        }
        for measure, other, values in compared
        for epoch in epochs
        if values.sel(epoch=epoch).notnull().any()
    ]


def _predicted(found: xr.Dataset) -> list[dict[str, Any]]:
    """Rank correlation over seeds and epochs of the overlap with what the spectrum says."""
    pair = pair_name(KOOPMAN, MAGNITUDE)
    if "eigenvalue" not in found or pair not in set(strings(found["pair"])):
        return []
    compression = nearest([float(c) for c in found["compression"].values], MILD)
    overlap = found["jaccard"].sel(pair=pair, compression=compression)
    rows = []
    for name, values in (
        ("distance of the eigenvalue from 1", np.abs(found["eigenvalue"] - 1)),
        ("residual", found["residual"]),
        ("share that decays", found["decaying_share"]),
        ("epoch", found["epoch"] * xr.ones_like(found["residual"])),
    ):
        x, y = (v.transpose("seed", "epoch").values.ravel() for v in (values, overlap))
        known = np.isfinite(x) & np.isfinite(y)
        varied = known.sum() > 3 and np.ptp(x[known]) > 0 and np.ptp(y[known]) > 0
        rho = plain(spearmanr(x[known], y[known]).statistic) if varied else None
        rows.append({"by": name, "rho": rho, "count": int(known.sum())})
    return rows


def _kept(found: xr.Dataset, epochs: Iterable[int], compression: float) -> list[dict[str, Any]]:
    return [
        {
            "method": str(method),
            "epoch": epoch,
            "cells": _cells(
                found["kept"].sel(score=method, epoch=epoch, compression=compression), "layer"
            ),
        }
        for method in strings(found["score"])
        for epoch in epochs
    ]


def _sentences(facts: Mapping[str, Any]) -> list[str]:
    said = [*_on_equivalence(facts), *_on_lateness(facts), *_on_mean(facts)]
    for row in facts["predicted"]:
        if row["rho"] is not None:
            said.append(
                f"The overlap of Koopman with magnitude pruning at compression {facts['mild']:g} "
                f"goes with the {row['by']} as ρ = {number(row['rho'], 2)} (rank correlation over "
                f"{row['count']} windows; seeds and epochs together)."
            )
    return said


def _on_equivalence(facts: Mapping[str, Any]) -> list[str]:
    rows = [row for row in facts["overlaps"] if row["pair"] == pair_name(KOOPMAN, MAGNITUDE)]
    if not rows:
        return []
    same = [
        row["epoch"]
        for row in rows
        if all(cell["low"] is not None and cell["low"] >= SAME for cell in row["cells"])
    ]
    since = [e for e in same if all(later in same for later in facts["epochs"] if later >= e)]
    at = facts["compression_ratios"].index(facts["mild"])
    numbers = ", ".join(f"epoch {row['epoch']} {cell_said(row['cells'][at])}" for row in rows)
    verdict = f"from epoch {since[0]} on" if since else "after no epoch that was tried"
    return [
        f"Koopman and magnitude pruning keep the same (Jaccard index of at least {SAME:g} with its "
        f"whole interval, at every compression) {verdict}; at compression {facts['mild']:g}: "
        f"{numbers}."
    ]


def _on_lateness(facts: Mapping[str, Any]) -> list[str]:
    return [
        _verdict(facts, row, "Early Koopman magnitudes foresee late magnitudes better", against)
        for row in facts["differences"]
        for against in (MAGNITUDE, MEAN)
        if (row["measure"], row["baseline"]) == (OVERLAP_LATE, against)
        and row["epoch"] == facts["epochs"][0]
    ]


def _on_mean(facts: Mapping[str, Any]) -> list[str]:
    return [
        _verdict(facts, row, f"Accuracy {moment} fine-tuning by Koopman magnitude is higher", MEAN)
        for row in facts["differences"]
        for moment in MOMENTS
        if (row["measure"], row["baseline"]) == (ACCURACY[moment], MEAN)
    ]


def _verdict(facts: Mapping[str, Any], row: Mapping[str, Any], what: str, against: str) -> str:
    """Say for how many compressions the whole interval of a difference lies on one side of 0."""
    # At compression 1 nothing is pruned.
    cells = zip(facts["compression_ratios"], row["cells"], strict=True)
    known = {c: cell for c, cell in cells if c > 1 and cell["low"] is not None}
    if not known:
        return (
            f"{what} than by {against} after epoch {row['epoch']}: no interval, for want of seeds."
        )
    better = sum(cell["low"] > 0 for cell in known.values())
    worse = sum(cell["high"] < 0 for cell in known.values())
    at = nearest(list(known), facts["sharp"])
    return (
        f"{what} than by {against} after epoch {row['epoch']}: at {better} of {len(known)} "
        f"compressions, the opposite at {worse} (whole intervals); at compression {at:g} the "
        f"difference is {cell_said(known[at])}."
    )


def _cells(values: xr.DataArray, dim: str) -> list[dict[str, float | None]]:
    return [mean_cell(values.isel({dim: i}).values) for i in range(values.sizes[dim])]


def _refused(row: Mapping[str, Any]) -> str:
    return f"{row['refused']} ({row['reason']})" if row["refused"] else "0"


def _headings(facts: Mapping[str, Any]) -> list[str]:
    return [f"{compression:g} ×" for compression in facts["compression_ratios"]]
