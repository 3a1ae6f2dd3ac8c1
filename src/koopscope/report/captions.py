"""Captions in reStructuredText from templates, with names escaped and numbers as they are said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined


def rendered(template: Path, **values: Any) -> str:
    """Text of a template with these values.

    Templates may call ``text`` (any value, with marks escaped), ``num`` (a number or a dash),
    ``cell`` (a mean with its interval) and ``spread`` (a median with least and greatest); the last
    three take a format such as ``"%.2g"``.
    """
    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.globals |= {"text": text, "num": num, "cell": cell, "spread": spread}
    return environment.from_string(template.read_text(encoding="utf-8")).render(values)


def text(value: Any) -> str:
    """Any value as text in which no name is taken for markup."""
    said = " ".join(str(value).splitlines())
    for mark in "\\*`_|":
        said = said.replace(mark, "\\" + mark)
    return said


def num(value: float | None, form: str = "%.3g") -> str:
    """A number, or a dash for none."""
    return "–" if value is None else form % value


def cell(value: Mapping[str, float | None], form: str = "%.3g") -> str:
    """A mean with its interval, where there is one."""
    said = num(value["mean"], form)
    if value["low"] is None:
        return said
    return f"{said} ({num(value['low'], form)} to {num(value['high'], form)})"


def spread(value: Mapping[str, float] | None, form: str = "%.3g") -> str:
    """A median with least and greatest, where they differ."""
    if value is None:
        return "–"
    said = num(value["median"], form)
    if value["min"] == value["max"]:
        return said
    return f"{said} ({num(value['min'], form)} to {num(value['max'], form)})"
