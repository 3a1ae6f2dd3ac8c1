"""The schema and the tables of keys are made of what stands with the keys, and are up to date."""

import json
import re

import pytest
from fixtures.places import ROOT
from jsonschema import Draft202012Validator

from koopscope.config import files
from koopscope.config.entries import keys
from koopscope.errors import InputError
from koopscope.experiments.keys import filled, main, schema, tables

CONFIG = ROOT / "config"
SHIPPED = ("smoke", "config", "paper", "wide")


def test_schema_and_tables_are_up_to_date():
    """Otherwise: make keys."""
    assert json.loads((CONFIG / "config.schema.json").read_text()) == schema()
    page = (CONFIG / "README.md").read_text()
    assert filled(page) == page


def test_the_command_writes_both(tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text("# Keys\n\n<!-- keys: data -->\n<!-- end -->\n")
    monkeypatch.setattr("sys.argv", ["keys", str(tmp_path / "s.json"), str(tmp_path / "page.md")])
    main()
    main()
    assert json.loads((tmp_path / "s.json").read_text()) == schema()
    page = (tmp_path / "page.md").read_text()
    assert page.count("| `difficulty` | share in [0, 1)") == 1


@pytest.mark.parametrize("name", SHIPPED)
def test_the_schema_takes_what_is_shipped(name):
    Draft202012Validator.check_schema(schema())
    found = Draft202012Validator(schema()).iter_errors(files.load(CONFIG / f"{name}.yaml"))
    assert [error.message for error in found] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(studdies={}),
        lambda c: c["bases"]["small"]["network"].update(hiden=[3]),
        lambda c: c["bases"]["small"]["network"].update(steps=0),
        lambda c: c["studies"]["width"]["variants"].update(x={"activation": "rellu"}),
        lambda c: c["studies"]["width"].pop("question"),
        lambda c: c["monitor"]["layers"]["tasks"].update(x={"width": 0}),
        lambda c: c["monitor"]["poor_initialisations"].update(kind="sometimes"),
        lambda c: c["hsvr"].update(X=c["hsvr"].pop("depth")),
    ],
)
def test_the_schema_refuses_what_the_planner_refuses(change):
    config = files.load(CONFIG / "smoke.yaml")
    change(config)
    assert list(Draft202012Validator(schema()).iter_errors(config))


@pytest.mark.parametrize("table", tables())
def test_every_key_says_what_it_gives(table):
    classes = tables()[table]
    for part in classes if isinstance(classes, list) else [classes]:
        for cls in part:
            assert keys(cls)
            for name, field in keys(cls).items():
                assert field.key.gives and not field.key.gives.endswith("."), name
                assert "\n" not in field.said and len(field.said) < 160, (name, field.said)


def test_every_table_stands_on_the_page_but_those_that_others_hold():
    page = (CONFIG / "README.md").read_text()
    there = set(re.findall(r"<!-- keys: (\S+) -->", page))
    twice = {
        name for name in tables() if re.search(r"variants|sensitivity|^bases|^restart.runs", name)
    }
    assert there | twice == set(tables())


def test_an_unknown_table_is_refused():
    with pytest.raises(
        InputError, match="keys: unknown 'nothing'; give one of data, runs, training"
    ):
        filled("<!-- keys: nothing -->\n<!-- end -->\n")
