"""Small checks, each of which refuses in one line: key, value, what it may be."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from koopscope.config.data import CLASSES, DataSpec
from koopscope.config.shown import listed, quoted, shown
from koopscope.errors import InputError


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Refuse what is not one of the allowed."""
    if value not in allowed:
        raise InputError(f"{name}: unknown {quoted(value)}; give one of {listed(allowed)}")


def each_once(
    name: str, values: Iterable[Any], allowed: tuple[Any, ...] | None = None, least: int = 1
) -> None:
    """Refuse too short a list, values that stand twice, and what is not one of the allowed."""
    values = list(values)
    seen = set()
    for value in values:
        if allowed is not None:
            one_of(name, value, allowed)
        if value in seen:
            raise InputError(f"{name}: {shown(value)} stands twice; give each once")
        seen.add(value)
    if len(values) < least:
        there = listed(values) if values else "none"
        of = "" if allowed is None else f" of {listed(allowed)}"
        raise InputError(f"{name}: {there}; give at least {least}{of}, each once")


def ascending(name: str, values: Iterable[float], least: int = 1) -> None:
    """Refuse too short a list, values that stand twice, and values out of their order."""
    values = list(values)
    each_once(name, values, least=least)
    if values != sorted(values):
        raise InputError(f"{name}: {shown(values)}; give them ascending")


def no_tokens(data: DataSpec) -> None:
    """Refuse a data set of tokens, which a network without an embedding would take for numbers."""
    if data.tokens:
        raise InputError(
            f"data: {data.name} has tokens, whose numbers are no quantities; give it encoding: "
            "onehot"
        )


def ten_classes(data: DataSpec, of: str) -> None:
    """Refuse a data set that something with ten outputs cannot be trained on."""
    if data.classes != CLASSES:
        raise InputError(
            f"data: {data.name} has {data.classes} classes; {of} needs {CLASSES}; give another "
            "data set"
        )
    no_tokens(data)


def near(key: str, known: Iterable[str]) -> str:
    """What to say of a key that is not known: the nearest one that is, or all of them."""
    known = sorted(known)
    found = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else f"; give one of {', '.join(known)}"


@contextmanager
def within(where: str) -> Iterator[None]:
    """Say of refusals inside where in the configuration they are."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}.{error}") from None
