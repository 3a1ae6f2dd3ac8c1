"""Values in a line of an error: as a file has them, and never longer than is read."""

from collections.abc import Mapping
from typing import Any

LONGEST = 60
ITEMS = 12
DEPTH = 3
# From here on digits are counted in place of being written.
HUGE = 10**40


def shown(value: Any, depth: int = DEPTH) -> str:
    """Value as a file has it, cut where it is long or deep."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        items = [shown(v, depth - 1) for v in value[:ITEMS] if depth]
        return f"[{_some(items, len(value), depth)}]"
    if isinstance(value, Mapping):
        items = [f"{shown(k)}: {shown(v, depth - 1)}" for k, v in _first(value) if depth]
        return f"{{{_some(items, len(value), depth)}}}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int) and abs(value) >= HUGE:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, str) and value.isprintable() and value:
        return _cut(value)
    return _cut(repr(value))


def quoted(value: Any) -> str:
    """Value as it is shown, a text in quotes."""
    return _cut(repr(value)) if isinstance(value, str) else shown(value)


def listed(values: Any) -> str:
    """Values one after another, the first so many; in words if there is none."""
    values = list(values)
    more = f", … ({len(values)} in all)" if len(values) > 2 * ITEMS else ""
    return ", ".join(map(shown, values[: 2 * ITEMS])) + more or "none, as there is none"


def _first(mapping: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    return [item for item, _ in zip(mapping.items(), range(ITEMS), strict=False)]


def _some(items: list[str], there: int, depth: int) -> str:
    if there and not depth:
        return "…"
    return ", ".join(items + (["…"] if there > len(items) else []))


def _cut(text: str) -> str:
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
