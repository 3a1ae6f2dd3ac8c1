"""Check a configuration against a JSON schema, with errors that one line can hold.

Adds to :mod:`jsonschema`: defaults are filled in, a misspelt key is answered with the nearest right
one, and a key that stands twice in a YAML file is refused instead of silently replaced.
"""

import difflib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError

from koopscope.errors import InputError


def load_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises
    ------
    InputError
        If the file is missing, is not YAML, or gives a key twice.
    """
    try:
        return yaml.load(Path(path).read_text(), Loader=_UniqueKeys)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None


def check(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Copy of ``config`` with the schema's defaults filled in.

    Raises
    ------
    InputError
        For the first key that does not fit, with its value and what it may be.
    """
    validator = Draft202012Validator(schema)
    filled = _with_defaults(deepcopy(dict(config)), schema, schema)
    errors = sorted(validator.iter_errors(filled), key=lambda e: (len(e.path), str(e.path)))
    if errors:
        raise InputError(_line(errors[0]))
    return filled


def _line(error: ValidationError) -> str:
    where = ".".join(map(str, error.path)) or "configuration"
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        key = next(k for k in error.instance if k not in known)
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
        return f"{'' if where == 'configuration' else where + '.'}{key}: unknown key; {hint}"
    if error.validator == "required":
        missing = next(k for k in error.validator_value if k not in error.instance)
        about = error.schema.get("properties", {}).get(missing, {}).get("description", "")
        return f"{where}: {missing!r} is missing; it gives {about}".rstrip()
    about = error.schema.get("description")
    return f"{where}: {error.message}" + (f"; it gives {about}" if about else "")


def _with_defaults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]] | {
            k: v for k, v in schema.items() if k != "$ref"
        }
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    for key, inner in properties.items():
        if key not in value and "default" in inner:
            value[key] = deepcopy(inner["default"])
    others = schema.get("additionalProperties")
    for key, item in value.items():
        inner = properties.get(key) or (others if isinstance(others, Mapping) else None)
        if inner:
            value[key] = _with_defaults(item, inner, root)
    return value


class _UniqueKeys(yaml.SafeLoader):
    """A loader that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key_node, _ in node.value:
            # A merge ("<<") may bring keys that the mapping itself then replaces.
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=deep)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise yaml.YAMLError(f"line {line}: {key!r} stands twice; rename or remove one")
            seen.add(key)
        return super().construct_mapping(node, deep)
