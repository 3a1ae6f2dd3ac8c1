"""The answer of a benchmark: in which coordinates a verdict means conjugacy."""

from collections.abc import Mapping
from typing import Any

from koopscope.experiments.known_answers.deciding import CANDIDATES, CORE
from koopscope.experiments.known_answers.summary import cases
from koopscope.experiments.known_answers.wording import said
from koopscope.report.answer import NONE_ASKED, Answer, cases_said, listed, of_cell

FIGURES = ("known_answers_matrix",)


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of a benchmark from its facts.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.known_answers.summary.facts`.
    """
    candidates = [row for row in facts["methods"] if row["family"] == CANDIDATES]
    able = [row for row in candidates if row["admissible"]]
    chosen = [row for row in candidates if row["method"] == facts["chosen"]]
    best = max(chosen or able, key=lambda row: row["power"]["mean"] or 0, default=None)
    words = _answer(facts, candidates, able)
    against = cases_said(cases(facts))
    if best is None:
        known = [row for row in candidates if row["worst"]["mean"] is not None]
        nearest = min(known, key=lambda row: row["worst"]["mean"], default=None)
        cell = nearest["worst"] if nearest else {"mean": None, "low": None, "high": None}
        label = f"worst false positives of {nearest['method']}" if nearest else "false positives"
        controls = "no: none spares every core equivalence" if candidates else NONE_ASKED
    else:
        cell, label = best["power"], f"power of {best['method']}"
        controls = f"yes: core equivalences, at most {said(best['worst'])} % called different"
    return Answer(
        answer=words,
        number=label,
        **of_cell(cell),
        unit="%",
        controls=controls,
        against=against,
        figure=FIGURES[0],
    )


def _answer(facts: Mapping[str, Any], candidates: list, able: list) -> str:
    asked, core = facts["counts"][CORE], facts["core_cases"]
    limit = f"{facts['most']:.3g} % false positives"
    if not candidates:
        return "No spectra of weights were asked."
    if not asked:
        return "No core equivalence was asked, so nothing can be said."
    if facts["chosen"]:
        return f"In {facts['chosen']}: the most power of those within {limit} in every core case."
    of = f"in each of {asked} core equivalences" + (f" (of {core})" if asked < core else "")
    if not able:
        return f"In none of the {len(candidates)} asked: none keeps within {limit} {of}."
    names = listed([row["method"] for row in able])
    return f"In {names}, of {len(candidates)} asked: within {limit} {of}."
