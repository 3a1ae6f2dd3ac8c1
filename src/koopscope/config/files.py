"""Configuration files: YAML as people write it, and JSON.

Numbers and truth values are those of YAML 1.2: ``1e-3`` is a number, ``on`` and ``2:00`` are texts.
A key that stands twice is refused instead of silently replaced.
"""

import codecs
import json
import os
import re
import sys
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from koopscope.errors import InputError

# Not in a text; PyYAML says it without the line.
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a configuration file.

    Raises
    ------
    InputError
        In one line with the file, and the line in it where there is one, if it cannot be read, is
        neither YAML nor JSON in UTF-8, gives a key twice, or is no mapping.
    """
    with _saying(path):
        data = Path(path).read_bytes()
        read = _json if Path(path).suffix == ".json" else _yaml
        found = read(_text(data))
        if found is None:
            raise InputError("is empty; give sections, such as data: and studies:")
        if not isinstance(found, dict):
            what = "a list" if isinstance(found, list) else "one value"
            raise InputError(f"is {what}; give sections, such as data: and studies:")
    return found


def as_written(value: Any) -> Any:
    """Texts of a command line as a file has them: ``1e-3`` is a number.

    Snakemake leaves what stands inside of ``--config compare={alpha: 0.01}`` as texts.
    """
    if isinstance(value, Mapping):
        return {key: as_written(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [as_written(inside) for inside in value]
    if not isinstance(value, str):
        return value
    tag = _Loader("").resolve(yaml.ScalarNode, value, (True, False))
    return _Loader("").construct_object(yaml.ScalarNode(tag, value))


def main() -> None:
    """Say in one line what of the files cannot be read, and end with 1 then."""
    if len(sys.argv) < 2:
        sys.exit("Error: no configuration file")
    for path in sys.argv[1:]:
        try:
            load(path)
        except InputError as error:
            sys.exit(f"Error: {error}")


@contextmanager
def _saying(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the file in whatever is wrong with it."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; give one, and targets before it: "
            "snakemake TARGET --configfile FILE"
        ) from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder; give a file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a file") from None
    except RecursionError:
        raise InputError(f"{path}: has too many levels; flatten it") from None
    except yaml.MarkedYAMLError as error:
        raise InputError(f"{path}: {_said(error)}") from None
    except (InputError, yaml.YAMLError, ValueError) as error:
        raise InputError(f"{path}: {_one_line(str(error))}") from None


def _said(error: yaml.MarkedYAMLError) -> str:
    """What YAML's own error says, in one line with the lines in the file."""
    at, begun = error.problem_mark or error.context_mark, error.context_mark
    problem, context = error.problem or "", error.context or ""
    if "'\\t'" in problem:
        problem, context = "a tab stands before the first word; indent by blanks", ""
    if context and begun and at and begun.line != at.line:
        context += f" from line {begun.line + 1}"
    line = f"line {at.line + 1}: " if at else ""
    return _one_line(f"{line}{': '.join(filter(None, (context, problem)))}")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _text(data: bytes) -> str:
    """Text of a file's bytes in UTF-8, with or without its mark."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError("is UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"line {line}: byte {data[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        ) from None
    found = CONTROLS.search(text)
    if found:
        line = text[: found.start()].count("\n") + 1
        raise InputError(f"line {line}: has the character {ascii(found[0])}; give a text file")
    return text


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InputError(f"{twice!r} stands twice; rename or remove one")
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise InputError(f"line {error.lineno}: {error.msg}") from None


def _yaml(text: str) -> Any:
    return yaml.load(text, _Loader)


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
            if not isinstance(key, Hashable):
                raise _error("a list or mapping is no key", key_node)
            if key in seen:
                raise _error(f"{key!r} stands twice; rename or remove one", key_node)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        # What tags such as !!timestamp make of another text, or int of thousands of digits.
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            kind = node.tag.rpartition(":")[2]
            raise _error(f"a value that is written as {kind} is none", node) from None

    def construct_whole_number(self, node: yaml.ScalarNode) -> int:
        text = self.construct_scalar(node)
        return int(text, 0 if text.lower().startswith(("0x", "0o")) else 10)


def _error(said: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(problem=said, problem_mark=node.start_mark)


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


if __name__ == "__main__":
    main()
