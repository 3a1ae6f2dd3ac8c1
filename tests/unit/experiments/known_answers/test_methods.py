"""Methods of the benchmark: they keep quiet on one process, and see what they are made to see."""

import logging
import sys
import warnings
from importlib import import_module

import numpy as np
import pytest
import torch
import xarray as xr
from fixtures.known_runs import decaying, observed
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, ortho_group

from koopscope.compare.transport import distance_matrix
from koopscope.compare.verdict import compare
from koopscope.errors import InputError
from koopscope.experiments.known_answers.methods.answer import NO_ANSWER, ByDistance, joined
from koopscope.experiments.known_answers.methods.curves import (
    curve_distances,
    log_motion,
    loss_distances,
    norm_distances,
    scalar_distances,
    smoothed,
)
from koopscope.experiments.known_answers.methods.dsa import dsa_distances
from koopscope.experiments.known_answers.methods.hidden_markov import (
    hidden_markov_distances,
    metrics,
)
from koopscope.experiments.known_answers.methods.outputs import cka_distances
from koopscope.experiments.known_answers.methods.rotations import angles
from koopscope.experiments.known_answers.methods.table import METHODS

# DSA takes dynamics without noise to be of one process: it has tests of its own.
QUICK = sorted(set(METHODS) - {"dsa", "dsa_eigenvalues"})
RUNS = 40


@pytest.fixture(scope="module")
def slow():
    return decaying(0.93, RUNS, 1)


@pytest.fixture(scope="module")
def fresh():
    return decaying(0.93, RUNS, 2)


@pytest.fixture(scope="module")
def fast():
    return decaying(0.85, RUNS, 3)


@pytest.fixture
def one_thread():
    """Small matrices wait for further threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def drawn(distances: np.ndarray, draws: int = 100, size: int = 6):
    """Comparisons of groups drawn from the two halves of a matrix."""
    rng, half = np.random.default_rng(0), len(distances) // 2
    for _ in range(draws):
        first, second = (rng.choice(half, size, replace=False) for _ in range(2))
        yield compare(distances, first, half + second, bootstrap=0)


@pytest.mark.parametrize("name", QUICK)
def test_groups_of_one_process_are_not_told_apart(name, slow, fresh):
    found = list(drawn(METHODS[name].distances(joined(slow, fresh))))
    assert np.mean([c.effect for c in found]) == pytest.approx(1, abs=0.06)
    p_values = np.array([c.p_value for c in found])
    assert (p_values <= 0.05).mean() <= 0.12
    assert kstest(p_values, "uniform").statistic < 0.2


@pytest.mark.parametrize("name", QUICK)
def test_another_rate_is_found(name, slow, fast):
    answer = METHODS[name](slow.isel(seed=slice(8)), fast.isel(seed=slice(8)))
    assert answer.p_value <= 0.01
    assert answer.effect > 1.2


@pytest.mark.parametrize("name", QUICK)
def test_distances_are_what_the_test_takes(name):
    runs = decaying(0.9, 7, 4, inits=2)
    distances = METHODS[name].distances(runs)
    assert distances.shape == (7, 7)
    assert np.array_equal(distances, distances.T)
    assert not np.diag(distances).any()
    assert (distances[~np.eye(7, dtype=bool)] > 0).all()


@pytest.mark.parametrize("name", QUICK)
def test_the_order_of_dims_and_of_initialisations_does_not_count(name):
    runs = decaying(0.9, 5, 4, inits=3)
    other = runs.isel(init=[2, 0, 1]).transpose("weight", "response", "step", "init", "seed")
    found = METHODS[name].distances(other)
    # The hidden Markov model starts from clusters of the rows, in whatever order they come.
    assert found == pytest.approx(METHODS[name].distances(runs), abs=1e-9)


@pytest.mark.parametrize("name", QUICK)
def test_a_run_that_diverged_has_no_answer_and_spoils_no_other(name):
    runs = decaying(0.9, 6, 5)
    gone = runs.copy(deep=True)
    for values in gone.data_vars.values():
        values[2, :, 40:] = np.nan
    distances = METHODS[name].distances(gone)
    others = [0, 1, 3, 4, 5]
    assert np.isnan(distances[2, others]).all()
    kept = distances[np.ix_(others, others)]
    assert kept == pytest.approx(METHODS[name].distances(runs.isel(seed=others)), abs=1e-9)


def test_loss_curves_see_no_weights_and_norms_no_loss(slow):
    other = slow.assign(weights=slow["weights"] * 3 + 1)
    assert np.array_equal(loss_distances(other), loss_distances(slow))
    louder = slow.assign(loss=slow["loss"] ** 2)
    assert np.array_equal(norm_distances(louder), norm_distances(slow))
    assert not np.allclose(loss_distances(louder), loss_distances(slow))
    # One constant for all weights moves all logs alike.
    scaled = slow.assign(weights=slow["weights"] * 8)
    assert norm_distances(scaled) == pytest.approx(norm_distances(slow), abs=1e-12)
    assert scalar_distances(scaled) == pytest.approx(scalar_distances(slow), abs=1e-9)


def test_the_distance_of_curves_is_a_root_mean_square():
    curves = np.array([[0.0, 0, 0, 0], [2, 2, 2, 2], [1, -1, 1, -1]])
    expected = [[0, 2, 1], [2, 0, 5**0.5], [1, 5**0.5, 0]]
    assert curve_distances(curves) == pytest.approx(np.array(expected))
    # A moving mean over three steps at least, over a twentieth of a long run.
    assert smoothed(np.array([0.0, 3, 6, 0])).tolist() == [3, 3]
    assert smoothed(np.arange(400.0)).tolist() == (np.arange(381) + 9.5).tolist()


def test_motion_is_of_norms_distances_and_steps():
    weights = np.array([[3.0, 4], [3, 4 + np.e], [3, 4 + 2 * np.e]])[None, None]
    runs = xr.Dataset({"weights": (("seed", "init", "step", "weight"), weights)})
    norm, away, step = log_motion(runs)[0]
    assert norm[0] == pytest.approx(np.log(5))
    assert away == pytest.approx([np.nan, 1, 1 + np.log(2)], nan_ok=True)
    assert step == pytest.approx([np.nan, 1, 1], nan_ok=True)
    still = log_motion(runs.isel(step=[0, 0, 0]))[0]
    assert still[1:, 1:] == pytest.approx(np.log(5 * np.finfo(float).eps))


@pytest.mark.parametrize("loss", [0.0, -1.0, np.nan, np.inf])
def test_a_loss_without_a_logarithm_has_no_answer(slow, loss):
    few = slow.isel(seed=slice(4)).copy(deep=True)
    few["loss"][1, 0, 30] = loss
    for distances in (loss_distances(few), scalar_distances(few)):
        assert np.isnan(distances[1, [0, 2, 3]]).all()
        assert np.isfinite(distances[np.ix_([0, 2, 3], [0, 2, 3])]).all()


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100))
def test_cka_sees_no_rotation_of_logits(seed, scale):
    runs = decaying(0.9, 4, 6)
    turned, rng = runs.copy(deep=True), np.random.default_rng(seed)
    for i in range(4):
        turn = scale * ortho_group.rvs(8, random_state=rng)
        turned["probe"][i, :, :, 1:] = runs["probe"].values[i, :, :, 1:] @ turn + i
    # Nor the mean loss in front of them.
    turned["probe"][..., 0] = rng.random((4, 1, 60))
    assert cka_distances(turned) == pytest.approx(cka_distances(runs), abs=1e-9)


def test_cka_is_the_published_one():
    runs = decaying(0.9, 2, 6, steps=40)
    one, other = (x - x.mean(axis=0) for x in runs["probe"].values[:, 0, :, 1:])
    norm = np.linalg.norm
    cka = norm(other.T @ one) ** 2 / (norm(one.T @ one) * norm(other.T @ other))
    assert cka_distances(runs)[0, 1] == pytest.approx(1 - cka)


def test_no_outputs_or_outputs_that_never_change_have_no_answer(slow, fast):
    few = slow.isel(seed=slice(8))
    silent = few.drop_vars("probe")
    assert METHODS["output_cka"](silent, fast.isel(seed=slice(8))) == NO_ANSWER
    still = few.copy(deep=True)
    still["probe"][0] = 0.1
    assert np.isnan(cka_distances(still)[0, 1:]).all()
    assert np.isfinite(cka_distances(still)[1:, 1:]).all()


def test_metrics_of_a_known_matrix():
    matrix = np.array([[3.0, 0], [4, 5]])
    weights = np.stack([matrix.ravel()] * 3)[None, None]
    runs = xr.Dataset({"weights": (("seed", "init", "step", "weight"), weights)})
    plain = [12, 50**0.5, 12 / 50**0.5, 3, 3.5, 3.5]
    assert metrics(runs)[0, 0, 0] == pytest.approx(plain)
    places = {"layer": [0] * 4, "row": [0, 0, 1, 1], "column": [0, 1, 0, 1]}
    named = runs.assign_coords({k: ("weight", v) for k, v in places.items()})
    values = np.array([45**0.5, 5**0.5])
    of_matrix = [8, values[0], 8 / values[0], values.mean(), values.var()]
    assert metrics(named)[0, 0, 0] == pytest.approx(plain + of_matrix)
    # An entry that was not recorded leaves no matrix.
    assert metrics(named.isel(weight=slice(3))).shape[-1] == 6


def test_paths_through_states_are_compared_and_not_their_numbers():
    """Runs that rest at one of two places, or change between them: total variations by hand."""
    rest = np.repeat([[0.0], [100]], 40, axis=1)
    change = np.where(np.arange(40) < 20, 0.0, 100)[None]
    levels = np.vstack([rest, rest, change, change])
    rng = np.random.default_rng(0)
    weights = levels[:, None, :, None] + rng.uniform(-1, 1, (6, 1, 40, 3)) + 200
    runs = xr.Dataset({"weights": (("seed", "init", "step", "weight"), weights)})
    distances = hidden_markov_distances(runs)
    # No state is shared by the two places.
    assert distances[0, 1] == distances[2, 3] == 1
    # Half of the time there; of the 39 transitions 20 are not found in the first.
    assert distances[0, 4] >= (0.5 + 20 / 39) / 2 - 1e-12
    assert distances[1, 4] < 1


def test_too_few_different_snapshots_have_no_states():
    runs = decaying(0.9, 4, 8).isel(step=[0] * 10, seed=[0, 0, 1, 1])
    assert np.isnan(hidden_markov_distances(runs)[0, 1:]).all()


def test_the_hidden_markov_model_is_the_same_again_and_leaves_its_logger_alone(slow):
    few, logger = slow.isel(seed=slice(5)), logging.getLogger("hmmlearn")
    level = logger.level
    assert np.array_equal(hidden_markov_distances(few), hidden_markov_distances(few))
    assert logger.level == level


def rotating(angle: float, basis: np.ndarray) -> np.ndarray:
    """Two decaying rotations in a basis, shape (1, step, weight)."""
    blocks = np.zeros((6, 6))
    for k, (turn, size) in enumerate([(angle, 0.99), (2.5 * angle, 0.96)]):
        c, s = size * np.cos(turn), size * np.sin(turn)
        blocks[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = [[c, -s], [s, c]]
    state = np.array([1.0, 0, 1, 0, 0, 0])
    states = [state := blocks @ state for _ in range(80)]
    return np.array(states)[None] @ basis.T


def test_dsa_is_zero_between_rotated_systems_and_agrees_with_eigenvalues():
    turns = [ortho_group.rvs(6, random_state=i) for i in range(2)]
    weights = [rotating(0.2, turns[0]), rotating(0.2, turns[1]), rotating(0.5, turns[1])]
    runs = observed(np.stack(weights))
    spectra = [
        [size * np.exp(1j * sign * turn) for turn, size in pairs for sign in (1, -1)]
        for pairs in [[(a, 0.99), (2.5 * a, 0.96)] for a in (0.2, 0.2, 0.5)]
    ]
    known = distance_matrix(spectra)
    angles = dsa_distances(runs, "angular")
    eigenvalues = dsa_distances(runs, "wasserstein")
    assert known[0, 1] < 1e-12 < known[0, 2]
    # The package's descent over rotations stops short of 0, also at its own number of iterations.
    for found, close in ((angles, 0.25), (eigenvalues, 1e-4)):
        assert np.array_equal(found, found.T)
        assert found[0, 1] < close * found[0, 2]
        assert found[1, 2] == pytest.approx(found[0, 2], rel=0.05)
    # The package takes the mean of squared distances.
    squared = np.mean(np.abs(np.subtract(*[np.sort_complex(spectra[i]) for i in (0, 2)])) ** 2)
    assert eigenvalues[0, 2] == pytest.approx(squared, rel=0.01)
    assert np.array_equal(angles, dsa_distances(runs, "angular"))


def test_angles_of_all_pairs_are_the_packages_of_each(one_thread):
    rng = np.random.default_rng(0)
    matrices = 0.9 * np.eye(5) + 0.2 * rng.standard_normal((4, 5, 5))
    found = angles(matrices, 300, 0.02)
    package = import_module("DSA").SimilarityTransformDist(300, "angular", 0.02)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for i, j in ((1, 0), (3, 2)):
            expected = float(package.fit_score(matrices[i].copy(), matrices[j].copy()))
            assert found[i, j] == pytest.approx(expected, rel=0.01)
    assert np.array_equal(found, found.T)
    # In pieces of all pairs as well.
    assert angles(matrices[:2], 300, 0.02)[0, 1] == pytest.approx(found[0, 1], rel=0.01)


def test_angles_see_no_scale_and_no_rotation_and_know_opposites(one_thread):
    matrix = np.diag([1.0, 0.5, 0.2])
    turn = ortho_group.rvs(3, random_state=0)
    same = np.stack([matrix, 7 * turn @ matrix @ turn.T, -matrix])
    found = angles(same, 500, 0.02)
    assert found[0, 1] < 0.05
    # The nearest to diag(1, 1/2, 1/5) that -diag(…) can be turned to swaps its ends.
    assert found[0, 2] == pytest.approx(np.arccos(-0.65 / 1.29), abs=0.01)
    assert angles(np.array([[[2.0]], [[0.5]], [[-1.0]]]), 3, 0.1)[0] == pytest.approx([0, 0, np.pi])


@pytest.mark.parametrize("name", ["dsa", "dsa_eigenvalues"])
def test_dsa_keeps_quiet_on_one_process_and_sees_another(name):
    rng = np.random.default_rng(0)
    groups = [
        np.stack(
            [
                rotating(angle + 0.01 * rng.standard_normal(), ortho_group.rvs(6, random_state=rng))
                for _ in range(6)
            ]
        )
        for angle in (0.2, 0.2, 0.25)
    ]
    groups = [observed(group) for group in groups]
    method = METHODS[name]
    assert method(groups[0], groups[1]).p_value > 0.05
    assert method(groups[0], groups[2]).p_value <= 0.01


def test_dsa_leaves_out_what_it_cannot_decompose(slow):
    few = slow.isel(seed=slice(5)).copy(deep=True)
    few["weights"][1], few["weights"][3, 0, 50] = 0, np.nan
    distances = dsa_distances(few, "wasserstein")
    assert np.isnan(distances[[1, 3]][:, [0, 2, 4]]).all()
    assert np.isfinite(distances[np.ix_([0, 2, 4], [0, 2, 4])]).all()
    with pytest.raises(InputError, match="19 snapshots a run; give at least 20"):
        dsa_distances(few.isel(step=slice(19)), "wasserstein")


def test_dsa_takes_initialisations_as_trials_of_one_system():
    runs = decaying(0.9, 3, 9, inits=4)
    assert np.isfinite(dsa_distances(runs, "wasserstein")).all()


@pytest.mark.parametrize(
    ("module", "method"), [("DSA", "dsa_eigenvalues"), ("hmmlearn.hmm", "hidden_markov")]
)
def test_a_peer_that_is_not_installed_names_the_extra(monkeypatch, module, method, slow):
    monkeypatch.setitem(sys.modules, module, None)
    few = slow.isel(seed=slice(3))
    with pytest.raises(InputError, match=r"^method .* needs .*: pip install 'koopscope\[peers\]'$"):
        METHODS[method](few, few)


def test_runs_are_joined_by_what_both_have(slow):
    few = slow.isel(seed=slice(3)).assign_coords(step=np.arange(60), row=("weight", range(6)))
    other = few.assign_coords(seed=[7, 8, 9], row=("weight", range(6)[::-1])).drop_vars("probe")
    other = other.assign_coords(step=np.arange(1, 61))
    both = joined(few, other)
    assert set(both.data_vars) == {"weights", "loss"}
    assert dict(both.sizes) == {"seed": 6, "init": 1, "step": 60, "weight": 6}
    # Neither the other side's steps nor its order of rows is the first one's.
    assert set(both.coords) == {"seed"}
    assert both["seed"].values.tolist() == [*few["seed"].values, 7, 8, 9]
    weights = [few["weights"].values, other["weights"].values]
    assert np.array_equal(both["weights"].values, np.concatenate(weights))
    assert "row" in joined(few, few.isel(seed=[0])).coords


def test_runs_of_two_forms_are_not_joined(slow):
    with pytest.raises(InputError, match="groups: 60 and 50 along step; give runs of one form"):
        joined(slow, slow.isel(step=slice(50)))
    with pytest.raises(InputError, match="groups: loss here and weights there; give weights in b"):
        joined(slow[["loss"]], slow[["weights"]])


def test_a_method_without_any_answer_says_so_without_a_warning(slow):
    nothing = ByDistance(lambda runs: np.where(np.eye(runs.sizes["seed"]), 0.0, np.nan))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nothing(slow, slow) == NO_ANSWER


def test_runs_without_an_answer_are_left_out_of_the_test(slow, fast):
    method, here, there = METHODS["loss_curve"], *(g.isel(seed=slice(6)) for g in (slow, fast))
    broken = here.copy(deep=True)
    broken["loss"][2] = np.nan
    with pytest.warns(UserWarning, match="^1 of 12 runs have no answer, left out$"):
        answer = method(broken, there)
    assert answer == method(here.isel(seed=[0, 1, 3, 4, 5]), there)
    with pytest.warns(UserWarning, match="^6 of 12 runs have no answer"):
        assert method(here * np.nan, there) == NO_ANSWER
