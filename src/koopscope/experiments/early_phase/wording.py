"""What came out of a question of the early phase, in sentences."""

from collections.abc import Mapping
from typing import Any

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.experiments.early_phase.names import ALL, ENDS, NONE_SEEN, NOT_OVER
from koopscope.report.numbers import between, number

Row = Mapping[str, Any]


def end_said(row: Row) -> str:
    """Step at which the early phase ends with its interval, or why there is none."""
    if row["outcome"] == ENDS:
        low, high = row["end_low"], row["end_high"]
        return f"{row['end']}" + (f" [{low}, {high}]" if low != high else "")
    if row["outcome"] == NOT_OVER:
        return f"not over by {row['end']}"
    return row["outcome"]


def sentences(facts: Row) -> list[str]:
    """What came out, in plain words.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.early_phase.summary.facts`, without these.
    """
    rows = {row["measure"]: row for row in facts["measures"]}
    parts = [row for row in facts["measures"] if row["spectral"] and row["measure"] != ALL]
    markers = [row for row in facts["measures"] if not row["spectral"]]
    found = [_whole(rows[ALL], facts)]
    if parts:
        found.append(
            "By itself: " + "; ".join(f"{r['measure']}, {end_said(r)}" for r in parts) + "."
        )
    found.append(
        "Plain markers by the same rule: "
        + "; ".join(f"{r['measure']}, {end_said(r)}" for r in markers)
        + "."
    )
    found += [_against(rows[ALL], row, facts) for row in markers]
    return [*found, *_controls(facts), *_lost(facts)]


def _whole(row: Row, facts: Row) -> str:
    """What the spectra of all layers say."""
    of = f"By the spectra of {ALL}"
    reference = f"the last window (steps {facts['windows'][-1]})"
    if row["outcome"] == ENDS:
        return (
            f"{of} the early phase ends at step {end_said(row)}: from there on windows are within "
            f"{number(row['margin'])} times the distance between seeds of {reference}; the first "
            f"one is at {_first(row)}."
        )
    if row["outcome"] == NOT_OVER:
        return (
            f"{of} the early phase is not over by step {row['end']}: the window before {reference} "
            f"is still distinguished from it."
        )
    if row["outcome"] == NONE_SEEN:
        return (
            f"{of} no early phase is seen: every window is within {number(row['margin'])} times "
            f"the distance between seeds of {reference}, with its whole interval."
        )
    return f"{of} it is inconclusive whether there is an early phase: {row['reason']}."


def _first(row: Row) -> str:
    cell = row["windows"][0]
    return between(cell["effect"], cell["low"], cell["high"])


def _against(spectrum: Row, marker: Row, facts: Row) -> str:
    """Which windows the spectrum tells from the last and a marker does not, and the other way."""
    names = facts["windows"][:-1]
    pairs = list(zip(names, spectrum["windows"], marker["windows"], strict=False))
    ours = [n for n, a, b in pairs if _told(a) and not _told(b)]
    theirs = [n for n, a, b in pairs if _told(b) and not _told(a)]
    return (
        f"Of {len(names)} windows the spectra of {ALL} tell {_count(spectrum)} from the last, the "
        f"{marker['measure']} {_count(marker)}; the spectra alone {_named(ours)}, the "
        f"{marker['measure']} alone {_named(theirs)}."
    )


def _count(row: Row) -> int:
    return sum(_told(cell) for cell in row["windows"][:-1])


def _told(cell: Row) -> bool:
    return cell["verdict"] == DISTINGUISHED


def _named(windows: list[str]) -> str:
    return f"steps {', '.join(windows)}" if windows else "none"


def _controls(facts: Row) -> list[str]:
    """Whether the instrument holds, a sentence for each line of all layers."""
    found = []
    for row in facts["controls"]:
        if row["part"] != ALL:
            continue
        effect = between(row["effect"], row["low"], row["high"])
        equal = row["expected"] == "equivalent"
        if row["verdict"] == INCONCLUSIVE:
            what = "it is inconclusive whether the verdict tells it apart"
        elif equal and row["verdict"] == NOT_DISTINGUISHED:
            what = "it is not told apart, as it must not be"
        elif equal:
            what = (
                "it is told apart, which it must not be: verdicts here see how weights are written"
            )
        elif row["verdict"] == DISTINGUISHED:
            what = "it is told apart, as it should be"
        else:
            what = "it is not told apart: the order of steps in time makes no difference there"
        steps = facts["windows"][row["window"]]
        found.append(f"Control {row['control']} of steps {steps}: {what} ({effect}).")
    return found


def _lost(facts: Row) -> list[str]:
    found = []
    if facts["diverged"]:
        found.append(f"{facts['diverged']} of {facts['seeds']} runs diverged and are left out.")
    for row in facts["measures"]:
        lost = facts["seeds"] - facts["diverged"] - row["kept"]
        if lost > 0:
            runs = "1 run has" if lost == 1 else f"{lost} runs have"
            of = f"number or spectrum of {row['measure']}"
            found.append(f"{runs} no {of} in some window: left out.")
    return found
