"""Whatever stands at any key of a configuration, it is taken or refused in one line."""

import copy
import math

import pytest
from fixtures.places import ROOT

from koopscope.config import files
from koopscope.config.data import DataSpec
from koopscope.config.entries import keys
from koopscope.config.settings import SECTIONS
from koopscope.errors import InputError
from koopscope.experiments import registry

BASE = files.load(ROOT / "config/smoke.yaml")
BASE |= {name: BASE.get(name, {}) for name in SECTIONS}
INSIDE: list = []
INSIDE.append(INSIDE)
DEEP: list = []
for _ in range(3000):
    DEEP = [DEEP]
WRONG = {
    "nan": math.nan,
    "inf": math.inf,
    "list of nan": [math.nan],
    "mapping of inf": {"a": math.inf},
    "2**70": 2**70,
    "thousands of digits": 10**5000,
    "1e300": 1e300,
    "below single precision": 1e-320,
    "key of null": {None: 1},
    "key of a number": {12: {}},
    "bytes": b"x",
    "inside of itself": INSIDE,
    "3,000 levels": DEEP,
    "half a character": "\ud800",
    "a zero byte": "a\0b",
    "empty text": "",
}
ANY = {
    "null": None,
    "text": "abc",
    "two lines": "a\nb",
    "long": "x" * 300,
    "dots": "..",
    "brace": "{x}",
    "mapping": {"a": 1},
    "empty mapping": {},
    "list": [1, "a"],
    "empty list": [],
    "list of null": [None],
    "list of lists": [[1]],
    "list of truths": [True],
    "true": True,
    "1.0": 1.0,
    "-1": -1,
    "0": 0,
}
NAMES = (
    None,
    12,
    True,
    math.nan,
    (1, 2),
    "..",
    "",
    "a\nb",
    "x" * 300,
    "{x}",
    "a/b",
    " a",
    "\ud800",
)


def nodes(value, at=()):
    """Paths of all that stands in a configuration."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*at, key)
            yield from nodes(value[key], (*at, key))


def places():
    """Of all that stands in the smoke configuration, and of the keys that it leaves out."""
    yield from nodes(BASE)
    for name, cls in SECTIONS.items():
        yield from ((name, key) for key in keys(cls))
    for name in BASE["data"]:
        yield from (("data", name, key) for key in keys(DataSpec))
    for section, those in {**registry.sections(), "bases": [None]}.items():
        for name, entry in BASE[section].items():
            for kind in those:
                if kind is None or not kind.shares or entry["kind"] == kind.name:
                    of = kind or registry.kind_of("equivalence")
                    found = of.load("plan", "KEYS" if kind else "BASES")
                    for path, classes in found.items():
                        steps = path.replace("[]", ".*").split(".") if path else []
                        yield from inside((section, name), entry, steps, classes)


def inside(at, entry, steps, classes):
    if not steps:
        parts = classes if isinstance(classes, list) else [classes]
        yield from ((*at, key) for part in parts for cls in part for key in keys(cls))
    elif steps[0] == "*":
        for key in entry if isinstance(entry, dict) else range(len(entry or ())):
            yield from inside((*at, key), entry[key], steps[1:], classes)
    elif steps[0] in (entry or {}):
        yield from inside((*at, steps[0]), entry[steps[0]], steps[1:], classes)


PLACES = list(dict.fromkeys(places()))


def parent(config, at):
    for step in at[:-1]:
        config = config[step]
    return config


def read(config):
    """Whether it is taken; what is refused is one line."""
    try:
        registry.read(config)
    except InputError as error:
        said = str(error)
        assert len(said.splitlines()) == 1 and len(said) < 800, said
        return False
    return True


@pytest.mark.parametrize("name", WRONG)
def test_what_no_key_takes_is_refused_wherever_it_stands(name):
    taken = []
    for at in PLACES:
        config = copy.deepcopy(BASE)
        parent(config, at)[at[-1]] = WRONG[name]
        if read(config):
            taken.append(at)
    assert not taken


@pytest.mark.parametrize("name", ANY)
def test_any_value_at_any_key_is_taken_or_refused_in_one_line(name):
    taken = 0
    for at in PLACES:
        config = copy.deepcopy(BASE)
        parent(config, at)[at[-1]] = ANY[name]
        taken += read(config)
    assert taken < len(PLACES) / 4


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:9])
def test_what_is_no_name_is_refused_wherever_a_name_or_key_stands(name):
    named = [at for at in nodes(BASE) if isinstance(at[-1], str)]
    taken = []
    for at in named:
        config = copy.deepcopy(BASE)
        there = parent(config, at)
        there[name] = there.pop(at[-1])
        if read(config):
            taken.append(at)
    assert named and not taken
