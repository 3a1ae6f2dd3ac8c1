"""Products with the delayed matrices equal those with the matrices written out."""

import numpy as np
import pytest
import torch

from koopscope.koopman import embedding
from koopscope.koopman.embedding import DelayEmbedding, to_numpy

KINDS = {"numpy": lambda a: a, "torch": torch.as_tensor}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("delays", [0, 5, 40])
@pytest.mark.parametrize("group_bytes", [1, 2**24])
def test_products_equal_those_of_the_dense_matrices(kind, delays, group_bytes, monkeypatch):
    monkeypatch.setattr(embedding, "GROUP_BYTES", group_bytes)
    rng = np.random.default_rng(delays)
    make = KINDS[kind]
    runs = [rng.normal(size=(steps, 7)) for steps in (60, 45, 83)]
    data = DelayEmbedding([make(run) for run in runs], delays)
    windows = [[run[t : t + delays + 1].ravel() for t in range(len(run) - delays)] for run in runs]
    x = np.concatenate([w[:-1] for w in windows]).T
    y = np.concatenate([w[1:] for w in windows]).T
    coefficients = rng.normal(size=(x.shape[1], 3))
    vectors = rng.normal(size=(x.shape[0], 3))
    np.testing.assert_allclose(to_numpy(data.matrix()), x)
    np.testing.assert_allclose(to_numpy(data.matrix(1)), y)
    for shift, matrix in enumerate((x, y)):
        product = to_numpy(data.times(make(coefficients), shift))
        np.testing.assert_allclose(product, matrix @ coefficients, atol=1e-12)
    transposed = to_numpy(data.transposed_times(make(vectors)))
    np.testing.assert_allclose(transposed, x.T @ vectors, atol=1e-12)
    assert data.by_fft == (delays == 40)
