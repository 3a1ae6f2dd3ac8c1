"""The answer of a question on depth: how many layers, and whether the spectrum tells early."""

from collections.abc import Mapping
from typing import Any

from koopscope.experiments.depth.names import SAID, SPECTRUM
from koopscope.experiments.depth.summary import cases
from koopscope.report.answer import NONE_ASKED, Answer, cases_said, listed, of_cell
from koopscope.report.numbers import number

FIGURES = ("depths",)
# More layers might do better than the most that was tried.
MOST = " or more"


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of a question from its facts.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.depth.summary.facts`.
    """
    deepest = max(facts["depths"])
    observed = [
        f"{row['case']} {number(row['observed'])}{MOST if row['observed'] == deepest else ''}"
        for row in facts["cases"]
    ]
    (row,) = [row for row in facts["predictors"] if row["predictor"] == SPECTRUM]
    cells = [row["ours"] for row in facts["against"]]
    # Without a baseline no interval was asked for; the mean stands in the table of predictors.
    mean = row["mean_regret"] and 100 * row["mean_regret"]
    cell = cells[0] if cells else {"mean": mean, "low": None, "high": None}
    right = [f"{SAID[p['predictor']]} {p['right']}" for p in facts["predictors"]]
    return Answer(
        answer=f"Layers needed: {listed(observed)}; the spectrum is right for {row['right']} of "
        f"{row['cases']} tasks, within one layer for {row['within_one']}.",
        number="error above the least at the spectrum's depth, mean of tasks",
        **of_cell(cell),
        unit="%",
        controls=NONE_ASKED,
        against=f"right: {', '.join(right)}; error: {cases_said(cases(facts))}",
        figure=FIGURES[0],
    )
