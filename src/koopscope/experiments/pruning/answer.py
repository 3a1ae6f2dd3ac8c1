"""The answer of a pruning experiment: whether Koopman modes keep other weights."""

from collections.abc import Mapping
from typing import Any

from koopscope.compare.words import word
from koopscope.experiments.pruning.names import KOOPMAN, MAGNITUDE, pair_name
from koopscope.experiments.pruning.summary import SAME, cases
from koopscope.report.answer import NONE_ASKED, Answer, cases_said, held, of_cell
from koopscope.report.numbers import number

FIGURES = ("overlap",)


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of an experiment from its facts.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.pruning.summary.facts`.
    """
    pair = pair_name(KOOPMAN, MAGNITUDE)
    rows = [row for row in facts["overlaps"] if row["pair"] == pair]
    against = cases_said(cases(facts))
    if not rows:
        nothing = of_cell({"mean": None, "low": None, "high": None})
        return Answer(
            answer="Not asked: Koopman or magnitude pruning is missing.",
            number="overlap",
            **nothing,
            controls=NONE_ASKED,
            against=against,
            figure=FIGURES[0],
        )
    at = facts["compression_ratios"].index(facts["sharp"])
    cell = rows[0]["cells"][at]
    where = f"{facts['sharp']:g} ×, epoch {rows[0]['epoch']}"
    return Answer(
        answer=". ".join(_after(facts, row) for row in rows) + ".",
        number=f"overlap with magnitudes at {where}; the same from {SAME:g} on",
        **of_cell(cell),
        controls=_by_chance(cell, facts["chance"][at]),
        against=against,
        figure=FIGURES[0],
    )


def _after(facts: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """At how many compressions the same is kept, other weights are, or neither is certain."""
    # At compression 1 nothing is pruned.
    cells = [
        cell
        for c, cell in zip(facts["compression_ratios"], row["cells"], strict=True)
        if c > 1 and cell["low"] is not None
    ]
    if not cells:
        return f"After epoch {row['epoch']} no interval, for want of seeds"
    same = sum(cell["low"] >= SAME for cell in cells)
    other = sum(cell["high"] < SAME for cell in cells)
    counts = {"other weights": other, "the same": same, "open": len(cells) - same - other}
    parts = [f"{what} at {count}" for what, count in counts.items() if count]
    return f"After epoch {row['epoch']} {', '.join(parts)} of {len(cells)} compressions"


def _by_chance(cell: Mapping[str, Any], chance: Mapping[str, Any]) -> str:
    by_chance = f"random masks overlap {number(chance['mean'])}"
    known = cell["low"] is not None and chance["mean"] is not None
    above = known and cell["low"] > chance["mean"]
    below = known and cell["high"] < chance["mean"]
    return f"{held([word(above, below)])}: {by_chance}"
