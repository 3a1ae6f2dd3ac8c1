"""What independent noise has of each norm on average: the mean over unit vectors, exactly."""

import numpy as np
import pytest
import torch

from koopscope.sobolev.norms import SobolevLoss

POINTS = torch.rand(11, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
CASES = {
    **{
        f"{boundary} grid {shape}": dict(grid=shape, boundary=boundary, length=2.0)
        for boundary in ("periodic", "reflecting")
        for shape in ((8,), (9,), (4, 6), (3, 5))
    },
    **{
        f"{boundary} points": dict(points=POINTS, boundary=boundary)
        for boundary in ("periodic", "reflecting", "free")
    },
}


@pytest.mark.parametrize("s", [0, 1.5, (0, 2), (2, 1.25)])
@pytest.mark.parametrize("case", CASES)
def test_expected_noise_is_the_sum_over_unit_vectors(case, s):
    loss = SobolevLoss(s, **CASES[case])
    count = int(np.prod(loss.shape))
    # Independent values: the mean of the squared norm is that of each alone, added up.
    units = torch.eye(count, dtype=torch.float64).reshape(count, *loss.shape)
    total = float(loss.squared_norm(units).sum())
    assert loss.expected_noise() == pytest.approx(total)
    assert loss.expected_noise(0.3) == pytest.approx(0.3 * total)


@pytest.mark.parametrize("s", [0.5, 2])
def test_noise_on_a_reflecting_line_is_that_of_its_cosines(s):
    k = np.pi * np.arange(8) / 2
    expected = np.mean((1 + k**2) ** -s)
    loss = SobolevLoss(s, 2.0, grid=(8,), boundary="reflecting")
    assert loss.expected_noise() == pytest.approx(expected)
