"""Scores and masks of chains: what is pruned stays pruned, and what a score of a window is."""

import numpy as np
import pytest
import xarray as xr

from koopscope.errors import InputError
from koopscope.pruning.chains import score_weights, select, weight_names
from koopscope.pruning.compaction import fully_connected, layer_masks
from koopscope.pruning.names import SCORES, STRUCTURED
from koopscope.pruning.scores import magnitude
from koopscope.recording.layers import coordinates
from koopscope.recording.weights import prunable, vector

SIZES = (6, 5, 4, 3)
SHAPES = {"0.weight": (5, 6), "2.weight": (4, 5), "4.weight": (3, 4)}


def settling(model):
    """Window (step, weight) of a model that its weights approach, two parts passing."""
    limit = vector(prunable(model, weight_names(model))).values
    parts = np.random.default_rng(0).normal(size=(2, len(limit)))
    powers = np.array([0.9, 0.5]) ** np.arange(20)[:, None]
    return xr.DataArray(limit + powers @ parts, dims=("step", "weight"), coords=coordinates(SHAPES))


@pytest.mark.parametrize("kind", ["", STRUCTURED])
@pytest.mark.parametrize("score", SCORES)
def test_every_score_that_a_plan_may_name_selects_within_the_budget(score, kind):
    model = fully_connected(SIZES, 0)
    masks = layer_masks(None, model)
    scores = score_weights(score + kind, model, settling(model), 1, 2)
    assert scores.dims == ("weight",) and (scores >= 0).all()
    found = select(score + kind, scores, model, masks, 30)
    kept = sum(int(mask.sum()) for mask in found.values())
    assert (kept == 30) if not kind else (10 < kept <= 30)


def test_what_is_no_score_is_refused():
    with pytest.raises(InputError, match="^method: unknown 'snip'; give one of koopman, "):
        score_weights("snip", fully_connected(SIZES, 0), None)


def test_scores_of_another_network_are_refused():
    model, other = fully_connected(SIZES, 0), fully_connected((6, 7, 4, 3), 0)
    scores = score_weights("magnitude", other, None)
    with pytest.raises(InputError, match=r"^0.weight: shape is \(5, 6\) in the model but \(7, 6\)"):
        select("magnitude", scores, model, layer_masks(None, model), 20)


def test_pruned_weights_stay_pruned():
    model = fully_connected(SIZES, 0)
    scores = magnitude(vector(prunable(model)))
    masks = select("magnitude", scores, model, layer_masks(None, model), 30)
    assert sum(int(m.sum()) for m in masks.values()) == 30
    again = select("random", scores.copy(data=1 / scores.values), model, masks, 20)
    assert sum(int(m.sum()) for m in again.values()) == 20
    assert not any((again[name] & ~masks[name]).any() for name in masks)


def test_spent_transients_and_a_zero_limit_make_a_score_small():
    """θ_t = θ* + Σ 0.9ᵗ, 0.5ᵗ: the score is |θ*| plus what is left of the transients."""
    model = fully_connected((3, 2, 2), 0)
    rng = np.random.default_rng(0)
    limit, transients = rng.normal(size=10), rng.normal(size=(2, 10))
    time = np.arange(30)[:, None]
    values = limit + 0.9**time * transients[0] + 0.5**time * transients[1]
    shapes = {"0.weight": (2, 3), "2.weight": (2, 2)}
    window = xr.DataArray(values, dims=("step", "weight"), coords=coordinates(shapes))
    scores = score_weights("koopman_spent:structured", model, window)
    left = 0.9**29 * transients[0] + 0.5**29 * transients[1]
    np.testing.assert_allclose(scores, np.abs(limit) + np.abs(left), rtol=1e-6)
    alone = score_weights("koopman", model, window)
    np.testing.assert_allclose(alone / alone.max(), np.abs(limit) / np.abs(limit).max(), rtol=1e-6)
