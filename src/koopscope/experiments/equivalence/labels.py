"""Names of the points of a grid, and of what an alternate changes."""

from collections.abc import Mapping
from typing import Any

# Dim of control lines in a comparison.
CONTROL_LINE = "control_line"
# Labels of grid points; other fields are labelled by their value alone.
LABELS = {
    "hidden_widths": "h",
    "learning_rate": "lr",
    "batch_size": "b",
    "steps": "t",
    "dimension": "d",
}
LABELS |= {
    "step_size": "eta",
    "perturbation_scale": "perturbation_scale",
    "momentum": "m",
    "weight_decay": "wd",
}


def label(field: str, value: Any) -> str:
    """Name of a value of a field."""
    text = "x".join(map(str, value)) if isinstance(value, tuple) else value
    text = f"{text:g}" if isinstance(text, float) else str(text)
    return f"{LABELS.get(field, '')}{text}"


def said(changes: Mapping[str, Any]) -> str:
    """Say what is changed."""
    flat = {k: v for k, v in changes.items() if k != "fit"} | dict(changes.get("fit") or {})
    return ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in flat.items())
