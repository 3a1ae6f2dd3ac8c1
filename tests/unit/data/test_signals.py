import numpy as np
import pytest

from koopscope.data.signals import SIGNALS, draws, signal
from koopscope.errors import InputError


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_lives_on_an_equidistant_grid_with_its_digest(name):
    found = signal(name, 41, noise=0.1)
    assert found.sizes == dict.fromkeys(SIGNALS[name].extents, 41)
    for dim, extent in SIGNALS[name].extents.items():
        np.testing.assert_allclose(found[dim], np.linspace(0, extent, 41))
    assert np.isfinite(found["value"]).all()
    assert found["value"].dtype == np.float64
    assert found.attrs["signal"] == name
    assert len(found.attrs["digest"]) == 64


@pytest.mark.parametrize("name", ["tones", "random-tones", "lorenz", "travelling-waves"])
def test_the_seed_decides_everything(name):
    first, again, other = (signal(name, 41, 0.2, seed) for seed in (3, 3, 4))
    assert first.identical(again)
    assert first.attrs["digest"] != other.attrs["digest"]


@pytest.mark.parametrize("name", ["tones", "random-tones", "lorenz", "rings"])
def test_noise_grows_in_size_alone(name):
    none, little, more = (signal(name, 101, noise, 5) for noise in (0, 0.1, 0.3))
    assert none["value"].equals(none["clean"])
    assert little["clean"].equals(more["clean"])
    drawn = little["value"] - little["clean"]
    np.testing.assert_allclose(more["value"] - more["clean"], 3 * drawn, atol=1e-12)
    assert float(drawn.std() / little["clean"].std()) == pytest.approx(0.1, rel=0.2)


def test_what_comes_out_the_same_for_all_seeds_is_drawn_once():
    found = draws({"tone": 21, "lorenz": 21}, [0, 0.1], [4, 5])
    drawn = [tuple(one.attrs[name] for name in ("signal", "noise", "seed")) for one in found]
    assert drawn[:3] == [("tone", 0, 4), ("tone", 0.1, 4), ("tone", 0.1, 5)]
    assert drawn[3:] == [("lorenz", noise, seed) for noise in (0, 0.1) for seed in (4, 5)]


def test_the_oscillator_obeys_the_equation_of_van_der_pol():
    found = signal("van-der-pol", 3001)
    x, dt = found["clean"].values, float(found["time"][1])
    velocity = (x[2:] - x[:-2]) / (2 * dt)
    acceleration = (x[2:] - 2 * x[1:-1] + x[:-2]) / dt**2
    x = x[1:-1]
    np.testing.assert_allclose(acceleration, 2 * (1 - x**2) * velocity - x, atol=0.01)
    assert np.abs(x).max() == pytest.approx(2.02, abs=0.02)


def test_the_lorenz_system_is_on_its_attractor():
    x = signal("lorenz", 2001)["clean"].values
    assert np.abs(x).max() < 20
    assert x.min() < -5 < 5 < x.max()


CASES = {
    "unknown": (dict(name="sine"), "name: unknown 'sine'; give one of tone, tones, "),
    "one point": (dict(points=1), "points: 1 is not a whole number of at least 2"),
    "half a point": (dict(points=2.5), "points: 2.5 is not a whole"),
    "negative noise": (dict(noise=-0.1), "noise: -0.1 is not a finite number of at least 0"),
    "no noise level": (dict(noise=np.nan), "noise: nan is not"),
    "negative seed": (dict(seed=-1), "seed: -1 is not a whole number of at least 0"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_made_is_refused_in_one_clear_line(case):
    arguments, match = CASES[case]
    with pytest.raises(InputError, match=match) as refused:
        signal(**{"name": "tone", "points": 9} | arguments)
    assert "\n" not in str(refused.value)
