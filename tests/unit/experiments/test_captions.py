"""The report's two templates show what a run's captions say, and without them when that will be."""

import re
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
    figures = {"optimisers": ["spectra", "verdict_table"], "early": ["overlap", "kept_by_layer"]}
    config = {"captions": captions(sections, figures)}
    for section in sections.values():
        for name, found in section.items():
            for figure in figures[name]:
                said, own = shown("caption", config, name, figure), caption(figure, found)
                first = figure in ("verdict_table", "overlap")
                assert (own in said and own != said) if first else own == said
    assert "are written into" in shown("caption", config, "early", "fixed_points")


def test_the_first_figure_has_the_answer_and_what_its_kind_asks(sections):
    config = {"captions": captions(sections, {"early": ["fixed_points", "overlap"]})}
    said = " ".join(shown("caption", config, "early", "overlap").split())
    answer = sections["pruning"]["early"]["answer"]
    assert said.index(answer["answer"]) < said.index(answer["number"])
    assert said.index(answer["number"]) < said.index("Pruning takes weights away.")


def test_the_opening_fits_a_window_and_leads_to_the_answers(sections):
    opening = shown("workflow", {"captions": captions(sections, {}, "config/a_b.yaml")})
    words = " ".join(re.sub("<[^>]*>", " ", opening).split())
    assert words.startswith("2 questions of config/a_b.yaml.") and len(words.split()) < 60
    assert opening.index('href="answers.html"') < opening.index('href="summary.md"')
