"""The page on which eigenvalues can be pointed at."""

import json
import re

import numpy as np
import pytest
from fixtures.equivalence import optimisers_comparison, widths_comparison

from koopscope.experiments.equivalence.figures.page import every_eigenvalue
from koopscope.report.hover import Series, plane_page
from koopscope.report.style import looks

GIVEN = re.compile(r'<script id="given" type="application/json">(.*?)</script>', re.S)


def given(page):
    (found,) = GIVEN.findall(page)
    return json.loads(found)


@pytest.fixture(params=[widths_comparison, optimisers_comparison])
def comparison(request):
    store = request.param()
    if "amplitude" not in store:
        store["amplitude"] = abs(store["eigenvalue"]) / 3
    return store


def test_every_eigenvalue_of_a_comparison_is_on_the_page(comparison):
    found = given(every_eigenvalue(comparison))
    on_page = {
        (series["name"], seed, complex(x, y), residual, amplitude)
        for series in found["series"]
        for x, y, residual, amplitude, seed in series["points"]
    }

    def short(value):
        return float(f"{value:.6g}") if np.isfinite(value) else None

    expected = {
        (
            str(sample["variant"].item()),
            sample["seed"].item(),
            complex(short(mode["eigenvalue"].item().real), short(mode["eigenvalue"].item().imag)),
            short(mode["residual"].item()),
            short(mode["amplitude"].item()),
        )
        for _, sample in comparison.groupby("sample")
        for sample in [sample.squeeze("sample")]
        for mode in (sample.isel(mode=i) for i in range(sample.sizes["mode"]))
        if np.isfinite(mode["eigenvalue"].item())
    }
    assert on_page == expected


def test_it_shows_all_and_begins_where_eigenvalues_crowd(comparison):
    found = given(every_eigenvalue(comparison))
    values = comparison["eigenvalue"].values
    assert found["whole"] >= np.abs(values[np.isfinite(values)]).max()
    assert found["least"] <= found["first"] <= found["whole"]


def test_it_loads_nothing_and_names_nothing_elsewhere(comparison):
    page = every_eigenvalue(comparison)
    assert not re.search(r"<(script|link|img)[^>]*\s(src|href)=", page)
    assert "sourceMappingURL" not in page
    assert "Released under the MIT License" in page


def test_ten_thousand_eigenvalues_stay_below_a_megabyte():
    rng = np.random.default_rng(0)
    shape = (1000, 10)
    value = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    (look,) = looks(["a"]).values()
    series = Series("a", look, value, rng.random(shape), rng.random(shape), np.arange(1000))
    assert len(plane_page("which?", [series], 5, 1).encode()) < 1e6


def test_a_name_cannot_end_the_script():
    (look,) = looks(["a"]).values()
    one = np.ones((1, 1))
    series = Series("</script><b>", look, one + 0j, one * np.nan, one, np.array([3]))
    page = plane_page("a < b", [series], 1.05, 0.5)
    assert "</script><b>" not in page and "<h1>a &lt; b</h1>" in page
    assert given(page)["series"][0]["name"] == "</script><b>"
    assert given(page)["series"][0]["points"] == [[1, 0, None, 1, 3]]
