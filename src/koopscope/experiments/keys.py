"""Keys of the configuration as a JSON schema, for editors, and as tables, for people.

Both are made of what stands with the keys (:func:`koopscope.config.key.key`), by
``python -m koopscope.experiments.keys SCHEMA PAGE``. The module of a kind's plans has a mapping
``KEYS``: by path inside an entry (empty for the entry itself, ``runs.*`` for each of its runs,
``pairs[]`` for each item of a list), the classes whose keys stand there; a list of such where it
may be one or another.
"""

import json
import re
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from koopscope.config.data import DataSpec
from koopscope.config.entries import Field, Partly, keys
from koopscope.config.runs import RecordedRuns
from koopscope.config.settings import SECTIONS
from koopscope.errors import InputError
from koopscope.experiments.registry import BASES, DATA, KINDS, NAME, OF_BASES, kind_of, sections

PLACE = re.compile(r"(<!-- keys: (\w+)\.?([\w.*\[\]]*) -->\n).*?(<!-- end -->)", re.S)
TYPES = {int: "integer", float: "number", str: "string", bool: "boolean"}
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
# Runs that were recorded, which a variant may be in place of a setup.
RUNS = "runs"
Classes = tuple[type, ...] | list[tuple[type, ...]]


def schema() -> dict[str, Any]:
    """JSON schema of a configuration."""
    properties: dict[str, Any] = {DATA: _by_name("data sets", _entry((DataSpec,)))}
    properties |= {name: _entry((cls,)) for name, cls in SECTIONS.items()}
    bases = kind_of(OF_BASES).load("plan", "BASES")
    properties[BASES] = _by_name("setups that studies start from", _nested(bases))
    for section, those in sections().items():
        entries = []
        for kind in those:
            entry = _nested(kind.load("plan", "KEYS"))
            if kind.shares:
                entry["properties"]["kind"] = {"const": kind.name}
                entry["required"] = ["kind", *entry["required"]]
            entries.append(entry)
        entry = {"oneOf": entries} if len(entries) > 1 else entries[0]
        properties[section] = _by_name("questions", entry) | {"propertyNames": {"pattern": NAME}}
    shared: dict[str, Any] = {}
    properties = {name: _with_references(of, name, shared) for name, of in properties.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of koopscope",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": {name: json.loads(said) for said, name in shared.items()},
    }


def filled(page: str) -> str:
    """Page with the table of keys at each place that names one (``<!-- keys: depth.tasks.* -->``).

    Raises
    ------
    InputError
        If a place names none.
    """
    return PLACE.sub(lambda m: f"{m[1]}\n{_table(m[2], m[3])}\n\n{m[4]}", page)


def tables() -> dict[str, Classes]:
    """Classes whose keys stand together, by the name and path of their table."""
    found: dict[str, Classes] = {DATA: (DataSpec,), RUNS: (RecordedRuns,)}
    found |= {name: (cls,) for name, cls in SECTIONS.items()}
    of_kinds = {kind.name: kind.load("plan", "KEYS") for kind in KINDS}
    of_kinds[BASES] = kind_of(OF_BASES).load("plan", "BASES")
    for name, those in of_kinds.items():
        found |= {f"{name}.{path}".rstrip("."): classes for path, classes in those.items()}
    return found


def _table(name: str, path: str) -> str:
    known, asked = tables(), f"{name}.{path}".rstrip(".")
    if asked not in known:
        raise InputError(f"keys: unknown {asked!r}; give one of {', '.join(known)}")
    rows = [["key", "meaning", "unit", "default"], ["---"] * 4]
    prefix = f"{name}." if name in SECTIONS else ""
    for field in _fields(known[asked]):
        said = "required" if field.required else field.default_said
        if said and not field.required and not field.key.default:
            said = f"`{said}`"
        rows.append([f"`{prefix}{field.name}`", field.key.gives, field.key.unit, said])
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in r)} |" for r in rows
    )


def _by_name(of: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": f"{of} by name", "type": "object", "additionalProperties": entry}


def _nested(those: Mapping[str, Classes]) -> dict[str, Any]:
    """Schema of an entry, with those inside it at their paths."""
    entry = _entry(those[""])
    for path, classes in those.items():
        *steps, last = path.split(".")
        places = [entry]
        for step in steps:
            inside = [
                p["additionalProperties"] if step == "*" else p["properties"][step] for p in places
            ]
            places = [option for place in inside for option in place.get("anyOf", [place])]
        for place in places:
            if last == "*":
                place["additionalProperties"] = _entry(classes)
            elif last.endswith("[]"):
                place["properties"][last[:-2]]["items"] = _entry(classes)
            elif last:
                about = place["properties"][last]["description"]
                place["properties"][last] = {"description": about} | _entry(classes)
    return entry


def _with_references(value: Any, name: str, shared: dict[str, str]) -> Any:
    """Value whose entries with keys are references; these stand once, named by where they do."""
    if isinstance(value, list):
        return [_with_references(one, name, shared) for one in value]
    if not isinstance(value, dict):
        return value
    inside = {
        key: {k: _with_references(v, k, shared) for k, v in one.items()}
        if key == "properties"
        else _with_references(one, name, shared)
        for key, one in value.items()
    }
    if "properties" not in inside or "required" not in inside:
        return inside
    about = {k: inside.pop(k) for k in ("description",) if k in inside}
    said, taken = json.dumps(inside, sort_keys=True), set(shared.values())
    number = next(n for n in range(1, len(taken) + 2) if f"{name}{n if n > 1 else ''}" not in taken)
    reference = shared.setdefault(said, f"{name}{number if number > 1 else ''}")
    return about | {"$ref": f"#/$defs/{reference}"}


def _entry(classes: Classes) -> dict[str, Any]:
    if isinstance(classes, list):
        return {"anyOf": list(map(_entry, classes))}
    fields = _fields(classes)
    required = [] if isinstance(classes, Partly) else [f.name for f in fields if f.required]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": {field.name: _property(field) for field in fields},
    }


def _fields(classes: Classes) -> list[Field]:
    """Keys of the classes, each once; those of the first one first."""
    those = [cls for part in classes for cls in part] if isinstance(classes, list) else classes
    found: dict[str, Field] = {}
    for cls in those:
        for name, field in keys(cls).items():
            found.setdefault(name, field)
    return list(found.values())


def _property(field: Field) -> dict[str, Any]:
    unit = f" ({field.key.unit})" if field.key.unit else ""
    about: dict[str, Any] = {"description": f"{field.key.gives}{unit}"}
    if not field.required and not field.key.default and field.default is not None:
        about["default"] = json.loads(json.dumps(field.default))
    return about | _typed(field.type, field)


def _typed(kind: Any, field: Field) -> dict[str, Any]:
    if get_origin(kind) in (Union, types.UnionType):
        return {"anyOf": [_typed(one, field) for one in get_args(kind)]}
    if kind is type(None):
        return {"type": "null"}
    container, (*inside,) = get_origin(kind) or kind, get_args(kind)
    if container is tuple:
        return {"type": "array", "items": _typed(inside[0], field)}
    if container is dict:
        return {"type": "object", "additionalProperties": _typed(inside[1], field)}
    if kind not in TYPES:
        return {}
    typed: dict[str, Any] = {"type": TYPES[kind]}
    if kind in (int, float):
        typed |= {BOUNDS[name]: bound for name, bound in field.key.bounds.items()}
    elif field.key.one_of:
        typed["enum"] = list(field.key.one_of)
    return typed


def main() -> None:
    """Write the schema, and fill the tables of the page."""
    to, page = map(Path, sys.argv[1:])
    to.write_text(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
