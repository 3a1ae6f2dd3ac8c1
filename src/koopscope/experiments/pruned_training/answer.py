"""The answer of a question on pruning while training: whether it makes training cheaper."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from koopscope.compare.words import BETTER, WORSE
from koopscope.experiments.pruned_training.names import DENSE
from koopscope.experiments.pruned_training.summary import cases
from koopscope.report.answer import NONE_ASKED, Answer, cases_said, counted, held, listed, of_cell
from koopscope.report.numbers import percent

FIGURES = ("pruned_training",)
RANDOM = "random"


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of a question from its facts.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.pruned_training.summary.facts`.
    """
    dense = [row for row in facts["against"] if row["baseline"] == DENSE]
    by_chance = [r["word"] for r in facts["against"] if r["baseline"].startswith(RANDOM)]
    controls = f"{held(by_chance)}: {counted(by_chance)} than random"
    first = dense[0] if dense else None
    return Answer(
        answer=_answer(facts, dense),
        number=f"{first['measure']}, {first['spectrum']}" if first else "cost ÷ dense",
        **of_cell(first["ours"] if first else {"mean": None, "low": None, "high": None}),
        controls=controls if by_chance else NONE_ASKED,
        against=cases_said(case for case in cases(facts) if case[1] != DENSE),
        figure=FIGURES[0],
    )


def _answer(facts: Mapping[str, Any], dense: list[Mapping[str, Any]]) -> str:
    if not dense:
        return "Not asked: a Koopman score or the dense run is missing."
    if all(row["ours"]["mean"] is None for row in dense):
        return f"Not answered: not both reach {percent(facts['target_accuracy'])} in any seed."
    words = Counter(row["word"] for row in dense)
    names = listed(list(dict.fromkeys(row["spectrum"] for row in dense)))
    return (
        f"Trained to {percent(facts['target_accuracy'])}, {names} are cheaper than dense training "
        f"in {words[BETTER]} of {len(dense)} comparisons (time, operations), dearer in "
        f"{words[WORSE]}."
    )
