"""The solver that is taken by itself: the cheapest, and never one that sees too little."""

import numpy as np
import pytest

from koopscope.errors import InputError
from koopscope.koopman import costs, dmd, fitting
from koopscope.koopman.costs import estimates
from koopscope.koopman.embedding import DelayEmbedding
from koopscope.koopman.fitting import SOLVERS, fit

# weights, steps, runs, delays, rank
SHAPES = {
    "lanczos": [
        (4096, 1000, 1, 0, 10),
        (400, 1000, 1, 0, 10),
        (200, 200, 3, 9, 4),
        # Those of the default study.
        (50, 1000, 10, 64, 10),
        (100, 1000, 10, 32, 10),
        (101, 1000, 10, 8, 10),
        (400, 1000, 10, 8, 10),
        (400, 500, 10, 8, 5),
        # Tall with its delays, but of too many snapshots for inner products.
        (2000, 1000, 10, 32, 10),
    ],
    "gram": [
        (19_574, 100, 1, 8, 10),
        (19_574, 100, 1, 32, 10),
        (2410, 252, 1, 32, 10),
        (8832, 500, 1, 8, 10),
        # Far more than is held in memory twice.
        (430_500, 469, 1, 0, 10),
        (430_500, 469, 10, 8, 10),
    ],
    "covariance": [(10, 2000, 10, 0, 5), (50, 1000, 10, 4, 10), (100, 1000, 10, 0, 20)],
    "full": [(50_000, 20, 1, 0, None), (10, 50, 1, 0, "rounding"), (400, 1000, 10, 8, "all")],
}


def shaped(weights, steps, runs, delays):
    """Trajectories of a shape that take no memory."""
    return DelayEmbedding([np.broadcast_to(0.0, (steps, weights))] * runs, delays)


def falling(sizes, weights=30, steps=40, dtype=np.float64):
    """A run of decays whose directions are of these sizes, nearly."""
    rng = np.random.default_rng(0)
    rates = np.linspace(0.99, -0.9, len(sizes))
    directions = np.linalg.qr(rng.normal(size=(weights, len(sizes))))[0]
    return [((rates ** np.arange(steps)[:, None] * sizes) @ directions.T).astype(dtype)]


@pytest.mark.parametrize(
    ("solver", "shape"), [(name, shape) for name, shapes in SHAPES.items() for shape in shapes]
)
def test_the_solver_is_chosen_by_what_each_costs(solver, shape):
    *shape, rank = shape
    assert fitting._order(shaped(*shape), rank)[0] == solver


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize(("count", "delays"), [(1, 0), (1, 7), (10, 12)])
def test_more_data_delays_or_directions_never_cost_less(at, count, delays):
    # Shifts beyond which products go by transforms make these cheaper, so not across that number.
    least = [200, 100, count, delays, 6]
    more = [n + (5 if i == at else 0) for i, n in enumerate(least)]
    small, large = (estimates(shaped(*shape), rank) for *shape, rank in (least, more))
    assert small.keys() == {"full", "lanczos", "gram", "covariance"}
    # More delays leave fewer pairs: what goes by their number alone may fall.
    allowed = {"gram"} if at == 3 else set()
    assert all(large[name] >= small[name] for name in small if name not in allowed)


@pytest.mark.parametrize("rank", [2, 5, 9])
@pytest.mark.parametrize("delays", [0, 3])
@pytest.mark.parametrize(("weights", "steps", "count"), [(10, 60, 3), (100, 200, 1), (300, 30, 1)])
def test_the_spectrum_is_that_of_the_dense_solver(weights, steps, count, delays, rank):
    rng = np.random.default_rng(1)
    runs = list(rng.normal(size=(count, steps, weights)).cumsum(axis=1))
    found, dense = fit(runs, delays, rank), fit(runs, delays, rank, "full")
    assert found.solver != "full"
    np.testing.assert_allclose(found.eigenvalues, dense.eigenvalues, atol=1e-9)
    np.testing.assert_allclose(found.residuals, dense.residuals, atol=1e-7)


@pytest.fixture
def taking(monkeypatch):
    """A function that lets one solver cost the least."""

    def take(solver, **limits):
        monkeypatch.setattr(costs, "estimates", lambda *_: dict.fromkeys(SOLVERS, 1) | {solver: 0})
        for name, value in limits.items():
            monkeypatch.setattr(fitting, name, value)

    return take


@pytest.mark.parametrize("solver", ["lanczos", "gram", "covariance"])
@pytest.mark.parametrize("smallest", [1e-6, 1e-9])
def test_of_small_data_the_dense_solver_finds_small_directions(solver, smallest, taking):
    # The others see 1e-6 in few digits and 1e-9 not at all.
    runs = falling([1, 0.5, 0.1, smallest])
    taking(solver)
    found, dense = fit(runs, rank=4), fit(runs, rank=4, solver="full")
    assert found.solver == "full"
    assert found.eigenvalues.tobytes() == dense.eigenvalues.tobytes()


@pytest.mark.parametrize("solver", ["lanczos", "gram", "covariance"])
def test_of_large_data_lanczos_goes_on_and_the_dense_solver_where_it_sees_too_little(
    solver, taking
):
    taking(solver, SMALL=0)
    assert fit(falling([1, 0.5, 0.1]), rank=3).solver == solver
    assert fit(falling([1, 0.5, 0.1, 1e-6]), rank=4).solver == "lanczos"
    assert fit(falling([1, 0.5, 0.1, 1e-9]), rank=4).solver == "full"


def test_smooth_steps_are_seen_by_their_inner_products_only_while_these_tell_them_apart(taking):
    time = np.arange(60)[:, None]
    directions = np.random.default_rng(0).normal(size=(2, 30))
    taking("gram")
    for rate, solver in ((0.01, "gram"), (0.0001, "full")):
        states = 5 + np.exp(-time * [[rate, 2 * rate]]) @ directions
        found = fit([states], rank=3)
        assert found.solver == solver
        np.testing.assert_allclose(found.eigenvalues, np.exp([0, -rate, -2 * rate]), atol=1e-8)


@pytest.mark.parametrize("limits", [{}, {"SMALL": 0}, {"SMALL": 0, "LARGE": 1, "TALL": 9}])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_rank_that_no_solver_sees_is_refused(dtype, limits, taking, monkeypatch):
    taking("gram", **limits)
    if "LARGE" in limits or (limits and dtype == np.float32):
        # Too large, or too coarse to gain by it.
        monkeypatch.setattr(dmd, "full", lambda *_: pytest.fail("a dense decomposition"))
    with pytest.raises(InputError, match=r"^rank: 5 is more .* numerical rank is 3: give at most"):
        fit(falling([1, 0.5, 0.1], dtype=dtype), rank=5)


def test_very_large_data_are_only_streamed(taking, monkeypatch):
    taking("lanczos", LARGE=1, TALL=0.5)
    monkeypatch.setattr(dmd, "lanczos", lambda *_: pytest.fail("all of it loaded"))
    assert fit(falling([1, 0.5, 0.1]), rank=3).solver == "gram"
    with pytest.raises(InputError, match="^rank: 5 is more"):
        fit(falling([1, 0.5, 0.1]), rank=5)
