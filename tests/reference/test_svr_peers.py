"""With one scale, hierarchical SVR is scikit-learn's SVR."""

import numpy as np
import pytest
from sklearn.svm import SVR

from koopscope.hsvr.model import HierarchicalSVR


@pytest.mark.parametrize("scale", [1.0, 0.3, 0.1])
@pytest.mark.parametrize("dims", [1, 3])
def test_one_layer_is_the_svr_with_the_same_kernel(scale, dims):
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (150, dims))
    y = np.sin(7 * x.sum(axis=1)) + 0.1 * rng.normal(size=150)
    spread = np.ptp(y)
    ours = HierarchicalSVR(scales=[scale], tol=1e-6).fit(x, y)
    peer = SVR(gamma=0.5 / scale**2, C=5 * spread, epsilon=0.01 * spread, tol=1e-6).fit(x, y)
    new = rng.uniform(0, 1, (80, dims))
    np.testing.assert_allclose(ours.predict(new), peer.predict(new), atol=1e-4)
    assert abs(ours.n_support_[0] - len(peer.support_)) <= 1
