"""The answer of a study: which pairs differ, and whether that means conjugacy."""

from collections.abc import Mapping, Sequence
from typing import Any

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED, UNTESTED
from koopscope.config.controls import RECODED, kind_of
from koopscope.experiments.equivalence.entry import CONTROLS, asked, sides
from koopscope.report.answer import NONE_ASKED, Answer, listed
from koopscope.report.numbers import number, percent

Rows = Sequence[Mapping[str, Any]]
FIGURES = ("verdicts", "spectra", "false_positives")
NO_EXPECTATION = "no expectation"


def answer(facts: Mapping[str, Any]) -> Answer:
    """Answer of a study from its facts.

    Parameters
    ----------
    facts
        Of :func:`koopscope.experiments.equivalence.summary.facts`.

    Returns
    -------
    Answer
        By the pairs that are no controls, or by all where there are no others; with how often the
        verdict errs where that was asked, and by this alone where every pair's answer was known.
    """
    pairs = asked(facts["pairs"])
    rates = facts.get("error_rates")
    rates = rates if rates and rates["rows"] else None
    known = [pair for pair in pairs if pair["effect"] is not None]
    value = _largest(known) if known else _apart(pairs[0])
    figure = "verdicts" if known else "spectra"
    parts = [_verdicts(pairs, facts["control_lines"])]
    # Pairs whose answer is known beforehand try the verdict, not the trainings.
    if rates and all(pair["expected"] != "open" for pair in pairs):
        parts, figure = [], "false_positives"
        value = _highest(rates) or value
    if rates:
        parts.append(_errs(rates["rows"]))
    if diverged := _diverged(pairs, facts["variants"]):
        parts.append(diverged)
    return Answer(
        answer=". ".join(part[0].upper() + part[1:] for part in parts) + ".",
        controls=_controls(facts),
        against=_expected(pairs),
        figure=figure,
        names=_names(pairs, facts["variants"]),
        **value,
    )


def _names(pairs: Rows, variants: Mapping[str, Mapping[str, Any]]) -> str:
    """What the names of the pairs stand for."""
    told = {name: variants.get(name, {}).get("settings") for name in sides(pairs)}
    return "; ".join(f"{name}: {settings}" for name, settings in told.items() if settings)


def _verdicts(pairs: Rows, lines: Rows) -> str:
    if _untested(pairs):
        # Such as one grid, hence one spectrum each, beside published numbers.
        return "distances " + listed([f"{p['name']} {number(p['between'])}" for p in pairs])
    by_verdict = {
        verdict: [pair for pair in pairs if pair["verdict"] == verdict]
        for verdict in (DISTINGUISHED, NOT_DISTINGUISHED, INCONCLUSIVE)
    }
    recoded = [row["as_expected"] for row in lines if kind_of(row["control"]) == RECODED]
    # Without a recoding that was seen to count for nothing, other coordinates might differ too.
    means = "different (not conjugate)" if recoded and all(recoded) else "different spectra"
    said = {
        DISTINGUISHED: means,
        NOT_DISTINGUISHED: NOT_DISTINGUISHED,
        INCONCLUSIVE: INCONCLUSIVE,
    }
    parts = [f"{said[v]}: {_named(those, pairs)}" for v, those in by_verdict.items() if those]
    reasons = {pair["reason"] for pair in by_verdict[INCONCLUSIVE]}
    if len(by_verdict[INCONCLUSIVE]) == len(pairs) and len(reasons) == 1 and all(reasons):
        parts[-1] += f" ({reasons.pop()})"
    return "; ".join(parts)


def _untested(pairs: Rows) -> bool:
    return all(pair["reason"] == UNTESTED for pair in pairs)


def _named(pairs: Rows, of: Rows) -> str:
    if len(pairs) == len(of) and len(of) > 2:
        return f"all {len(of)} pairs"
    return listed([pair["name"] for pair in pairs])


def _diverged(pairs: Rows, variants: Mapping[str, Mapping[str, Any]]) -> str:
    counts = {name: variants[name] for name in sides(pairs) if name in variants}
    lost = [f"{n} {v['diverged']}" for n, v in counts.items() if v.get("diverged")]
    return f"diverged runs: {listed(lost)}" if lost else ""


def _errs(rows: Rows) -> str:
    """How often draws of the largest groups of each pair are called different."""
    largest = {row["name"]: row for row in sorted(rows, key=lambda row: row["size"])}
    parts = []
    for equal, what in ((True, "equal"), (False, "different")):
        shares = [
            row["distinguished"]
            for row in largest.values()
            if (row["expected"] == "equivalent") is equal
        ]
        if shares:
            low, high = percent(min(shares)), percent(max(shares))
            parts.append(f"{low if low == high else f'{low} to {high}'} of draws of {what} pairs")
    size = max(row["size"] for row in rows)
    return f"at up to {size} seeds a group the verdict calls different " + ", ".join(parts)


def _highest(rates: Mapping[str, Any]) -> dict[str, Any] | None:
    equal = [r for r in rates["rows"] if r["expected"] == "equivalent" and r["rate"] is not None]
    if not equal:
        return None
    worst = max(equal, key=lambda row: row["rate"])
    return {
        "number": f"share of p ≤ {rates['alpha']:g} in equal pairs, highest of {len(equal)}",
        "value": worst["rate"],
        "low": worst["rate_low"],
        "high": worst["rate_high"],
    }


def _largest(pairs: Rows) -> dict[str, Any]:
    pair = max(pairs, key=lambda pair: pair["effect"])
    of = f", largest of {len(pairs)}" if len(pairs) > 1 else ""
    sizes = dict.fromkeys((pair["seeds_first"], pair["seeds_second"]))
    seeds = " and ".join(map(str, sizes))
    return {
        "number": f"effect of {pair['name']}{of}; {seeds} seeds a group",
        "value": pair["effect"],
        "low": pair["effect_low"],
        "high": pair["effect_high"],
    }


def _apart(pair: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "number": f"distance of {pair['name']}",
        "value": pair["between"],
        "low": None,
        "high": None,
    }


def _controls(facts: Mapping[str, Any]) -> str:
    lines = [(row["control"], row["as_expected"]) for row in facts["control_lines"]]
    pairs = [(p["name"], p["as_expected"]) for p in facts["pairs"] if p["second"] in CONTROLS]
    held = [*lines, *pairs]
    if not held:
        return NONE_ASKED
    count = f"{sum(found is True for _, found in held)} of {len(held)}"
    if failed := [name for name, found in held if found is False]:
        return f"no: {count}; failed: {listed(failed)}"
    if still := [name for name, found in held if found is None]:
        return f"open: {count}; inconclusive: {listed(still)}"
    return f"yes: {count}"


def _expected(pairs: Rows) -> str:
    known = [pair for pair in pairs if pair["expected"] != "open"]
    if not known:
        return NO_EXPECTATION
    if _untested(known):
        told = [f"{pair['name']} ({pair['because'] or 'no reason given'})" for pair in known]
        return f"not tested: {listed(told)}"
    parts = []
    for met, word in ((True, "as expected"), (False, "not as expected"), (None, "not judged")):
        those = [pair for pair in known if pair["as_expected"] is met]
        if those:
            parts.append(f"{word}: {listed([pair['name'] for pair in those])}")
    reasons = list(dict.fromkeys(pair["because"] for pair in known if pair["because"]))
    # One reason fits into a row; several stand with their pairs.
    return "; ".join(parts) + (f" ({reasons[0]})" if len(reasons) == 1 else "")
