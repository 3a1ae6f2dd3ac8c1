"""From a configuration to its data sets and settings."""

import re
from collections.abc import Mapping
from typing import Any

from koopscope.config.checks import one_of, within
from koopscope.config.data import DataSpec
from koopscope.config.entries import values
from koopscope.config.plain import check_name
from koopscope.config.settings import SECTIONS
from koopscope.config.shown import quoted
from koopscope.errors import InputError

FILE_NAME = re.compile("[A-Za-z0-9_][A-Za-z0-9_.-]*")


def data_specs(config: Mapping[str, Any]) -> dict[str, DataSpec]:
    """Definitions of the data sets in ``config["data"]`` by name.

    Raises
    ------
    InputError
        If a name cannot be a file's, an entry cannot be read, or a data set is like an unknown one,
        or like itself over a chain.
    """
    entries = config.get("data") or {}

    def build(name: str, chain: tuple[str, ...]) -> DataSpec:
        with within(f"data.{name}"):
            if name in chain:
                raise InputError(f"like: {' → '.join((*chain, name))} runs in a circle")
            fields = values(DataSpec, entries[name])
            if fields["kind"] == "cifar10" and not fields.get("path"):
                raise InputError(
                    "path: missing; cifar10 is read from cifar-10-binary.tar.gz alone, which you "
                    "have to get yourself"
                )
            like = fields.get("like")
            if like is not None:
                one_of("like", like, tuple(entries))
        if like is not None:
            fields["like"] = build(like, (*chain, name))
        with within(f"data.{name}"):
            return DataSpec(name, **fields)

    for name in entries:
        check_name("data", name)
        if not FILE_NAME.fullmatch(name):
            raise InputError(
                f"data: {quoted(name)} is a file's name too; give letters of ASCII, digits and _.-"
            )
    return {name: build(name, ()) for name in entries}


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Sections of a configuration that are no list of questions, as frozen values by name.

    Raises
    ------
    InputError
        With the key, the value and what it may be.
    """
    found = {}
    for name, cls in SECTIONS.items():
        with within(name):
            found[name] = cls(**values(cls, config.get(name)))
    return found
