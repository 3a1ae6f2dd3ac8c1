"""Figures and the page of a comparison: all there, self-contained, traceable."""

import re

import numpy as np
import pytest

from koopscope.errors import InputError
from koopscope.own_runs.compare import compare_runs


@pytest.fixture(scope="module")
def found():
    def runs(rates, first):
        made = []
        for seed in range(first, first + 5):
            rng = np.random.default_rng(seed)
            modes = np.array(rates) ** np.arange(60)[:, None]
            states = modes @ rng.normal(1, 0.2, (5, 6))
            made.append(states + 1e-4 * rng.normal(size=states.shape))
        return made

    slow, fast = (0.99, 0.95, 0.9, 0.8, 0.6), (0.97, 0.9, 0.8, 0.6, 0.3)
    groups = {"slow <b> & co": runs(slow, 0), "fast": runs(fast, 100)}
    return compare_runs(groups, windows=30)


def test_figures_come_by_name_alone_or_together_and_are_saved(found, tmp_path):
    shown = found.plot()
    assert list(shown) == ["verdicts", "spectra", "distances", "residuals", "sensitivity"]
    assert list(found.plot("spectra")) == ["spectra"]
    assert shown._repr_html_().count("data:image/png;base64,") == 5
    found.plot("verdicts").save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["verdicts.pdf", "verdicts.png"]
    with pytest.raises(InputError, match="^plot: no 'loss'; give one of verdicts, spectra"):
        found.plot("loss")


def test_the_page_has_answer_figures_versions_and_nothing_from_elsewhere(found, tmp_path):
    found.report(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    at = [page.index(part) for part in ('class="answer"', "Parts of the runs", "<figure", "cite")]
    assert at == sorted(at)
    assert page.count("<figure") == page.count("<figcaption>") == 5
    assert not re.search(r"(src|href)=[\"'](?!data:|#)", page) and "@import" not in page
    for digest in found.provenance["inputs"].values():
        assert digest[:16] in page
    assert found.provenance["koopscope"] in page
    # Names are the user's, and no markup.
    assert "slow &lt;b&gt; &amp; co" in page and "slow <b>" not in page
    assert (tmp_path / "page.html.provenance.json").exists()


def test_without_other_ways_there_is_no_figure_of_them(found):
    bare = compare_runs(
        {
            "a": np.random.default_rng(0).normal(size=(4, 30, 3)).cumsum(1),
            "b": np.random.default_rng(1).normal(size=(4, 30, 3)).cumsum(1),
        },
        sensitivity=False,
    )
    assert "sensitivity" not in bare.plot()
    with pytest.raises(InputError, match="no 'sensitivity'"):
        bare.plot("sensitivity")


def test_a_notebook_shows_the_words(found):
    assert found._repr_html_().startswith("<pre>slow &lt;b&gt; &amp; co / fast: ")
