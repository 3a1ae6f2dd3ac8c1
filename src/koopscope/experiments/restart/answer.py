"""The answer of a question on poor initialisations: whether the spectrum tells them early."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from koopscope.compare.words import BETTER, WORSE
from koopscope.experiments.restart.names import BASELINE, LOSS, SPECTRUM, TOGETHER
from koopscope.experiments.restart.summary import cases
from koopscope.report.answer import NONE_ASKED, Answer, cases_said, of_cell
from koopscope.report.cells import word_of
from koopscope.report.numbers import number

FIGURES = ("restart_auc",)


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of a question from its facts.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.restart.summary.facts`.
    """
    words = {
        (row["first"], row["second"]): [word_of(cell) for cell in row["cells"]]
        for row in facts["gains"]
    }
    alone, added = Counter(words[SPECTRUM, LOSS]), Counter(words[TOGETHER, BASELINE])
    count = len(facts["checkpoints"])
    at = facts["checkpoints"].index(facts["shown"])
    areas = {row["predictor"]: row["cells"][at] for row in facts["areas"]}
    return Answer(
        answer=f"The spectrum predicts better than the loss so far at {alone[BETTER]} of {count} "
        f"checkpoints, worse at {alone[WORSE]}; beside loss and gradient it helps at "
        f"{added[BETTER]}.",
        number="area under the curve (0.5 is chance) by the spectrum at epoch "
        f"{facts['shown']} (by the loss: {number(areas[LOSS]['mean'])})",
        **of_cell(areas[SPECTRUM]),
        controls=NONE_ASKED,
        against=cases_said(cases(facts)),
        figure=FIGURES[0],
    )
