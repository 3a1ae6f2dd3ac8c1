"""All captions of a report, filled with the numbers of the run."""

from collections.abc import Iterable, Mapping
from typing import Any

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
    return made | {OPENING: _opening(experiments)}


def _opening(experiments: Mapping[str, Mapping[str, Any]]) -> str:
    """What each kind asks, with what came out of each question."""
    kinds = list(dict.fromkeys(facts["kind"] for facts in experiments.values()))
    blocks, notes = [], []
    for kind in map(kind_of, kinds):
        blocks.append(rendered(kind.caption(ABOUT)).strip())
        for name, facts in experiments.items():
            if facts["kind"] == kind.name:
                blocks.append(f"**{text(name)}.** {text(facts['question'])}")
                blocks.append("\n".join(f"- {text(said)}" for said in facts["sentences"]))
        if kind.caption(NOTES).exists():
            notes.append(rendered(kind.caption(NOTES)).strip())
    if notes:
        blocks += ["How to read the numbers:", *notes]
    return "\n\n".join(blocks) + "\n"
