"""Entries of a configuration, read by the keys of a dataclass, or refused in one line.

Which fields are keys, what they give and what they may be say their annotations
(:func:`koopscope.config.key.key`).
"""

import dataclasses
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from koopscope.config.checks import near
from koopscope.config.key import Key
from koopscope.config.shown import listed, quoted, shown
from koopscope.errors import InputError


class Partly(tuple):
    """Classes whose keys may all be missing, in an entry that changes another."""


KINDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
# Whole numbers and others beyond this fit no array; below it single precision has only 0.
LARGEST = 2.0**63
SMALLEST = 2.0**-126
PLURALS = {int: "whole numbers", float: "numbers", str: "texts"}


class Field:
    """A key of a dataclass: its annotation, its type and its default."""

    def __init__(self, field: dataclasses.Field, hint: Any) -> None:
        self.name = field.name
        self._field = field
        kind, self.key = _unpacked(hint)
        self.type = self.key.written or kind

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        field = self._field
        bare = field.default is MISSING and field.default_factory is MISSING
        return bare and not self.key.default

    @property
    def default(self) -> Any:
        """Default of its field, or None."""
        return None if self._field.default is MISSING else self._field.default

    @property
    def default_said(self) -> str:
        """Default in words, empty if there is none."""
        if self.key.default or self.required:
            return self.key.default
        return shown(self.default)

    def read(self, value: Any) -> Any:
        """Value as the field takes it.

        Raises
        ------
        InputError
            If it is of another type or out of bounds.
        """
        return self._read(value, self.type, self.name)

    def _read(self, value: Any, kind: Any, where: str) -> Any:
        kinds = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
        if value is None and type(None) in kinds:
            return None
        kinds = [k for k in kinds if k is not type(None)]
        for one in kinds:
            container = get_origin(one) or one
            if container is tuple and isinstance(value, list | tuple):
                (item, *_) = get_args(one) or (Any,)
                return tuple(self._read(v, item, f"{where}[{i}]") for i, v in enumerate(value))
            if container is dict and isinstance(value, Mapping):
                _, item = get_args(one) or (Any, Any)
                for name in value:
                    if not isinstance(name, str):
                        raise InputError(f"{where}: {shown(name)} is no name; write it in quotes")
                return {k: self._read(v, item, f"{where}.{k}") for k, v in value.items()}
            if one is Any:
                return value
            if one in KINDS:
                try:
                    read = msgspec.convert(value, self._bounded(one))
                except msgspec.ValidationError:
                    continue
                # Not so NaN, of which no comparison holds.
                if one in (str, bool) or read == 0 or SMALLEST <= abs(read) < LARGEST:
                    return self._chosen(read, where, kinds)
        # Or 1 would be no whole number.
        whole = isinstance(value, float) and value.is_integer() and int in kinds
        given = f"{value}" if whole else shown(value)
        raise InputError(f"{where}: {given} is not {self._asked(kinds)}; {self.said}")

    def _bounded(self, kind: type) -> Any:
        bounds = self.key.bounds
        return Annotated[kind, msgspec.Meta(**bounds)] if bounds and kind in (int, float) else kind

    def _chosen(self, value: Any, where: str, kinds: list[Any]) -> Any:
        allowed = self.key.one_of
        if allowed and isinstance(value, str) and value not in allowed:
            others = [kind for kind in kinds if kind is not str]
            more = f", or {self._asked(others)}" if others else ""
            raise InputError(
                f"{where}: unknown {quoted(value)}; give one of {listed(allowed)}{more}"
            )
        return value

    def _asked(self, kinds: list[Any]) -> str:
        asked = []
        for kind in kinds:
            container = get_origin(kind) or kind
            if container is tuple:
                item = (get_args(kind) or (Any,))[0]
                asked.append(f"a list of {PLURALS.get(item, 'values')}{self._range}")
            elif container is dict:
                asked.append("a mapping")
            elif kind is bool:
                asked.append(KINDS[bool])
            else:
                finite = "finite " if kind is float and not self.key.bounds else ""
                allowed = self.key.one_of if kind is str and len(kinds) > 1 else ()
                asked += allowed or [
                    f"a {finite}{KINDS[kind]}{self._range if kind is not str else ''}"
                ]
        return " or ".join(asked)

    @property
    def _range(self) -> str:
        words = {"ge": "of at least", "gt": "above", "le": "of at most", "lt": "below"}
        bounds = (
            f"{words[name]} {bound if isinstance(bound, int) else f'{bound:g}'}"
            for name, bound in self.key.bounds.items()
        )
        return f" {' and '.join(bounds)}".rstrip()

    @property
    def said(self) -> str:
        """What it gives in a few words, and its default."""
        plain, *_ = re.split("[:;] | \\(", self.key.gives.replace("`", ""), maxsplit=1)
        more = [self.key.unit, self.default_said and f"default {self.default_said}"]
        said = "; ".join(filter(None, more))
        return f"it gives the {plain}{f' ({said})' if said else ''}"


@cache
def keys(cls: type) -> Mapping[str, Field]:
    """Keys of a dataclass by name, in the order of its fields."""
    hints = get_type_hints(cls, include_extras=True)
    found = {field.name: hints[field.name] for field in fields(cls)}
    return {
        field.name: Field(field, found[field.name])
        for field in fields(cls)
        if _unpacked(found[field.name])[1]
    }


def values(
    cls: type,
    entry: Mapping[str, Any] | None,
    *,
    partial: bool = False,
    apart: Iterable[str] = (),
    what: str = "",
) -> dict[str, Any]:
    """Values of an entry of the configuration as the fields of a dataclass take them.

    Parameters
    ----------
    cls
        Whose keys they are.
    entry
        None for an empty one.
    partial
        Whether required keys may be missing.
    apart
        Other keys that the entry may have, which are left out of what is returned.
    what
        The entry in words, for the refusal of an unknown key.

    Raises
    ------
    InputError
        For a key that is unknown or missing, or a value of another type or out of bounds.
    """
    if entry is not None and not isinstance(entry, Mapping):
        raise InputError(f"{what or 'entry'}: {shown(entry)} is no mapping; give keys and values")
    known, apart, given = keys(cls), tuple(apart), entry or {}
    renamed: Mapping[str, str] = getattr(cls, "renamed", {})
    found = {}
    for name, value in given.items():
        if name in known:
            found[name] = known[name].read(value)
        elif name in renamed:
            raise InputError(f"{name}: is called {renamed[name]} now; rename it")
        elif name not in apart:
            of = f" of {what}" if what else ""
            raise InputError(f"{shown(name)}: unknown key{of}{near(str(name), (*known, *apart))}")
    for name, one in known.items():
        if one.required and name not in given and not partial:
            raise InputError(f"{name}: is missing; {one.said}")
    return found


def conform(value: Any) -> None:
    """Refuse a dataclass one of whose keys is of another type or out of bounds.

    Raises
    ------
    InputError
        With the key, the value and what it may be.
    """
    for name, one in keys(type(value)).items():
        if one.key.written is None:
            one.read(getattr(value, name))


def _unpacked(hint: Any) -> tuple[Any, Key | None]:
    """Type and key of an annotation."""
    if get_origin(hint) is not Annotated:
        return hint, None
    kind, *metas = get_args(hint)
    return kind, next((meta for meta in metas if isinstance(meta, Key)), None)
