"""Pruning: the figures show every seed or its interval, every method, and what chance gives."""

import numpy as np
import pytest
from fixtures.drawn import texts
from fixtures.pruning import METHODS, PAIRS, pruning_store

from koopscope.errors import InputError
from koopscope.experiments.pruning.figures import (
    fixed_points,
    kept_by_layer,
    overlap,
    pruned_accuracy,
)
from koopscope.experiments.pruning.names import nearest

FOUND = pruning_store()
FIGURES = {
    figure.__name__: figure for figure in (overlap, pruned_accuracy, fixed_points, kept_by_layer)
}


def lines(axes) -> list[np.ndarray]:
    return [line.get_xydata() for line in axes.lines]


def test_overlaps_lie_at_their_means_beside_chance():
    figure = overlap(FOUND)
    said = texts(figure)
    assert all(pair in said for pair in PAIRS) and "by chance" in said and "epoch 5" in said
    # Two rows, since no pair has Koopman gradients; two epochs.
    assert len(figure.axes) == 4
    drawn = lines(figure.axes[0])
    np.testing.assert_allclose(drawn[0], [[4, 0.7], [16, 0.7]])
    np.testing.assert_allclose(drawn[-1][:, 1], [0.143, 0.032])
    (band,) = [c for c in figure.axes[0].collections][:1]
    # Student's t of three seeds at 0.69, 0.70, 0.71.
    assert band.get_paths()[0].vertices[:, 1].min() == pytest.approx(
        0.7 - 4.303 * 0.02 / 3**0.5, abs=1e-3
    )


def test_accuracy_has_a_row_after_fine_tuning_only_if_something_was_fine_tuned():
    figure = pruned_accuracy(FOUND)
    assert len(figure.axes) == 4
    assert "accuracy after fine-tuning" in texts(figure) and "not pruned" in texts(figure)
    before = FOUND.assign(accuracy=FOUND["accuracy"].where(FOUND["moment"] == "before"))
    assert len(pruned_accuracy(before).axes) == 2


def test_every_seed_has_its_eigenvalue_and_the_next():
    figure = fixed_points(FOUND)
    distances = np.concatenate([xy[:, 1] for xy in lines(figure.axes[0])])
    expected = np.abs(np.stack([FOUND["eigenvalue"], FOUND["second_eigenvalue"]]) - 1)
    np.testing.assert_allclose(np.sort(distances), np.sort(expected.ravel()))
    assert "ρ = " in figure.axes[2].get_title() and "(n = 5)" in figure.axes[2].get_title()


def test_layers_have_what_they_keep():
    figure = kept_by_layer(FOUND)
    drawn = [xy for xy in lines(figure.axes[0]) if len(xy) == 2][: len(METHODS)]
    np.testing.assert_allclose([xy[:, 1] for xy in drawn], [[0.5, 0.05]] * len(METHODS))
    assert "share kept at compression 16" in texts(figure)
    assert "the same share of each layer" in texts(figure)


def test_single_numbers_are_those_of_the_nearest_compression():
    there = FOUND["compression"].values.tolist()
    assert nearest(there, 5) == 4
    assert nearest(there, 100) == 16


@pytest.mark.parametrize("name", FIGURES)
def test_a_single_seed_is_drawn_without_an_interval(name):
    FIGURES[name](FOUND.isel(seed=[0]))


@pytest.mark.parametrize("name", FIGURES)
def test_a_wrong_dataset_is_refused_in_one_line(name):
    with pytest.raises(InputError, match="give a pruning store") as refused:
        FIGURES[name](FOUND[["loss"]])
    assert "\n" not in str(refused.value)
