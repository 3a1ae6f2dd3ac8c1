"""Spectra and residuals: every eigenvalue is drawn, and what cannot be trusted is marked."""

import numpy as np
import pytest
import xarray as xr
from fixtures.drawn import CASES, as_points, dots, draw, sorted_rows, texts
from fixtures.equivalence import widths_comparison
from matplotlib.collections import EllipseCollection
from matplotlib.patches import Rectangle
from scipy.optimize import linear_sum_assignment

from koopscope.compare.barycentre import matched_modes
from koopscope.errors import InputError
from koopscope.experiments.equivalence.figures.residuals import residuals
from koopscope.experiments.equivalence.figures.spectra import _free_corner, spectra
from koopscope.koopman.trust import RESIDUAL_LIMIT
from koopscope.report.datasets import samples_by_variant


@pytest.mark.parametrize("case", CASES)
def test_every_eigenvalue_of_every_seed_is_drawn_hollow_above_the_residual_limit(case):
    comparison = CASES[case]["comparison"]
    figure = draw("spectra", case)
    by_title = {a.get_title().split(" (")[0]: a for a in figure.axes if a.get_visible()}
    for name, at in samples_by_variant(comparison).items():
        values = comparison["eigenvalue"].values[at]
        poor = comparison["residual"].values[at] > RESIDUAL_LIMIT
        axes = by_title[name]
        np.testing.assert_array_equal(sorted_rows(dots(axes)), sorted_rows(as_points(values)))
        np.testing.assert_array_equal(
            sorted_rows(dots(axes, "hollow")), sorted_rows(as_points(values[poor]))
        )
        (crosses,) = (line for line in axes.lines if line.get_marker() == "x")
        np.testing.assert_array_equal(
            sorted_rows(crosses.get_xydata()), sorted_rows(as_points(values[poor]))
        )
    assert f"residual > {RESIDUAL_LIMIT:g}: spurious" in texts(figure)
    assert "residual unknown" not in texts(figure)


def test_eigenvalues_without_a_residual_are_hollow_and_not_crossed():
    comparison = CASES["widths"]["comparison"].copy(deep=True)
    comparison["residual"].values[:] = 1e-3
    comparison["residual"].values[0, 0] = np.nan
    figure = spectra(comparison)
    first = figure.axes[0]
    np.testing.assert_array_equal(
        dots(first, "hollow"), as_points(comparison["eigenvalue"].values[0, :1])
    )
    assert not any(len(x.get_xdata()) for x in first.lines if x.get_marker() == "x")
    assert "residual unknown" in texts(figure)


def test_refits_of_one_seed_lie_behind_the_points_of_their_variant():
    comparison = CASES["widths"]["comparison"]
    assert "refitted" not in texts(spectra(comparison))
    rng = np.random.default_rng(0)
    cloud = 0.9 + 0.01 * (rng.normal(size=(2, 30, 10)) + 1j * rng.normal(size=(2, 30, 10)))
    cloud[0, 3, 4] = np.nan
    some = comparison.assign(cloud=(("sample_cloud", "resample", "mode"), cloud))
    with pytest.raises(InputError, match="lacks cloud_variant"):
        spectra(some)
    some = some.assign_coords(cloud_variant=("sample_cloud", ["h5", "h40"]))
    figure = spectra(some)
    by_title = {a.get_title().split(" (")[0]: a for a in figure.axes if a.get_visible()}
    for name, values in (("h5", cloud[0]), ("h40", cloud[1]), ("h10", cloud[:0])):
        (points,) = (line for line in by_title[name].lines if line.get_marker() == ".")
        np.testing.assert_array_equal(points.get_xydata(), as_points(values))
    assert "one seed, refitted on resampled initialisations" in texts(figure)


def test_many_variants_repeat_the_means_of_the_reference_alone():
    names = tuple(f"v{i}" for i in range(25))
    comparison = widths_comparison(2, names, "v3").assign_attrs(reference="v3")
    figure = spectra(comparison)
    assert "means of the reference v3" in texts(figure)
    assert "means of" not in texts(spectra(comparison.assign_attrs(reference="")))
    assert figure.get_figwidth() < 14


def test_ellipses_are_drawn_for_many_seeds_and_not_for_one():
    def ellipses(case):
        return draw("spectra", case).findobj(EllipseCollection)

    assert len(ellipses("widths")) == 6  # three variants, each whole and zoomed
    assert not ellipses("optimisers")
    assert "no spread to show" in texts(draw("spectra", "optimisers"))


def test_ellipse_of_a_mode_is_the_gaussian_95_percent_region_of_the_seeds():
    rng = np.random.default_rng(5)
    values = (0.5 + 0.1 * rng.normal(size=400) + 0.02j * rng.normal(size=400))[:, None]
    comparison = CASES["widths"]["comparison"]
    one = xr.Dataset(
        {
            "eigenvalue": (("sample", "mode"), values),
            "residual": (("sample", "mode"), np.zeros((400, 1))),
        },
        coords={"variant": ("sample", np.full(400, "a")), "seed": ("sample", np.arange(400))},
        attrs=comparison.attrs,
    )
    (shape,) = spectra(one).findobj(EllipseCollection)
    np.testing.assert_allclose(shape.get_widths(), 2 * 2.4477 * values.real.std(), rtol=0.02)
    np.testing.assert_allclose(shape.get_heights(), 2 * 2.4477 * values.imag.std(), rtol=0.02)


def test_matching_finds_the_modes_whatever_their_order_and_number():
    rng = np.random.default_rng(0)
    true = np.array([0.9, 0.5 + 0.3j, 0.5 - 0.3j, 0.1])
    rows = np.stack([rng.permutation(true) + 0.001 * rng.normal(size=4) for _ in range(30)])
    rows[3, 0] = np.nan
    modes = matched_modes(rows)
    means = np.array([np.mean(mode) for mode in modes])
    gaps = np.abs(means[:, None] - true[None, :])
    assert gaps[linear_sum_assignment(gaps)].max() < 2e-3
    assert sorted(len(mode) for mode in modes) == [29, 30, 30, 30]
    assert matched_modes(np.full((2, 3), np.nan + 0j)) == []


def test_panels_hold_the_eigenvalues_next_to_one_and_an_inset_the_whole_circle():
    figure = draw("spectra", "widths")
    zooms = [a for a in figure.axes if a.child_axes]
    assert len(zooms) == 3
    assert all(a.get_xlim()[0] > 0.5 and a.get_xlim()[1] >= 1 for a in zooms)
    assert len({a.get_xlim() for a in zooms}) == 1
    for panel in zooms:
        (whole,) = panel.child_axes
        assert whole.get_xlim()[0] <= -1 and whole.get_xlim()[1] >= 1
        np.testing.assert_array_equal(sorted_rows(dots(whole)), sorted_rows(dots(panel)))
        (window,) = [p for p in whole.patches if isinstance(p, Rectangle)]
        np.testing.assert_allclose((window.get_x(), window.get_x() + window.get_width()),
                                   panel.get_xlim())  # fmt: skip


def test_the_inset_lies_where_the_fewest_eigenvalues_are():
    low = np.array([0.91 - 0.04j, 0.92 - 0.045j, 0.99 - 0.04j, 0.98 + 0.045j])
    corner = _free_corner(low, (0.9, -0.05, 0.1))
    assert corner[0] < 0.1 and corner[1] > 0.5


def test_eigenvalues_outside_the_view_are_counted():
    comparison = CASES["widths"]["comparison"].copy(deep=True)
    comparison["eigenvalue"].values[0, 0] = 50
    assert "1 outside, |λ| up to 50" in texts(spectra(comparison))


@pytest.mark.parametrize("case", CASES)
def test_residuals_stand_against_the_modulus(case):
    comparison = CASES[case]["comparison"]
    axes = draw("residuals", case).axes[0]
    for name, at in samples_by_variant(comparison).items():
        values, residual = comparison["eigenvalue"].values[at], comparison["residual"].values[at]
        exists = np.isfinite(values)
        expected = np.column_stack([np.abs(values[exists]), residual[exists]])
        np.testing.assert_allclose(dots(axes, f"{name} ("), expected)
    assert axes.get_yscale() == "log"


def test_residuals_of_zero_are_drawn_and_counted():
    comparison = CASES["optimisers"]["comparison"].copy(deep=True)
    comparison["residual"].values[0, 0] = 0
    figure = residuals(comparison)
    assert "1 residuals are 0" in texts(figure)
    assert (dots(figure.axes[0])[:, 1] > 0).all()
