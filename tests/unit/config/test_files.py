"""Configuration files are read as people write them, and each error fits one line."""

import math

import pytest

from koopscope.config.files import as_written, load, main
from koopscope.errors import InputError


def read(tmp_path, text, name="c.yaml"):
    (tmp_path / name).write_text(text)
    return load(tmp_path / name)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        ("-.5", -0.5),
        ("3.", 3.0),
        (".inf", math.inf),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("-7", -7),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        # Of YAML 1.1 numbers, truth values and dates; of 1.2 texts.
        ("2:00", "2:00"),
        ("1_000", "1_000"),
        ("on", "on"),
        ("yes", "yes"),
        ("2020-01-01", "2020-01-01"),
        ("'1e-3'", "1e-3"),
    ],
)
def test_values_are_those_of_yaml_1_2(tmp_path, written, meant):
    found = read(tmp_path, f"a: {written}\n")["a"]
    assert found == meant and type(found) is type(meant)


def test_a_key_given_twice_is_refused_with_its_line(tmp_path):
    with pytest.raises(InputError, match="c.yaml: line 3: 'a' stands twice"):
        read(tmp_path, "a: 1\nb: 2\na: 3\n")


def test_merged_keys_may_be_replaced(tmp_path):
    found = read(tmp_path, "base: &base {a: 1, b: 2}\nother: {<<: *base, a: 3}\n")
    assert found["other"] == {"a": 3, "b": 2}


def test_json_is_read_too(tmp_path):
    assert read(tmp_path, '{"a": [1, 2.5, null]}', "c.json") == {"a": [1, 2.5, None]}


@pytest.mark.parametrize(("name", "text"), [("c.yaml", "a: [1,\nb: }"), ("c.json", "{")])
def test_a_broken_file_is_one_line_that_names_it(tmp_path, name, text):
    with pytest.raises(InputError, match=f"{name}: ") as error:
        read(tmp_path, text, name)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="none.yaml: no such file"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: !!timestamp x", "line 1: a value that is written as timestamp is none"),
        ("a: 1\nb: " + "9" * 5000, "line 2: a value that is written as int is none"),
        ("? {a: 1}\n: 2", "line 1: a list or mapping is no key"),
        ("a: 1\n---\nb: 2", "line 2: expected a single document"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path, text, said):
    with pytest.raises(InputError, match=f"c.yaml: {said}"):
        read(tmp_path, text)


def test_a_key_given_twice_in_json_is_refused(tmp_path):
    with pytest.raises(InputError, match="c.json: 'a' stands twice"):
        read(tmp_path, '{"a": 1, "a": 2}', "c.json")


def test_a_mark_of_utf_8_is_no_part_of_the_text(tmp_path):
    (tmp_path / "c.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert load(tmp_path / "c.yaml") == {"a": 1}


def test_texts_of_a_command_line_are_read_as_those_of_a_file():
    given = {"a": "1e-3", "b": ["2", "x"], "c": {"d": "true"}, "e": 5}
    assert as_written(given) == {"a": 0.001, "b": [2, "x"], "c": {"d": True}, "e": 5}


def test_the_command_says_in_one_line_what_cannot_be_read(tmp_path, monkeypatch):
    (tmp_path / "c.yaml").write_text("a: [1")
    monkeypatch.setattr("sys.argv", ["files", str(tmp_path / "c.yaml")])
    with pytest.raises(SystemExit, match="^Error: .*c.yaml: line 1: "):
        main()
