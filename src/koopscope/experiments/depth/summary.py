"""What the depths of networks came to, as plain numbers and as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

import xarray as xr

from koopscope.compare.intervals import finite_mean
from koopscope.experiments.depth.names import SAID, SPECTRUM
from koopscope.report.cells import against_cases, against_table, paired
from koopscope.report.datasets import plain, require, strings
from koopscope.report.numbers import between, number, percent
from koopscope.report.tables import escaped, table

CASE = ("observed", "observed_low", "observed_high", "steps", "pilot_steps")
PAIR = ("effect", "effect_low", "effect_high", "p_adjusted")
COUNTED = ("cases", "right", "within_one", "none", "mean_regret")


def facts(stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one experiment as plain JSON values; None stands for one that does not exist.

    Parameters
    ----------
    stores
        ``depth``, as :func:`koopscope.experiments.depth.run.run_families` gives it.

    Returns
    -------
    dict
        ``tolerance``, ``smallest_effect``, ``seeds``, ``depths``,
        ``names`` (of the predictors); ``cases``, one row for each task, with the depth observed,
        those predicted and their regrets, the effects between neighbouring depths, the mean errors
        and, for a signal, the layers of a hierarchical SVR; ``predictors``, one row each;
        ``hsvr_rank`` by rule; ``short_share``, steps of the short trainings over all;
        ``against`` (:func:`koopscope.report.cells.against`) and ``sentences``.

    Raises
    ------
    InputError
        If the dataset lacks a variable or has no case.
    """
    found = stores["depth"]
    names = ("case", "task", "error", "verdict", "predicted", "regret", *CASE, *PAIR, *COUNTED)
    require(found, "depth", "depth", names, dim="case")
    predictors = strings(found["predictor"]).tolist()
    depths = found["depth"].values.tolist()
    cases = [_case(found.isel(case=i), predictors, depths) for i in range(found.sizes["case"])]
    rows = []
    for k, name in enumerate(predictors):
        row = {n: plain(found[n].values[k]) for n in COUNTED}
        row |= {"predictor": name, "said": SAID.get(name, name)}
        rows.append(row | {"sentence": _sentence(row)})
    ranks = {}
    if "hsvr_rank" in found:
        rules = strings(found["hsvr_rule"]).tolist()
        ranks = dict(zip(rules, map(plain, found["hsvr_rank"].values), strict=True))
    facts = {
        "tolerance": plain(found.attrs["tolerance"]),
        "smallest_effect": plain(found.attrs["smallest_effect"]),
        "seeds": found.sizes["seed"],
        "depths": depths,
        "names": predictors,
        "cases": cases,
        "predictors": rows,
        "hsvr_rank": ranks,
        "short_share": plain(found["pilot_steps"].values.sum() / found["steps"].values.sum()),
    }
    return facts | {"against": _against(found, predictors), "sentences": _sentences(facts)}


def text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one experiment."""
    blocks = [
        depths_table(facts),
        f"Observed: the first depth whose mean error after full training is within "
        f"{percent(facts['tolerance'])} of the least, with its 95 % interval over seeds. "
        f"Predicted by the spectrum: the first depth whose distance to the next one is less than "
        f"{number(facts['smallest_effect'])} times that between seeds. In brackets by how much the "
        "error is above the least one's; where nothing is predicted, that of the deepest.",
        predictors_table(facts),
        "\n".join(f"- {escaped(sentence)}" for sentence in facts["sentences"]),
    ]
    return "\n\n".join(block for block in blocks if block)


def depths_table(facts: Mapping[str, Any]) -> str:
    """Table of the depths predicted and observed."""
    rules = list(facts["hsvr_rank"])
    head = ["task", "observed [95 %]", *(SAID.get(n, n) for n in facts["names"])]
    head += [f"layers of an HSVR by {rule}" for rule in rules]
    return table(
        head,
        [
            [
                row["case"],
                _observed(row),
                *(_predicted(row, name) for name in facts["names"]),
                *(number(row["hsvr"].get(rule)) for rule in rules),
            ]
            for row in facts["cases"]
        ],
    )


def effects_table(facts: Mapping[str, Any]) -> str:
    """Table of the effects between neighbouring depths."""
    pairs = zip(facts["depths"], facts["depths"][1:], strict=False)
    head = ["task, effect [95 %]", *(f"{a} to {b} layers" for a, b in pairs)]
    return table(
        head, [[row["case"], *(_effect(pair) for pair in row["pairs"])] for row in facts["cases"]]
    )


def predictors_table(facts: Mapping[str, Any]) -> str:
    """Table of how often the spectrum and the plain baselines are right."""
    head = ("predicted by", "tasks", "right", "within one layer", "nothing predicted")
    head += ("mean excess error",)
    return table(
        head,
        [
            [
                row["said"],
                *(str(row[name]) for name in ("cases", "right", "within_one", "none")),
                percent(row["mean_regret"]),
            ]
            for row in facts["predictors"]
        ],
    )


def cases(facts: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Spectrum, baseline, measure and word of each case in which the spectrum met a baseline."""
    return against_cases(facts["against"])


# By the name that a page of findings gives.
TABLES = {
    "against": against_table,
    "depths": depths_table,
    "effects": effects_table,
    "predictors": predictors_table,
}


def _sentences(facts: Mapping[str, Any]) -> list[str]:
    """Say what each predictor came to, and the hierarchical SVR beside them, a sentence each."""
    said = [row["sentence"] for row in facts["predictors"]]
    for rule, rank in facts["hsvr_rank"].items():
        if rank is not None:
            said.append(
                f"Layers of a hierarchical SVR by {rule}: rank correlation {rank:+.2f} with the "
                "depth observed, over the signals."
            )
    return said


def _case(at: xr.Dataset, predictors: list[str], depths: list[int]) -> dict[str, Any]:
    row: dict[str, Any] = {"case": str(at["case"].values), "task": str(at["task"].values)}
    row |= {name: plain(at[name].values) for name in CASE}
    for name in ("predicted", "regret"):
        row[name] = dict(zip(predictors, map(plain, at[name].values), strict=True))
    row["pairs"] = [
        {
            "shallower": depth,
            "verdict": str(at["verdict"].values[k]),
            **{name: plain(at[name].values[k]) for name in PAIR},
        }
        for k, depth in enumerate(depths[:-1])
    ]
    row["errors"] = [plain(v) for v in finite_mean(at["error"].transpose("depth", "seed").values)]
    row["hsvr"] = {}
    if "hsvr" in at:
        rules = strings(at["hsvr_rule"]).tolist()
        row["hsvr"] = dict(zip(rules, map(plain, at["hsvr"].values), strict=True))
    return row


def _against(found: xr.Dataset, predictors: list[str]) -> list[dict[str, Any]]:
    """Excess error of the depth predicted by the spectrum and without it, over the tasks."""
    regrets = 100 * found["regret"].transpose("predictor", "case").values
    ours, rows = regrets[predictors.index(SPECTRUM)], []
    for name, theirs in zip(predictors, regrets, strict=True):
        if name != SPECTRUM:
            measure = "error of the depth predicted above the least, %"
            rows.append(
                paired("all tasks", SAID[SPECTRUM], SAID.get(name, name), measure, ours, theirs)
            )
    return rows


def _sentence(row: Mapping[str, Any]) -> str:
    nothing = f", nothing predicted for {row['none']}" if row["none"] else ""
    return (
        f"{row['said'].capitalize()}: right for {row['right']} of {row['cases']} tasks, within one "
        f"layer for {row['within_one']}{nothing}; error above the least by "
        f"{percent(row['mean_regret'])} in the mean."
    )


def _observed(row: Mapping[str, Any]) -> str:
    said = number(row["observed"])
    low, high = number(row["observed_low"]), number(row["observed_high"])
    return said if low == high else f"{said} [{low}, {high}]"


def _predicted(row: Mapping[str, Any], name: str) -> str:
    found = row["predicted"][name]
    said = "none" if found is None else number(found)
    return f"{said} (+{percent(row['regret'][name])})"


def _effect(pair: Mapping[str, Any]) -> str:
    if pair["effect"] is None:
        return "–"
    said = between(pair["effect"], pair["effect_low"], pair["effect_high"])
    return f"{said} {pair['verdict']}"
