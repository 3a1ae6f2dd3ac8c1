"""What a benchmark of known answers came to, in sentences."""

from collections.abc import Iterable, Mapping
from typing import Any

from koopscope.compare.words import BETTER, WORSE
from koopscope.experiments.known_answers.deciding import (
    CANDIDATES,
    CORE,
    LOSS_CURVE,
    OTHER,
    OTHER_CURVE,
    RAW,
    SAME_CURVE,
)

# Cases that a sentence names; the others are counted.
NAMED = 5
Row = Mapping[str, Any]


def said(cell: Mapping[str, float | None], digits: int = 0) -> str:
    """Per cent with its interval, or a dash for no answer."""
    if cell["mean"] is None:
        return "–"
    mean, low, high = (f"{cell[name]:.{digits}f}" for name in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


def counted(count: int, group: str) -> str:
    """So many cases of a kind."""
    if count == 1:
        group = group.replace("equivalences", "equivalence").replace("differences", "difference")
    return f"{count} {group}"


def sentences(facts: Mapping[str, Any]) -> list[str]:
    """What came out, in plain words.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.known_answers.summary.facts`, without these.
    """
    methods = {row["method"]: row for row in facts["methods"]}
    found = [_choice(facts), *_raw(facts, methods), *_price(facts, methods), *_plain(facts)]
    return [*found, *_against(facts, methods), *_unanswered(facts)]


def _choice(facts: Row) -> str:
    """The rule, and what it chose."""
    core, most = facts["counts"][CORE], facts["most"]
    if not core:
        return "No core equivalence was asked, so that no method is admissible and none is chosen."
    rule = (
        f"Coordinates are admissible if they take {'each of the ' if core > 1 else 'the '}"
        f"{counted(core, CORE)} for a difference in at most {most:g} % of the draws of "
        f"{facts['deciding']} seeds a group; of these the ones of the highest mean power are the "
        "default."
    )
    asked = [row for row in facts["methods"] if row["family"] == CANDIDATES]
    if core < facts["core_cases"]:
        able = [row["method"] for row in asked if row["admissible"]]
        return (
            f"{rule} Of the {facts['core_cases']} core equivalences {core} are asked about here, "
            f"so that nothing is chosen; admissible by these: {', '.join(able) or 'none'}."
        )
    if facts["chosen"]:
        (row,) = [row for row in asked if row["method"] == facts["chosen"]]
        return (
            f"{rule} It is {row['method']}, with at most {_of_worst(row)} and a power of "
            f"{said(row['power'])} %."
        )
    if not asked:
        return f"{rule} No spectra of weights were asked."
    known = [row for row in asked if row["worst"]["mean"] is not None]
    if not known:
        return f"{rule} None is: none has an answer to all of them."
    nearest = min(known, key=lambda row: row["worst"]["mean"])
    return (
        f"{rule} None of the {len(asked)} asked is; the nearest is {nearest['method']} with "
        f"{_of_worst(nearest)}."
    )


def _of_worst(row: Row) -> str:
    return f"{said(row['worst'], 1)} % ({row['worst_case']})"


def _raw(facts: Row, methods: Mapping[str, Row]) -> list[str]:
    """What raw weights mistake for a difference."""
    if RAW not in methods:
        return []
    parts = []
    for group in (CORE, OTHER):
        rates = [
            (row["case"], row["cells"][RAW]["mean"])
            for row in facts["cases"]
            if row["group"] == group and row["cells"][RAW]["mean"] is not None
        ]
        wrong = [(case, rate) for case, rate in rates if rate > facts["most"]]
        if rates:
            named = _named(
                f"{case} {rate:.0f} %" for case, rate in sorted(wrong, key=lambda one: -one[1])
            )
            parts.append(f"{len(wrong)} of {counted(len(rates), group)}{named}")
    if not parts:
        return []
    return [f"{RAW} takes for different, in more than {facts['most']:g} % of the draws, "
            f"{' and '.join(parts)}."]  # fmt: skip


def _price(facts: Row, methods: Mapping[str, Row]) -> list[str]:
    """What the chosen coordinates see of what raw ones do."""
    chosen = facts["chosen"]
    if chosen in ("", RAW) or RAW not in methods or methods[chosen]["power"]["mean"] is None:
        return []
    ours, theirs = methods[chosen], methods[RAW]
    found = (
        f"Mean power over the differences is {said(ours['power'])} % in {chosen}, "
        f"{said(theirs['power'])} % in {RAW}"
    )
    if None not in (ours["equal_power"], theirs["equal_power"]):
        found += (
            f"; where both have {facts['alpha']:g} % false positives it is "
            f"{ours['equal_power']:.0f} and {theirs['equal_power']:.0f} %"
        )
    return [found + "."]


def _plain(facts: Row) -> list[str]:
    """What is admissible without weights, or with another distance."""
    others = [row for row in facts["methods"] if row["family"] != CANDIDATES]
    if not others:
        return []
    able = [row for row in others if row["admissible"]]
    if not able:
        return [f"None of the {len(others)} other methods is admissible."]
    named = ", ".join(f"{row['method']} (power {said(row['power'])} %)" for row in able)
    return [f"Of the {len(others)} other methods {len(able)} are admissible: {named}."]


def _against(facts: Row, methods: Mapping[str, Row]) -> list[str]:
    """Where the spectrum says what a loss curve cannot, and where less."""
    spectrum = facts["spectrum"]
    if not spectrum:
        return []
    found = []
    for group, name in ((SAME_CURVE, "power_same_curve"), (OTHER_CURVE, "power_other_curve")):
        count = facts["counts"][group]
        if count:
            found.append(
                f"Over the {counted(count, group)} the mean power of {spectrum} is "
                f"{said(methods[spectrum][name])} %, that of {LOSS_CURVE} "
                f"{said(methods[LOSS_CURVE][name])} %."
            )
    for word, better, worse in (
        (BETTER, spectrum, LOSS_CURVE),
        (WORSE, LOSS_CURVE, spectrum),
    ):
        rows = [row for row in facts["against"] if row["word"] == word]
        sees = _pairs(rows, (SAME_CURVE, OTHER_CURVE), facts)
        spares = _pairs(rows, (CORE, OTHER), facts)
        if not rows:
            found.append(f"In no case is {better} better than {worse} beyond the interval.")
        if sees:
            found.append(f"{better} sees more than {worse}, beyond the interval, in {sees}.")
        if spares:
            found.append(f"{better} errs less than {worse}, beyond the interval, in {spares}.")
    return found


def _pairs(rows: list[Row], groups: tuple[str, ...], facts: Row) -> str:
    """Cases with the shares of spectrum and loss curve."""
    parts = []
    for group in groups:
        of_group = [row for row in rows if row["group"] == group]
        if of_group:
            named = _named(
                f"{row['where']} {row['ours']['mean']:.0f} against {row['theirs']['mean']:.0f} %"
                if row["word"] == BETTER
                else f"{row['where']} {row['theirs']['mean']:.0f} against "
                f"{row['ours']['mean']:.0f} %"
                for row in of_group
            )
            parts.append(f"{len(of_group)} of {counted(facts['counts'][group], group)}{named}")
    return " and ".join(parts)


def _unanswered(facts: Row) -> list[str]:
    none = [
        f"{row['method']} to {len(row['unanswered'])}"
        for row in facts["methods"]
        if row["unanswered"]
    ]
    if not none:
        return []
    return [f"No answer, of {len(facts['cases'])} cases: {', '.join(none)}."]


def _named(parts: Iterable[str]) -> str:
    """So many in brackets, the others counted; nothing for none."""
    parts = list(parts)
    if not parts:
        return ""
    more = f" and {len(parts) - NAMED} more" if len(parts) > NAMED else ""
    return f" ({', '.join(parts[:NAMED])}{more})"
