"""What each kind of question about watching training came to: its facts, and its section."""

from collections.abc import Callable, Mapping
from typing import Any

import xarray as xr

from koopscope.summary.depth import depth_facts, depth_text
from koopscope.summary.pruned_training import pruned_facts, pruned_text

Facts = dict[str, Any]
# By the kind of the question: what makes its facts, and what says them.
KINDS: Mapping[str, tuple[Callable[[xr.Dataset], Facts], Callable[[Facts], str]]] = {
    "depth": (depth_facts, depth_text),
    "pruned_training": (pruned_facts, pruned_text),
}


def monitor_facts(kind: str, found: xr.Dataset) -> Facts:
    """Facts of a question of a kind, with that kind."""
    return KINDS[kind][0](found) | {"kind": kind}


def monitor_text(facts: Facts) -> str:
    """Section of the summary on one question."""
    return KINDS[facts["kind"]][1](facts)
