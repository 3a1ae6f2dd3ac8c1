"""Tables of a study, each with what its columns mean."""

from collections.abc import Mapping
from typing import Any

from koopscope.report.frames import Frame, Row, along, flat

EFFECT = "distance between the variants' spectra ÷ that within a variant; 1 is no difference"
VERDICT = "distinguished, not distinguished or inconclusive"
PAIR = {
    "name": "the two variants, or the reference and its control",
    "effect": EFFECT,
    "p_value": "share of permutations of seed labels with at least this energy distance",
    "p_adjusted": "p adjusted for the study's pairs",
    "verdict": VERDICT,
    "reason": "why a verdict is inconclusive",
    "expected": "equivalent, different or open",
    "because": "why the expected answer is expected",
    "as_expected": "whether the verdict is the expected one; empty where not judged",
    "between": "mean distance between spectra of two seeds, one of each side",
    "within": "mean distance between spectra of two seeds of one side",
    "statistic": "energy distance",
    "seeds_first": "seeds of the first, count",
    "seeds_second": "seeds of the second, count",
}


def _variants(facts: Mapping[str, Any]) -> list[Row]:
    return [
        flat(
            {"variant": name, **variant}
            | {
                f"leading_{part}": [one[part] for one in variant["leading_eigenvalues"]]
                for part in ("modulus", "angle")
            },
            leave=("leading_eigenvalues",),
        )
        for name, variant in facts["variants"].items()
    ]


def _time_units(facts: Mapping[str, Any]) -> list[Row]:
    return [
        flat({"name": pair["name"], **unit})
        for pair in facts["pairs"]
        for unit in pair["time_units"]
    ]


def _rates(facts: Mapping[str, Any]) -> list[Row]:
    found = facts.get("error_rates")
    return [flat(row, leave=("equal_rate",)) for row in (found["rows"] if found else ())]


def _powers(facts: Mapping[str, Any]) -> list[Row]:
    found = facts.get("error_rates")
    if not found:
        return []
    names = ("name", "expected", "size", "equal_rate")
    rows = [{name: row[name] for name in names} for row in found["rows"]]
    return along(rows, "distance", found["metrics"], {"equal_rate": "power"})


def _ways(facts: Mapping[str, Any]) -> list[Row]:
    found = facts.get("sensitivity")
    if not found:
        return []
    return [
        {name: row[name] for name in ("changes", "smallest_effect")}
        | {"estimate": row["name"], "name": pair, **flat(cell)}
        for row in found["rows"]
        for pair, cell in zip(found["pairs"], row["cells"], strict=True)
    ]


def _lines_of_ways(facts: Mapping[str, Any]) -> list[Row]:
    found = facts.get("sensitivity")
    return [
        {"estimate": row["name"], "control": control} | flat(cell)
        for row in (found["rows"] if found else ())
        for control, cell in zip(found["controls"], row["controls"], strict=False)
    ]


WAY = {
    "estimate": "the way to estimate",
    "changes": "what it changes",
    "smallest_effect": "smallest effect that counts",
}
FRAMES = {
    "pairs": Frame(
        "A pair of variants",
        lambda facts: [flat(row, leave=("time_units", "sentence")) for row in facts["pairs"]],
        PAIR
        | {
            "first": "the first variant",
            "second": "the second variant",
            "swapped_pair_p": "the paper's control, median over seeds; see docs/words.md",
        },
    ),
    "controls": Frame(
        "A control line of the instrument",
        lambda facts: [flat(row, leave=("sentence",)) for row in facts["control_lines"]],
        PAIR
        | {
            "control": "the recoding or surrogate",
            "paired": "whether it is made of the reference's own runs",
        },
    ),
    "variants": Frame(
        "A variant: how it trained, and its spectra",
        _variants,
        {
            "variant": "the variant",
            "settings": "what sets it apart from the others that are asked about",
            "seeds": "seeds, count",
            "diverged": "diverged runs, count",
            "eigenvalues": "eigenvalues of all seeds, count",
            "final_accuracy": "test accuracy at the end, mean over seeds, share",
            "final_loss": "loss at the end, mean over seeds",
            "spectral_radius_median": "largest modulus of a seed's spectrum, median over seeds",
            "residual_median": "relative residual of an eigenvalue, median",
            "residual_max": "relative residual of an eigenvalue, greatest",
            "residual_above_limit": "share of eigenvalues with a residual above the limit, or none",
            "leading_modulus": "moduli of the leading eigenvalues by rank, medians over seeds",
            "leading_angle": "absolute angles of the leading eigenvalues by rank, medians, radians",
        },
    ),
    "fits": Frame(
        "How variants were fitted",
        lambda facts: [flat(row) for row in facts["fits"]],
        {
            "variants": "the variants with this fit",
            "observable": "what of a run was fitted",
            "coordinates": "in which coordinates",
            "delays": "delays, snapshots",
            "rank": "rank of the fit",
            "solver": "solver",
            "window": "snapshots that were fitted",
            "initialisations": "initialisations that were fitted",
        },
    ),
    "time_units": Frame(
        "A pair in one unit of time",
        _time_units,
        PAIR | {"time_unit": "unit of time of the eigenvalues"},
    ),
    "error_rates": Frame(
        "Draws of groups of seeds from the pools of one pair",
        _rates,
        {
            "name": PAIR["name"],
            "expected": "equivalent or different",
            "size": "seeds a group, count",
            "true_effect": "effect of the whole pools",
            "rate": "share of draws with p at most the level",
            "distinguished": "share of draws with this verdict",
            "not_distinguished": "share of draws with this verdict",
            "swapped": "share of draws whose swapped-pair p is at most the level",
        },
    ),
    "powers": Frame(
        "Power of a distance at one false-positive rate",
        _powers,
        {
            "name": PAIR["name"],
            "expected": "equivalent or different",
            "size": "seeds a group, count",
            "distance": "distance between spectra",
            "power": "share of draws called different at the common false-positive rate",
        },
    ),
    "sensitivity": Frame("A pair by another way to estimate", _ways, PAIR | WAY),
    "sensitivity_controls": Frame(
        "A control line by another way to estimate",
        _lines_of_ways,
        PAIR | WAY | {"control": "the recoding or surrogate"},
    ),
}
