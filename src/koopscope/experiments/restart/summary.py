"""What a question on poor initialisations came to, as plain numbers and as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.experiments.restart.names import LOSS, ORACLE, SPECTRUM, TOGETHER
from koopscope.monitor.statuses import STATUSES
from koopscope.report.cells import against, against_cases, against_table, cell, cell_said, word_of
from koopscope.report.datasets import plain, require, strings
from koopscope.report.numbers import number
from koopscope.report.tables import escaped, table


def facts(stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one question as plain JSON values; None stands for one that does not exist.

    Parameters
    ----------
    stores
        ``restart``, as :func:`koopscope.experiments.restart.run.run` gives it.

    Returns
    -------
    dict
        ``init_schemes``, ``epochs``, ``checkpoints``; rows of ``setups``
        (``runs``, ``bad``, ``reached``, ``target``, ``kinds``: share that ends badly by kind of
        start), ``areas`` (predictor, ``cells`` by checkpoint), ``gains`` (pair, ``cells``;
        ``saved``, the same of the share of steps saved, in per cent),
        ``verdicts`` (word, ``runs`` and ``bad`` by checkpoint), ``policies`` (policy, ``cells`` of
        the share of steps saved, in per cent, by checkpoint, ``given_up`` and ``never``), ``steps``
        (setup, ``cells`` by policy at the second checkpoint or the only one); rows of ``against``
        (:func:`koopscope.report.cells.against`); ``sentences``.

    Raises
    ------
    InputError
        If the dataset lacks a variable or has no setup.
    """
    names = (
        "bad",
        "reached",
        "mean_auc",
        "gain",
        "saved",
        "saved_gain",
        "steps",
        "never",
        "given_up",
        "verdict",
    )
    found = stores["restart"]
    require(found, "restart", "restart", (*names, "of_setup"), dim="setup")
    checkpoints = [int(epoch) for epoch in found["epoch"].values]
    at = min(1, len(checkpoints) - 1)
    policies = strings(found["policy"]).tolist()
    facts = {
        "init_schemes": str(found.attrs.get("init_schemes") or ""),
        "epochs": int(found.attrs["epochs"]),
        "checkpoints": checkpoints,
        "shown": checkpoints[at],
        "setups": [_setup(found, str(name)) for name in found["setup"].values],
        "areas": [
            {"predictor": str(name), "cells": _cells(found["mean_auc"].sel(predictor=name))}
            for name in found["predictor"].values
        ],
        "gains": [
            {
                "pair": str(name),
                "first": str(first),
                "second": str(second),
                "cells": _cells(found["gain"].sel(pair=name)),
                "saved": _cells(100 * found["saved_gain"].sel(pair=name)),
            }
            for name, first, second in zip(
                *(strings(found[n]) for n in ("pair", "first", "second")), strict=True
            )
        ],
        "policies": [
            {
                "policy": name,
                "cells": _cells(100 * found["saved"].sel(policy=name)),
                "given_up": [
                    plain(v) for v in found["given_up"].sel(policy=name).mean("setup").values
                ],
                "never": [int(v) for v in found["never"].sel(policy=name).values],
            }
            for name in policies
        ],
        "policy_names": policies,
        "verdicts": [_verdict(found, word) for word in STATUSES],
        "steps": [
            {
                "setup": str(name),
                "cells": [plain(v) for v in found["steps"].sel(setup=name).isel(epoch=at).values],
            }
            for name in found["setup"].values
        ],
    }
    facts["against"] = _against(facts)
    return facts | {"sentences": _sentences(facts)}


def text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one question."""
    runs = sum(row["runs"] for row in facts["setups"])
    bad = sum(row["bad"] for row in facts["setups"])
    return "\n\n".join(
        [
            f"{runs} runs of {facts['epochs']} epochs in {len(facts['setups'])} setups, each seed "
            f"with {escaped(facts['init_schemes'])}; {bad} end badly.",
            "\n".join(f"- {escaped(sentence)}" for sentence in facts["sentences"]),
            area_table(facts),
            policy_table(facts),
        ]
    )


def cases(facts: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Spectrum, baseline, measure and word of each case in which the spectrum met a baseline."""
    return against_cases(facts["against"])


def area_table(facts: Mapping[str, Any]) -> str:
    """Table of the areas under the curve, and of what the spectrum gains."""
    head = ["predictor", *(f"epoch {epoch}" for epoch in facts["checkpoints"])]
    rows = [[row["predictor"], *map(cell_said, row["cells"])] for row in facts["areas"]]
    rows += [[row["pair"], *map(cell_said, row["cells"])] for row in facts["gains"]]
    return (
        "Area under the curve of the prediction of a bad end, mean over held-out setups, with "
        "95 % intervals over resampled seeds; differences below:\n\n" + table(head, rows)
    )


def verdict_table(facts: Mapping[str, Any]) -> str:
    """Table of how runs end by the monitor's verdict at each checkpoint."""
    head = ["verdict", *(f"epoch {epoch}" for epoch in facts["checkpoints"])]
    rows = [
        [
            row["word"],
            *(
                f"{bad} of {runs} ({bad / runs:.0%})" if runs else "–"
                for bad, runs in zip(row["bad"], row["runs"], strict=True)
            ),
        ]
        for row in facts["verdicts"]
    ]
    return "Runs that end badly, by the monitor's verdict:\n\n" + table(head, rows)


def policy_table(facts: Mapping[str, Any]) -> str:
    """Table of the steps to the target that each policy saves."""
    head = ["start again by", *(f"epoch {epoch}" for epoch in facts["checkpoints"])]
    head += [f"good runs given up, epoch {facts['shown']}"]
    at = facts["checkpoints"].index(facts["shown"])
    rows = []
    for row in facts["policies"]:
        cells = [
            cell_said(c) + (f" (never in {never} setups)" if never else "")
            for c, never in zip(row["cells"], row["never"], strict=True)
        ]
        given_up = row["given_up"][at]
        rows.append([row["policy"], *cells, "–" if given_up is None else f"{given_up:.0%}"])
    return (
        "Steps to the target saved, in per cent of those of going to the end, mean over the setups "
        "in which every policy comes to the target:\n\n" + table(head, rows)
    )


def step_table(facts: Mapping[str, Any]) -> str:
    """Table of expected steps to the target by setup and policy."""
    head = ["setup", "target accuracy", *facts["policy_names"]]
    targets = {row["setup"]: row["target"] for row in facts["setups"]}
    rows = [
        [
            row["setup"],
            number(targets[row["setup"]]),
            *("not reached" if c is None else f"{c:.0f}" for c in row["cells"]),
        ]
        for row in facts["steps"]
    ]
    return f"Expected steps to the target, checkpoint {facts['shown']}:\n\n" + table(head, rows)


def start_table(facts: Mapping[str, Any]) -> str:
    """Table of the share of runs that end badly, by setup and kind of start."""
    kinds = list(dict.fromkeys(kind for row in facts["setups"] for kind in row["kinds"]))
    head = ["setup", "runs", "end badly", "come to the target", *kinds]
    rows = [
        [
            row["setup"],
            str(row["runs"]),
            str(row["bad"]),
            str(row["reached"]),
            *(f"{row['kinds'][kind]:.0%}" for kind in kinds),
        ]
        for row in facts["setups"]
    ]
    return "Runs that end badly, and their share by kind of start:\n\n" + table(head, rows)


# By the name that a page of findings gives.
TABLES = {
    "against": against_table,
    "areas": area_table,
    "verdicts": verdict_table,
    "policies": policy_table,
    "steps": step_table,
    "init_schemes": start_table,
}


def _verdict(found: xr.Dataset, word: str) -> dict[str, Any]:
    has = np.stack(
        [strings(column) == word for column in found["verdict"].transpose("epoch", "run")]
    )
    return {
        "word": word,
        "runs": has.sum(axis=1).tolist(),
        "bad": (has & found["bad"].values).sum(axis=1).tolist(),
    }


def _setup(found: xr.Dataset, name: str) -> dict[str, Any]:
    part = found.isel(run=np.flatnonzero(strings(found["of_setup"]) == name))
    starts, bad = strings(part["start"]), part["bad"].values
    return {
        "setup": name,
        "runs": int(part.sizes["run"]),
        "bad": int(bad.sum()),
        "reached": int(np.isfinite(part["reached"].values).sum()),
        "target": float(part["target"].values[0]),
        "kinds": {str(kind): float(bad[starts == kind].mean()) for kind in dict.fromkeys(starts)},
    }


def _cells(values: xr.DataArray) -> list[dict[str, float | None]]:
    return [cell(values.isel(epoch=place)) for place in range(values.sizes["epoch"])]


def _against(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    areas = {row["predictor"]: row["cells"] for row in facts["areas"]}
    saved = {row["policy"]: row["cells"] for row in facts["policies"]}
    rows = []
    for measure, key, cells in (
        ("area under the curve", "cells", areas),
        ("steps to the target saved, %", "saved", saved),
    ):
        for gain in facts["gains"]:
            one, other = gain["first"], gain["second"]
            spectrum = f"{one}, with the spectrum" if one == TOGETHER else one
            for place, epoch in enumerate(facts["checkpoints"]):
                ours, theirs, difference = (c[place] for c in (cells[one], cells[other], gain[key]))
                word = word_of(difference)
                rows.append(
                    against(
                        f"epoch {epoch}", spectrum, other, measure, ours, theirs, difference, word
                    )
                )
    return rows


def _sentences(facts: Mapping[str, Any]) -> list[str]:
    said = []
    for place, epoch in enumerate(facts["checkpoints"]):
        areas = {row["predictor"]: row["cells"][place] for row in facts["areas"]}
        (gain,) = [r["cells"][place] for r in facts["gains"] if r["first"] == TOGETHER]
        adds = {"better": "adds to", "worse": "harms", "neither": "does not add to"}[word_of(gain)]
        (alone,) = [
            row["word"]
            for row in facts["against"]
            if (row["where"], row["spectrum"], row["baseline"], row["measure"])
            == (f"epoch {epoch}", SPECTRUM, LOSS, "area under the curve")
        ]
        compared = {"better": "better than", "worse": "worse than", "neither": "no other than"}
        said.append(
            f"At epoch {epoch} the spectrum alone (area {cell_said(areas[SPECTRUM])}) predicts a "
            f"bad end {compared[alone]} the loss so far ({cell_said(areas[LOSS])}); it {adds} "
            f"loss and gradient together (gain {cell_said(gain, 2)})."
        )
    at = facts["checkpoints"].index(facts["shown"])
    saved = {row["policy"]: _saved(row, at) for row in facts["policies"]}
    said.append(
        f"Starting again at epoch {facts['shown']} saves {saved[SPECTRUM]} of the steps by the "
        f"spectrum, {saved[LOSS]} by the loss, {saved[TOGETHER]} by all together, "
        f"{saved[ORACLE]} by an oracle; means over the setups where all come to the target."
    )
    return said


def _saved(row: Mapping[str, Any], at: int) -> str:
    never = row["never"][at]
    said = f"{cell_said(row['cells'][at], 2)} %"
    return f"{said} (never in {never} setups)" if never else said
