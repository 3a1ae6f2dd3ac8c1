"""The answer of a question on stopping: whether the spectrum says when."""

from collections.abc import Mapping
from typing import Any

from koopscope.compare.words import BETTER, WORSE
from koopscope.experiments.stopping.names import SPECTRAL
from koopscope.experiments.stopping.summary import OF_THE_SAME_LENGTH, cases
from koopscope.report.answer import NONE_ASKED, Answer, cases_said, counted, held, of_cell

FIGURES = ("stopping_tradeoff",)


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of a question from its facts.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.stopping.summary.facts`.
    """
    found = list(cases(facts))
    rules = [case for case in found if case[1] != OF_THE_SAME_LENGTH]
    better, worse = (sum(case[3] == word for case in rules) for word in (BETTER, WORSE))
    spectral = [row for row in facts["rules"] if row["rule"] in SPECTRAL]
    # Of an arm whose every run diverged nothing is known.
    known = [row for row in spectral if row["saved"]["mean"] is not None]
    most = max(known, key=lambda row: row["saved"]["mean"]) if known else spectral[0]
    return Answer(
        answer=f"The spectrum is better than plain rules in {better} of {len(rules)} comparisons, "
        f"worse in {worse}.",
        number=f"epochs of {facts['budget']} saved by {most['rule']}, {most['arm']}, "
        f"most of {len(spectral)}",
        **of_cell(most["saved"]),
        controls=_controls([case[3] for case in found if case[1] == OF_THE_SAME_LENGTH]),
        against=cases_said(rules),
        figure=FIGURES[0],
    )


def _controls(words: list[str]) -> str:
    """Against a fixed budget of the same length, which knows nothing of a run."""
    if not words:
        return NONE_ASKED
    return f"{held(words)}: {counted(words)} than a fixed budget of the same length"
