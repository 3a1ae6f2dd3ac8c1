"""Tables and sentences of a study, as Markdown."""

from collections.abc import Iterable, Mapping
from typing import Any

from koopscope.experiments.equivalence.wording import EXPECTED_WORDS, interval, outcome
from koopscope.report.numbers import between, number
from koopscope.report.tables import escaped, table

HELD = {True: "yes", False: "no", None: "open"}


def how_judged(study: Mapping[str, Any]) -> str:
    """Say by which settings a study was judged."""
    return (
        f"Level {number(study['alpha'])}, {study['permutations'] or '–'} permutations of seed "
        f"labels, {study['bootstrap'] or '–'} bootstrap draws, correction {study['correction']}, "
        f"smallest effect of interest {study['margin']['said']}; {study['distance']} of "
        f"eigenvalues compared "
        f"per {study['time_unit']}."
    )


def variant_table(variants: Mapping[str, Mapping[str, Any]]) -> str:
    """Table of how each variant trained, and of its spectra."""
    head = ("variant", "seeds", "diverged runs", "final accuracy (sd; range)", "final loss (sd)")
    head += ("leading moduli, median", "residual median (max)", "residual above limit")
    head += ("spectral radius, median",)
    return table(head, [_variant_row(name, v) for name, v in variants.items()])


def _variant_row(name: str, variant: Mapping[str, Any]) -> list[str]:
    accuracy, loss = variant["final_accuracy"], variant["final_loss"]
    share = variant["residual_above_limit"]
    return [
        name,
        str(variant["seeds"]),
        str(variant["diverged"]),
        "–"
        if accuracy is None
        else f"{accuracy['mean']:.3f} ({number(accuracy['sd'], 2)}; "
        f"{accuracy['min']:.3f} to {accuracy['max']:.3f})",
        "–" if loss is None else f"{number(loss['mean'])} ({number(loss['sd'], 2)})",
        ", ".join(number(e["modulus"], 5) for e in variant["leading_eigenvalues"][:3]) or "–",
        f"{number(variant['residual_median'], 2)} ({number(variant['residual_max'], 2)})",
        "–" if share is None else f"{100 * share:.0f} %",
        number(variant["spectral_radius_median"], 5),
    ]


def pair_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Table of a study's pairs."""
    head = ("pair", "between", "within", "effect [95 %]", "p", "adjusted p", "swapped-pair p")
    head += ("verdict", "expected", "outcome")
    cells = [
        [
            row["name"],
            number(row["between"]),
            number(row["within"]),
            interval(row),
            number(row["p_value"], 2),
            number(row["p_adjusted"], 2),
            number(row["swapped_pair_p"], 2),
            row["verdict"],
            EXPECTED_WORDS[row["expected"]],
            outcome(row),
        ]
        for row in rows
    ]
    return table(head, cells)


def verdict_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Table of a study's pairs with what decides."""
    head = ("pair", "effect [95 %]", "adjusted p", "verdict", "expected", "outcome")
    cells = [
        [
            row["name"],
            interval(row),
            number(row["p_adjusted"], 2),
            row["verdict"],
            EXPECTED_WORDS[row["expected"]],
            outcome(row),
        ]
        for row in rows
    ]
    return table(head, cells)


def control_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Table of a study's control lines with what they mean; nothing where there are none."""
    rows = list(rows)
    if not rows:
        return ""
    head = ("control", "effect [95 %]", "p", "verdict", "expected", "held")
    cells = [
        [
            row["control"],
            interval(row),
            number(row["p_value"], 2),
            row["verdict"],
            EXPECTED_WORDS[row["expected"]],
            HELD[row["as_expected"]],
        ]
        for row in rows
    ]
    said = "\n".join(f"- {escaped(row['sentence'])}" for row in rows)
    return (
        "Do the controls hold? Each is a test of its own, without correction:\n\n"
        f"{table(head, cells)}\n\n{said}"
    )


def time_unit_table(study: Mapping[str, Any]) -> str:
    """Table of effect and p in each unit of time; nothing where there is one."""
    rows = study["pairs"]
    if len(rows[0]["time_units"]) < 2:
        return ""
    head = ["pair", *(f"effect, p per {c['time_unit']}" for c in rows[0]["time_units"])]
    cells = [
        [row["name"], *(f"{interval(c)}, {number(c['p_value'], 2)}" for c in row["time_units"])]
        for row in rows
    ]
    return (
        "In other units of time (an eigenvalue over one unit is brought to the reference's; "
        "the windows stay as they are):\n\n" + table(head, cells)
    )


def line_text(line: Mapping[str, Any] | None) -> str:
    """Sentence on the points of constant ratio; nothing where there are none."""
    if not line:
        return ""
    low, high = number(line["line_difference_low"]), number(line["line_difference_high"])
    return (
        f"Constant ratio: the {line['line_points']} points on the reference's line have a mean "
        f"effect of {number(line['line_effect'])}, their mirror images off it "
        f"{number(line['mirror_effect'])}; difference {number(line['line_difference'])} "
        f"(95 % interval over seeds {low} to {high})."
    )


def rates_text(found: Mapping[str, Any] | None) -> str:
    """Table of how often the verdict errs with the largest groups of each pair."""
    if not found:
        return ""
    largest = {row["name"]: row for row in sorted(found["rows"], key=lambda row: row["size"])}
    head = ("pair", "known", "seeds a group", "p ≤ level [95 %]", "verdict distinguished")
    cells = [
        [
            name,
            row["expected"],
            str(row["size"]),
            between(row["rate"], row["rate_low"], row["rate_high"]),
            number(row["distinguished"]),
        ]
        for name, row in largest.items()
    ]
    return _rates_said(found) + table(head, cells)


def _rates_said(found: Mapping[str, Any]) -> str:
    return f"Error rates, {found['draws']} draws each:\n\n"


def error_rates_text(found: Mapping[str, Any] | None) -> str:
    """Table of how often the verdict errs, or finds a difference that is there."""
    if not found:
        return ""
    head = ("pair", "known", "effect of the pools", "seeds a group", "p ≤ level [95 %]")
    head += ("verdict distinguished", "verdict not distinguished", "swapped-pair p ≤ level")
    cells = [
        [
            row["name"],
            row["expected"],
            number(row["true_effect"]),
            str(row["size"]),
            between(row["rate"], row["rate_low"], row["rate_high"]),
            number(row["distinguished"]),
            number(row["not_distinguished"]),
            number(row["swapped"]),
        ]
        for row in found["rows"]
    ]
    metrics = ["pair", "seeds a group", *found["metrics"]]
    powers = [
        [row["name"], str(row["size"]), *(number(x) for x in row["equal_rate"])]
        for row in found["rows"]
        if row["expected"] != "equivalent"
    ]
    text = _rates_said(found) + table(head, cells)
    if powers:
        text += "\n\nPower by distance at one false-positive rate:\n\n" + table(metrics, powers)
    return text


def survival_table(found: Mapping[str, Any] | None) -> str:
    """Table of how many verdicts each other way to estimate shares with the study's own."""
    if not found:
        return ""
    own, *others = found["rows"]
    verdicts = [cell["verdict"] for cell in own["cells"]]
    count = len(verdicts)
    cells = [
        [
            row["name"] + (f" ({row['changes']})" if row["changes"] else ""),
            f"{sum(c['verdict'] == v for c, v in zip(row['cells'], verdicts, strict=True))}"
            f" of {count}",
        ]
        for row in others
    ]
    return "Other ways to estimate:\n\n" + table(("estimate", "same verdicts"), cells)


def sensitivity_text(found: Mapping[str, Any] | None) -> str:
    """Table of verdicts by other ways to estimate."""
    if not found:
        return ""
    head = ["estimate", *found["pairs"]]
    cells = [
        [
            row["name"] + (f" ({row['changes']})" if row["changes"] else ""),
            *(f"{interval(cell)} {cell['verdict']}" for cell in row["cells"]),
        ]
        for row in found["rows"]
    ]
    cells.append(["same verdict throughout", *("yes" if s else "no" for s in found["survives"])])
    text = "Other ways to estimate:\n\n" + table(head, cells)
    if found["controls"]:
        lines = [
            [
                row["name"],
                number(row["smallest_effect"]),
                *(f"{interval(cell)} {cell['verdict']}" for cell in row["controls"]),
            ]
            for row in found["rows"]
            if row["controls"]
        ]
        head = ["estimate", "smallest effect", *found["controls"]]
        text += "\n\nTheir control lines:\n\n" + table(head, lines)
    return text
