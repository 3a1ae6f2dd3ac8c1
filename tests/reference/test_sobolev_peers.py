"""The kernel of scattered points against scikit-learn's Matérn covariance."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import Matern

from koopscope.sobolev.kernel import bessel_kernel


@pytest.mark.parametrize(("s", "dimension"), [(1, 1), (1.7, 1), (1.5, 2), (3, 2), (4, 3)])
def test_the_kernel_is_a_matern_covariance_of_smoothness_s_less_half_the_dimension(s, dimension):
    points = np.random.default_rng(0).uniform(0, 3, (12, dimension))
    points[1] = points[0]
    smoothness = s - dimension / 2
    # Their length is scaled by √(2ν).
    peer = Matern(length_scale=np.sqrt(2 * smoothness), nu=smoothness)(points)
    ours = bessel_kernel(points, s)
    np.testing.assert_allclose(ours / ours[0, 0], peer, rtol=1e-6, atol=1e-12)
    assert ours[0, 1] == ours[0, 0]
