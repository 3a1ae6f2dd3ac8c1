"""What was run and what came out, of all kinds: facts, and the same as Markdown."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import xarray as xr

from koopscope.experiments.answers import answer_rows, answer_table
from koopscope.experiments.baselines import baseline_table
from koopscope.experiments.frames import frames_of
from koopscope.experiments.registry import ANSWER, kind_of
from koopscope.report.tables import escaped

Facts = Mapping[str, Any]
WHERE = (
    "[The page of answers](answers.html) has this table with one picture each. Sections below give "
    "what a question needs; every number stands in `tables/`, whose columns "
    "[the dictionary](tables/dictionary.csv) explains."
)


def facts(kind: str, stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one experiment as plain JSON values, for the text and for captions.

    Parameters
    ----------
    kind
        Name of its kind.
    stores
        Those that it has, by name.

    Returns
    -------
    dict
        ``kind``, ``study`` (the experiment's name) and ``question``, what ``facts`` of the kind's
        ``summary`` gives, and ``answer``: fields of a :class:`koopscope.report.answer.Answer`.

    Raises
    ------
    InputError
        If a dataset lacks something.
    """
    of_kind = kind_of(kind).load("summary", "facts")
    attrs = next(iter(stores.values())).attrs
    named = {name: str(attrs.get(name) or "") for name in ("study", "question")}
    found = {"kind": kind, **named, **of_kind(stores)}
    return found | {ANSWER: asdict(kind_of(kind).load(ANSWER, "answer")(found))}


def markdown(sections: Mapping[str, Mapping[str, Facts]], run: Mapping[str, Any]) -> str:
    """Text that says what was run and what came out.

    Parameters
    ----------
    sections
        :func:`facts` of each experiment by its name, by section of the configuration, in the order
        to report.
    run
        ``configuration`` (its name), ``koopscope`` (version), ``commit`` and ``versions`` (of
        other packages, by name); what is missing is left out.
    """
    experiments = [found for section in sections.values() for found in section.values()]
    blocks = ["# Summary", escaped(ran(run, len(experiments)))]
    if experiments:
        blocks += [answer_table(answer_rows(sections)), WHERE]
    for name, found in (one for section in sections.values() for one in section.items()):
        blocks += [
            f"## {escaped(found['study'])}",
            f"**{escaped(found['question'])}**",
            escaped(found[ANSWER]["answer"]),
            kind_of(found["kind"]).load("summary", "text")(found),
            _more(name, found),
        ]
    if baselines := baseline_table(sections):
        blocks += ["## Spectrum against the plain baseline", baselines]
    notes = [
        f"- **{term}**: {meaning}"
        for kind in dict.fromkeys(found["kind"] for found in experiments)
        for term, meaning in getattr(kind_of(kind).part("summary"), "NOTES", ())
    ]
    if notes:
        blocks += ["## How to read the numbers", "\n".join(notes)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _more(name: str, facts: Facts) -> str:
    """Links to the files of tables of an experiment."""
    files = frames_of(name, facts)
    links = [f"[{escaped(file.partition('-')[2])}](tables/{file}.csv)" for file in files]
    return f"All numbers: {', '.join(links)}." if links else ""


def ran(run: Mapping[str, Any], count: int) -> str:
    """Say what was run, in one sentence.

    Parameters
    ----------
    run
        As for :func:`markdown`.
    count
        Number of questions.
    """
    said = f"{count} question{'' if count == 1 else 's'}"
    if run.get("configuration"):
        said += f" of {run['configuration']}"
    if run.get("koopscope"):
        said += f", koopscope {run['koopscope']}"
    if run.get("commit"):
        said += f" at commit {run['commit'][:12]}"
    versions = run.get("versions") or {}
    if versions:
        said += "; " + ", ".join(f"{name} {version}" for name, version in versions.items())
    return said + "."
