"""What questions about watching training came to: facts, text and tables, by kind of question."""

from collections.abc import Callable, Mapping
from typing import Any

import xarray as xr

from koopscope.summary import depth, pruned_training, restart, stopping
from koopscope.summary.cells import cell_said
from koopscope.summary.tables import escaped, table

FACTS: Mapping[str, Callable[[xr.Dataset], dict[str, Any]]] = {
    "stopping": stopping.stopping_facts,
    "restart": restart.restart_facts,
    "depth": depth.depth_facts,
    "pruned_training": pruned_training.pruned_facts,
}
OF_KIND: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "stopping": stopping.stopping_text,
    "restart": restart.restart_text,
    "depth": depth.depth_text,
    "pruned_training": pruned_training.pruned_text,
}


def monitor_facts(found: xr.Dataset, kind: str) -> dict[str, Any]:
    """Numbers of one question as plain JSON values; rows of ``against`` in all kinds.

    Parameters
    ----------
    found
        What the question came to.
    kind
        Of the question; a key of ``FACTS``.

    Raises
    ------
    InputError
        If the dataset lacks a variable.
    """
    return FACTS[kind](found)


def monitor_text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one question."""
    return "\n\n".join(
        [
            f"## {escaped(facts['study'])}",
            f"**{escaped(facts['question'])}**",
            OF_KIND[facts["kind"]](facts),
            against_table(facts),
        ]
    )


def against_table(facts: Mapping[str, Any]) -> str:
    """Table of the spectrum against plain baselines, where it loses too."""
    head = ["where", "spectrum", "baseline", "measure", "spectrum's", "baseline's"]
    head += ["difference", "the spectrum is"]
    rows = [
        [
            row["where"],
            row["spectrum"],
            row["baseline"],
            row["measure"],
            cell_said(row["ours"]),
            cell_said(row["theirs"]),
            cell_said(row["difference"]),
            row["word"],
        ]
        for row in facts["against"]
    ]
    return "Spectrum against the plain baseline:\n\n" + table(head, rows)


# Parts that a page of findings may quote.
TABLES = {
    "against": against_table,
    "stops": stopping.rule_table,
    "areas": restart.area_table,
    "verdicts": restart.verdict_table,
    "policies": restart.policy_table,
    "steps": restart.step_table,
    "starts": restart.start_table,
    **depth.TABLES,
    **pruned_training.TABLES,
}
