"""Modes, ranks and costs by their definitions, on numbers small enough to write down."""

import numpy as np
import pytest

from koopscope.koopman import costs
from koopscope.koopman.dmd import (
    WIDTH,
    Size,
    _above_rounding,
    _numerical_rank,
    _seen_by_squares,
)
from koopscope.koopman.embedding import FFT_SHIFTS, DelayEmbedding
from koopscope.koopman.fitting import fit
from koopscope.koopman.spectrum import KINDS

TURN = 0.9 * np.exp(0.5j)
STEP = np.arange(30)[:, None]
RUN = np.concatenate(
    [(TURN**STEP).real, (TURN**STEP).imag, 0.8**STEP, 0.5**STEP, 0.8**STEP - 0.5**STEP], axis=1
)


@pytest.mark.parametrize("delays", [0, 2])
@pytest.mark.parametrize("solver", ["full", "gram"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_combination_is_the_sum_of_modes_and_its_moduli_the_sum_of_theirs(kind, solver, delays):
    spectrum = fit([RUN], delays=delays, rank=4, solver=solver)
    modes = spectrum.modes(list(range(4)), kind).values.reshape(4, delays + 1, 5)
    amplitudes = np.array([1.0, 2 - 1j, 0, -0.5j])
    parts = amplitudes[:, None, None] * modes
    np.testing.assert_allclose(spectrum.combined(amplitudes, kind), parts.sum(0), atol=1e-9)
    found = spectrum.combined(amplitudes, kind, moduli=True)
    np.testing.assert_allclose(found, np.abs(parts).sum(0), atol=1e-9)


@pytest.mark.parametrize("delays", [0, 2])
@pytest.mark.parametrize("solver", ["full", "gram"])
def test_of_linear_data_exact_modes_are_the_projected_ones(solver, delays):
    spectrum = fit([RUN], delays=delays, rank=4, solver=solver)
    at = list(range(4))
    exact, projected = (spectrum.modes(at, kind).values for kind in ("exact", "projected"))
    np.testing.assert_allclose(exact, projected, atol=1e-8)
    np.testing.assert_allclose(np.linalg.norm(exact.reshape(4, -1), axis=1), 1)


def test_a_spectrum_is_shown_without_its_arrays():
    said = repr(fit([RUN], rank=4))
    assert "singular_values" not in said and "combining" not in said and "embedding" not in said


def test_delays_are_taken_by_fourier_transforms_from_a_number_on():
    for count in (4, 10):
        runs = [np.zeros((100, 3))] * count
        least = FFT_SHIFTS // count - 1
        found = [DelayEmbedding(runs, least + more).by_fft for more in (-1, 0, 1)]
        assert found == [False, True, True]


@pytest.mark.parametrize(("dtype", "growth"), [(np.float64, 400.0), (np.float32, 20.0)])
def test_a_numerical_rank_is_above_the_rounding_of_the_datas_precision(dtype, growth):
    # In single precision errors add up like a root: √400.
    least = growth * np.finfo(dtype).eps * 3
    values = np.array([3.0, 1.0, 1.01 * least, 0.99 * least])
    for shape in ((400, 7), (7, 400)):
        assert _numerical_rank(values, Size(shape, np.dtype(dtype))) == 3


def test_what_is_seen_by_squares_is_above_the_root_of_rounding():
    embedding = DelayEmbedding([np.zeros((401, 7))], 0)
    least = np.sqrt(400 * np.finfo(float).eps) * 2
    values = np.array([2.0, 1.0, 1.01 * least, 0.99 * least])
    assert _seen_by_squares(values, embedding) == 3


def test_what_is_above_rounding_exceeds_both_that_of_storing_and_that_of_computing():
    single, double = np.finfo(np.float32).eps, np.finfo(float).eps
    stored = single / np.sqrt(12) * np.sqrt(2)
    values = np.array([1.0, 1.0, 1.01 * stored, 0.99 * stored])
    assert _above_rounding(values, Size((9, 9), np.dtype(np.float32))) == 3
    # Of 400 numbers in double precision computing rounds more than storing: 0.4 of a unit.
    values = np.array([2.0, 1.0, 1.01 * 800 * double, 0.99 * 800 * double])
    assert _above_rounding(values, Size((400, 9), np.dtype(float))) == 3


def test_costs_are_of_the_products_that_each_solver_makes():
    weights, lengths, delays = 7, (20, 30), 2
    embedding = DelayEmbedding([np.zeros((n, weights)) for n in lengths], delays)
    # 21 delayed rows; 18 + 28 delayed states, 17 + 27 of them with a successor.
    rows, columns = embedding.shape
    assert (rows, columns) == (21, 44)
    found = costs.estimates(embedding, 4)
    loaded = costs.CALL + costs.LOAD * 7 * 50

    def svd(few, many):
        return costs.ENTRY * few * many + costs.TALL * few**2 * many + costs.SVD * few**3

    def eigh(n):
        return costs.ENTRY * n**2 + costs.EIGH * n**3

    assert found["full"] == pytest.approx(loaded + svd(21, 44))
    assert found["covariance"] == pytest.approx(
        loaded + 28**2 * 44 + costs.MOVE * 28 * 44 + eigh(21)
    )
    assert found["gram"] == pytest.approx(
        loaded
        + 7 * 50 * 50
        + costs.MOVE * 3 * 46 * (46 + 50) / 2
        + costs.FIRSTS * 9
        + eigh(46)
        + svd(21, 46)
    )


@pytest.mark.parametrize(("delays", "rank"), [(0, 3), (2, 12), (FFT_SHIFTS // 2, 12)])
def test_the_cost_of_lanczos_is_of_its_passes_their_basis_and_their_products(delays, rank):
    weights, lengths = 400, (200, 300)
    embedding = DelayEmbedding([np.zeros((n, weights)) for n in lengths], delays)
    rows, columns = weights * (delays + 1), 500 - 2 * (delays + 1)
    assert embedding.shape == (rows, columns)
    held, width, space = 400 * 500, WIDTH, costs.SPACE * rank
    passes = space / width
    basis = costs.BASIS * space * rows * space + costs.BLOCK * width * rows * space
    moved = costs.MOVE * columns * space
    if 2 * (delays + 1) < FFT_SHIFTS:
        both = costs.NARROW * (delays + 1) * held + costs.MOVE * (delays + 1) * 500
        products = 2 * both * space + 2 * costs.READ * held * passes
    else:
        of_transforms = held + 300 * (400 + 2) * space
        products = costs.SPECTRAL * held * space + costs.TRANSFORM * np.log2(300) * of_transforms
    expected = costs.CALL + costs.LOAD * held + costs.PASS * passes + basis + moved + products
    assert costs.estimates(embedding, rank)["lanczos"] == pytest.approx(expected)
