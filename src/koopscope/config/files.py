"""Configuration files: YAML as people write it, and JSON.

Numbers and truth values are those of YAML 1.2: ``1e-3`` is a number, ``on`` and ``2:00`` are texts.
A key that stands twice is refused instead of silently replaced.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from koopscope.errors import InputError


def load(path: Path) -> Any:
    """Read a configuration file.

    Raises
    ------
    InputError
        If the file is missing, is neither YAML nor JSON, or gives a key twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        return json.loads(text) if Path(path).suffix == ".json" else yaml.load(text, _Loader)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None


class _Loader(yaml.SafeLoader):
    """A loader by the core schema of YAML 1.2 that refuses a key given twice."""

    yaml_implicit_resolvers: dict = {}

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

    def construct_whole_number(self, node: yaml.ScalarNode) -> int:
        text = self.construct_scalar(node)
        return int(text, 0 if text.lower().startswith(("0x", "0o")) else 10)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_whole_number)
for tag, pattern, first in (
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", [*"-+0123456789"]),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        [*"-+.0123456789"],
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), first)
