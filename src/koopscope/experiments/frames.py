"""Every table of a run as a file of comma-separated values, and what its columns mean."""

from collections.abc import Mapping
from typing import Any

from koopscope.experiments.answers import answer_rows
from koopscope.experiments.baselines import WORDS, baseline_rows
from koopscope.experiments.registry import kind_of
from koopscope.report.frames import Frame, Row, meaning, written

FRAMES = "frames"
DICTIONARY = "dictionary"
Sections = Mapping[str, Mapping[str, Mapping[str, Any]]]


def _answers(sections: Sections) -> list[Row]:
    named = {name: found for section in sections.values() for name, found in section.items()}
    return [
        {"name": row.name, "question": row.question, **named[row.name].get("answer", {})}
        for row in answer_rows(sections)
    ]


# Of all that ran.
TOGETHER = {
    "answers": Frame(
        "A question",
        _answers,
        {
            "name": "name of the question in the configuration",
            "question": "the question",
            "answer": "what came out",
            "number": "what the value is of",
            "value": "the number",
            "low": "lower bound of its interval, or the least",
            "high": "upper bound of its interval, or the greatest",
            "unit": "unit of the number",
            "controls": "whether the controls held",
            "against": "what was expected, or how often better than a baseline",
            "names": "what the names in the answer stand for",
            "figure": "the figure that shows it",
        },
    ),
    "baselines": Frame(
        "A use of the spectrum against a plain baseline",
        baseline_rows,
        {
            "question": "name of the question",
            "spectrum": "what uses the spectrum",
            "baseline": "what uses none",
            "measure": "what is measured",
            **{word: f"cases in which the spectrum is {word}, count" for word in WORDS},
        },
    ),
}


def frames_of(name: str, facts: Mapping[str, Any]) -> dict[str, tuple[Frame, list[Row]]]:
    """Tables of an experiment that have rows, by the names of their files without ending."""
    frames = kind_of(facts["kind"]).load(FRAMES, "FRAMES")
    found = {f"{name}-{table}": (frame, frame.rows(facts)) for table, frame in frames.items()}
    return {file: (frame, rows) for file, (frame, rows) in found.items() if rows}


def files(sections: Sections) -> dict[str, str]:
    """Every table of a run as text, by the name of its file.

    Parameters
    ----------
    sections
        Facts of each experiment by its name, by section of the configuration.

    Returns
    -------
    dict of str
        ``NAME-TABLE.csv`` of each experiment, ``answers.csv`` and ``baselines.csv`` of all, and
        ``dictionary.csv``: ``file``, ``row`` (what one is), ``column`` and ``meaning``, with its
        unit.

    Raises
    ------
    KeyError
        If nothing says what a column means.
    """
    found = {file: (frame, frame.rows(sections)) for file, frame in TOGETHER.items()}
    for section in sections.values():
        for name, facts in section.items():
            found |= frames_of(name, facts)
    found = {file: (frame, rows) for file, (frame, rows) in found.items() if rows}
    dictionary = [
        {
            "file": f"{file}.csv",
            "row": frame.about,
            "column": column,
            "meaning": meaning(column, frame.columns),
        }
        for file, (frame, rows) in found.items()
        for column in dict.fromkeys(name for row in rows for name in row)
    ]
    texts = {f"{file}.csv": written(rows) for file, (_, rows) in found.items()}
    return texts | {f"{DICTIONARY}.csv": written(dictionary)}
