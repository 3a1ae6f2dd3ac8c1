"""The answer of a question on hierarchical regression: how many layers, or what else could fit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from koopscope.report.answer import NONE_ASKED, Answer
from koopscope.report.numbers import number, percent

FIGURES = ("layers", "regressors")


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of a question from its facts.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.hsvr.summary.facts`. Where other regressors were asked too,
        the number is theirs.
    """
    layers = _rules(facts["rules"])
    if not facts["compared"]:
        return layers
    others = _regressors(facts["compared"])
    return replace(others, answer=f"{others.answer} {layers.answer}")


def _rules(rows: list[Mapping[str, Any]]) -> Answer:
    least = min(row["noise"] for row in rows)
    clean = [row for row in rows if row["noise"] == least and row["against"] == "transition"]
    known = [row for row in clean if row["cases"]]
    if not known:
        return Answer(
            answer="No signal's training error falls, so there is nothing to compare.",
            number="share predicted right",
            value=None,
            low=None,
            high=None,
            controls=NONE_ASKED,
            against="no baseline",
            figure="layers",
        )
    best = max(known, key=lambda row: row["right"] / row["cases"])
    others = [f"{r['rule']} {r['right']} of {r['cases']}" for r in known if r is not best]
    noisy = [
        f"{row['right']} of {row['cases']} with {percent(row['noise'])}"
        for row in rows
        if row["rule"] == best["rule"] and row["noise"] > least and row["against"] == "transition"
    ]
    return Answer(
        answer=f"The spectrum of the signal ({best['rule']}) foretells the layers in "
        f"{best['right']} of {best['cases']} runs with {_noise(least)}"
        + "".join(f", {said}" for said in noisy)
        + ".",
        number=f"right by {best['rule']}, best of {len(known)} rules",
        value=100 * best["right"] / best["cases"],
        low=None,
        high=None,
        unit="%",
        controls=NONE_ASKED,
        against=f"within one layer {best['within_one']} of {best['cases']} runs, a signal and a "
        "seed each whose error falls; other rules right: " + (", ".join(others) or "none asked"),
        figure="layers",
    )


def _regressors(rows: list[Mapping[str, Any]]) -> Answer:
    first, least = rows[0]["regressor"], min(row["noise"] for row in rows)
    best = {
        noise: min(
            (row for row in rows if row["noise"] == noise and row["held_out_rms"] is not None),
            key=lambda row: row["held_out_rms"],
            default=None,
        )
        for noise in dict.fromkeys(row["noise"] for row in rows)
    }
    parts = [f"{row['regressor']} with {_noise(noise)}" for noise, row in best.items() if row]
    times = [_times(row) for row in best.values() if row]
    shown = best[least]
    ratio = shown and shown["error_ratio"]
    others = [row for row in rows if row["regressor"] != first and row["error_ratio"]]
    below = sum(row["error_ratio"]["median"] < 1 for row in others)
    return Answer(
        answer=f"Least held-out error: {', '.join(parts)}." if parts else "No fit has an error.",
        number=f"error ÷ that of {first}, {shown['regressor']}, least to greatest"
        if shown
        else "error",
        value=ratio and ratio["median"],
        low=ratio and ratio["min"],
        high=ratio and ratio["max"],
        controls=NONE_ASKED,
        against=f"{below} of {len(others)} median errors below that of {first}; the best fits take "
        f"{' and '.join(times)} as long"
        if others and times
        else "no baseline",
        figure="regressors",
    )


def _times(row: Mapping[str, Any]) -> str:
    ratio = row["time_ratio"]
    return f"{number(ratio['median'], 2)} ×" if ratio else "–"


def _noise(noise: float) -> str:
    return f"{percent(noise)} noise" if noise else "no noise"
