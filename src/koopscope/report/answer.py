"""The answer to a question, as a row of the table that every reader sees first."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from koopscope.compare.words import BETTER, NEITHER, WORSE

NONE_ASKED = "none asked"
# Names that a list in an answer gives; the others are counted.
NAMED = 3


@dataclass(frozen=True)
class Answer:
    """What came out of one question; every word and number of it is of the run.

    Attributes
    ----------
    answer
        One sentence.
    number
        What ``value`` is of.
    value, low, high
        The number with its interval; None for what does not exist.
    unit
        Of the number; empty for none.
    controls
        Whether the controls held: opens with yes, no or open, or says that there is none.
    against
        What was expected, or how often the spectrum is better than a plain baseline.
    figure
        Name of the figure that shows it.
    names
        What the names in it stand for; empty where they need no words.
    """

    answer: str
    number: str
    value: float | None
    low: float | None
    high: float | None
    controls: str
    against: str
    figure: str
    unit: str = ""
    names: str = ""


def of_cell(cell: Mapping[str, float | None]) -> dict[str, float | None]:
    """``value``, ``low`` and ``high`` of an answer from a mean with its interval."""
    return {"value": cell["mean"], "low": cell["low"], "high": cell["high"]}


def listed(names: Sequence[str]) -> str:
    """Write a few names, the others counted."""
    more = len(names) - NAMED
    # One more is no shorter than its name.
    if more <= 1:
        return ", ".join(names)
    return f"{', '.join(names[:NAMED])} and {more} more"


def held_said(word: str, lines: Sequence[tuple[str, bool]], what: str = "controls") -> str:
    """Say how many controls are as they should be, and name those that are not.

    Parameters
    ----------
    word
        ``yes``, ``no`` or ``open``.
    lines
        Name of each, and whether it is.
    what
        What they are called.
    """
    failed = list(dict.fromkeys(name for name, right in lines if not right))
    count = f"{word}: {sum(right for _, right in lines)} of {len(lines)}"
    return f"{count} {what} as they should be" + (f"; not: {listed(failed)}" if failed else "")


def counted(words: Iterable[str]) -> str:
    """Say of how many cases the spectrum is better, worse or neither."""
    counts = Counter(words)
    return f"better {counts[BETTER]}, worse {counts[WORSE]}, neither {counts[NEITHER]}"


def held(words: Iterable[str]) -> str:
    """Whether the spectrum is better than a control everywhere: ``yes``, ``no`` or ``open``.

    No is that it is worse somewhere; that neither is better decides nothing.
    """
    found = set(words)
    return "yes" if found == {BETTER} else "no" if WORSE in found else "open"


def cases_said(cases: Iterable[tuple[str, str, str, str]]) -> str:
    """Say how often the spectrum is better than what needs no spectrum.

    Parameters
    ----------
    cases
        Spectrum, baseline, measure and word of each case.
    """
    cases = list(cases)
    if not cases:
        return "no baseline"
    baselines = list(dict.fromkeys(baseline for _, baseline, _, _ in cases))
    measures = list(dict.fromkeys(measure for _, _, measure, _ in cases))
    by = measures[0] if len(measures) == 1 else f"{measures[0]} or {len(measures) - 1} more"
    return f"{counted(case[3] for case in cases)} than {listed(baselines)}, by {by}"
