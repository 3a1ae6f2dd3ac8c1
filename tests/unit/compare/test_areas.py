"""Areas under the curve with weights, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from koopscope.compare.areas import weighted_auc

RNG = np.random.default_rng(0)
PLACES = np.arange(60) % 5
POSITIVE = RNG.random(60) < 0.4
SCORES = (RNG.normal(size=60) + POSITIVE).round(1)
WEIGHTS = np.array([[1.0, 1, 1, 1, 1], [2, 0, 1, 3, 1]])


def test_weights_count_as_copies():
    found = weighted_auc(SCORES, POSITIVE, PLACES, WEIGHTS)
    for value, weights in zip(found, WEIGHTS, strict=True):
        expected = roc_auc_score(POSITIVE, SCORES, sample_weight=weights[PLACES])
        assert value == pytest.approx(expected)


def test_within_groups_it_is_the_mean_over_pairs_of_each_group():
    found = weighted_auc(SCORES, POSITIVE, PLACES, WEIGHTS, within=True)
    areas, pairs = [], []
    for group in range(5):
        chosen = group == PLACES
        areas.append(roc_auc_score(POSITIVE[chosen], SCORES[chosen]))
        pairs.append(POSITIVE[chosen].sum() * (~POSITIVE[chosen]).sum())
    expected = [np.average(areas, weights=np.array(pairs) * weights) for weights in WEIGHTS]
    np.testing.assert_allclose(found, expected)


def test_what_the_group_alone_decides_is_nothing_within_groups():
    scores = PLACES.astype(float)
    assert weighted_auc(scores, POSITIVE, PLACES, WEIGHTS[:1], within=True) == 0.5


def test_without_one_side_or_with_an_unknown_score_there_is_none():
    assert np.isnan(weighted_auc(SCORES, np.ones(60, bool), PLACES, WEIGHTS)).all()
    assert np.isnan(weighted_auc(np.full(60, np.nan), POSITIVE, PLACES, WEIGHTS)).all()
    alone = np.eye(5)[:1]
    assert np.isnan(weighted_auc(SCORES, PLACES > 0, PLACES, alone)).all()
