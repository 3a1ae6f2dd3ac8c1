"""What a question on stopping came to, as plain numbers and as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.experiments.stopping.names import SPECTRAL
from koopscope.report.cells import against, against_cases, against_table, cell, cell_said, word_of
from koopscope.report.datasets import require, strings
from koopscope.report.numbers import number
from koopscope.report.tables import escaped, table

# A baseline that stops as late as the rule does in the mean, and knows nothing of a run.
OF_THE_SAME_LENGTH = "fixed budget of the same mean length"


def facts(stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one question as plain JSON values; None stands for one that does not exist.

    Parameters
    ----------
    stores
        ``stopping``, as :func:`koopscope.experiments.stopping.run.run` gives it.

    Returns
    -------
    dict
        ``budget``, ``seeds``, ``arms``; ``accuracy`` at the end of the
        budget, by arm; rows of ``rules`` (arm, rule, threshold, ``saved``, ``lost`` and
        ``less_lost`` in points, ``reached``), at the settings fixed beforehand; rows of
        ``against`` (:func:`koopscope.report.cells.against`); ``sentences``. Cells are ``mean``,
        ``low`` and ``high`` (95 % over resampled seeds).

    Raises
    ------
    InputError
        If the dataset lacks a variable or has no arm.
    """
    found = stores["stopping"]
    names = ("mean_saved", "mean_lost", "mean_less_lost", "mean_reached", "word", "difference")
    require(found, "stopping", "stopping", (*names, "test_accuracy"), dim="arm")
    arms = [str(arm) for arm in found["arm"].values]
    chosen = np.flatnonzero(found["chosen"].values)
    rules = strings(found["rule"])
    rows = [
        {
            "arm": arm,
            "rule": str(rules[at]),
            "threshold": float(found["threshold"].values[at]),
            "saved": cell(found["mean_saved"].sel(arm=arm)[at]),
            "lost": cell(100 * found["mean_lost"].sel(arm=arm)[at]),
            "lost_by_fixed": cell(100 * found["mean_lost_by_fixed"].sel(arm=arm)[at]),
            "less_lost": cell(100 * found["mean_less_lost"].sel(arm=arm)[at]),
            "reached": float(found["mean_reached"].sel(arm=arm)[at]),
        }
        for arm in arms
        for at in chosen
    ]
    facts = {
        "budget": int(found.attrs["budget"]),
        "seeds": [int(seed) for seed in found["seed"].values],
        "arms": arms,
        "accuracy": [
            float(found["test_accuracy"].sel(arm=arm).isel(epoch=-1).mean()) for arm in arms
        ],
        "rules": rows,
        "against": _against(found, rows),
    }
    return facts | {"sentences": _sentences(facts)}


def text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one question."""
    accuracies = ", ".join(
        f"{escaped(arm)} {number(100 * accuracy)} %"
        for arm, accuracy in zip(facts["arms"], facts["accuracy"], strict=True)
    )
    return "\n\n".join(
        [
            f"{len(facts['seeds'])} seeds; budget {facts['budget']} epochs; test accuracy at its "
            f"end: {accuracies}.",
            "\n".join(f"- {escaped(sentence)}" for sentence in facts["sentences"]),
            rule_table(facts),
        ]
    )


def cases(facts: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Spectrum, baseline, measure and word of each case in which the spectrum met a baseline."""
    # A rule's word is about what it saves and what it loses at once.
    return against_cases(facts["against"], apart=False)


def rule_table(facts: Mapping[str, Any]) -> str:
    """Table of what each rule saves and loses, at the setting fixed beforehand."""
    head = ["runs", "rule", "threshold", "epochs saved", "accuracy lost, percentage points"]
    head += ["lost by a fixed budget of that length", "stops"]
    rows = [
        [
            row["arm"],
            row["rule"],
            f"{row['threshold']:g}",
            cell_said(row["saved"]),
            cell_said(row["lost"], 2),
            number(row["lost_by_fixed"]["mean"], 2),
            f"{row['reached']:.0%} of runs",
        ]
        for row in facts["rules"]
    ]
    return "Mean [95 % interval over resampled seeds]:\n\n" + table(head, rows)


# By the name that a page of findings gives.
TABLES = {"against": against_table, "stops": rule_table}


def _against(found: xr.Dataset, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    numbers = {(row["arm"], row["rule"]): row for row in rules}
    rows = []
    for arm in found["arm"].values:
        for pair in found["pair"].values:
            here = found.sel(arm=arm, pair=pair)
            rule, other = str(here["first"].item()), str(here["second"].item())
            ours, theirs = numbers[str(arm), rule], numbers[str(arm), other]
            word = str(here["word"].item())
            for measure, key, scale in (("saved", "saved", 1), ("lost", "lost", 100)):
                said = "epochs saved" if measure == "saved" else "accuracy lost, percentage points"
                difference = cell(scale * here["difference"].sel(measure=measure))
                rows.append(
                    against(str(arm), rule, other, said, ours[key], theirs[key], difference, word)
                )
        for rule in SPECTRAL:
            row = numbers[str(arm), rule]
            gain = row["less_lost"]
            # Less is better; 0 − x, since −0 reads oddly. None where every run diverged.
            ends = {"mean": gain["mean"], "low": gain["high"], "high": gain["low"]}
            difference = {name: None if x is None else 0 - x for name, x in ends.items()}
            word = word_of(gain)
            said = "accuracy lost, percentage points"
            theirs = row["lost_by_fixed"]
            rows.append(
                against(
                    str(arm),
                    rule,
                    OF_THE_SAME_LENGTH,
                    said,
                    row["lost"],
                    theirs,
                    difference,
                    word,
                )
            )
    return rows


def _sentences(facts: Mapping[str, Any]) -> list[str]:
    said = []
    for rule in SPECTRAL:
        for other in dict.fromkeys(row["baseline"] for row in facts["against"]):
            words = {
                row["where"]: row["word"]
                for row in facts["against"]
                if (row["spectrum"], row["baseline"]) == (rule, other)
            }
            counts = {
                word: [arm for arm, found in words.items() if found == word]
                for word in ("better", "worse", "neither")
            }
            listed = "; ".join(
                f"{word} for {len(arms)} of {len(words)}" + (f" ({', '.join(arms)})")
                for word, arms in counts.items()
                if arms
            )
            said.append(f"“{rule}” against {other}: {listed}.")
    return said
