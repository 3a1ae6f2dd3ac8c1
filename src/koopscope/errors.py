"""The error that a user's input can cause, and the numbers that are asked for everywhere."""

import math
from numbers import Integral, Real
from typing import Any


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is a single line: what was given, its value, what it may be or what to do.
    """


class RankError(InputError):
    """The rank asked for is more than the data can give.

    Attributes
    ----------
    found
        What they can give.
    """

    def __init__(self, message: str, found: int) -> None:
        super().__init__(message)
        self.found = found

    def __reduce__(self) -> tuple[type, tuple[str, int]]:
        """As it was made, since workers send their errors."""
        return type(self), (str(self), self.found)


def whole_number(
    key: str, value: Any, least: int = 1, most: int | None = None, instead: str = ""
) -> int:
    """Whole number, also of NumPy, as a plain one; ``instead`` says what else may be given.

    Raises
    ------
    InputError
        With the key and the value, if it is none, or too small or large.
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(f"{key}: {shown(value)}; give a whole number {limits}{instead}")
    return int(value)


def finite_number(key: str, value: Any, least: float = -math.inf) -> None:
    """Refuse what is no finite real number, or too small.

    Raises
    ------
    InputError
        With the key and the value.
    """
    real = isinstance(value, Real) and not isinstance(value, bool)
    if not real or not math.isfinite(value) or value < least:
        above = "" if least == -math.inf else f" of at least {least:g}"
        raise InputError(f"{key}: {shown(value)}; give a finite number{above}")


def shown(value: Any, most: int = 60) -> str:
    """A value as one short line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= most else f"{text[:most]}…"
