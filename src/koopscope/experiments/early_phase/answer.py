"""The answer of a question of the early phase: whether there is one, and when it ends."""

from collections.abc import Mapping
from typing import Any

from koopscope.compare.words import DISTINGUISHED, NOT_DISTINGUISHED
from koopscope.experiments.early_phase.names import ALL, ENDS, NONE_SEEN, NOT_OVER
from koopscope.experiments.early_phase.wording import end_said
from koopscope.report.answer import NONE_ASKED, Answer, held_said

FIGURES = ("early_phase",)
# What a yes is worth, by the controls' first word.
YES = {
    "open": "Yes, while controls are open",
    "no": "Yes, though a recoding was not found equal",
}


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of a question from its facts.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.early_phase.summary.facts`.
    """
    (row,) = [row for row in facts["measures"] if row["measure"] == ALL]
    first = row["windows"][0]
    controls = _controls(facts["controls"])
    markers = [row for row in facts["measures"] if not row["spectral"]]
    plain = ", ".join(f"{marker['measure']} {end_said(marker)}" for marker in markers)
    return Answer(
        answer=_answer(row, controls.split(":")[0]),
        number=f"effect of steps {facts['windows'][0]} against {facts['windows'][-1]}",
        value=first["effect"],
        low=first["low"],
        high=first["high"],
        controls=controls,
        against=f"by plain markers: {plain}",
        figure=FIGURES[0],
    )


def _answer(row: Mapping[str, Any], controls: str) -> str:
    if row["outcome"] == ENDS:
        return (
            f"{YES.get(controls, 'Yes')}: by the spectra of {ALL} it ends at step {end_said(row)}."
        )
    if row["outcome"] == NOT_OVER:
        return f"By the spectra of {ALL} it is not over by step {row['end']}."
    if row["outcome"] == NONE_SEEN:
        return f"By the spectra of {ALL} none is seen."
    return f"Inconclusive: {row['reason']}."


def _controls(lines: list[Mapping[str, Any]]) -> str:
    """Of all layers: recoded weights must not count, shuffled steps should."""
    own = [line for line in lines if line["part"] == ALL]
    if not own:
        return NONE_ASKED
    right = {"equivalent": NOT_DISTINGUISHED, "different": DISTINGUISHED}
    held = [line["verdict"] == right[line["expected"]] for line in own]
    must = [ok for ok, line in zip(held, own, strict=True) if line["expected"] == "equivalent"]
    word = "yes" if all(held) else "open" if all(must) else "no"
    names = [line["control"] for line in own]
    return held_said(word, list(zip(names, held, strict=True)), "control lines")
