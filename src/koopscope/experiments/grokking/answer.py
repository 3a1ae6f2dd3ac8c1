"""The answer of a question about grokking: what is told apart before the test accuracy rises."""

from collections.abc import Mapping
from typing import Any

from koopscope.compare.words import DISTINGUISHED, NOT_DISTINGUISHED
from koopscope.experiments.grokking.names import CONFIGURATION, EQUIVALENT, LINES, OPEN, PREDICTORS
from koopscope.experiments.grokking.summary import cases
from koopscope.experiments.grokking.wording import told
from koopscope.report.answer import NONE_ASKED, Answer, cases_said, held_said, listed

FIGURES = ("grokking_windows",)
SEEN_OF_RUNS = tuple(name for name in PREDICTORS if name != CONFIGURATION)


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of a question from its facts.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.grokking.summary.facts`.
    """
    own = [row for row in facts["lines"] if row["expected"] == OPEN and row["before"]]
    most = max(own, key=lambda row: row["before"]["effect"] or 0, default=None)
    at = most["before"] if most else {"effect": None, "effect_low": None, "effect_high": None}
    label = f"effect of {most['line']}, largest of {len(own)}" if most else "effect"
    return Answer(
        answer=_answer(facts, own),
        number=label,
        value=at["effect"],
        low=at["effect_low"],
        high=at["effect_high"],
        controls=_controls(facts["lines"]),
        against=_against(facts),
        figure=FIGURES[0],
    )


def _answer(facts: Mapping[str, Any], own: list[Mapping[str, Any]]) -> str:
    if not own:
        return "There is no window before the test accuracy rises, so nothing can be said."
    apart = [row["line"] for row in own if row["before"]["verdict"] == DISTINGUISHED]
    alike = [row["line"] for row in own if row["before"]["verdict"] == NOT_DISTINGUISHED]
    said = [f"by step {facts['chosen']} told from {listed(apart) or 'no other group'}"]
    if alike:
        said.append(f"not from {listed(alike)}")
    unsure = len(own) - len(apart) - len(alike)
    if unsure:
        said.append(f"{unsure} inconclusive")
    return f"{facts['reference']}: {'; '.join(said)}.{_early(facts)}"


def _against(facts: Mapping[str, Any]) -> str:
    """How often the spectrum is better than baselines, where something is better than chance."""
    found = list(cases(facts))
    if _predicted(facts) and not found:
        return "nothing to compare: neither the spectrum nor a baseline of it is better than chance"
    return cases_said(found)


def _early(facts: Mapping[str, Any]) -> str:
    """Of what is seen of single runs: whether it tells which will generalise."""
    known = _predicted(facts)
    if not known:
        return ""
    names = [name for name in told(known, "auc") if name in SEEN_OF_RUNS]
    if not names:
        return " Which run will generalise is told early by nothing better than chance."
    return f" Which run will generalise is told early, better than by chance, by {listed(names)}."


def _predicted(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Horizons at which areas stand beside those of chance."""
    horizons = (facts["prediction"] or {"horizons": ()})["horizons"]
    return [at for at in horizons if at["chance"]["auc"]["high"] is not None]


def _controls(lines: list[Mapping[str, Any]]) -> str:
    """Fresh seeds, renamed elements and recoded weights must not count, surrogates should."""
    known = [r for r in lines if (r["line"] in LINES or r["control"]) and r["before"]]
    if not known:
        return NONE_ASKED
    held = [
        row["before"]["verdict"]
        == (NOT_DISTINGUISHED if row["expected"] == EQUIVALENT else DISTINGUISHED)
        for row in known
    ]
    wrong = any(
        row["expected"] == EQUIVALENT and row["before"]["verdict"] == DISTINGUISHED for row in known
    )
    word = "yes" if all(held) else "no" if wrong else "open"
    return held_said(word, list(zip([row["line"] for row in known], held, strict=True)))
