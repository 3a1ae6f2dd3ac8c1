"""What a question about grokking came to, as plain numbers and as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.experiments.grokking.chance import QUANTILES
from koopscope.experiments.grokking.names import CHANCE, PAIRS, PREDICTORS
from koopscope.experiments.grokking.wording import NOTES, chance_said, sentences
from koopscope.report.cells import (
    against,
    against_cases,
    against_table,
    cell,
    cell_said,
    spread,
    spread_said,
    word_of,
)
from koopscope.report.datasets import plain, require, strings
from koopscope.report.numbers import between, number
from koopscope.report.tables import escaped, table

NUMBERS = ("effect", "effect_low", "effect_high", "p_value", "p_adjusted")
NEEDED = ("group", "test_accuracy", "generalises", "window", "before", "verdict", *NUMBERS)
MEASURE = "area under the curve, settings held out"
WITHIN = "area under the curve, within settings"
OF_RUNS = ("rise", "risen", "steps", "record_every", "delays", "rank", "alpha", "chosen")
# Of an area that is better than chance.
ABOVE = "▲"
COUNTED = ("runs_at_risk", "will_generalise", "settings_at_risk", "settings_mixed")

__all__ = ["NOTES", "TABLES", "cases", "facts", "text"]


def facts(stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one experiment as plain JSON values; None stands for one that does not exist.

    Parameters
    ----------
    stores
        ``grokking``, as :func:`koopscope.experiments.grokking.run.run` gives it.

    Returns
    -------
    dict
        ``reference``, ``data``, ``architecture``, ``coordinates``, ``seeds`` (of a group) and the
        numbers of the question; ``groups``, a row each with when its runs memorise and generalise;
        ``lines``, a row for all that is compared with the reference, with its ``windows`` and the
        row of the one ``before`` the rise (None without); ``alternates``; ``prediction`` (None
        without), with ``settings`` and ``horizons``; ``against``
        (:func:`koopscope.report.cells.against`) and ``sentences``.

    Raises
    ------
    InputError
        If the dataset lacks a variable or has no group.
    """
    found = stores["grokking"]
    require(found, "grokking", "grokking", NEEDED, dim="group")
    given = {
        "reference": str(found.attrs["reference"]),
        "data": str(found.attrs["data"]),
        "architecture": str(found.attrs["architecture"]),
        "coordinates": str(found.attrs["weight_coordinates"]),
        "seeds": found.sizes["seed"],
        **{name: plain(found.attrs[name]) for name in OF_RUNS},
        "groups": _groups(found),
        "lines": [_line(found.isel(line=k)) for k in range(found.sizes["line"])],
        "alternates": _alternates(found),
        "prediction": _prediction(found) if "auc" in found else None,
    }
    given["against"] = _against(given["prediction"])
    return given | {"sentences": sentences(given)}


def text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one experiment."""
    blocks = [
        "\n".join(f"- {escaped(sentence)}" for sentence in facts["sentences"]),
        outcomes_table(facts),
        verdicts_table(facts),
        windows_table(facts),
        alternates_table(facts) if facts["alternates"] else "",
    ]
    if facts["prediction"] is not None:
        blocks += [settings_table(facts), prediction_table(facts)]
    if facts["against"]:
        blocks.append(against_table(facts))
    return "\n\n".join(block for block in blocks if block)


def outcomes_table(facts: Mapping[str, Any]) -> str:
    """Table of when the runs of each group memorise and generalise."""
    return _outcomes("group", facts["groups"])


def settings_table(facts: Mapping[str, Any]) -> str:
    """Table of when the runs of each setting of the prediction do."""
    return _outcomes("setting", facts["prediction"]["settings"])


def verdicts_table(facts: Mapping[str, Any]) -> str:
    """Table of all lines in the window before the rise; empty where there is none."""
    rows = [(row, row["before"]) for row in facts["lines"] if row["before"]]
    if not rows:
        return ""
    head = (f"against {facts['reference']}, steps 1 to {facts['chosen']}", "expected")
    head += ("effect [95 %]", "p (corrected)", "verdict")
    return table(
        head,
        [
            [row["line"], row["expected"], _effect(at), number(at["p_adjusted"]), at["verdict"]]
            for row, at in rows
        ],
    )


def windows_table(facts: Mapping[str, Any]) -> str:
    """Table of the effect of each line by the end of the window."""
    windows = [at["window"] for at in facts["lines"][0]["windows"]]
    head = ["effect, window from the beginning to", *(f"step {end}" for end in windows)]
    return table(
        head,
        [
            [row["line"], *(f"{_effect(at)} {at['verdict']}" for at in row["windows"])]
            for row in facts["lines"]
        ],
    )


def alternates_table(facts: Mapping[str, Any]) -> str:
    """Table of the effect of each line in other coordinates, in the window before the rise."""
    head = ["coordinates", *(row["line"] for row in facts["lines"])]
    return table(
        head,
        [
            [one["alternate"], *(f"{_effect(at)} {at['verdict']}" for at in one["lines"])]
            for one in facts["alternates"]
        ],
    )


def prediction_table(facts: Mapping[str, Any]) -> str:
    """Table of the areas under the curve by horizon, those better than chance marked."""
    horizons = facts["prediction"]["horizons"]
    head = ["predicted at step, by", *(str(at["horizon"]) for at in horizons)]
    rows = [
        ["runs at risk, of settings", *(_risk(at) for at in horizons)],
        ["of them generalise", *(str(at["will_generalise"]) for at in horizons)],
    ]
    for where, said in (("auc", ""), ("within", ", within settings")):
        for name in PREDICTORS:
            areas = ((cell_said(at[where][name], 2), at["better"][where]) for at in horizons)
            marked = (f"{area} {ABOVE}" if name in better else area for area, better in areas)
            rows.append([f"{name}{said}", *marked])
        drawn = [chance_said(at["chance"][where]) for at in horizons]
        rows.append([f"{CHANCE}{said}: median [5–95 %], {ABOVE} above", *drawn])
    return table(head, rows)


def cases(facts: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Spectrum, baseline, measure and word of each case in which the spectrum met a baseline."""
    return against_cases(facts["against"])


# By the name that a page of findings gives.
TABLES = {
    "outcomes": outcomes_table,
    "settings": settings_table,
    "verdicts": verdicts_table,
    "windows": windows_table,
    "alternates": alternates_table,
    "prediction": prediction_table,
    "against": against_table,
}


def _groups(found: xr.Dataset) -> list[dict[str, Any]]:
    last = found["test_accuracy"].transpose("group", "seed", "step").values[:, :, -1]
    rows = []
    for k, name in enumerate(strings(found["group"])):
        at = found.isel(group=k)
        row = _outcome(at["memorised_at"].values, at["generalised_at"].values, at["groks"].values)
        rows.append({"group": str(name), **row, "test_accuracy": spread(last[k])})
    return rows


def _outcome(memorised: np.ndarray, generalised: np.ndarray, groks: np.ndarray) -> dict[str, Any]:
    return {
        "runs": len(groks),
        "memorise": int(np.isfinite(memorised).sum()),
        "generalise": int(np.isfinite(generalised).sum()),
        "grok": int(groks.sum()),
        "memorised_at": spread(memorised),
        "generalised_at": spread(generalised),
    }


def _outcomes(what: str, rows: list[Mapping[str, Any]]) -> str:
    head = (what, "runs", "training accuracy 0.99", "at step", "test accuracy 0.95", "at step")
    head += ("grok",)
    return table(
        head,
        [
            [
                row[what],
                str(row["runs"]),
                str(row["memorise"]),
                spread_said(row["memorised_at"], 4),
                str(row["generalise"]),
                spread_said(row["generalised_at"], 4),
                str(row["grok"]),
            ]
            for row in rows
        ],
    )


def _line(at: xr.Dataset) -> dict[str, Any]:
    windows = [
        {
            "window": plain(at["window"].values[k]),
            "before": bool(at["before"].values[k]),
            **{name: plain(at[name].values[k]) for name in (*NUMBERS, "margin")},
            "verdict": str(at["verdict"].values[k]),
            "reason": str(at["reason"].values[k]),
        }
        for k in range(at.sizes["window"])
    ]
    named = {name: str(at[name].values) for name in ("line", "expected", "because")}
    return named | {
        "control": bool(at["control"].values),
        "windows": windows,
        "before": next((row for row in windows if row["before"]), None),
    }


def _alternates(found: xr.Dataset) -> list[dict[str, Any]]:
    rows = []
    for k, name in enumerate(strings(found["alternate"]) if "alternate" in found.dims else ()):
        at = found.isel(alternate=k)
        lines = [
            {
                "line": str(line),
                **{n: plain(at[f"alternate_{n}"].values[i]) for n in NUMBERS},
                "verdict": str(at["alternate_verdict"].values[i]),
            }
            for i, line in enumerate(strings(found["line"]))
        ]
        rows.append({"alternate": str(name), "lines": lines})
    return rows


def _prediction(found: xr.Dataset) -> dict[str, Any]:
    settings = []
    for k, name in enumerate(strings(found["setting"])):
        at = [found[f"setting_{n}"].values[k] for n in ("memorised_at", "generalised_at", "groks")]
        settings.append({"setting": str(name), **_outcome(*at)})
    horizons = []
    for k, horizon in enumerate(found["horizon"].values):
        at = found.isel(horizon=k)
        row: dict[str, Any] = {"horizon": plain(horizon)}
        row |= {name: plain(at[name].values) for name in COUNTED}
        for name, of in (("auc", "auc"), ("within", "auc_within")):
            cells = [cell(at[of].isel(predictor=i)) for i in range(len(PREDICTORS))]
            row[name] = dict(zip(strings(found["predictor"]).tolist(), cells, strict=True))
        row["chance"] = {
            "auc": _chance(at["chance"]),
            "within": _chance(at["chance_within"]),
        }
        row["better"] = {
            where: [name for name in PREDICTORS if _better(row[where][name], row["chance"][where])]
            for where in ("auc", "within")
        }
        for name in ("gain", "gain_within"):
            row[name] = [cell(at[name].isel(pair=i)) for i in range(len(PAIRS))]
        horizons.append(row)
    return {"settings": settings, "horizons": horizons}


def _chance(drawn: xr.DataArray) -> dict[str, float | None]:
    numbers = (drawn.sel(quantile=share).item() for share in QUANTILES)
    return dict(zip(("median", "low", "high"), map(plain, numbers), strict=True))


def _better(area: Mapping[str, float | None], drawn: Mapping[str, float | None]) -> bool:
    """Whether an area is above what 95 % of random fingerprints have."""
    mean, bound = area["mean"], drawn["high"]
    return mean is not None and bound is not None and mean > bound


def _against(prediction: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Areas of the spectrum, and of all together, against what is known without one.

    Pairs of which neither is better than chance are left out: one ignorance is no better than
    another.
    """
    rows = []
    for at in prediction["horizons"] if prediction else ():
        where = f"step {at['horizon']}"
        for name, gains, measure in (
            ("auc", at["gain"], MEASURE),
            ("within", at["gain_within"], WITHIN),
        ):
            for (ours, theirs), gain in zip(PAIRS, gains, strict=True):
                if gain["mean"] is not None and {ours, theirs} & set(at["better"][name]):
                    mine, yours = at[name][ours], at[name][theirs]
                    word = word_of(gain)
                    rows.append(against(where, ours, theirs, measure, mine, yours, gain, word))
    return rows


def _effect(at: Mapping[str, Any]) -> str:
    return between(at["effect"], at["effect_low"], at["effect_high"])


def _risk(at: Mapping[str, Any]) -> str:
    return f"{at['runs_at_risk']}, {at['settings_at_risk']}"
