"""The list of kinds: what it reads off a kind's folder, and what it refuses in one line."""

import re

import pytest
from fixtures.places import ROOT

from koopscope.artefacts.names import named
from koopscope.config.files import load
from koopscope.errors import InputError
from koopscope.experiments import registry
from koopscope.experiments.registry import KINDS, Kind, check, kind_of, read, sections

FIGURES = """
from koopscope.report.style import reported

@reported("2 second", of="new")
def second(found): ...

@reported("1 first", of="new", when="wanted")
def first(found): ...

def no_figure(found): ...
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A kind ``new`` with two figures, captions for all that it shows, and an answer."""
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    (tmp_path / "new" / "captions").mkdir(parents=True)
    (tmp_path / "new" / "figures.py").write_text(FIGURES)
    for name in ("about", "first", "second"):
        (tmp_path / "new" / "captions" / f"{name}.rst").write_text("Words.\n")
    (tmp_path / "new" / "answer.py").write_text('FIGURES = ("second",)\n')
    return tmp_path / "new"


def refused(match, call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    assert re.search(match, str(caught.value)), str(caught.value)


def test_figures_are_read_off_their_marks_in_the_order_of_their_labels(folder):
    check([Kind("new", "news")])
    shown = Kind("new", "news").shown
    assert [(s.name, s.label, s.of, s.when, s.folder) for s in shown] == [
        ("first", "1 first", "new", "wanted", "wanted"),
        ("second", "2 second", "new", "", "new"),
    ]
    assert shown[0].function == "koopscope.experiments.new.figures:first"


def test_a_kind_without_figures_is_refused(folder):
    (folder / "figures.py").write_text("def no_figure(found): ...\n")
    refused("^experiments.new: no figure; mark at least one", check, [Kind("new", "news")])
    (folder / "figures.py").unlink()
    refused("^experiments.new: no figure", check, [Kind("new", "news")])


@pytest.mark.parametrize(
    ("name", "what"),
    [("second", "no caption of second"), ("about", "no paragraph about it")],
)
def test_a_figure_without_a_caption_is_refused(folder, name, what):
    (folder / "captions" / f"{name}.rst").unlink()
    match = f"^experiments.new: {what}; write new/captions/{name}.rst"
    refused(match, check, [Kind("new", "news")])


def test_a_kind_that_gives_no_answer_is_refused(folder):
    for there in (
        lambda: (folder / "answer.py").write_text("x = 1\n"),
        (folder / "answer.py").unlink,
    ):
        there()
        match = r"^experiments.new: no answer; write new/answer.py with `answer\(facts\)` and the"
        refused(match, check, [Kind("new", "news")])


def test_an_answer_that_names_another_figure_is_refused(folder):
    (folder / "answer.py").write_text('FIGURES = ("secnd",)\n')
    match = "^experiments.new.answer.FIGURES: unknown 'secnd'; give one of first, second"
    refused(match, check, [Kind("new", "news")])


def test_two_kinds_that_claim_a_section_are_refused():
    both = [Kind("a", "news"), Kind("b", "news", shares=True)]
    refused("^experiments: a and b claim the section 'news'; give each", sections, both)
    shared = [Kind("a", "news", shares=True), Kind("b", "news", shares=True)]
    assert sections(shared) == {"news": shared}


def test_an_unknown_kind_is_refused():
    refused("^kind: unknown 'stoping'; give one of equivalence, ", kind_of, "stoping")
    config = {"data": {}, "monitor": {"one": {"kind": "stoping"}}}
    refused("^monitor.one.kind: unknown 'stoping'; give one of stopping, restart", read, config)


def test_a_name_that_two_sections_have_is_refused():
    config = load(ROOT / "config/smoke.yaml")
    (name,), (entry,) = config["hsvr"], config["sobolev"].values()
    config["sobolev"][name] = entry
    refused(f"^sobolev.{name}: hsvr.{name} has this name too; rename one of them", read, config)


def test_the_list_can_be_reported_and_no_store_has_two_kinds():
    check()
    assert len(sections()) == len({kind.section for kind in KINDS})
    stores = [store for kind in KINDS for store in kind.stores]
    assert len(stores) == len(set(stores))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_the_list_names_is_there(kind):
    for shown in kind.shown:
        assert shown.of in kind.stores
        assert callable(named(shown.function))
        assert named(shown.function).__name__ == shown.name
    assert {path.stem for path in kind.captions} >= {s.name for s in kind.shown if not s.page}
    parts = (
        ("plan", "from_config"),
        ("summary", "facts"),
        ("summary", "text"),
        ("answer", "answer"),
    )
    for part, attribute in parts:
        assert callable(kind.load(part, attribute))
    for store in kind.stores if kind.job else ():
        assert callable(kind.load("plan", "from_dict"))
        assert callable(named(f"{kind.runs(store)}:run"))
    assert all(callable(table) for table in kind.load("summary", "TABLES").values())
