"""All captions of a report, filled with the numbers of the run."""

from collections.abc import Iterable, Mapping
from typing import Any

from koopscope.experiments.answers import Row, answer_rows
from koopscope.experiments.registry import ABOUT, NOTES, Kind, kind_of
from koopscope.report.captions import rendered, text

# Name of the text that the report opens with.
OPENING = "opening"


def captions(
    sections: Mapping[str, Mapping[str, Mapping[str, Any]]],
    shown: Mapping[str, Iterable[str]],
    configuration: str = "",
) -> dict[str, str]:
    """Text of each caption, and of the opening.

    The first figure or table of an experiment also has its answer, what its kind asks and how its
    numbers are read.

    Parameters
    ----------
    sections
        Facts of each experiment by its name, by section of the configuration.
    shown
        Names of the figures and tables of each experiment.
    configuration
        Name of the configuration that was run.

    Returns
    -------
    dict of str
        By ``experiment/figure``; and ``opening``.
    """
    experiments = {name: found for section in sections.values() for name, found in section.items()}
    made = {OPENING: _opening(len(experiments), configuration)}
    for row in answer_rows(sections):
        facts = experiments[row.name]
        kind, names = kind_of(facts["kind"]), list(shown.get(row.name, ()))
        for figure in names:
            made[f"{row.name}/{figure}"] = rendered(kind.caption(figure), facts=facts)
        first = next((one.name for one in kind.shown if one.name in names), None)
        if first is not None:
            made[f"{row.name}/{first}"] = _introduced(row, kind, made[f"{row.name}/{first}"])
    return made


def _opening(count: int, configuration: str) -> str:
    """Say in a few lines what this is and where the answers are.

    The engine centres this text beside its menu, so that of a long one the top is out of reach.
    """
    asked = f"{count} question{'' if count == 1 else 's'}"
    blocks = [
        f"{asked} of {text(configuration)}." if configuration else f"{asked}.",
        "`The answers <answers.html>`__: a row and a picture for each question.",
        "`The summary <summary.md>`__: the same in words, with tables.",
        "Here is every figure with its caption: choose a question in the menu.",
    ]
    return "\n\n".join(blocks) + "\n"


def _introduced(row: Row, kind: Kind, caption: str) -> str:
    """Caption below the answer, and above what the kind asks and how its numbers are read."""
    number = f" {text(row.number)}: {row.value}." if row.value else ""
    blocks = [f"**{text(row.answer)}**{number}", caption.strip()]
    for heading, name in (("What is asked:", ABOUT), ("How to read the numbers:", NOTES)):
        if kind.caption(name).exists():
            blocks += [heading, rendered(kind.caption(name)).strip()]
    return "\n\n".join(blocks) + "\n"
