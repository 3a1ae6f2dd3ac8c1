"""The figures draw the data that they are given, and say what they cannot show."""

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import EllipseCollection, LineCollection, PathCollection
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment

from koopscope.errors import InputError
from koopscope.figures import FIGURES, save
from koopscope.figures.spectra import matched_modes
from koopscope.summary import RESIDUAL_LIMIT, samples_by_variant

REFERENCE = {
    "omd": [
        0.55814,
        0.56513,
        0.79254,
        0.80117,
        0.92458,
        0.93197,
        0.97988,
        0.98379,
        0.99644,
        0.9979,
    ],
    "ogd": [
        0.55551,
        0.57102,
        0.79991,
        0.81756,
        0.93482,
        0.94882,
        0.98665,
        0.99368,
        0.99856,
        1.00048,
    ],
    "bisection": [
        *(-0.20703 + 0.23192j, -0.20703 - 0.23192j, 0.17922 + 0.46644j, 0.17922 - 0.46644j),
        *(0.43982, 1.0),
    ],
}


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """1-Wasserstein distance of uniform spectra; unequal sizes by repeating to a common size."""
    size = np.lcm(len(a), len(b))
    gaps = np.abs(np.repeat(a, size // len(a))[:, None] - np.repeat(b, size // len(b))[None, :])
    return float(gaps[linear_sum_assignment(gaps)].mean())


def a_comparison(
    spectra: dict[str, list[np.ndarray]],
    residuals: dict[str, list[np.ndarray]],
    pairs: list[tuple[str, str, str, str]],
    study: str,
    question: str,
) -> xr.Dataset:
    """A comparison store of these spectra (seeds of each variant) with honest statistics."""
    flat = [(name, row) for name, rows in spectra.items() for row in rows]
    modes = max(len(row) for _, row in flat)
    eigenvalue = np.full((len(flat), modes), np.nan + 0j)
    residual = np.full((len(flat), modes), np.nan)
    for i, (_, row) in enumerate(flat):
        eigenvalue[i, : len(row)] = row
    for i, row in enumerate(row for rows in residuals.values() for row in rows):
        residual[i, : len(row)] = row
    distance = np.zeros((len(flat), len(flat)))
    for i, (_, a) in enumerate(flat):
        for j, (_, b) in enumerate(flat[:i]):
            distance[i, j] = distance[j, i] = wasserstein(a, b)
    variant = np.array([name for name, _ in flat])
    seed = np.concatenate([np.arange(len(rows)) for rows in spectra.values()])
    judged = [_judge(distance, variant == a, variant == b) for a, b, _, _ in pairs]
    columns = {name: ("pair", [row[name] for row in judged]) for name in judged[0]}
    return xr.Dataset(
        {
            "eigenvalue": (("sample", "mode"), eigenvalue),
            "residual": (("sample", "mode"), residual),
            "amplitude": (("sample", "mode"), np.abs(eigenvalue)),
            "runs_used": ("sample", np.full(len(flat), 10)),
            "distance": (("sample", "other"), distance),
            **columns,
        },
        coords={
            "variant": ("sample", variant.astype(object)),
            "seed": ("sample", seed),
            "first": ("pair", np.array([p[0] for p in pairs], dtype=object)),
            "second": ("pair", np.array([p[1] for p in pairs], dtype=object)),
            "expected": ("pair", np.array([p[2] for p in pairs], dtype=object)),
            "because": ("pair", np.array([p[3] for p in pairs], dtype=object)),
        },
        attrs={
            "study": study,
            "question": question,
            "alpha": 0.05,
            "permutations": 199,
            "bootstrap": 200,
        },
    )


def _judge(distance: np.ndarray, first: np.ndarray, second: np.ndarray) -> dict[str, object]:
    rng = np.random.default_rng(1)
    a, b = np.flatnonzero(first), np.flatnonzero(second)

    def parts(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
        inner = [distance[np.ix_(x, x)].sum() / (len(x) * (len(x) - 1)) for x in (a, b)]
        return distance[np.ix_(a, b)].mean(), float(np.mean(inner))

    seeds = {"seeds_first": len(a), "seeds_second": len(b), "swapped_pair_p": 1.0}
    if min(len(a), len(b)) < 2:
        nothing = dict.fromkeys(
            ("within", "effect", "effect_low", "effect_high", "statistic", "p_value"), np.nan
        )
        between = distance[np.ix_(a, b)].mean()
        return {"between": between, **nothing, "verdict": "too few seeds", **seeds}
    between, within = parts(a, b)
    both = np.concatenate([a, b])
    shuffled = [parts(*np.split(rng.permutation(both), [len(a)])) for _ in range(199)]
    p = (1 + sum(x - y >= between - within for x, y in shuffled)) / 200
    again = [
        (np.unique(rng.choice(a, len(a))), np.unique(rng.choice(b, len(b)))) for _ in range(200)
    ]
    drawn = [parts(*draw) for draw in again if min(map(len, draw)) > 1]
    low, high = np.quantile([x / y for x, y in drawn], (0.025, 0.975))
    return {
        "between": between,
        "within": within,
        "effect": between / within,
        "effect_low": low,
        "effect_high": high,
        "statistic": 2 * (between - within),
        "p_value": p,
        "verdict": "distinguished" if p <= 0.05 else "not distinguished",
        **seeds,
    }


def width_spectra(
    seeds: int, widths: tuple[str, ...] = ("h5", "h10", "h40")
) -> dict[str, list[np.ndarray]]:
    """Ten eigenvalues a seed: four real ones, and three pairs that turn more when narrow."""
    rng = np.random.default_rng(0)
    spectra = {}
    for i, name in enumerate(widths):
        loose = (2.5, 1.0, 1.0, 0.8, 0.6)[i % 5]
        rows = []
        for _ in range(seeds):
            real = 1 - loose * np.array([0.0, 0.004, 0.02, 0.06]) - 0.004 * loose * rng.random(4)
            angle = np.array([0.03, 0.08, 0.2]) * loose + 0.01 * rng.normal(size=3)
            turning = (0.995 - 0.03 * loose * rng.random(3)) * np.exp(1j * angle)
            rows.append(np.concatenate([real, turning, turning.conj()]))
        spectra[name] = rows
    return spectra


def widths_comparison(seeds: int = 25, widths: tuple[str, ...] = ("h5", "h10", "h40")):
    spectra = width_spectra(seeds, widths)
    rng = np.random.default_rng(2)
    residuals = {
        name: [10 ** rng.uniform(-3.5, -0.6, len(row)) for row in rows]
        for name, rows in spectra.items()
    }
    pairs = [
        (a, b, "different" if a == "h5" else "open", "the paper's headline" if a == "h5" else "")
        for i, a in enumerate(widths)
        for b in widths[i + 1 :]
    ]
    return a_comparison(
        spectra, residuals, pairs, "width", "Do narrow and wide networks train alike?"
    )


def widths_curves(seeds: int = 25, widths: tuple[str, ...] = ("h5", "h10", "h40")) -> xr.Dataset:
    rng = np.random.default_rng(3)
    step, evaluation = np.arange(1001), np.arange(0, 1001, 100)
    variant = np.repeat(widths, seeds)
    level = np.repeat(np.linspace(0.5, 0.2, len(widths)), seeds)[:, None]
    loss = level + 2.1 * np.exp(-step / 150) + 0.05 * rng.random((len(variant), 1001))
    accuracy = 0.96 - 0.3 * level - 0.75 * np.exp(-evaluation / 120)
    accuracy = accuracy + 0.01 * rng.normal(size=accuracy.shape)
    # The first variant was trained for half the steps; two of its runs diverged.
    loss[:seeds, 501:], accuracy[:seeds, 6:] = np.nan, np.nan
    diverged = np.zeros(len(variant), dtype=int)
    diverged[0] = 2
    return xr.Dataset(
        {
            "loss": (("sample", "step"), loss),
            "accuracy": (("sample", "evaluation"), accuracy),
            "diverged": ("sample", diverged),
        },
        coords={
            "variant": ("sample", variant.astype(object)),
            "seed": ("sample", np.tile(np.arange(seeds), len(widths))),
            "step": step,
            "evaluation_step": ("evaluation", evaluation),
        },
        attrs={
            "study": "width",
            "question": "Do narrow and wide networks train alike?",
            "loss_name": "negative log-likelihood",
            "initialisations": 10,
        },
    )


def optimisers_comparison() -> xr.Dataset:
    """One seed a variant, ten, ten and six eigenvalues: the online optimisers."""
    spectra = {name: [np.array(values, dtype=complex)] for name, values in REFERENCE.items()}
    residuals = {name: [np.geomspace(1e-9, 1e-2, len(v[0]))] for name, v in spectra.items()}
    residuals["bisection"][0][-1] = 0.4
    return a_comparison(
        spectra,
        residuals,
        [
            ("omd", "ogd", "equivalent", "conjugate by x = exp(u)"),
            ("ogd", "bisection", "different", "the paper's statement"),
            ("omd", "bisection", "different", "the paper's statement"),
        ],
        "optimisers",
        "Do spectra tell mirror descent, gradient descent and bisection apart as theory says?",
    )


def optimisers_curves() -> xr.Dataset:
    step = np.arange(100)
    loss = np.stack([1.5 * np.exp(-step / 25), 1.5 * np.exp(-step / 30), -0.8 * 0.5**step])
    return xr.Dataset(
        {"loss": (("sample", "step"), loss), "diverged": ("sample", [0, 0, 0])},
        coords={
            "variant": ("sample", np.array(list(REFERENCE), dtype=object)),
            "seed": ("sample", [0, 0, 0]),
            "step": step,
        },
        attrs={
            "study": "optimisers",
            "question": "Do spectra tell the optimisers apart as theory says?",
            "loss_name": "f(x)",
            "initialisations": 25,
        },
    )


CASES = {
    "widths": (widths_comparison(), widths_curves()),
    "optimisers": (optimisers_comparison(), optimisers_curves()),
}


def draw(name: str, case: str) -> Figure:
    function, source = FIGURES[name]
    comparison, curves = CASES[case]
    return function(comparison if source == "comparison" else curves)


def texts(figure: Figure) -> str:
    found = [text.get_text() for text in figure.findobj(mpl.text.Text)]
    return "\n".join(found)


def dots(axes, only: str = "") -> np.ndarray:
    found = [
        c.get_offsets().data
        for c in axes.collections
        if isinstance(c, PathCollection) and only in str(c.get_label())
    ]
    return np.concatenate([np.asarray(x).reshape(-1, 2) for x in found])


def as_points(values: np.ndarray) -> np.ndarray:
    values = values[np.isfinite(values)]
    return np.column_stack([values.real, values.imag])


def sorted_rows(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(points.T)]


@pytest.mark.parametrize("case", CASES)
def test_every_eigenvalue_of_every_seed_is_drawn_hollow_above_the_residual_limit(case):
    comparison = CASES[case][0]
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
    assert f"residual > {RESIDUAL_LIMIT:g} or unknown" in texts(figure)


def test_ellipses_are_drawn_for_many_seeds_and_not_for_one():
    def ellipses(case):
        return draw("spectra", case).findobj(EllipseCollection)

    assert len(ellipses("widths")) == 6  # three variants, each whole and zoomed
    assert not ellipses("optimisers")
    assert "no spread to show" in texts(draw("spectra", "optimisers"))


def test_ellipse_of_a_mode_is_the_gaussian_95_percent_region_of_the_seeds():
    rng = np.random.default_rng(5)
    values = (0.5 + 0.1 * rng.normal(size=400) + 0.02j * rng.normal(size=400))[:, None]
    comparison = CASES["widths"][0]
    one = xr.Dataset(
        {
            "eigenvalue": (("sample", "mode"), values),
            "residual": (("sample", "mode"), np.zeros((400, 1))),
        },
        coords={"variant": ("sample", np.full(400, "a")), "seed": ("sample", np.arange(400))},
        attrs=comparison.attrs,
    )
    (shape,) = FIGURES["spectra"][0](one).findobj(EllipseCollection)
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


def test_zoom_holds_the_eigenvalues_next_to_one():
    figure = draw("spectra", "widths")
    zooms = [a for a in figure.axes if a.get_title().startswith("zoom")]
    assert len(zooms) == 3
    assert all(a.get_xlim()[0] > 0.5 and a.get_xlim()[1] >= 1 for a in zooms)
    assert len({a.get_xlim() for a in zooms}) == 1


def test_eigenvalues_outside_the_view_are_counted():
    comparison = CASES["widths"][0].copy(deep=True)
    comparison["eigenvalue"].values[0, 0] = 50
    assert "1 outside, |λ| up to 50" in texts(FIGURES["spectra"][0](comparison))


@pytest.mark.parametrize("case", CASES)
def test_residuals_stand_against_the_modulus(case):
    comparison = CASES[case][0]
    axes = draw("residuals", case).axes[0]
    for name, at in samples_by_variant(comparison).items():
        values, residual = comparison["eigenvalue"].values[at], comparison["residual"].values[at]
        exists = np.isfinite(values)
        expected = np.column_stack([np.abs(values[exists]), residual[exists]])
        np.testing.assert_allclose(dots(axes, f"{name} ("), expected)
    assert axes.get_yscale() == "log"


def test_residuals_of_zero_are_drawn_and_counted():
    comparison = CASES["optimisers"][0].copy(deep=True)
    comparison["residual"].values[0, 0] = 0
    figure = FIGURES["residuals"][0](comparison)
    assert "1 residuals are 0" in texts(figure)
    assert (dots(figure.axes[0])[:, 1] > 0).all()


def test_training_shows_median_band_and_diverged_runs():
    curves = CASES["widths"][1]
    figure = draw("training", "widths")
    loss, accuracy = figure.axes
    assert loss.get_yscale() == "log" and loss.get_ylabel() == "negative log-likelihood"
    for i, name in enumerate(("h5", "h10", "h40")):
        values = curves["loss"].values[curves["variant"].values == name]
        known = np.isfinite(values).all(axis=0)
        line = loss.lines[i].get_ydata()
        np.testing.assert_allclose(line[known], np.median(values[:, known], axis=0))
        assert np.isnan(line[~known]).all()
        band = loss.collections[i].get_paths()[0].vertices[:, 1]
        low, high = np.quantile(values[:, known], (0.05, 0.95), axis=0)
        np.testing.assert_allclose([band.min(), band.max()], [low.min(), high.max()])
    assert len(accuracy.lines) == 3
    assert "h5 (25 seeds; 2 of 250 runs diverged)" in texts(figure)


def test_training_of_optimisers_has_one_panel_and_says_that_there_is_no_band():
    figure = draw("training", "optimisers")
    (axes,) = figure.axes
    assert axes.get_yscale() == "linear"  # f(x) is negative for the bisection
    assert not axes.collections and "no band" in texts(figure)


@pytest.mark.parametrize("case", CASES)
def test_heat_map_holds_the_distances_ordered_by_variant_and_seed(case):
    comparison = CASES[case][0]
    shuffled = comparison.copy(deep=True)
    order = np.arange(comparison.sizes["sample"])
    if case == "widths":
        order[:25] = order[:25][::-1]
    shuffled = comparison.isel(sample=order, other=order)
    mesh = FIGURES["distances"][0](shuffled).axes[0].collections[0]
    np.testing.assert_array_equal(mesh.get_array().ravel(), comparison["distance"].values.ravel())


@pytest.mark.parametrize("case", CASES)
def test_distributions_hold_the_distances_within_and_between(case):
    comparison = CASES[case][0]
    axes = draw("distances", case).axes[1]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    groups = samples_by_variant(comparison)
    names = list(groups)
    assert labels[:3] == [f"within {name}" for name in names]
    a, b = (groups[name] for name in names[:2])
    if case == "optimisers":
        row = [x for x, y in dots(axes) if round(y) == 3]
        np.testing.assert_allclose(
            row, [wasserstein(*map(np.array, (REFERENCE["omd"], REFERENCE["ogd"])))]
        )
        assert "one seed: no two to compare" in texts(axes.figure)
    else:
        inner = comparison["distance"].values[np.ix_(a, a)][np.triu_indices(25, 1)]
        row = [x for x, y in dots(axes) if round(y) == 0]
        np.testing.assert_allclose(np.sort(row), np.sort(inner))


def test_forest_draws_each_effect_with_its_interval():
    comparison = CASES["widths"][0]
    forest, _ = draw("verdicts", "widths").axes
    spans = [c.get_segments()[0][:, 0] for c in forest.collections if isinstance(c, LineCollection)]
    ends = np.column_stack([comparison["effect_low"], comparison["effect_high"]])
    np.testing.assert_allclose(spans, ends)
    points = [line.get_xdata()[0] for line in forest.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points, comparison["effect"])
    assert any(np.array_equal(line.get_xdata(), [1, 1]) for line in forest.lines)


def test_forest_says_verdict_p_and_whether_it_was_expected():
    comparison = CASES["widths"][0].copy(deep=True)
    comparison["expected"].values[1] = "equivalent"
    said = texts(FIGURES["verdicts"][0](comparison))
    assert f"{float(comparison['p_value'][0]):.2g}" in said
    assert "distinguished: ✓ as expected" in said
    assert "not distinguished: ✗ not as expected" in said
    assert "equivalent" not in said and "prove" not in said


def test_forest_of_one_seed_shows_distances_and_no_effect():
    said = texts(draw("verdicts", "optimisers"))
    assert said.count("effect unknown: too few seeds") == 3
    assert "0.00807" in said
    assert "not judged" in said


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", FIGURES)
def test_files_have_the_same_bytes_each_time(name, case, tmp_path):
    provenance = {"kind": "figure", "parameters": {"name": name}}
    # A name with a dot in it, as a digest gives.
    for folder in ("a", "b"):
        save(draw(name, case), tmp_path / folder / "fig.3f9a", provenance)
    for suffix in ("pdf", "png"):
        one, two = (tmp_path / f / f"fig.3f9a.{suffix}" for f in ("a", "b"))
        assert one.read_bytes() == two.read_bytes()
    pdf = (tmp_path / "a" / "fig.3f9a.pdf").read_bytes()
    assert b"/FontType 42" in pdf or b"/CIDFontType2" in pdf
    assert b"CreationDate" not in pdf


def test_files_carry_the_identity_of_their_provenance(tmp_path):
    from koopscope.provenance import digest, short

    provenance = {"kind": "figure"}
    save(draw("verdicts", "optimisers"), tmp_path / "fig", provenance)
    identity = short(digest(provenance)).encode()
    for suffix in ("pdf", "png"):
        assert identity in (tmp_path / f"fig.{suffix}").read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_figures_leave_no_pyplot_state_and_no_settings_behind(name):
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    draw(name, "optimisers")
    assert not plt.get_fignums()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", FIGURES)
def test_wrong_or_empty_dataset_is_one_clear_line(name):
    function, source = FIGURES[name]
    good = CASES["widths"][source == "curves"]
    for wrong in (xr.Dataset(), good.drop_vars("variant"), good.isel(sample=slice(0))):
        with pytest.raises(InputError) as caught:
            function(wrong)
        line = str(caught.value)
        assert "\n" not in line and f"give a {source} store" in line


@pytest.mark.parametrize("name", FIGURES)
def test_ten_variants_have_ten_looks(name):
    widths = tuple(f"a rather long variant {i}" for i in range(10))
    function, source = FIGURES[name]
    make = widths_comparison if source == "comparison" else widths_curves
    figure = function(make(3, widths))
    assert all(width in texts(figure) for width in widths)


def test_strings_may_come_back_from_a_store_as_any_string_type(tmp_path: Path):
    from koopscope import store

    comparison = CASES["widths"][0]
    store.write(tmp_path / "c.zarr", comparison, {"kind": "comparison"})
    back = store.read(tmp_path / "c.zarr", "comparison")
    assert json.loads(back.attrs["provenance"])["kind"] == "comparison"
    for function, source in FIGURES.values():
        if source == "comparison":
            assert "h40" in texts(function(back))
