"""How a pair and its verdict are said."""

from collections.abc import Mapping
from typing import Any

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.config.controls import MEASURED, RECODED
from koopscope.config.distances import DISTANCES
from koopscope.report.numbers import between, number

# Surrogates that keep the steps of a run, or their mean and covariance.
OF_STEPS = ("increments_shuffled", "random_walk")
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


def control_sentence(row: Mapping[str, Any]) -> str:
    """Say what a control line came to, and what that means for every verdict beside it."""
    kind, _, name = row["control"].partition(":")
    said = f"Control {row['control']} ({row['because']}): {row['verdict']}"
    if row["verdict"] == INCONCLUSIVE and row["reason"]:
        said += f", {row['reason']}"
    numbers = f"effect {interval(row)}, p = {number(row['p_value'], 2)}"
    said += f" ({numbers}, {row['seeds_first']} and {row['seeds_second']} seeds"
    said += ", made of the reference's own runs)" if row["paired"] else ")"
    if kind == RECODED:
        means = {
            True: "as it must be",
            False: "so the verdict does not mean conjugacy in these coordinates",
            None: "so whether the verdict means conjugacy in these coordinates stays open",
        }
    else:
        known = "the statistics of the steps" if name in OF_STEPS else "what such surrogates keep"
        means = {
            True: f"so the spectrum knows more than {known}",
            False: f"so the spectrum knows no more than {known}",
            None: f"so whether the spectrum knows more than {known} stays open",
        }
    return f"{said}, {means[row['as_expected']]}."


def margin_said(margin: Mapping[str, Any]) -> str:
    """Say the smallest effect that counts, and what it was measured to be, where it was."""
    said, measured = number(margin["used"]), margin["measured"]
    if margin["asked"] == MEASURED:
        if measured is None:
            return f"{said} (no recoded control line to measure it)"
        instead = number(margin["number"])
        return f"{said} (measured on the recoded control lines; {instead} where none is)"
    if measured is None:
        return said
    return f"{said} (measured on the recoded control lines it is {number(measured)})"


def _numbers(row: Mapping[str, Any]) -> str:
    if row["effect"] is None or row["effect_low"] is None:
        return ""
    low, high = number(row["effect_low"]), number(row["effect_high"])
    return (
        f"effect {number(row['effect'])}, 95 % interval {low} to {high}; "
        f"adjusted p = {number(row['p_adjusted'], 2)}; "
    )
