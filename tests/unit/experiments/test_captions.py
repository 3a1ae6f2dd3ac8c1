"""The report's two templates show what a run's captions say, and without them when that will be."""

from types import SimpleNamespace

import jinja2
import pytest
from fixtures.equivalence import optimisers_comparison, optimisers_curves
from fixtures.places import WORKFLOW
from fixtures.pruning import pruning_store
from fixtures.rendered import caption, html

from koopscope.experiments.captions import captions
from koopscope.experiments.summary import facts


@pytest.fixture(scope="module")
def sections():
    stores = {"comparison": optimisers_comparison(), "curves": optimisers_curves()}
    return {
        "studies": {"optimisers": facts("equivalence", stores)},
        "pruning": {"early": facts("pruning", {"pruning": pruning_store()})},
    }


def shown(template: str, config: dict, name: str = "optimisers", figure: str = "spectra") -> str:
    """HTML of a template of the report, made as Snakemake makes it."""
    environment = jinja2.Environment(
        trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    wildcards = SimpleNamespace(name=name, figure=figure)
    source = (WORKFLOW / "report" / f"{template}.rst").read_text()
    known = SimpleNamespace(config=config, wildcards=wildcards)
    return html(environment.from_string(source).render(snakemake=known))


@pytest.mark.parametrize("config", [{}, {"captions": None}, {"captions": {}}])
@pytest.mark.parametrize("template", ["caption", "workflow"])
def test_without_captions_it_is_said_what_writes_them(template, config):
    said = shown(template, config)
    assert "The numbers are written into" in said and "snakemake report" in said


def test_each_figure_has_the_caption_of_its_experiment_and_kind(sections):
    figures = {"optimisers": ["spectra", "verdict_table"], "early": ["overlap"]}
    config = {"captions": captions(sections, figures)}
    for section in sections.values():
        for name, found in section.items():
            for figure in figures[name]:
                assert shown("caption", config, name, figure) == caption(figure, found)
    assert "are written into" in shown("caption", config, "early", "fixed_points")


def test_the_opening_says_every_answer_and_what_every_kind_asks(sections):
    opening = " ".join(shown("workflow", {"captions": captions(sections, {})}).split())
    for section in sections.values():
        for found in section.values():
            answer = found["answer"]
            assert f"<strong>{found['question']}</strong> {answer['answer']}" in opening
            assert answer["number"] in opening
    assert opening.index('href="answers.html"') < opening.index(answer["answer"])
    assert opening.index(answer["answer"]) < opening.index("Pruning takes weights away.")
    assert "How to read the numbers:" in opening
