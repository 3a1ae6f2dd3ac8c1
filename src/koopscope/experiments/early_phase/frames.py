"""Tables of a question of the early phase, each with what its columns mean."""

from collections.abc import Mapping
from typing import Any

from koopscope.report.frames import Frame, Row, along, flat


def _windows(facts: Mapping[str, Any]) -> list[Row]:
    rows = [
        {name: row[name] for name in ("measure", "spectral", "windows")}
        for row in facts["measures"]
    ]
    return along(rows, "steps", facts["windows"], {"windows": ""})


def _controls(facts: Mapping[str, Any]) -> list[Row]:
    rows = []
    for row in facts["controls"]:
        rows.append(flat({**row, "window": facts["windows"][row["window"]]}))
    return rows


EFFECT = {
    "effect": "distance between ÷ within",
    "low": "lower bound of its 95 % interval",
    "high": "upper bound of its 95 % interval",
    "p": "p of the permutation test, of windows corrected for their number",
    "verdict": "the verdict in words",
}
FRAMES = {
    "ends": Frame(
        "A part of the network, or a plain marker",
        lambda facts: [flat(row, leave=("windows",)) for row in facts["measures"]],
        {
            "measure": "the part or marker",
            "spectral": "whether it is judged by spectra",
            "outcome": "ends, not over, none seen or inconclusive",
            "reason": "why it is inconclusive",
            "end": "step at which the early phase ends",
            "margin": "smallest effect that counts",
            "kept": "seeds that are compared, count",
        },
    ),
    "effects": Frame(
        "A part or marker, and a window against the last one (the last by halves of the seeds)",
        _windows,
        {
            "measure": "the part or marker",
            "spectral": "whether it is judged by spectra",
            "steps": "steps of the window",
            **EFFECT,
        },
    ),
    "controls": Frame(
        "A control line",
        _controls,
        {
            "part": "the part of the network",
            "window": "steps of the window",
            "control": "what was made of the runs",
            "expected": "the verdict that is right",
            **EFFECT,
        },
    ),
}
