"""Functions and classes by name, loaded when they are asked for."""

from importlib import import_module
from typing import Any


def named(name: str) -> Any:
    """What ``package.module:attribute`` names."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
