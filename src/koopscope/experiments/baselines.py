"""Spectrum against plain baseline in all that was asked: how often better, how often worse."""

from collections.abc import Mapping
from typing import Any

from koopscope.compare.words import BETTER, NEITHER, WORSE
from koopscope.experiments.registry import kind_of
from koopscope.report.tables import table

WORDS = (BETTER, WORSE, NEITHER)
HOW = (
    "How often each is better or worse than its baseline, over cases (runs, epochs, compressions, "
    "signals and levels of noise). Better or worse: the whole 95 % interval of the difference lies "
    "on one side of 0; of stopping rules, no worse in epochs and in accuracy, and better in one of "
    "them beyond its interval; of a loss against another, in every seed; of a loss against a "
    "filter, the ranges over seeds do not meet."
)


def baseline_rows(sections: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Count cases in which the spectrum is better than, worse than, or as good as its baseline.

    Parameters
    ----------
    sections
        Facts of each experiment by its name, by section of the configuration. What has met a
        baseline is what ``cases`` of its kind's ``summary`` gives; kinds without are passed over.

    Returns
    -------
    list of dict
        ``question`` (its name), ``spectrum``, ``baseline``, ``measure``, ``better``, ``worse``,
        ``neither``.
    """
    counts: dict[tuple[str, ...], dict[str, int]] = {}
    for section in sections.values():
        for name, facts in section.items():
            cases = getattr(kind_of(facts["kind"]).part("summary"), "cases", lambda facts: ())
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
