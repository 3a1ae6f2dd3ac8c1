"""A configuration is checked before anything else, and each error fits one line."""

import pytest

from koopscope.config import schema
from koopscope.errors import InputError

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["runs"],
    "properties": {
        "runs": {"type": "object", "additionalProperties": {"$ref": "#/$defs/run"}},
        "level": {"type": "number", "default": 0.05, "description": "the level of the test"},
        "part": {
            "type": "object",
            "default": {},
            "properties": {"threads": {"type": "integer", "default": 2}},
        },
    },
    "$defs": {
        "run": {
            "type": "object",
            "additionalProperties": False,
            "required": ["steps"],
            "properties": {
                "steps": {"type": "integer", "minimum": 1, "description": "the number of steps"},
                "rate": {"type": "number", "default": 0.1},
            },
        }
    },
}


def test_defaults_are_filled_in_at_every_depth_and_the_input_is_left_alone():
    given = {"runs": {"a": {"steps": 3}}}
    assert schema.check(given, SCHEMA) == {
        "runs": {"a": {"steps": 3, "rate": 0.1}},
        "level": 0.05,
        "part": {"threads": 2},
    }
    assert given == {"runs": {"a": {"steps": 3}}}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"runs": {"a": {"stps": 3}}}, ["runs.a.stps", "did you mean 'steps'"]),
        ({"runs": {}, "levle": 1}, ["levle", "did you mean 'level'"]),
        ({"runs": {}, "zzz": 1}, ["zzz", "known keys: runs, level, part"]),
        ({"runs": {"a": {"steps": 0}}}, ["runs.a.steps", "0", "the number of steps"]),
        ({"runs": {"a": {"steps": "3"}}}, ["runs.a.steps", "'3'", "integer"]),
        ({"runs": {"a": {}}}, ["runs.a", "'steps' is missing", "the number of steps"]),
        ({"runs": {}, "level": "high"}, ["level", "high", "the level of the test"]),
        ({}, ["runs", "missing"]),
    ],
)
def test_an_error_names_key_value_and_remedy_in_one_line(config, words):
    with pytest.raises(InputError) as error:
        schema.check(config, SCHEMA)
    line = str(error.value)
    assert "\n" not in line
    for word in words:
        assert word in line


def test_a_key_given_twice_is_refused_with_its_line(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("a: 1\nb: 2\na: 3\n")
    with pytest.raises(InputError, match="c.yaml: line 3: 'a' stands twice"):
        schema.load_yaml(path)


def test_merged_keys_may_be_replaced(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("base: &base {a: 1, b: 2}\nother: {<<: *base, a: 3}\n")
    assert schema.load_yaml(path)["other"] == {"a": 3, "b": 2}


def test_a_missing_file_and_broken_yaml_are_one_line_each(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        schema.load_yaml(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [1,\nb: }")
    with pytest.raises(InputError) as error:
        schema.load_yaml(tmp_path / "bad.yaml")
    assert "\n" not in str(error.value)
