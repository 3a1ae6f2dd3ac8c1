"""Pruning while training: the figure shows every method, seed and target."""

import numpy as np
from fixtures.depth import METHODS, pruned_store
from fixtures.drawn import texts

from koopscope.experiments.pruned_training.figures import pruned_training

FOUND = pruned_store()


def lines(axes) -> list[np.ndarray]:
    return [np.asarray(line.get_xydata()) for line in axes.lines]


def test_single_weights_and_whole_units_have_rows_and_dense_is_in_both():
    figure = pruned_training(FOUND)
    assert [axes.get_title() for axes in figure.axes[:4:2]] == ["single weights", "whole units"]
    curves = [len([xy for xy in lines(axes) if len(xy) == 6]) for axes in figure.axes[:4]]
    assert curves == [3, 3, 3, 3]
    first = next(xy for xy in lines(figure.axes[0]) if len(xy) == 6)
    dense = FOUND.sel(pruner="dense").isel(evaluation=slice(1, None))
    np.testing.assert_allclose(first[:, 0], dense["processor_seconds"].median("seed"))
    np.testing.assert_allclose(first[:, 1], (1 - dense["accuracy"]).median("seed"))
    assert "10⁹ multiplications with kept weights" in texts(figure)


def test_a_target_not_reached_is_said_and_has_no_mark():
    figure = pruned_training(FOUND)
    axes = figure.axes[4]
    rows = {round(float(xy[0, 1])) for xy in lines(axes) if len(xy)}
    assert rows == {0, 1, 2, 3}
    assert texts(figure).count("never") == 2
    assert texts(figure).count("3 of 3") == 8
    assert all(name in texts(figure) for name in METHODS)


def test_the_target_is_said_in_percent():
    said = f"to {100 * FOUND.attrs['target_accuracy']:g} %: "
    assert FOUND.attrs["target_accuracy"] < 1
    assert texts(pruned_training(FOUND)).count(said) >= 2


def test_a_run_without_whole_units_has_one_row():
    figure = pruned_training(pruned_store(("dense", "koopman")))
    assert len(figure.axes) == 4
    assert pruned_training(pruned_store(("dense",))).axes[0].get_title() == "no pruning"
