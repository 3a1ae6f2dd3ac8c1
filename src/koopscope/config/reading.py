"""From a configuration that fits the schema to its data sets."""

from collections.abc import Mapping
from typing import Any

from koopscope.config.checks import one_of
from koopscope.config.data import DataSpec
from koopscope.errors import InputError


def data_specs(config: Mapping[str, Any]) -> dict[str, DataSpec]:
    """Definitions of the data sets in ``config["data"]`` by name.

    Raises
    ------
    InputError
        If a data set is like an unknown one, or like itself over a chain.
    """
    entries = config["data"]

    def build(name: str, chain: tuple[str, ...]) -> DataSpec:
        if name in chain:
            raise InputError(f"data.{name}.like: {' → '.join((*chain, name))} runs in a circle")
        values = {k: v for k, v in entries[name].items() if k != "path"}
        if values.get("kind") == "cifar10" and not entries[name].get("path"):
            raise InputError(
                f"data.{name}.path: missing; cifar10 is read from cifar-10-binary.tar.gz alone, "
                "which you have to get yourself"
            )
        like = values.get("like")
        if like is not None:
            one_of(f"data.{name}.like", like, tuple(entries))
            values["like"] = build(like, (*chain, name))
        return DataSpec(name, **values)

    return {name: build(name, ()) for name in entries}
