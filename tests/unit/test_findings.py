"""Tables of the page of findings, filled from a run's facts."""

import re
from pathlib import Path

import pytest
import yaml
from builders import widths_comparison, widths_curves

from koopscope.errors import InputError
from koopscope.summary import facts, hsvr, monitor, pruning, sobolev
from koopscope.summary.findings import PARTS, PLACE, filled

ROOT = Path(__file__).parents[2]
PAGE = "Before.\n<!-- numbers: width pairs -->\nold\n<!-- end -->\nAfter.\n"


@pytest.fixture(scope="module")
def studies():
    return {"width": facts(widths_comparison(), widths_curves())}


def test_a_table_takes_the_place_of_the_old_one_and_nothing_else(studies):
    page = filled(PAGE, studies)
    assert page.startswith("Before.\n<!-- numbers: width pairs -->\n\n| pair |")
    assert page.endswith("|\n\n<!-- end -->\nAfter.\n")
    assert "old" not in page
    for pair in studies["width"]["pairs"]:
        assert pair["name"] in page
    assert filled(page, studies) == page


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"width": "depth"}, "numbers: no study 'depth' in the run; it has width"),
        ({"pairs": "words"}, "numbers: unknown part 'words'; give one of pairs, clocks"),
    ],
)
def test_a_place_that_nothing_can_fill_is_refused(studies, change, match):
    page = PAGE
    for old, new in change.items():
        page = page.replace(old, new)
    with pytest.raises(InputError, match=match):
        filled(page, studies)


def test_every_place_of_the_page_belongs_to_a_study_of_the_papers_scale():
    names = set(yaml.safe_load((ROOT / "config/paper.yaml").read_text())["studies"])
    places = PLACE.findall((ROOT / "docs/findings.md").read_text())
    assert len(places) == len(re.findall("<!-- numbers:", (ROOT / "docs/findings.md").read_text()))
    for _, study, part, _ in places:
        assert study in names
        assert part in PARTS


def test_no_two_sections_have_a_part_of_one_name():
    sections = (hsvr.TABLES, monitor.TABLES, pruning.TABLES, sobolev.TABLES)
    assert len(set().union(*sections)) == sum(map(len, sections))
    assert set().union(*sections) < set(PARTS)
