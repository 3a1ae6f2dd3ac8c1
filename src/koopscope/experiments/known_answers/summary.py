"""What a benchmark of known answers came to, as plain numbers and as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

import xarray as xr

from koopscope.experiments.known_answers.deciding import (
    ALL,
    CORE,
    LOSS_CURVE,
    OTHER,
    OTHER_CURVE,
    RAW,
    SAME_CURVE,
    compared,
    decided,
)
from koopscope.experiments.known_answers.rates import ALPHA, MOST
from koopscope.experiments.known_answers.wording import counted, said, sentences
from koopscope.report.cells import against, against_cases, against_table, cell
from koopscope.report.datasets import plain, strings
from koopscope.report.tables import escaped, table

# Of methods in the table of cases, where they are there; the chosen one comes after raw.
SHOWN, COLUMNS = (RAW, "", LOSS_CURVE, "logged_scalars", "output_cka", "dsa"), 5
KINDS = {
    ALL: "power",
    SAME_CURVE: "power_same_curve",
    OTHER_CURVE: "power_other_curve",
}
FALSE_POSITIVES, POWER = "false positives, %", "power, %"

NOTES = (
    (
        "known answers",
        "Each case is a pair of ways to train of which it is known beforehand whether a smooth "
        "invertible map of the states carries one to the other. Core equivalences are symmetries "
        "of what people compare: a verdict that sees them is wrong.",
    ),
    (
        "false positives, power",
        "Share of pairs of groups, drawn from two pools of runs, with p ≤ 0.05: of equivalent "
        "cases, of different cases. In brackets 95 % intervals (Clopper and Pearson) for as many "
        "draws as there are without a common run; of a mean over cases, as if all erred together.",
    ),
    (
        "admissible",
        "At most 7 % false positives in each core equivalence. No answer is neither a difference "
        "nor an equivalence; who has none to a core case is not admissible.",
    ),
    (
        "power at 5 %",
        "Power at the p that 5 % of the draws of core equivalences reach, all cases alike: "
        "comparable also for methods that are not admissible.",
    ),
)


def facts(stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one benchmark as plain JSON values; None stands for one that does not exist.

    Rates are in per cent.

    Parameters
    ----------
    stores
        ``known_answers``, as :func:`koopscope.experiments.known_answers.run.run` gives it.

    Returns
    -------
    dict
        ``deciding`` (seeds a group), ``runs`` (seeds of a pool), ``core_runs``, ``most`` and
        ``alpha``; ``chosen`` (name, empty for none); ``counts`` (kind of case, number of cases);
        rows of ``methods`` (``method``, ``family``, ``worst`` with its interval, ``worst_case``,
        ``admissible``, ``power``, ``power_same_curve`` and ``power_other_curve`` with their
        intervals, ``equal_power``, ``seconds``, ``unanswered``: cases without any answer); rows of
        ``cases`` (``case``, ``group``, ``system``, ``because``, ``cells``: rate by method, with
        its interval); ``shown`` (methods of the table of cases); ``spectrum`` (set against the
        loss curve, empty for none); rows of ``against``
        (:func:`koopscope.report.cells.against`) with ``group``; ``sentences``.

    Raises
    ------
    InputError
        If the dataset lacks a variable, or has no method, case, size or draw.
    """
    found = decided(stores["known_answers"], "known_answers")
    percent = 100 * found[["rate", "worst", "power", "equal_power"]]
    names = [str(name) for name in found["approach"].values]
    group = strings(found["group"])
    runs = int(found.attrs["runs"])
    facts = {
        "deciding": int(found.attrs["deciding"]),
        "runs": runs,
        "core_runs": runs * int(found.attrs["core_times"]),
        "most": 100 * MOST,
        "alpha": 100 * ALPHA,
        "chosen": found.attrs["chosen"],
        "core_cases": found.attrs["core_cases"],
        "counts": {
            name: int((group == name).sum()) for name in (CORE, OTHER, SAME_CURVE, OTHER_CURVE)
        },
        "methods": [_method(found.sel(approach=n), percent.sel(approach=n)) for n in names],
        "cases": [
            {
                "case": str(case),
                "group": str(group[place]),
                **{name: str(found[name].values[place]) for name in ("system", "because")},
                "cells": {
                    name: cell(percent["rate"].isel(case=place).sel(approach=name))
                    for name in names
                },
            }
            for place, case in enumerate(found["case"].values)
        ],
        "shown": _shown(names, found.attrs["chosen"]),
    }
    facts |= _against(found)
    return facts | {"sentences": sentences(facts)}


def text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one benchmark."""
    counts = ", ".join(counted(count, name) for name, count in facts["counts"].items() if count)
    pools = f"pools of {facts['runs']} runs"
    if facts["core_runs"] != facts["runs"]:
        pools += f", of {facts['core_runs']} for core equivalences"
    return "\n\n".join(
        [
            f"{len(facts['methods'])} methods on {len(facts['cases'])} cases ({counts}), groups of "
            f"{facts['deciding']} seeds from {pools}.",
            "\n".join(f"- {escaped(sentence)}" for sentence in facts["sentences"]),
            method_table(facts),
        ]
    )


def cases(facts: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Spectrum, baseline, measure and word of each case in which the spectrum met a baseline."""
    return against_cases(facts["against"])


def method_table(facts: Mapping[str, Any]) -> str:
    """Table of false positives and power by method."""
    head = ["method", "worst core false positives, %", "in", "admissible", "power, %"]
    head += ["same loss curve", "other loss curve", "power at 5 %", "no answer to", "seconds"]
    rows = [
        [
            row["method"] + (" (chosen)" if row["method"] == facts["chosen"] else ""),
            said(row["worst"], 1),
            row["worst_case"] or "–",
            "yes" if row["admissible"] else "no",
            *(said(row[name]) for name in ("power", "power_same_curve", "power_other_curve")),
            "–" if row["equal_power"] is None else f"{row['equal_power']:.0f}",
            f"{len(row['unanswered'])} of {len(facts['cases'])}" if row["unanswered"] else "–",
            f"{row['seconds']:.3g}",
        ]
        for row in facts["methods"]
    ]
    return (
        f"False positives and power at {facts['deciding']} seeds a group, with 95 % "
        "intervals:\n\n" + table(head, rows)
    )


def case_table(facts: Mapping[str, Any]) -> str:
    """Table of the share of draws called different, by case and some methods."""
    rows = [
        [row["case"], row["group"], *(said(row["cells"][name]) for name in facts["shown"])]
        for row in facts["cases"]
    ]
    return (
        f"Share of draws called different at {facts['deciding']} seeds a group, in per cent, with "
        "95 % intervals:\n\n" + table(["case", "kind", *facts["shown"]], rows)
    )


def reason_table(facts: Mapping[str, Any]) -> str:
    """Table of why each answer is known."""
    rows = [[row["case"], row["system"], row["group"], row["because"]] for row in facts["cases"]]
    return "Why the answers are known:\n\n" + table(["case", "system", "kind", "because"], rows)


# By the name that a page of findings gives.
TABLES = {
    "methods": method_table,
    "cases": case_table,
    "reasons": reason_table,
    "against": against_table,
}


def _method(at: xr.Dataset, percent: xr.Dataset) -> dict[str, Any]:
    power = {kind: cell(percent["power"].sel(kind=kind)) for kind in KINDS}
    return {
        "method": str(at["approach"].item()),
        "family": str(at["family"].item()),
        "worst": cell(percent["worst"]),
        "worst_case": str(at["worst_case"].item()),
        "admissible": bool(at["admissible"]),
        **{name: power[kind] for kind, name in KINDS.items()},
        "equal_power": plain(percent["equal_power"].item()),
        "seconds": float(at["seconds"]),
        "unanswered": [str(name) for name in at["case"].values[at["answered"].values == 0]],
    }


def _shown(names: list[str], chosen: str) -> list[str]:
    """A handful of methods: those that matter most, then the first of the others."""
    wanted = [name or chosen for name in SHOWN]
    there = [name for name in dict.fromkeys([*wanted, *names]) if name in names]
    return there[:COLUMNS]


def _against(found: xr.Dataset) -> dict[str, Any]:
    """Rows of the spectrum against the loss curve, of the cases to which both have an answer."""
    pairs = compared(found)
    if pairs is None:
        return {"spectrum": "", "against": []}
    spectrum, rows = pairs.attrs["spectrum"], []
    for place, case in enumerate(pairs["case"].values):
        at = pairs.isel(case=place)
        ours, theirs = (cell(100 * at["rate"].sel(side=side)) for side in ("spectrum", LOSS_CURVE))
        difference = cell(100 * at["difference"])
        group = str(at["group"].item())
        if difference["mean"] is not None:
            measure = FALSE_POSITIVES if group in (CORE, OTHER) else POWER
            word = str(at["word"].item())
            row = against(str(case), spectrum, LOSS_CURVE, measure, ours, theirs, difference, word)
            rows.append(row | {"group": group})
    return {"spectrum": spectrum, "against": rows}
