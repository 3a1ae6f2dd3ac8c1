"""Entries are read by the keys of a dataclass; each error is one line with key, value, remedy."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koopscope.config.entries import Partly, conform, keys, values
from koopscope.config.key import key
from koopscope.config.shown import shown
from koopscope.errors import InputError


@dataclass(frozen=True)
class Made:
    """Something with keys of every sort."""

    name: str
    steps: Annotated[int, key("number of steps: how many there are", "steps", ge=1)]
    rate: Annotated[float, key("rate", "per step", gt=0, lt=1)] = 0.1
    share: Annotated[float | None, key("share")] = None
    kind: Annotated[str, key("kind", one_of=("a", "b"))] = "a"
    on: Annotated[bool, key("answer")] = True
    widths: Annotated[tuple[int, ...], key("widths", "units", ge=1)] = (4,)
    parts: Annotated[tuple[str, ...], key("parts", default="all", one_of=("x", "y"))] = ("x", "y")
    either: Annotated[int | str, key("number or word")] = 1
    points: Annotated[tuple[tuple[str, int], ...], key("points", written=dict[str, int], ge=2)] = ()
    inner: Annotated[Any, key("what is inside", written=dict[str, Any] | None)] = None

    renamed: ClassVar[dict[str, str]] = {"stepps": "steps"}


def test_fields_without_a_key_are_no_keys():
    assert "name" not in keys(Made) and list(keys(Made))[:2] == ["steps", "rate"]


def test_values_come_as_the_fields_take_them():
    entry = {"steps": 3, "rate": 1e-3, "widths": [2, 3], "share": None, "either": "all"}
    entry |= {"points": {"p": 5}, "inner": {"any": ["thing"]}, "on": False}
    assert values(Made, entry) == entry | {"widths": (2, 3)}
    whole = values(Made, {"steps": 3, "share": 1})["share"]
    assert whole == 1 and isinstance(whole, float)
    assert values(Made, None, partial=True) == {}
    assert values(Made, {"steps": 1, "else": 2}, apart=("else",)) == {"steps": 1}


REFUSED = {
    "missing": ({}, "^steps: is missing; it gives the number of steps (steps)$"),
    "misspelt": ({"stps": 3}, "^stps: unknown key of a thing; did you mean 'steps'?$"),
    "unknown": ({"zzz": 3}, "^zzz: unknown key of a thing; give one of "),
    "renamed": ({"stepps": 3}, "^stepps: is called steps now; rename it$"),
    "too small": ({"steps": 0}, "^steps: 0 is not a whole number of at least 1; it gives"),
    "text": ({"steps": "3"}, "^steps: 3 is not a whole number of at least 1; it gives"),
    "truth": ({"steps": True}, "^steps: true is not a whole number"),
    "too large": (
        {"rate": 1},
        "^rate: 1 is not a number above 0 and below 1; it gives the rate (per step; default 0.1)$",
    ),
    "not a number": ({"rate": math.nan}, "^rate: nan is not a number above 0"),
    "infinite": ({"share": math.inf}, "^share: inf is not a finite number"),
    "beyond": ({"steps": 2**70}, "^steps: 1180591620717411303424 is not a whole number"),
    "no list": ({"widths": 3}, "^widths: 3 is not a list of whole numbers of at least 1"),
    "an item": ({"widths": [3, 0]}, r"^widths[1]: 0 is not a whole number of at least 1"),
    "null": ({"on": None}, "^on: null is not true or false"),
    "unknown kind": ({"kind": "c"}, "^kind: unknown 'c'; give one of a, b$"),
    "unknown part": ({"parts": ["z"]}, "^parts[0]: unknown 'z'; give one of x, y$"),
    "in a mapping": ({"points": {"p": 1}}, "^points.p: 1 is not a whole number of at least 2"),
    "no mapping": ({"points": [1]}, "^points: [1] is not a mapping"),
    "no name": ({"points": {None: 3}}, "^points: null is no name; write it in quotes$"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_in_one_line(case):
    entry, line = REFUSED[case]
    with pytest.raises(InputError) as caught:
        values(Made, {"steps": 3} | entry if entry else {}, what="a thing")
    said = f"^{caught.value}$"
    assert "\n" not in said and line.removesuffix("$") in said, said


def test_an_entry_that_is_no_mapping_is_refused():
    with pytest.raises(InputError, match=r"^a thing: \[1\] is no mapping; give keys and values"):
        values(Made, [1], what="a thing")


def test_a_value_made_by_hand_is_held_to_its_keys():
    conform(Made("x", 3, widths=(1, 2)))
    with pytest.raises(InputError, match="^steps: 2.5 is not a whole number of at least 1"):
        conform(Made("x", 2.5))


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()))
def test_no_value_of_any_type_ends_in_another_error(value):
    for name in keys(Made):
        try:
            values(Made, {"steps": 3, name: value})
        except InputError as error:
            assert "\n" not in str(error)
        try:
            values(Made, {"steps": 3, name: [value], "points": {"p": value}})
        except InputError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "null"), (True, "true"), ((1, 2.0), "[1, 2]"), ("x", "x"), ("", "''"), (1e-9, "1e-09")],
)
def test_values_are_shown_as_a_file_has_them(value, said):
    assert shown(value) == said


def test_classes_may_be_there_in_part():
    assert Partly((Made,)) == (Made,)
