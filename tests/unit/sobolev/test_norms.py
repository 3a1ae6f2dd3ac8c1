"""Negative Sobolev norms: closed forms, Parseval, gradients, noise, points against grids."""

import itertools

import numpy as np
import pytest
import torch
from scipy.fft import dctn

from koopscope.errors import InputError
from koopscope.koopman.fitting import fit
from koopscope.sobolev.norms import SobolevLoss
from koopscope.sobolev.schedule import Schedule

ORDERS = (0, 0.5, 1, 2, 3.7)
TURN = 2 * np.pi


def drawn(*shape, seed=0):
    return torch.as_tensor(np.random.default_rng(seed).standard_normal(shape))


@pytest.mark.parametrize("s", ORDERS)
@pytest.mark.parametrize(("n", "length", "k"), [(64, 1.0, 3), (65, TURN, 20), (64, 5.0, 0)])
def test_norm_of_a_tone_is_its_closed_form(s, n, length, k):
    x = np.arange(n) * length / n
    tone = 0.7 * torch.as_tensor(np.cos(TURN * k * x / length + 0.3))
    expected = tone.square().mean() / (1 + (TURN * k / length) ** 2) ** s
    found = SobolevLoss(s, length, grid=(n,)).squared_norm(tone)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("s", ORDERS)
def test_norm_of_a_plane_wave_and_of_a_cosine_are_their_closed_forms(s):
    x, y = np.meshgrid(np.arange(16) / 16 * 2, np.arange(12) / 12 * 3, indexing="ij")
    wave = torch.as_tensor(np.sin(TURN * (3 * x / 2 - 2 * y / 3)))
    expected = 0.5 / (1 + (TURN * 3 / 2) ** 2 + (TURN * 2 / 3) ** 2) ** s
    assert SobolevLoss(s, (2, 3), grid=(16, 12)).squared_norm(wave).item() == pytest.approx(
        expected
    )
    at = (np.arange(16) + 0.5) / 16 * 2
    cosine = torch.as_tensor(np.cos(np.pi * 5 * at / 2))
    loss = SobolevLoss(s, 2, grid=(16,), boundary="reflecting")
    assert loss.squared_norm(cosine).item() == pytest.approx(0.5 / (1 + (np.pi * 5 / 2) ** 2) ** s)


@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
@pytest.mark.parametrize("shape", [(31,), (8, 9)])
def test_order_zero_is_the_mean_squared_error(boundary, shape):
    a, b = drawn(4, *shape), drawn(4, *shape, seed=1)
    mse = torch.nn.functional.mse_loss(a, b)
    torch.testing.assert_close(SobolevLoss(0, grid=shape, boundary=boundary)(a, b), mse)
    # By way of the transform too: Parseval.
    tiny = SobolevLoss(1e-12, grid=shape, boundary=boundary)
    torch.testing.assert_close(tiny(a, b), mse)


def test_reflecting_norm_is_that_of_the_cosine_transform():
    e = drawn(3, 10, 7)
    k = [np.pi * np.arange(n) / side for n, side in ((10, 2.0), (7, 0.5))]
    weights = (1 + k[0][:, None] ** 2 + k[1] ** 2) ** -1.5
    expected = (dctn(e.numpy(), axes=(1, 2), norm="ortho") ** 2 * weights).sum((1, 2)) / 70
    found = SobolevLoss(1.5, (2.0, 0.5), grid=(10, 7), boundary="reflecting").squared_norm(e)
    np.testing.assert_allclose(found, expected)


def test_norm_is_the_sum_over_all_coefficients():
    e = drawn(15)
    k = TURN * np.fft.fftfreq(15, 1 / 15) / 3
    expected = (np.abs(np.fft.fft(e.numpy())) ** 2 / (1 + k**2) ** 0.8).sum() / 15**2
    assert SobolevLoss(0.8, 3, grid=(15,)).squared_norm(e).item() == pytest.approx(expected)


def losses():
    scattered = np.random.default_rng(5).uniform(0, 2, (9, 2))
    yield SobolevLoss(1, 2, grid=(9,))
    yield SobolevLoss(0.5, 2, grid=(3, 4), boundary="reflecting")
    yield SobolevLoss((0, 1, 2), 2, grid=(3, 3))
    yield SobolevLoss((0, 1), 2, points=scattered)
    yield SobolevLoss(0.5, 2, points=scattered, boundary="reflecting")
    yield SobolevLoss(2, 2, points=scattered, boundary="free")


@pytest.mark.parametrize("loss", list(losses()), ids=str)
def test_gradient_is_exact_and_the_filtered_residual(loss):
    prediction = drawn(2, *loss.shape).requires_grad_()
    target = drawn(2, *loss.shape, seed=1)
    assert torch.autograd.gradcheck(lambda p: loss(p, target), prediction)
    assert torch.autograd.gradgradcheck(lambda p: loss(p, target), prediction)
    (gradient,) = torch.autograd.grad(loss(prediction, target), prediction)
    n = np.prod(loss.shape)
    torch.testing.assert_close(gradient, loss.filtered(prediction - target) * 2 / n / 2)


def test_filter_divides_each_tone_by_its_weight():
    x = np.arange(32) / 32
    tones = [torch.as_tensor(np.sin(TURN * k * x + 0.2)) for k in (2, 7)]
    expected = sum(t / (1 + (TURN * k) ** 2) for t, k in zip(tones, (2, 7), strict=True))
    torch.testing.assert_close(SobolevLoss(1, grid=(32,)).filtered(sum(tones)), expected)


@pytest.mark.parametrize("s", [0.5, 1])
def test_gradient_descent_has_a_koopman_eigenvalue_for_each_wave_number(s):
    n, rate, tones = 32, 10.0, (0, 1, 2, 5)
    loss = SobolevLoss(s, TURN, grid=(n,))
    x = np.arange(n) * TURN / n
    target = torch.as_tensor(sum(np.cos(k * x) for k in tones))
    outputs, snapshots = torch.zeros(n, dtype=torch.float64), []
    for _ in range(12):
        snapshots.append((outputs - target).numpy())
        outputs = outputs - rate * 2 / n * loss.filtered(outputs - target)
    found = np.sort(fit([np.array(snapshots)], rank=len(tones)).eigenvalues.real)
    expected = [1 - 2 * rate / n / (1 + k**2) ** s for k in tones]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("loss", list(losses()), ids=str)
def test_white_noise_has_the_expected_norm(loss):
    noise = 1.7 * drawn(4000, *loss.shape)
    norms = loss.squared_norm(noise)
    error = norms.std() / np.sqrt(len(norms))
    assert abs(norms.mean() - loss.expected_noise(1.7**2)) < 4 * error


def test_white_noise_stays_bounded_above_one_half_and_vanishes_with_more_points():
    def expected(s, n):
        return SobolevLoss(s, TURN, grid=(n,)).expected_noise()

    # n × the expected norm is Σ (1 + k²)^{−s}: for s = 1 it tends to π coth π.
    assert 4096 * expected(1, 4096) == pytest.approx(np.pi / np.tanh(np.pi), rel=1e-3)
    assert expected(0, 4096) == 1
    grown = {s: 65536 * expected(s, 65536) / (256 * expected(s, 256)) for s in (0.25, 0.5, 0.75)}
    assert grown[0.25] > 10 and 1.5 < grown[0.5] < 2.5 and grown[0.75] < 1.15


@pytest.mark.parametrize("s", ORDERS)
@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
@pytest.mark.parametrize("dimension", [1, 2])
def test_points_on_a_grid_have_the_norm_of_the_grid(s, boundary, dimension):
    at = (np.arange(9) + 0.5) / 9 * 2
    points = np.array(list(itertools.product(*[at] * dimension)))
    e = drawn(3, *[9] * dimension)
    of_grid = SobolevLoss(s, 2, grid=[at] * dimension, boundary=boundary).squared_norm(e)
    of_points = SobolevLoss(s, 2, points=points, boundary=boundary)
    torch.testing.assert_close(of_points.squared_norm(e.flatten(1)), of_grid)


@pytest.mark.parametrize("s", [1, 1.5, 2, 3])
def test_kernel_on_the_whole_space_is_close_to_a_wide_grid(s):
    # What lies far from the ends does not see them.
    x = np.arange(2000) * 0.02
    e = torch.as_tensor(np.exp(-((x - 20) ** 2)) * np.cos(3 * x))
    of_grid = SobolevLoss(s, 40, grid=(2000,)).squared_norm(e)
    free = SobolevLoss(s, 40, points=x, boundary="free")
    torch.testing.assert_close(free.squared_norm(e), of_grid, rtol=2e-3, atol=0)


def test_kernel_in_two_dimensions_is_close_to_a_wide_grid():
    at = np.arange(40) * 0.5
    x, y = np.meshgrid(at, at, indexing="ij")
    e = torch.as_tensor(np.exp(-((x - 10) ** 2) / 2 - (y - 9) ** 2 / 3) * np.cos(x))
    of_grid = SobolevLoss(2, 20, grid=(40, 40)).squared_norm(e)
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    free = SobolevLoss(2, 20, points=points, boundary="free").squared_norm(e.ravel())
    torch.testing.assert_close(free, of_grid, rtol=2e-3, atol=0)


def test_kernel_of_order_one_is_the_exponential():
    loss = SobolevLoss(1, 3, points=[0.0, 0.4, 0.4, 2.0], boundary="free")
    e = torch.tensor([1.0, 2.0, -1.0, 0.5], dtype=torch.float64)
    at = np.array([0.0, 0.4, 0.4, 2.0])
    kernel = np.exp(-np.abs(at[:, None] - at)) / 2
    assert loss.squared_norm(e).item() == pytest.approx(3 * e.numpy() @ kernel @ e.numpy() / 16)


def test_scattered_points_see_a_smooth_residual_as_the_grid_does():
    rng = np.random.default_rng(3)
    x = np.sort(rng.uniform(0, 1, 4000))
    e = torch.as_tensor(np.sin(TURN * x))
    found = SobolevLoss(1, points=x).squared_norm(e).item()
    assert found == pytest.approx(0.5 / (1 + TURN**2), rel=0.1)


def test_several_orders_are_averaged():
    e = drawn(20)
    each = [SobolevLoss(s, 2, grid=(20,)).squared_norm(e) for s in (0, 1, 2)]
    found = SobolevLoss((0, 1, 2), 2, grid=(20,)).squared_norm(e)
    torch.testing.assert_close(found, sum(each) / 3)


def test_order_can_be_set_anew():
    e, loss = drawn(20), SobolevLoss(2, grid=(20,))
    loss.squared_norm(e)
    loss.s = 0.5
    torch.testing.assert_close(
        loss.squared_norm(e), SobolevLoss(0.5, grid=(20,)).squared_norm(e), rtol=0, atol=0
    )
    assert loss.s == 0.5


def test_loss_is_a_module_without_state_that_works_in_any_precision():
    loss = torch.nn.Sequential(SobolevLoss(1, grid=(16,)))[0]
    assert not loss.state_dict() and not list(loss.parameters())
    a, b = drawn(2, 16), drawn(2, 16, seed=1)
    exact = loss(a, b)
    for dtype, allowed in ((torch.float32, 1e-5), (torch.bfloat16, 3e-2), (torch.float16, 3e-3)):
        found = loss(a.to(dtype), b.to(dtype))
        assert found.dtype == torch.float32
        assert found.item() == pytest.approx(exact.item(), rel=allowed)
    in_half = a.to(torch.bfloat16).requires_grad_()
    loss(in_half, b.to(torch.bfloat16)).backward()
    assert in_half.grad.dtype == torch.bfloat16


def test_norm_can_be_mapped_over_members():
    loss, e = SobolevLoss(1, grid=(16,)), drawn(5, 16)
    mapped = torch.func.vmap(torch.func.grad(loss.squared_norm))(e)
    torch.testing.assert_close(mapped, loss.filtered(e) * 2 / 16)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"s": np.nan}, "s: nan is no finite number of at least 0"),
        ({"s": np.inf}, "s: inf is no finite"),
        ({"s": -1}, "s: -1 is no finite number of at least 0"),
        ({"s": ()}, "s: .* is no finite"),
        ({"s": None}, "s: None is no finite"),
        ({"s": "1"}, "s: '1' is no finite"),
        ({"s": torch.tensor([1.0, -1.0])}, "s: tensor.* is no finite"),
        ({"grid": np.array([1, 2, 4, 8])}, "grid: coordinates of dimension 0 are not equidistant"),
        (
            {"grid": None, "points": [0.1, 0.2], "boundary": "free", "s": 200},
            "s: 200 is beyond the numbers of the whole space's kernel; give 150 at most",
        ),
        ({"length": 0}, "length: 0 is no finite number above 0"),
        ({"length": np.nan}, "length: nan is no"),
        ({"length": (1, 2)}, "length: 2 numbers for 1 dimensions; give one each"),
        ({"grid": [[0, 0.1, 0.3]]}, "grid: coordinates of dimension 0 are not equidistant; give"),
        ({"grid": [[0.3, 0.2, 0.1]]}, "grid: coordinates of dimension 0 are not equidistant"),
        ({"grid": [np.arange(10) * 0.2]}, "length: 1, but 10 points of spacing 0.2 fill 2; give"),
        ({"grid": [1.5]}, "grid: dimension 0 is neither a number of points nor coordinates"),
        ({"grid": (0,)}, "grid: 0 points in dimension 0"),
        ({"grid": ()}, "grid: no dimension"),
        ({"points": [0.1]}, "grid, points: give one of the two"),
        ({"grid": None}, "grid, points: give one of the two"),
        ({"boundary": "mirror"}, "boundary: unknown 'mirror'; give one of periodic, reflecting"),
        ({"boundary": "free"}, "boundary: unknown 'free'"),
        ({"grid": None, "points": [0.1, np.nan]}, "points: not finite positions"),
        ({"grid": None, "points": [0.1, 1.2], "boundary": "reflecting"}, "points: some lie outs"),
        (
            {"grid": None, "points": [0.1], "boundary": "free", "s": 0.5},
            "s: 0.5 gives a kernel that is infinite at 0; give 0, above 0.5, or a periodic",
        ),
    ],
)
def test_what_makes_no_norm_is_refused_in_one_line(arguments, match):
    with pytest.raises(InputError, match=match) as caught:
        SobolevLoss(**({"s": 1, "grid": (8,)} | arguments))
    assert "\n" not in str(caught.value)


def test_shapes_that_do_not_match_are_refused():
    loss = SobolevLoss(1, grid=(8, 9))
    with pytest.raises(InputError, match=r"shapes \(8, 9\) and \(1, 8, 9\) differ"):
        loss(torch.zeros(8, 9), torch.zeros(1, 8, 9))
    with pytest.raises(InputError, match=r"shape \(9, 8\) does not end in the loss's \(8, 9\)"):
        loss(torch.zeros(9, 8), torch.zeros(9, 8))


def test_schedules_end_at_the_mean_squared_error():
    for name in ("linear2", "cosine2", "step2"):
        schedule = Schedule.named(name)
        assert schedule.at(0) == 2 and schedule.at(1) == pytest.approx(0)
        orders = [schedule.at(share) for share in np.linspace(0, 1, 11)]
        assert orders == sorted(orders, reverse=True) and not schedule.constant
    assert Schedule.named("cosine2").at(0.5) == pytest.approx(1)
    assert Schedule.named("step2").at(0.49) == 2 and Schedule.named("step2").at(0.5) == 0
    assert Schedule.named("s0.5").at(0.7) == 0.5 and Schedule.named("mse").at(0.2) == 0
    assert Schedule.named("sum2").at(0.9) == (0, 1, 2) and Schedule.named("sum2").constant
    for wrong in ("s", "linear", "cosine-1", "s1e9", "mse2", "ramp1", "snan"):
        with pytest.raises(InputError, match="loss: unknown"):
            Schedule.named(wrong)
    with pytest.raises(InputError, match="s: nan is not a finite"):
        Schedule("s", np.nan)


def test_a_first_call_without_gradients_leaves_a_loss_that_trains():
    loss, zeros = SobolevLoss(1.0, grid=(20,)), torch.zeros(20)
    with torch.inference_mode():
        loss(torch.ones(20), zeros)
        assert loss.filtered(torch.ones(20)).shape == (20,)
    ones = torch.ones(20, requires_grad=True)
    loss(ones, zeros).backward()
    assert ones.grad.isfinite().all()


@pytest.mark.parametrize("boundary", ["periodic", "reflecting", "free"])
def test_autocast_lowers_no_precision(boundary):
    torch.manual_seed(0)
    loss = SobolevLoss(2.0, points=torch.rand(64), boundary=boundary)
    residual = torch.randn(4, 64)
    expected = loss.squared_norm(residual)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(loss.squared_norm(residual), expected)


def test_an_imaginary_residual_counts_as_a_real_one():
    loss, real = SobolevLoss(1.0, grid=(20,)), torch.randn(20)
    assert loss.squared_norm(1j * real) == loss.squared_norm(real)
    torch.testing.assert_close(loss.filtered(1j * real), 1j * loss.filtered(real))
    assert loss.squared_norm(torch.zeros(0, 20)).shape == (0,)


@pytest.mark.parametrize(
    "given",
    [np.array(1.0), torch.tensor(1.0), torch.nn.Parameter(torch.tensor(1.0)), np.float32(1)],
)
def test_an_order_and_a_length_may_come_from_any_library(given):
    residual = drawn(3, 16)
    expected = SobolevLoss(1, 1.0, grid=(16,)).squared_norm(residual)
    loss = SobolevLoss(given, given, grid=(16,))
    torch.testing.assert_close(loss.squared_norm(residual), expected, rtol=0, atol=0)
    assert not list(loss.parameters())
    loss.s = torch.nn.Parameter(torch.tensor(2.0))
    assert loss.s == 2 and not list(loss.parameters())


def test_points_in_half_precision_are_positions():
    at = torch.arange(8) / 8
    half = SobolevLoss(1, points=at.to(torch.bfloat16)).squared_norm(drawn(8))
    torch.testing.assert_close(half, SobolevLoss(1, points=at).squared_norm(drawn(8)))


def test_a_batch_without_samples_has_a_loss_of_0_and_gradients():
    given = torch.zeros(0, 16, requires_grad=True)
    loss = SobolevLoss(1, grid=(16,))(given, torch.zeros(0, 16))
    loss.backward()
    assert loss.item() == 0 and given.grad.shape == (0, 16)


def test_a_difference_of_half_precision_numbers_is_taken_in_single():
    near = torch.full((1, 8), 1.0, dtype=torch.bfloat16), torch.full((1, 8), 1.0 + 2**-12)
    assert SobolevLoss(0, grid=(8,))(*near).item() == pytest.approx(2**-24)


@pytest.mark.parametrize("given", [np.zeros(8), [0.0] * 8, torch.zeros(8).to_sparse()])
def test_what_is_no_dense_tensor_is_refused_in_one_line(given):
    with pytest.raises(InputError, match="target: a (ndarray|list|tensor of layout)") as error:
        SobolevLoss(1, grid=(8,))(torch.zeros(8), given)
    assert "\n" not in str(error.value)
