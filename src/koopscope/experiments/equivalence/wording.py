"""How a pair and its verdict are said."""

from collections.abc import Mapping
from typing import Any

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.config.settings import DISTANCES
from koopscope.report.numbers import between, number

EXPECTED_WORDS = {"equivalent": NOT_DISTINGUISHED, "different": DISTINGUISHED, "open": "open"}


def distance_name(attrs: Mapping[str, Any]) -> str:
    """Name of the distance by which a comparison's verdicts were reached, for a sentence."""
    return DISTANCES[attrs.get("distance", next(iter(DISTANCES)))]


def as_expected(verdict: str, expected: str) -> bool | None:
    """Whether a verdict is the expected one; None where nothing was expected or nothing judged."""
    if verdict == INCONCLUSIVE or expected == "open":
        return None
    return verdict == EXPECTED_WORDS[expected]


def interval(row: Mapping[str, Any]) -> str:
    """Effect of a pair with its interval, or a dash."""
    return between(row["effect"], row["effect_low"], row["effect_high"])


def outcome(row: Mapping[str, Any]) -> str:
    """Say in words whether the verdict of a pair is the expected one."""
    if row["expected"] == "open":
        return "no expectation"
    if row["as_expected"] is None:
        return "not judged"
    return "as expected" if row["as_expected"] else "not as expected"


def sentence(row: Mapping[str, Any]) -> str:
    """Say what a pair came to, with its numbers."""
    seeds = f"{row['seeds_first']} and {row['seeds_second']} seeds"
    expected = EXPECTED_WORDS[row["expected"]]
    reason = f" ({row['because'].rstrip('. ')})" if row["because"] else ""
    if row["verdict"] == INCONCLUSIVE:
        why = f", {row['reason']}" if row["reason"] else ""
        said = f"{row['name']}: {INCONCLUSIVE}{why} ({_numbers(row)}{seeds})"
        if row["between"] is not None:
            said += f"; the spectra are {number(row['between'])} apart"
        if row["expected"] == "open":
            return f"{said}. No expectation{reason}."
        return f"{said}. Expected was {expected}{reason}."
    said = f"{row['name']}: {row['verdict']} ({_numbers(row)}{seeds})"
    if row["expected"] == "open":
        return f"{said}. No expectation{reason}."
    met = "As expected" if row["as_expected"] else f"Not as expected, which was {expected}"
    return f"{said}. {met}{reason}."


def _numbers(row: Mapping[str, Any]) -> str:
    if row["effect"] is None or row["effect_low"] is None:
        return ""
    low, high = number(row["effect_low"]), number(row["effect_high"])
    return (
        f"effect {number(row['effect'])}, 95 % interval {low} to {high}; "
        f"adjusted p = {number(row['p_adjusted'], 2)}; "
    )
