"""Verdicts of a study of real spectra: online optimisers from random starting points."""

import numpy as np
import pytest
import xarray as xr

from koopscope.compare.metrics import METRICS, metric_matrix
from koopscope.compare.transport import wasserstein
from koopscope.compare.verdict import compare
from koopscope.config.distances import DISTANCES
from koopscope.config.fit import FitSpec
from koopscope.config.setup import OnlineSetup
from koopscope.experiments.equivalence.comparison import Rule, compare_study
from koopscope.experiments.equivalence.study import Pair, Study, Variant
from koopscope.koopman.fitting import fit
from koopscope.training.online import trajectories

SEEDS = {"omd": (1, 2, 3, 4, 5), "ogd": (1, 2, 3, 4, 5), "bisection": (11, 12, 13, 14)}
PAIRS = (
    Pair("omd", "ogd", "equivalent", "conjugate"),
    Pair("omd", "bisection", "different", "not conjugate"),
    Pair("bisection", "ogd"),
)


@pytest.fixture(scope="module")
def study():
    variants = tuple(
        Variant(m, OnlineSetup(m, initial_points="random", initialisations=9, seeds=s), FitSpec(4))
        for m, s in SEEDS.items()
    )
    return Study("optimisers", "Which optimisers behave alike?", variants, PAIRS)


@pytest.fixture(scope="module")
def spectra(study):
    found = {}
    for variant in study.variants:
        runs = trajectories(variant.setup)
        fits = [fit(runs["weights"].sel(seed=s), 4).to_dataset() for s in variant.setup.seeds]
        fits = [f.assign_coords(mode=np.arange(f.sizes["mode"])) for f in fits]
        joined = xr.concat(fits, dim="seed", join="outer", combine_attrs="drop")
        found[variant.name] = joined.assign_coords(seed=list(variant.setup.seeds)).assign(
            runs_used=("seed", np.full(len(fits), 9))
        )
    return found


@pytest.fixture(scope="module")
def result(study, spectra):
    return compare_study(study, spectra, Rule(bootstrap=200))


def row(result, i):
    return {name: result[name].values[i] for name in result if result[name].dims == ("pair",)}


def finite(spectra, name, seed):
    values = spectra[name]["eigenvalue"].sel(seed=seed).values
    return values[np.isfinite(values)]


def test_samples_stand_variant_by_variant_with_their_spectra(result, spectra):
    assert result["variant"].values.tolist() == ["omd"] * 5 + ["ogd"] * 5 + ["bisection"] * 4
    assert result["seed"].values.tolist() == [1, 2, 3, 4, 5] * 2 + [11, 12, 13, 14]
    for i, (name, seed) in enumerate(
        zip(result["variant"].values, result["seed"].values, strict=True)
    ):
        values = result["eigenvalue"].values[i]
        expected = finite(spectra, name, seed)
        np.testing.assert_array_equal(values[np.isfinite(values)], expected)


def test_bisection_has_fewer_eigenvalues_than_the_others(spectra):
    assert len(finite(spectra, "omd", 1)) == 10
    assert len(finite(spectra, "bisection", 11)) < 10


def test_distances_are_wasserstein_distances_also_of_unequal_sizes(result, spectra):
    found = result["distance"].values
    np.testing.assert_array_equal(found, found.T)
    expected = wasserstein(finite(spectra, "omd", 2), finite(spectra, "bisection", 13))
    assert found[1, 12] == pytest.approx(expected)
    expected = wasserstein(finite(spectra, "ogd", 5), finite(spectra, "omd", 1))
    assert found[9, 0] == pytest.approx(expected)


def test_the_numbers_of_a_pair_are_those_of_its_groups(result):
    found = row(result, 1)
    expected = compare(result["distance"].values, np.arange(5), np.arange(10, 14), bootstrap=200)
    for name in ("within", "between", "effect", "effect_low", "effect_high", "p_value"):
        assert found[name] == getattr(expected, name)
    assert (found["seeds_first"], found["seeds_second"]) == (5, 4)


def test_bisection_is_distinguished_from_both_conjugate_methods(result):
    assert result["verdict"].values.tolist()[1:] == ["distinguished", "distinguished"]
    between = result["between"].values
    assert between[1] > 10 * between[0]
    assert between[2] > 10 * between[0]


def test_pairs_carry_what_is_known_of_them_in_the_order_of_the_study(result):
    assert result["first"].values.tolist() == ["omd", "omd", "bisection"]
    assert result["second"].values.tolist() == ["ogd", "bisection", "ogd"]
    assert result["expected"].values.tolist() == ["equivalent", "different", "open"]
    assert result["because"].values.tolist() == ["conjugate", "not conjugate", ""]
    assert result.attrs["question"] == "Which optimisers behave alike?"
    assert result.attrs["alpha"] == 0.05


def test_the_swapped_pair_control_stands_only_where_sizes_are_equal(result):
    assert 0 <= result["swapped_pair_p"].values[0] <= 1
    assert np.isnan(result["swapped_pair_p"].values[1])


def test_a_seed_without_eigenvalues_is_left_out_and_counted_out(study, spectra):
    emptied = spectra["omd"].copy(deep=True)
    emptied["eigenvalue"].loc[{"seed": 2}] = np.nan
    found = compare_study(study, {**spectra, "omd": emptied}, Rule(bootstrap=200))
    assert row(found, 1)["seeds_first"] == 4
    expected = compare(
        found["distance"].values, np.array([0, 2, 3, 4]), np.arange(10, 14), bootstrap=200
    )
    assert row(found, 1)["between"] == expected.between
    assert row(found, 1)["p_value"] == expected.p_value
    assert np.isnan(found["distance"].values[1, 0])


def test_a_variant_without_any_eigenvalue_has_too_few_seeds(study, spectra):
    emptied = spectra["bisection"].copy(deep=True)
    emptied["eigenvalue"][...] = np.nan
    found = compare_study(study, {**spectra, "bisection": emptied}, Rule(bootstrap=200))
    assert found["verdict"].values.tolist()[1:] == ["inconclusive"] * 2
    assert found["reason"].values.tolist()[1:] == ["no run of one side has a spectrum"] * 2
    assert np.isnan(found["p_value"].values[1:]).all()
    assert np.isfinite(found["p_value"].values[0])


def test_the_result_survives_a_store(result, tmp_path):
    result.to_zarr(tmp_path / "result.zarr", zarr_format=3, consolidated=False)
    again = xr.open_zarr(tmp_path / "result.zarr", consolidated=False, chunks=None)
    assert again["verdict"].values.tolist() == result["verdict"].values.tolist()
    np.testing.assert_array_equal(again["eigenvalue"], result["eigenvalue"])


@pytest.mark.parametrize("distance", METRICS)
def test_the_distance_of_the_verdict_is_a_choice(study, spectra, result, distance):
    found = compare_study(study, spectra, Rule(bootstrap=200, distance=distance))
    there = np.isfinite(result["eigenvalue"].values)
    values = (result[name].values for name in ("eigenvalue", "residual", "amplitude"))
    arrays = ([row[at] for row, at in zip(rows, there, strict=True)] for rows in values)
    np.testing.assert_allclose(found["distance"].values, metric_matrix(distance, *arrays))
    assert found.attrs["distance"] == distance
    # Residuals as small as here weight nothing.
    same = np.allclose(found["effect"].values, result["effect"].values)
    assert same == (distance in ("wasserstein", "residual_weighted"))


def test_the_configuration_names_the_distances_that_there_are():
    assert tuple(DISTANCES) == tuple(METRICS)
