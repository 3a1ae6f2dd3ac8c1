"""The table that every reader sees first: a row for each question of a run.

``python -m koopscope.experiments.answers SUMMARY`` prints it for a terminal.
"""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from koopscope.errors import InputError
from koopscope.experiments.registry import ANSWER, Kind, Shown, kind_of
from koopscope.report.answer import Answer
from koopscope.report.numbers import between
from koopscope.report.tables import table

OLDER = "Not said: these facts are of another version; run `snakemake summary`."
NAMES = {field.name for field in fields(Answer)}
HEAD = ("question", "answer", "number [95 %]", "controls held?", "against")


@dataclass(frozen=True)
class Row:
    """A question with its answer, as all places show it.

    Attributes
    ----------
    name, question
        Of the experiment.
    answer, controls, against
        As in an :class:`koopscope.report.answer.Answer`.
    number, value
        What the number is of, and how it is written, with its interval.
    figure
        Path of the PNG of the figure that shows it, relative to the results; empty for none.
    label
        What the report calls the figure, without its place there.
    page
        Path of a page of the kind's own, as above; empty for none.
    names
        What the names in the answer stand for; may be empty.
    """

    name: str
    question: str
    answer: str
    number: str
    value: str
    controls: str
    against: str
    figure: str
    label: str
    page: str = ""
    names: str = ""


def answer_rows(sections: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Rows of all questions, in the order of the report.

    Parameters
    ----------
    sections
        Facts of each experiment by its name, by section of the configuration. Facts of another
        version, which have no answer as it is now, have a row that says so.
    """
    return [
        _row(name, facts if isinstance(facts, Mapping) else {})
        for section in sections.values()
        for name, facts in section.items()
    ]


def answer_table(rows: Iterable[Row]) -> str:
    """Write the rows as a table in Markdown; questions link to their sections."""
    return table(
        HEAD,
        [
            [
                f"{row.question} ({row.name})",
                row.answer,
                f"{row.number}: {row.value}" if row.value else "",
                row.controls,
                row.against,
            ]
            for row in rows
        ],
    )


def for_terminal(rows: Iterable[Row], width: int) -> str:
    """Rows for a terminal of so many columns: a question, and its answer below."""
    blocks = []
    for row in rows:
        number = f"{row.number}: {row.value}; controls {row.controls}" if row.value else ""
        lines = textwrap.wrap(f"{row.name}: {row.question}", width)
        for text in filter(None, (row.answer, number)):
            lines += textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="    ")
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def load(path: Path) -> dict[str, Any]:
    """Read the facts of a run, without what was run.

    Raises
    ------
    InputError
        If it cannot be read, or holds no facts.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}; run `snakemake summary`") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: holds no facts of a run; run `snakemake summary`")
    found.pop("run", None)
    return {name: section for name, section in found.items() if isinstance(section, Mapping)}


def _row(name: str, facts: Mapping[str, Any]) -> Row:
    question = str(facts.get("question") or "")
    found = facts.get(ANSWER)
    try:
        kind = kind_of(facts.get("kind", ""))
    except InputError:
        found = None
    if not isinstance(found, Mapping) or set(found) != NAMES:
        return Row(name, question, OLDER, "", "", "", "", "", "")
    answer = Answer(**found)
    value = between(answer.value, answer.low, answer.high)
    figure, label = _figure(kind, name, answer.figure)
    return Row(
        name=name,
        question=question,
        answer=answer.answer,
        number=answer.number,
        value=f"{value} {answer.unit}".strip() if answer.value is not None else value,
        controls=answer.controls,
        against=answer.against,
        figure=figure,
        label=label,
        page=next((_path(name, shown, "html") for shown in kind.shown if shown.page), ""),
        names=answer.names,
    )


def _figure(kind: Kind, name: str, figure: str) -> tuple[str, str]:
    """Path of a figure and what it is called; both empty if the kind shows no such one."""
    for shown in kind.shown:
        if shown.name == figure:
            # "1 verdicts": the figure's place among those of its kind is of no interest here.
            label = shown.label.partition(" ")[2] or shown.label
            return _path(name, shown, "png"), label
    return "", ""


def _path(name: str, shown: Shown, suffix: str) -> str:
    """Of an experiment's figure or page, from the results on."""
    return f"figures/{name}/{shown.folder}/{shown.name}.{suffix}"


if __name__ == "__main__":
    try:
        rows = answer_rows(load(Path(sys.argv[1])))
    except InputError as error:
        sys.exit(f"Error: {error}")
    print(for_terminal(rows, min(shutil.get_terminal_size((100, 24)).columns, 120)))
