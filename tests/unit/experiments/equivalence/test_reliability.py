"""How far verdicts can be trusted: error rates, other estimates, other clocks, constant ratios.

On drawn spectra, whose differences are known exactly.
"""

import numpy as np
import pytest
import xarray as xr

from koopscope.artefacts import store
from koopscope.config.data import DataSpec
from koopscope.config.fit import FitSpec
from koopscope.config.setup import NetworkSetup
from koopscope.errors import InputError
from koopscope.experiments.equivalence.comparison import (
    Rule,
    compare_study,
    powers_by_time_unit,
)
from koopscope.experiments.equivalence.error_rates import count_errors
from koopscope.experiments.equivalence.sensitivity import compare_alternates
from koopscope.experiments.equivalence.stores import read_spectra
from koopscope.experiments.equivalence.study import Alternate, ErrorRates, Pair, Study, Variant

DIGITS = DataSpec("digits", "digits")
MODES = np.array([0.99, 0.9, 0.5, 0.3 + 0.4j, 0.3 - 0.4j])
RULE = Rule(permutations=199, bootstrap=200)


def variant(name, seeds=20, first=0, fit=None, **fields):
    setup = NetworkSetup(DIGITS, seeds=tuple(range(first, first + seeds)), **fields)
    return Variant(name, setup, fit or FitSpec())


def drawn(variant, shift=0.0, spread=0.05, seed=0):
    """Spectra of a variant's seeds: one set of modes, moved, with a spread between seeds."""
    rng = np.random.default_rng([seed, *map(ord, variant.name)])
    seeds = list(variant.setup.seeds)
    noise = rng.normal(size=(len(seeds), len(MODES), 2), scale=spread)
    values = MODES + shift + noise[..., 0] + 1j * noise[..., 1]
    dims = ("seed", "mode")
    ones = np.ones(values.shape)
    return xr.Dataset(
        {
            "eigenvalue": (dims, values),
            "residual": (dims, 0.01 * ones),
            "amplitude": (dims, ones),
            "runs_used": ("seed", np.full(len(seeds), 4)),
        },
        coords={"seed": seeds, "mode": np.arange(len(MODES))},
    )


@pytest.fixture(scope="module")
def calibrated():
    pool, twin, far = variant("pool", 40), variant("twin", 40, 100), variant("far", 40, 200)
    study = Study(
        "error_rates",
        "How often?",
        (pool, twin, far),
        (Pair("pool", "twin", "equivalent", "drawn alike"), Pair("pool", "far", "different")),
        reference="pool",
        error_rates=ErrorRates((3, 10, 30), 120, ("pool",)),
    )
    spectra = {"pool": drawn(pool), "twin": drawn(twin), "far": drawn(far, shift=0.04)}
    return study, spectra, count_errors(study, spectra, RULE)


def test_null_pairs_are_found_different_about_as_often_as_the_level_says(calibrated):
    found = calibrated[2].isel(metric=0)
    null = found.isel(pair=np.flatnonzero(found["expected"].values == "equivalent"))
    assert null["first"].values.tolist() == ["pool", "pool"]
    rates = null["rate"].values
    # A pool of 40 cannot be split into two groups of 30, but gives 30 to go with 30 of another.
    assert np.isnan(rates[1, 2])
    assert np.isfinite(rates[0, 2])
    known = np.isfinite(rates)
    assert (null["rate_low"].values[known] <= 0.05 + 0.03).all()
    assert (
        ((null["rate_low"] <= null["rate"]) & (null["rate"] <= null["rate_high"]))
        .values[known]
        .all()
    )


def test_power_grows_with_the_seeds_and_the_weak_control_stays_blind(calibrated):
    found = calibrated[2]
    power = found["rate"].isel(pair=1, metric=0).values
    assert power[0] < power[1] < power[2]
    assert power[2] > 0.9
    swapped = found["swapped_pair_p"].isel(pair=1).values
    assert np.mean(swapped <= 0.05) < 0.05
    assert found["true_effect"].values[1] > found["true_effect"].values[0]


def test_every_distance_is_calibrated_on_the_same_draws(calibrated):
    found = calibrated[2]
    assert found["metric"].values.tolist()[0] == "wasserstein"
    assert {"hausdorff", "residual_weighted", "amplitude_weighted"} <= set(found["metric"].values)
    # Equal weights: the weighted distances are the plain one.
    p = found["p_value"]
    np.testing.assert_array_equal(p.isel(metric=0), p.sel(metric="amplitude_weighted"))
    null = found["equal_rate"].isel(pair=[0, 2]).values
    assert np.nanmean(null[:, :2], axis=0).max() <= 0.05
    assert found["equal_rate"].isel(pair=1, size=2, metric=0) > 0.9


def test_a_calibration_is_the_same_for_the_same_seed_and_another_for_another(calibrated):
    study, spectra, found = calibrated
    small = Study(**vars(study) | {"error_rates": ErrorRates((3,), 5)})
    again = [count_errors(small, spectra, RULE, seed=s) for s in (1, 1, 2)]
    xr.testing.assert_identical(again[0], again[1])
    assert not np.array_equal(again[0]["p_value"], again[2]["p_value"])


def test_sizes_that_no_pool_has_are_refused(calibrated):
    study, spectra, _ = calibrated
    large = Study(**vars(study) | {"error_rates": ErrorRates((41,), 5)})
    with pytest.raises(InputError, match=r"error_rates.seeds: \[41\] is more than any pool has"):
        count_errors(large, spectra, RULE)


def test_a_time_unit_brings_eigenvalues_of_faster_steps_to_the_reference():
    # The faster variant's eigenvalues over one step are the slow ones' over two.
    slow = variant("slow", learning_rate=0.1)
    fast = variant("fast", first=50, learning_rate=0.2)
    spectra = {"slow": drawn(slow, spread=0.01), "fast": drawn(slow, spread=0.01, seed=1)}
    values = spectra["fast"]["eigenvalue"].values ** 2
    spectra["fast"] = (
        spectra["fast"]
        .assign(eigenvalue=(("seed", "mode"), values))
        .assign_coords(seed=list(fast.setup.seeds))
    )
    study = Study("rate", "?", (slow, fast), (Pair("slow", "fast"),), reference="slow")
    found = compare_study(study, spectra, RULE)
    assert found["time_unit"].values.tolist() == ["step", "rate"]
    assert found["verdict"].values.tolist() == ["distinguished"]
    effects = found["effect_by_time_unit"].values[:, 0]
    assert effects[0] > 2
    assert effects[1] == pytest.approx(1, abs=0.1)
    other = Study(**vars(study) | {"time_unit": "rate"})
    judged = compare_study(other, spectra, RULE)
    assert judged["effect"].values[0] == effects[1]
    assert judged["verdict"].values.tolist() != ["distinguished"]
    assert judged.attrs["unit"] == "rate"


def test_the_reference_gives_the_unit_wherever_it_stands():
    slow, fast = variant("slow", learning_rate=0.1), variant("fast", learning_rate=0.2)
    for variants in ((slow, fast), (fast, slow)):
        study = Study("rate", "?", variants, (Pair("slow", "fast"),), "rate", reference="slow")
        assert powers_by_time_unit(study)["rate"] == {"slow": 1, "fast": 0.5}


def test_setups_of_one_pace_have_one_clock():
    a, b = variant("a"), variant("b", first=50, activation="tanh")
    study = Study("one", "?", (a, b), (Pair("a", "b"),))
    found = compare_study(study, {"a": drawn(a), "b": drawn(b)}, RULE)
    assert found["time_unit"].values.tolist() == ["step"]


def plane(on_line, off_line):
    """A 3 × 3 plane of rates and batches whose spectra move by so much on and off the line."""
    variants, spectra = [], {}
    for i, rate in enumerate((0.05, 0.1, 0.2)):
        for j, batch in enumerate((30, 60, 120)):
            v = variant(f"p{i}{j}", learning_rate=rate, batch_size=batch)
            shift = 0 if i == j == 1 else on_line if i == j else off_line
            variants.append(v)
            spectra[v.name] = drawn(v, shift)
    pairs = tuple(Pair("p11", v.name) for v in variants if v.name != "p11")
    scan = ("learning_rate", "batch_size")
    study = Study("ratio", "?", tuple(variants), pairs, reference="p11", scan=scan)
    return compare_study(study, spectra, RULE)


def test_points_of_one_ratio_are_held_against_their_mirror_images():
    found = plane(on_line=0.0, off_line=0.1)
    assert found.attrs["line_points"] == 2
    assert found.attrs["line_effect"] == pytest.approx(1, abs=0.1)
    assert found.attrs["line_difference_high"] < 0
    assert found["factor"].values.tolist() == ["learning_rate", "batch_size"]
    assert found["factor_value"].values[0].tolist() == [0.05, 30]
    alike = plane(on_line=0.1, off_line=0.1).attrs
    assert alike["line_difference_low"] < 0 < alike["line_difference_high"]


def test_alternates_say_which_verdicts_survive():
    a, near, far = variant("a"), variant("near", first=100), variant("far", first=200)
    study = Study(
        "s",
        "?",
        (a, near, far),
        (Pair("a", "near", "equivalent"), Pair("a", "far", "different")),
        alternates=(
            Alternate("same", "rank 5", (a, near, far)),
            Alternate("blind", "rank 1", (a, near, far)),
        ),
    )
    spectra = {v.name: drawn(v, 0.3 * (v is far), spread=0.02) for v in (a, near, far)}
    blind = {v.name: drawn(v, spread=0.02, seed=5) for v in (a, near, far)}
    found = compare_alternates(study, spectra, {"same": spectra, "blind": blind}, RULE)
    assert found["alternate"].values.tolist() == ["as compared", "same", "blind"]
    assert found["verdict"].values[:, 1].tolist()[:2] == ["distinguished"] * 2
    assert found["verdict"].values[2, 1] != "distinguished"
    assert found["survives"].values.tolist()[1] is False
    assert found["changes"].values.tolist() == ["", "rank 5", "rank 1"]
    np.testing.assert_array_equal(found["effect"].values[0], found["effect"].values[1])


def test_spectra_of_another_rank_are_refused_by_name(tmp_path):
    asked = variant("a", fit=FitSpec(rank=5))
    study = Study("s", "?", (asked,), ())
    path = tmp_path / "a.zarr"
    for fit in (FitSpec(rank=4), FitSpec(rank=5)):
        provenance = {"kind": "spectra", "parameters": fit.to_dict()}
        store.write(path, drawn(asked), provenance)
        if fit.rank == 4:
            with pytest.raises(InputError, match=r"a.zarr: fitted with rank 4, but .* asks for 5"):
                read_spectra(study, [path])
    assert read_spectra(study, [path])["a"].sizes["seed"] == 20
