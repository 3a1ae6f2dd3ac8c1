"""The answer of a question on hierarchical regression: how many layers, or what else could fit."""

from collections.abc import Mapping
from typing import Any

from koopscope.report.answer import NONE_ASKED, Answer
from koopscope.report.numbers import number, percent

FIGURES = ("layers", "regressors")


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of a question from its facts.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.hsvr.summary.facts`. Where other regressors were asked,
        the question is about them.
    """
    return _regressors(facts["compared"]) if facts["compared"] else _rules(facts["rules"])


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
        answer=f"The spectrum of the signal ({best['rule']}) says it for {best['right']} of "
        f"{best['cases']} cases with {_noise(least)}, within one layer for "
        f"{best['within_one']}" + "".join(f"; {said}" for said in noisy) + ".",
        number=f"right by {best['rule']}, best of {len(known)} rules",
        value=100 * best["right"] / best["cases"],
        low=None,
        high=None,
        unit="%",
        controls=NONE_ASKED,
        against=f"other rules: {', '.join(others)}" if others else "no baseline",
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
    parts = [
        f"{row['regressor']} with {_noise(noise)} (its fit takes {_times(row)})"
        for noise, row in best.items()
        if row
    ]
    shown = best[least]
    ratio = shown and shown["error_ratio"]
    others = [row for row in rows if row["regressor"] != first and row["error_ratio"]]
    below = sum(row["error_ratio"]["median"] < 1 for row in others)
    return Answer(
        answer=f"Least held-out error: {'; '.join(parts)}." if parts else "No fit has an error.",
        number=f"error ÷ that of {first}, {shown['regressor']}, least to greatest"
        if shown
        else "error",
        value=ratio and ratio["median"],
        low=ratio and ratio["min"],
        high=ratio and ratio["max"],
        controls=NONE_ASKED,
        against=f"{below} of {len(others)} medians below that of {first}"
        if others
        else "no baseline",
        figure="regressors",
    )


def _times(row: Mapping[str, Any]) -> str:
    ratio = row["time_ratio"]
    return f"{number(ratio['median'], 2)} × as long" if ratio else "no time"


def _noise(noise: float) -> str:
    return f"{percent(noise)} noise" if noise else "no noise"
