"""Tables of the page of findings, filled from a run's facts."""

import re

import pytest
import yaml
from fixtures.equivalence import widths_comparison, widths_curves
from fixtures.places import DOCS, ROOT
from fixtures.watching import asked

from koopscope.errors import InputError
from koopscope.experiments.findings import EVERYTHING, PLACE, TOGETHER, filled
from koopscope.experiments.registry import kind_of, read
from koopscope.experiments.summary import facts

PAGE = "Before.\n<!-- numbers: width pairs -->\nold\n<!-- end -->\nAfter.\n"


@pytest.fixture(scope="module")
def sections():
    stores = {"comparison": widths_comparison(), "curves": widths_curves()}
    return {"studies": {"width": facts("equivalence", stores)}}


def test_a_table_takes_the_place_of_the_old_one_and_nothing_else(sections):
    page = filled(PAGE, sections)
    assert page.startswith("Before.\n<!-- numbers: width pairs -->\n\n| pair |")
    assert page.endswith("|\n\n<!-- end -->\nAfter.\n")
    assert "old" not in page
    for pair in sections["studies"]["width"]["pairs"]:
        assert pair["name"] in page
    assert filled(page, sections) == page


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"width": "depth"}, "numbers: no experiment 'depth' in the run; it has width"),
        (
            {"pairs": "words"},
            "numbers: width has no part 'words'; give one of variants, pairs, t",
        ),
    ],
)
def test_a_place_that_nothing_can_fill_is_refused(sections, change, match):
    page = PAGE
    for old, new in change.items():
        page = page.replace(old, new)
    with pytest.raises(InputError, match=match):
        filled(page, sections)


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("findings*.md")))
def test_every_place_of_a_page_belongs_to_an_experiment_of_the_papers_scale(page):
    planned = read(yaml.safe_load((ROOT / "config/paper.yaml").read_text()))
    text = (DOCS / page).read_text()
    places = PLACE.findall(text)
    assert len(places) == len(re.findall("<!-- numbers:", text)) > 0
    for _, name, part, _ in places:
        if name == EVERYTHING:
            assert part in TOGETHER
        else:
            assert part in kind_of(planned[name].kind).load("summary", "TABLES")


def test_a_part_is_that_of_the_experiments_own_kind():
    asked_of = {kind: facts(kind, {kind: asked(kind)}) for kind in ("stopping", "restart")}
    for kind, other in (("stopping", "restart"), ("restart", "stopping")):
        page = f"<!-- numbers: {kind} against -->\n<!-- end -->\n"
        page = filled(page, {"monitor": asked_of})
        assert kind_of(kind).load("summary", "TABLES")["against"](asked_of[kind]) in page
        assert kind_of(other).load("summary", "TABLES")["against"](asked_of[other]) not in page
    with pytest.raises(InputError, match="numbers: restart has no part 'stops'; give one of "):
        filled(PAGE.replace("width pairs", "restart stops"), {"monitor": asked_of})
