"""All captions of a report, filled with the numbers of the run."""

from collections.abc import Iterable, Mapping
from typing import Any

from koopscope.experiments.answers import answer_rows
from koopscope.experiments.registry import ABOUT, NOTES, kind_of
from koopscope.report.captions import rendered, text

# Name of the text that the report opens with.
OPENING = "opening"


def captions(
    sections: Mapping[str, Mapping[str, Mapping[str, Any]]], shown: Mapping[str, Iterable[str]]
) -> dict[str, str]:
    """Text of each caption, and of the opening.

    Parameters
    ----------
    sections
        Facts of each experiment by its name, by section of the configuration.
    shown
        Names of the figures and tables of each experiment.

    Returns
    -------
    dict of str
        By ``experiment/figure``; and ``opening``.
    """
    experiments = {name: found for section in sections.values() for name, found in section.items()}
    made = {
        f"{name}/{figure}": rendered(kind_of(facts["kind"]).caption(figure), facts=facts)
        for name, facts in experiments.items()
        for figure in shown.get(name, ())
    }
    return made | {OPENING: _opening(sections)}


def _opening(sections: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Every question with its answer, then what each kind asks and how its numbers are read."""
    blocks = [
        "`The answers, with one picture each <answers.html>`__ stand on a page of their own, which "
        "is the place to start from. In short:"
    ]
    for row in answer_rows(sections):
        number = f" {text(row.number)}: {row.value}." if row.value else ""
        blocks.append(f"**{text(row.question or row.name)}** {text(row.answer)}{number}")
    experiments = [facts for section in sections.values() for facts in section.values()]
    kinds = [kind_of(name) for name in dict.fromkeys(facts["kind"] for facts in experiments)]
    for heading, name in (("What is asked:", ABOUT), ("How to read the numbers:", NOTES)):
        said = [kind.caption(name) for kind in kinds if kind.caption(name).exists()]
        if said:
            blocks += [heading, *(rendered(template).strip() for template in said)]
    return "\n\n".join(blocks) + "\n"
