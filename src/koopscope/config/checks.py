"""Small checks, each of which refuses in one line: key, value, what it may be."""

import difflib
import math
from collections.abc import Iterable
from typing import Any

from koopscope.errors import InputError


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Refuse what is not one of the allowed."""
    if value not in allowed:
        listed = ", ".join(map(str, allowed)) or "none, as there is none"
        raise InputError(f"{name}: unknown {value!r}; give one of {listed}")


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
            raise InputError(f"{name}: {value} stands twice; give each once")
        seen.add(value)
    if len(values) < least:
        there = ", ".join(map(str, values)) or "none"
        of = "" if allowed is None else f" of {', '.join(map(str, allowed))}"
        raise InputError(f"{name}: {there}; give at least {least}{of}, each once")


def ascending(name: str, values: Iterable[float], least: int = 1) -> None:
    """Refuse too short a list, values that stand twice, and values out of their order."""
    values = list(values)
    each_once(name, values, least=least)
    if values != sorted(values):
        raise InputError(f"{name}: {values}; give them ascending")


def only_keys(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse keys of an entry of this kind that are not known."""
    known = list(known)
    for key in given:
        if key not in known:
            raise InputError(f"{key}: no key of {what}; it has {', '.join(known)}")


def positive(name: str, value: int) -> None:
    """Refuse what is not a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{name}: {value!r} is not a positive whole number")


def above_zero(name: str, value: float) -> None:
    """Refuse what is not a finite number above 0."""
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name}: {value!r} is not a number above 0")


def at_least_zero(name: str, value: float) -> None:
    """Refuse what is not a finite number of at least 0."""
    if not (math.isfinite(value) and value >= 0):
        raise InputError(f"{name}: {value!r} is not a number of at least 0")


def below_one(name: str, value: float) -> None:
    """Refuse what is not a number in [0, 1)."""
    if not 0 <= value < 1:
        raise InputError(f"{name}: {value} is not in [0, 1)")


def near(key: str, known: Iterable[str]) -> str:
    """What to say of a key that is not known: the nearest one that is, or all of them."""
    known = sorted(known)
    found = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else f"; give one of {', '.join(known)}"
