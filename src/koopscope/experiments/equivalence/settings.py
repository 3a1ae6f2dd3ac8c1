"""What the names of a study's variants stand for."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from koopscope.config.data import DataSpec
from koopscope.config.setups import Setup
from koopscope.experiments.equivalence.entry import asked, sides
from koopscope.experiments.equivalence.labels import said
from koopscope.experiments.equivalence.study import Study

# Values that are short for what few know.
WORDS = {"omd": "mirror descent with log barrier", "ogd": "gradient descent in log x"}


def settings(study: Study) -> dict[str, str]:
    """What sets the variants of a study's own pairs apart: the settings in which not all agree."""
    named = {v.name: v.setup for v in study.variants}
    values = {name: _values(named[name]) for name in sides(asked(study.to_dict()["pairs"]))}
    keys = dict.fromkeys(key for of in values.values() for key in of)
    differing = [key for key in keys if len({of.get(key) for of in values.values()}) > 1]
    return {
        name: said({key: of[key] for key in differing if of.get(key)})
        for name, of in values.items()
    }


def _values(setup: Setup) -> dict[str, str]:
    """Settings of a setup that a training depends on, in words."""
    left_out = {"seeds", "evaluate_every", "contents", *getattr(setup, "beside", ())}
    found = {f.name: getattr(setup, f.name) for f in fields(setup) if f.name not in left_out}
    return {key: _value(value) for key, value in found.items() if value is not None}


def _value(value: Any) -> str:
    if isinstance(value, DataSpec):
        told = value.to_dict()
        like = f" like {told['like']['kind']}" if "like" in told else ""
        more = [f"{key} {_value(of)}" for key, of in told.items() if key not in ("kind", "like")]
        return ", ".join([told["kind"] + like, *more])
    if isinstance(value, tuple):
        return " × ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(one)}" for key, one in value.items())
    if isinstance(value, float):
        return f"{value:g}"
    return WORDS.get(value, value) if isinstance(value, str) else str(value)
