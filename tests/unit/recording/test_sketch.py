"""Sketches of weights: linear, true to inner products on average, and the same for a seed."""

import numpy as np
import torch

from koopscope.recording.sketch import Sketch


def test_a_sketch_is_linear_and_the_same_for_a_seed():
    x, y = torch.randn(2, 1000, dtype=torch.float64)
    sketch = Sketch(1000, 50, seed=3)
    np.testing.assert_allclose(sketch([2 * x - y]), 2 * sketch([x]) - sketch([y]), atol=1e-12)
    np.testing.assert_array_equal(Sketch(1000, 50, seed=3)([x]), sketch([x]))
    assert np.abs(Sketch(1000, 50, seed=4)([x]) - sketch([x])).max() > 0.1


def test_a_sketch_keeps_inner_products_on_average_within_its_variance():
    x, y = np.random.default_rng(0).normal(size=(2, 1000))
    found = np.array([Sketch(1000, 50, s)([torch.tensor(x)]) for s in range(400)])
    other = np.array([Sketch(1000, 50, s)([torch.tensor(y)]) for s in range(400)])
    products = np.einsum("ij,ij->i", found, other)
    bound = np.sqrt(2 / 50) * np.linalg.norm(x) * np.linalg.norm(y)
    assert abs(products.mean() - x @ y) < 3 * bound / np.sqrt(400)
    assert products.std() < bound


def test_few_weights_are_kept_as_they_are_and_pieces_are_put_together():
    parts = [torch.arange(6.0).reshape(2, 3), torch.tensor(7.0)]
    expected = [0, 1, 2, 3, 4, 5, 7]
    np.testing.assert_array_equal(Sketch(7, 100)(parts), expected)
    np.testing.assert_array_equal(Sketch(7, None)(parts), expected)


def test_half_precision_is_summed_in_single():
    x = torch.full((4096,), 0.1, dtype=torch.float16)
    found = Sketch(4096, 8)([x])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, Sketch(4096, 8)([x.double()]), rtol=1e-5)


def test_sketches_of_several_runs_are_those_of_each():
    runs = torch.randn(3, 500)
    sketch = Sketch(500, 20)
    np.testing.assert_array_equal(sketch.of_runs(runs), [sketch([run]) for run in runs])
