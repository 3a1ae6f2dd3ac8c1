"""What a question of the early phase came to, as plain numbers and as Markdown."""

from collections.abc import Mapping
from typing import Any

import xarray as xr

from koopscope.experiments.early_phase.wording import end_said, sentences
from koopscope.report.cells import mean_cell
from koopscope.report.datasets import plain, require, strings
from koopscope.report.numbers import between, number
from koopscope.report.tables import escaped, table

NEEDED = ("measure", "spectral", "effect", "verdict", "end", "outcome", "margin", "kept", "numbers")
NEEDED += ("control_effect", "accuracy", "diverged")

NOTES = (
    (
        "end of the early phase",
        "Step at which the first window begins from which on the effect against the last window "
        "stays below the smallest effect that counts. Its interval resamples seeds.",
    ),
    (
        "ends, not over, none seen",
        "Ends: a window before is distinguished from the last. Not over: the window before the "
        "last one is. None seen: all windows are alike, with their whole intervals. Otherwise, and "
        "wherever windows are of several lengths, it is inconclusive, with its reason.",
    ),
)


def facts(stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one question as plain JSON values; None stands for one that does not exist.

    Parameters
    ----------
    stores
        ``early_phase``, as :func:`koopscope.experiments.early_phase.run.run` gives it.

    Returns
    -------
    dict
        ``windows`` (their steps), ``seeds``, ``diverged``, ``accuracy`` (mean with its interval),
        ``delays``, ``rank``, ``coordinates``, ``network``; rows of ``measures`` (``measure``,
        ``spectral``, ``outcome``, ``reason``, ``end``, ``end_low`` and ``end_high`` in steps,
        ``margin``, ``kept``, and by window ``effect``, ``low``, ``high``, ``p``, ``verdict``, of
        the last one by halves of the seeds); rows of ``controls`` (``part``, ``window``,
        ``control``, ``expected``, ``effect``, ``low``, ``high``, ``p``, ``verdict``);
        ``sentences``.

    Raises
    ------
    InputError
        If the dataset lacks a variable or has no window.
    """
    found = stores["early_phase"]
    require(found, "early phase", "early_phase", NEEDED, dim="window")
    steps = zip(found["start"].values, found["stop"].values, strict=True)
    facts = {
        "windows": [f"{start + 1}–{stop}" for start, stop in steps],
        "seeds": found.sizes["member"],
        "diverged": int(found["diverged"]),
        "accuracy": mean_cell(found["accuracy"].values),
        "delays": int(found.attrs["delays"]),
        "rank": int(found.attrs["rank"]),
        "coordinates": str(found.attrs["weight_coordinates"]),
        "network": str(found.attrs["network"]),
        "measures": [_measure(found.isel(measure=k)) for k in range(found.sizes["measure"])],
        "controls": [
            _control(found.isel(part=i, controlled=c, control=k))
            for i in range(found.sizes["part"])
            for c in range(found.sizes["controlled"])
            for k in range(found.sizes["control"])
        ],
    }
    return facts | {"sentences": sentences(facts)}


def text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one question."""
    accuracy = facts["accuracy"]
    share = between(accuracy["mean"], accuracy["low"], accuracy["high"])
    blocks = [
        f"{facts['network']}, {facts['seeds']} seeds; test accuracy in the end {share}. Fits in "
        f"coordinates {escaped(facts['coordinates'])}, delays {facts['delays']}, rank "
        f"{facts['rank']}.",
        ends_table(facts),
        effects_table(facts),
        controls_table(facts),
        "\n".join(f"- {escaped(sentence)}" for sentence in facts["sentences"]),
    ]
    return "\n\n".join(block for block in blocks if block)


def ends_table(facts: Mapping[str, Any]) -> str:
    """Table of when the early phase ends, by part of the network and by plain markers."""
    head = [
        "by",
        "early phase",
        "ends at step [95 %]",
        "windows told from the last",
        "first window",
    ]
    head += ["last, by halves of the seeds", "seeds"]
    rows = []
    for row in facts["measures"]:
        *before, last = row["windows"]
        told = sum(cell["verdict"] == "distinguished" for cell in before)
        rows.append(
            [
                row["measure"],
                row["outcome"],
                end_said(row) if row["end"] is not None else "–",
                f"{told} of {len(before)}",
                _said(before[0]),
                _said(last),
                str(row["kept"]),
            ]
        )
    return table(head, rows)


def effects_table(facts: Mapping[str, Any]) -> str:
    """Table of the effects of all windows against the last."""
    rows = [
        [row["measure"], *(f"{_said(cell)} {cell['verdict']}" for cell in row["windows"][:-1])]
        for row in facts["measures"]
    ]
    return table(["effect against the last window [95 %]", *facts["windows"][:-1]], rows)


def controls_table(facts: Mapping[str, Any]) -> str:
    """Table of the control lines; empty without any."""
    if not facts["controls"]:
        return ""
    rows = [
        [
            row["part"],
            facts["windows"][row["window"]],
            row["control"],
            row["expected"],
            _said(row),
            number(row["p"]),
            row["verdict"],
        ]
        for row in facts["controls"]
    ]
    head = ["part", "steps", "control", "expected", "effect [95 %]", "p", "verdict"]
    return table(head, rows)


# By the name that a page of findings gives.
TABLES = {"ends": ends_table, "effects": effects_table, "controls": controls_table}


def _measure(at: xr.Dataset) -> dict[str, Any]:
    starts = at["start"].values
    ends = {
        name: None if plain(at[name].values) is None else int(starts[int(at[name])])
        for name in ("end", "end_low", "end_high")
    }
    verdicts = strings(at["verdict"])
    return {
        "measure": str(at["measure"].item()),
        "spectral": bool(at["spectral"]),
        "outcome": str(at["outcome"].item()),
        "reason": str(at["reason"].item()),
        **ends,
        "margin": float(at["margin"]),
        "kept": int(at["kept"]),
        "windows": [
            {
                "effect": plain(at["effect"].values[k]),
                "low": plain(at["effect_low"].values[k]),
                "high": plain(at["effect_high"].values[k]),
                "p": plain(at["p_adjusted"].values[k]),
                "verdict": str(verdicts[k]),
            }
            for k in range(len(starts))
        ],
    }


def _control(at: xr.Dataset) -> dict[str, Any]:
    return {
        "part": str(at["part"].item()),
        "window": int(at["controlled"]),
        "control": str(at["control"].item()),
        "expected": str(at["expected"].item()),
        "verdict": str(at["control_verdict"].item()),
        **{name: plain(at[f"control_{name}"].values) for name in ("effect", "low", "high", "p")},
    }


def _said(cell: Mapping[str, Any]) -> str:
    return between(cell["effect"], cell["low"], cell["high"])
