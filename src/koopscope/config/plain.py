"""All of a configuration before any key of it is read: names and texts that can be used.

What holds of every section is refused here, once; what a key may be, where it is read.
"""

import re
from collections.abc import Mapping
from typing import Any

from koopscope.config.shown import shown
from koopscope.errors import InputError

# Of keys and of names alike. They stand in figures, tables and messages.
NAME = re.compile(r"\w[\w .,:;+=()%-]*")
LONGEST = 60
# Beyond those that anyone writes, and within those that can be walked.
DEEPEST = 20
MOST = 1_000_000
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Keys whose text may run over several lines.
PROSE = ("question", "because")


def check_plain(config: Mapping[Any, Any]) -> None:
    """Refuse a configuration that holds what no key could take.

    Raises
    ------
    InputError
        For a key or name that is no text, or none that can be used; for a text with control
        characters, another type than YAML's core has, too many values, or values inside of
        themselves.
    """
    seen = 0

    def walk(value: Any, where: str, depth: int) -> None:
        nonlocal seen
        seen += 1
        if seen > MOST:
            raise InputError(f"{where}: more than {MOST:,} values, anchors followed; give fewer")
        if depth > DEEPEST:
            raise InputError(f"{where}: deeper than {DEEPEST} levels, or inside of itself; flatten")
        if isinstance(value, Mapping):
            for key, inside in value.items():
                check_name(where, key)
                walk(inside, f"{where}.{key}" if where else key, depth + 1)
        elif isinstance(value, list | tuple):
            for i, inside in enumerate(value):
                walk(inside, f"{where}[{i}]", depth + 1)
        elif isinstance(value, str):
            prose = where.endswith(PROSE)
            found = CONTROLS.search(" ".join(value.split()) if prose else value)
            if not value.strip():
                raise InputError(f"{where}: is empty; give a text, or leave it out")
            if found:
                raise InputError(f"{where}: has the character {ascii(found[0])}; remove it")
        elif value is not None and not isinstance(value, bool | int | float):
            raise InputError(
                f"{where}: is a {type(value).__name__}; give a text, a number, a list or a mapping"
            )

    walk(config, "", 0)


def check_name(where: str, name: Any) -> None:
    """Refuse a key or a name that cannot be used.

    Raises
    ------
    InputError
        If it is no text, too long, or has other characters than names have.
    """
    at = f"{where}: " if where else ""
    if not isinstance(name, str):
        raise InputError(f"{at}{shown(name)} is no name; write it in quotes")
    if len(name) > LONGEST:
        raise InputError(
            f"{at}the name {shown(name)} is too long; give at most {LONGEST} characters"
        )
    if not NAME.fullmatch(name) or name != name.strip():
        raise InputError(
            f"{at}{name!a} is no name; begin with a letter, a digit or _, and go on with these, "
            "blanks and .,:;+=()%-"
        )
