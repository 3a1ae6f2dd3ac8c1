"""What the values of a configuration have in common: they are refused when they are made."""

from importlib import import_module
from typing import Any


def checked(value: Any) -> None:
    """Refuse a value that no work can be done with, by the module ``refusals`` beside its own.

    By name, not by import: a refusal decides whether there is a result and never which, so neither
    its wording nor its bounds belong to the code that a result depends on
    (:func:`koopscope.artefacts.code.code_digest`).

    Raises
    ------
    InputError
        With the key, the value and the remedy.
    """
    package, _, _ = type(value).__module__.rpartition(".")
    import_module(f"{package}.refusals").refuse(value)


def as_tuple(value: Any) -> Any:
    """List of a configuration or of JSON as a tuple, which a frozen value needs; others as is."""
    return tuple(value) if isinstance(value, list) else value
