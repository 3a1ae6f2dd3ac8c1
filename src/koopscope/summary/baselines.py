"""Spectrum against plain baseline in all that was asked: how often better, how often worse."""

from collections.abc import Iterator, Mapping
from typing import Any

from koopscope.summary.cells import word_of
from koopscope.summary.pruning import KOOPMAN
from koopscope.summary.sobolev import STOPS
from koopscope.summary.tables import table

WORDS = ("better", "worse", "neither")
HOW = (
    "How often each is better or worse than its baseline, over cases (runs, epochs, compressions, "
    "signals and levels of noise). Better or worse: the whole 95 % interval of the difference lies "
    "on one side of 0; of stopping rules, no worse in epochs and in accuracy, and better in one of "
    "them beyond its interval; of a loss against another, in every seed; of a loss against a "
    "filter, the ranges over seeds do not meet."
)
Case = tuple[str, str, str, str]


def baseline_rows(sections: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Count cases in which the spectrum is better than, worse than, or as good as its baseline.

    Parameters
    ----------
    sections
        Facts of each question or experiment by its name, by section: ``pruning``, ``monitor``,
        ``sobolev``; others are passed over.

    Returns
    -------
    list of dict
        ``question`` (its name), ``spectrum``, ``baseline``, ``measure``, ``better``, ``worse``,
        ``neither``.
    """
    counts: dict[tuple[str, ...], dict[str, int]] = {}
    for section, cases in CASES.items():
        for name, facts in sections.get(section, {}).items():
            for *what, word in cases(facts):
                counts.setdefault((name, *what), dict.fromkeys(WORDS, 0))[word] += 1
    keys = ("question", "spectrum", "baseline", "measure")
    return [dict(zip(keys, what, strict=True)) | row for what, row in counts.items()]


def baseline_table(sections: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Table of :func:`baseline_rows`, with how it is counted; empty if there is no row."""
    rows = baseline_rows(sections)
    if not rows:
        return ""
    head = ["asked in", "spectrum", "baseline", "measure", "cases", *WORDS]
    return f"{HOW}\n\n" + table(
        head,
        [
            [
                *(row[key] for key in ("question", "spectrum", "baseline", "measure")),
                str(sum(row[word] for word in WORDS)),
                *(str(row[word]) for word in WORDS),
            ]
            for row in rows
        ],
    )


def _of_monitor(facts: Mapping[str, Any]) -> Iterator[Case]:
    cases: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in facts["against"]:
        # A stopping rule's word is about what it saves and what it loses at once.
        apart = "" if facts["kind"] == "stopping" else row["measure"]
        cases.setdefault((row["where"], row["spectrum"], row["baseline"], apart), []).append(row)
    for rows in cases.values():
        measure = "; ".join(row["measure"] for row in rows)
        yield rows[0]["spectrum"], rows[0]["baseline"], measure, rows[0]["word"]


def _of_pruning(facts: Mapping[str, Any]) -> Iterator[Case]:
    for row in facts["differences"]:
        measure, baseline = row["what"].split(", less that of ")
        for compression, cell in zip(facts["compressions"], row["cells"], strict=True):
            # At compression 1 nothing is pruned.
            if compression > 1 and cell["low"] is not None:
                yield KOOPMAN, baseline, measure, word_of(cell)


def _of_sobolev(facts: Mapping[str, Any]) -> Iterator[Case]:
    for row in facts["against"]:
        measure = f"error, {STOPS[row['stop']]}"
        for entry in row["losses"]:
            seeds = row["seeds"]
            word = _word(entry["wins"] == seeds, entry["losses"] == seeds)
            yield entry["loss"], "mean squared error", measure, word
        # Who stops by an oracle meets filters that have one.
        other = "oracle" if row["stop"] == "least" else "blind"
        if row["best"] and row[other]:
            ours, theirs = row["best"]["spread"], row[other]["spread"]
            word = _word(ours["max"] < theirs["min"], ours["min"] > theirs["max"])
            baseline = f"the best filter {'with' if other == 'oracle' else 'without'} an oracle"
            yield "the best loss", baseline, measure, word


def _word(better: bool, worse: bool) -> str:
    return "better" if better else "worse" if worse else "neither"


CASES = {"pruning": _of_pruning, "monitor": _of_monitor, "sobolev": _of_sobolev}
