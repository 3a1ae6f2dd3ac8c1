"""What was run and what came out, as Markdown."""

from collections.abc import Iterable, Mapping
from typing import Any

from koopscope.summary.baselines import baseline_table
from koopscope.summary.facts import RESIDUAL_LIMIT
from koopscope.summary.hsvr import hsvr_text
from koopscope.summary.monitor import monitor_text
from koopscope.summary.pruning import pruning_text
from koopscope.summary.sobolev import sobolev_text
from koopscope.summary.tables import escaped, table
from koopscope.summary.wording import EXPECTED_WORDS, interval, number, outcome

# Sections beside the studies, in the order to report.
TEXTS = {
    "pruning": pruning_text,
    "monitor": monitor_text,
    "hsvr": hsvr_text,
    "sobolev": sobolev_text,
}
NOTES = (
    (
        "between, within",
        "Mean 1-Wasserstein distance (in the complex plane) between the spectra of two seeds: one "
        "of each variant (between), or both of one variant (within).",
    ),
    (
        "effect",
        "between ÷ within, with a 95 % bootstrap interval over seeds. At 1 the variants differ no "
        "more than seeds of one variant do.",
    ),
    (
        "p, adjusted p",
        "Share of the permutations of seed labels whose energy distance is at least the one found; "
        "adjusted for the study's many pairs.",
    ),
    (
        "verdict",
        "Distinguished: the adjusted p is at most the level and the whole interval lies at or "
        "above the smallest effect of interest. Not distinguished: the whole interval lies below "
        "it. Otherwise too few seeds to tell.",
    ),
    (
        "swapped-pair p",
        "The paper's control, the median over seeds, for comparison with the paper only: matched "
        "eigenvalues are swapped between the two spectra at random. Swapped matched pairs always "
        "leave the old matching available, so that a shuffled distance is never above the true "
        "one, and this p says little.",
    ),
    (
        "residual above limit",
        "Share of eigenvalues whose relative residual is above "
        f"{RESIDUAL_LIMIT:g}, or unknown; drawn hollow in the figures, the former crossed.",
    ),
)


def markdown(
    facts_by_study: Mapping[str, Mapping[str, Any]],
    run: Mapping[str, Any],
    others: Mapping[str, Mapping[str, Mapping[str, Any]]] = {},
) -> str:
    """Text that says what was run and what came out.

    Parameters
    ----------
    facts_by_study
        :func:`facts` of each study by its name, in the order to report.
    run
        ``configuration`` (its name), ``koopscope`` (version), ``commit`` and ``versions`` (of
        other packages, by name); what is missing is left out.
    others
        Facts of each experiment by its name, by section of the configuration (keys of ``TEXTS``).
    """
    blocks = ["# Summary", _ran(run, len(facts_by_study))]
    for name, study in facts_by_study.items():
        blocks += [
            f"## {escaped(study['study'] or name)}",
            f"**{escaped(study['question'])}**",
            _variant_table(study["variants"]),
            pair_table(study["pairs"]),
            "\n".join(f"- {escaped(pair['sentence'])}" for pair in study["pairs"]),
            _how_judged(study),
            clock_table(study),
            line_text(study["line"]),
            calibration_text(study.get("calibration")),
            sensitivity_text(study.get("sensitivity")),
        ]
    for section, text_of in TEXTS.items():
        blocks += map(text_of, others.get(section, {}).values())
    if baselines := baseline_table(others):
        blocks += ["## Spectrum against the plain baseline", baselines]
    blocks += [
        "## How to read the numbers",
        "\n".join(f"- **{term}**: {meaning}" for term, meaning in NOTES),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _ran(run: Mapping[str, Any], studies: int) -> str:
    said = f"{studies} {'study' if studies == 1 else 'studies'}"
    if run.get("configuration"):
        said += f" of the configuration `{run['configuration']}`"
    if run.get("koopscope"):
        said += f", koopscope {run['koopscope']}"
    if run.get("commit"):
        said += f" at commit `{run['commit']}`"
    versions = run.get("versions") or {}
    if versions:
        said += "; " + ", ".join(f"{name} {version}" for name, version in versions.items())
    return said + "."


def _how_judged(study: Mapping[str, Any]) -> str:
    return (
        f"Level {number(study['alpha'])}, {study['permutations'] or '–'} permutations of seed "
        f"labels, {study['bootstrap'] or '–'} bootstrap draws, correction {study['correction']}, "
        f"smallest effect of interest {number(study['smallest_effect'])}; eigenvalues compared "
        f"per {study['clock']}."
    )


def _variant_table(variants: Mapping[str, Mapping[str, Any]]) -> str:
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


def clock_table(study: Mapping[str, Any]) -> str:
    """Table of effect and p in each unit of time; nothing where there is one."""
    rows = study["pairs"]
    if len(rows[0]["clocks"]) < 2:
        return ""
    head = ["pair", *(f"effect, p per {c['clock']}" for c in rows[0]["clocks"])]
    cells = [
        [row["name"], *(f"{interval(c)}, {number(c['p_value'], 2)}" for c in row["clocks"])]
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


def calibration_text(found: Mapping[str, Any] | None) -> str:
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
            f"{number(row['rate'])} [{number(row['rate_low'])}, {number(row['rate_high'])}]",
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
    text = f"Calibration, {found['draws']} draws each:\n\n" + table(head, cells)
    if powers:
        text += "\n\nPower by distance at one false-positive rate:\n\n" + table(metrics, powers)
    return text


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
    return "Other ways to estimate:\n\n" + table(head, cells)
