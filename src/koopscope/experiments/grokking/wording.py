"""What a question about grokking came to, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.experiments.grokking.names import (
    CHANCE,
    CONFIGURATION,
    EQUIVALENT,
    LINES,
    OPEN,
    PREDICTORS,
    TOGETHER,
)
from koopscope.report.cells import cell_said, spread_said
from koopscope.report.numbers import between, number

NOTES = (
    (
        "grok",
        "to have a training accuracy of 0.99 while the test accuracy is below 0.9, and a test "
        "accuracy of 0.95 later",
    ),
    (
        "before the rise",
        "up to the last snapshot at which no run of the reference has a test accuracy above the "
        "threshold of the question",
    ),
    (
        "at risk",
        "runs whose test accuracy has not been above that threshold up to the horizon; only they "
        "are predicted",
    ),
    (
        "better than chance",
        "with an area above that of 95 % of random fingerprints: numbers drawn for each setting, "
        "or within settings for each run, by which the same rules learn and predict",
    ),
    (
        "within settings",
        "runs are compared with runs of their own setting alone, so that nothing that the setting "
        "decides counts",
    ),
)


def sentences(facts: Mapping[str, Any]) -> list[str]:
    """Say when groups memorise and generalise, what is distinguished, and what is predicted."""
    said = [_outcome(row) for row in facts["groups"]]
    said += _before(facts)
    if facts["prediction"] is not None:
        said += _predicted(facts)
    return said


def _outcome(row: Mapping[str, Any]) -> str:
    """Of one group."""
    runs, said = row["runs"], f"{row['group']}: "
    if not row["memorise"]:
        said += f"none of {runs} runs memorises"
    else:
        at = spread_said(row["memorised_at"], 4)
        said += f"{row['memorise']} of {runs} runs memorise, at step {at}"
    if not row["generalise"]:
        last = spread_said(row["test_accuracy"])
        return f"{said}; none generalises, with a test accuracy of {last} in the end."
    said += f"; {row['generalise']} generalise, at step {spread_said(row['generalised_at'], 4)}"
    return f"{said}; {row['grok'] or 'none'} grok."


def _before(facts: Mapping[str, Any]) -> list[str]:
    reference, lines = facts["reference"], facts["lines"]
    if not lines or lines[0]["before"] is None:
        if facts["rise"] is None:
            why = f"no run of {reference} has a test accuracy above {number(facts['risen'])}"
        else:
            why = f"the first run of {reference} rises after step {facts['rise']:g}, too early"
        return [f"There is no window before the rise: {why}."]
    own = [row for row in lines if row["expected"] == OPEN]
    known = [row for row in lines if row["line"] in LINES]
    made = [row for row in lines if row["control"]]
    window = (
        f"Before the test accuracy of any run of {reference} rises (steps 1 to {facts['chosen']})"
    )
    said = [f"{window}, against it: {_listed(own)}."]
    said += [f"There, controls that must not count: {_listed(known)}."]
    if made:
        said.append(f"There, control lines: {_listed(made)}.")
    wrong = [
        row["line"]
        for row in (*known, *made)
        if row["before"]["verdict"]
        == (DISTINGUISHED if row["expected"] == EQUIVALENT else NOT_DISTINGUISHED)
    ]
    if wrong:
        said.append(
            f"The instrument is wrong about {', '.join(wrong)}: read the other verdicts with care."
        )
    return said


def _listed(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lines by their verdicts, with their effects."""
    parts = []
    for word in (DISTINGUISHED, NOT_DISTINGUISHED, INCONCLUSIVE):
        those = [row for row in rows if row["before"]["verdict"] == word]
        if those:
            named = ", ".join(f"{row['line']} (effect {_effect(row['before'])})" for row in those)
            parts.append(f"{named} {'is' if len(those) == 1 else 'are'} {word}")
    return "; ".join(parts) or "nothing is compared"


def _effect(at: Mapping[str, Any]) -> str:
    return between(at["effect"], at["effect_low"], at["effect_high"])


def _predicted(facts: Mapping[str, Any]) -> list[str]:
    horizons = facts["prediction"]["horizons"]
    known = [at for at in horizons if at["auc"][TOGETHER]["mean"] is not None]
    if not known:
        return [
            "Nothing is predicted: at no horizon are there enough runs of both ends at risk, in "
            "settings of which each can be held out."
        ]
    said = [_at(known[0], "earliest")]
    if len(known) > 1:
        said.append(_at(known[-1], "last"))
    said.append(f"Settings held out: {_better(known, 'auc')}")
    mixed = [at for at in known if at["within"][TOGETHER]["mean"] is not None]
    if not mixed:
        said.append(
            "At every horizon the setting decides: fewer than two settings have runs of both ends "
            "at risk, so that nothing can be said within settings."
        )
    else:
        last = mixed[-1]
        said.append(
            f"Within settings, of which {last['settings_mixed']} have both ends at step "
            f"{last['horizon']}, areas there: {_areas(last, 'within')}."
        )
        said.append(f"Within settings: {_better(mixed, 'within')}")
    best = known[0]["auc"][CONFIGURATION]
    said.append(
        "What is written in the configuration, without a look at the run, predicts with an area of "
        f"{cell_said(best, 2)} at step {known[0]['horizon']}."
    )
    return said


def _at(at: Mapping[str, Any], which: str) -> str:
    return (
        f"Predicted at step {at['horizon']}, the {which} horizon: {at['will_generalise']} of "
        f"{at['runs_at_risk']} runs at risk in {at['settings_at_risk']} settings will generalise; "
        f"areas under the curve, settings held out: {_areas(at, 'auc')}; {CHANCE} "
        f"{chance_said(at['chance']['auc'])}."
    )


def _areas(at: Mapping[str, Any], where: str) -> str:
    return ", ".join(
        f"{name} {cell_said(at[where][name], 2)}"
        for name in PREDICTORS
        if at[where][name]["mean"] is not None
    )


def chance_said(drawn: Mapping[str, float | None]) -> str:
    """Median of the draws, with 5 and 95 % of them."""
    return between(drawn["median"], drawn["low"], drawn["high"], 2)


def told(horizons: Sequence[Mapping[str, Any]], where: str) -> dict[str, int]:
    """First horizon from which on each predictor tells the end; without those that never do.

    It does where its area is better than chance and the whole interval of it lies above one half.

    Parameters
    ----------
    horizons
        Of the facts.
    where
        ``auc``, of settings held out, or ``within`` them.
    """
    found = {}
    for name in PREDICTORS:
        for at in reversed(horizons):
            low = at[where][name]["low"]
            if low is None or low <= 0.5 or name not in at["better"][where]:
                break
            found[name] = at["horizon"]
    return found


def _better(horizons: Sequence[Mapping[str, Any]], where: str) -> str:
    """Which predictors are better than chance, and from when on they tell the end."""
    often = {
        name: sum(name in at["better"][where] for at in horizons)
        for name in PREDICTORS
        if any(name in at["better"][where] for at in horizons)
    }
    if not often:
        return (
            f"no predictor is better than {CHANCE} at any of {len(horizons)} horizons, so none is "
            "set against another."
        )
    named = ", ".join(f"{name} (at {count} of {len(horizons)})" for name, count in often.items())
    since = told(horizons, where)
    tells = ", ".join(f"{name} from step {step} on" for name, step in since.items())
    return (
        f"better than {CHANCE} is {named}; no other predictor is at any horizon. With the whole "
        f"interval above 0.5 at all later horizons too: {tells or 'none'}."
    )
