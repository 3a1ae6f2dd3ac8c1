"""Experiments of a configuration: what they become, and what is refused before work starts."""

import json

import pytest

from koopscope.errors import InputError
from koopscope.experiments.denoising.names import FILTERS, LOSSES, TARGETS
from koopscope.experiments.denoising.plan import from_dict
from koopscope.experiments.registry import read
from koopscope.sobolev.schedule import Schedule


def planned(**changes):
    entry = {"question": "Q?", "signals": {"steps": 64}} | changes
    return read({"data": {}, "sobolev": {"x": entry}})["x"]


def test_canonical_form_and_configuration_give_the_experiment_back():
    made = planned(signals={"falling-tones": 64}, snr=[20, -10], losses=["mse", "sum2"])
    assert from_dict(json.loads(json.dumps(made.to_dict("denoising")))) == made
    assert made.name == "x" and made.snr == (20.0, -10.0) and made.steps == 400
    assert made.signals == (("falling-tones", 64),)
    assert made.to_dict("denoising") == planned(
        signals={"falling-tones": 64}, snr=[20.0, -10.0], losses=["mse", "sum2"]
    ).to_dict("denoising")
    assert not read({"data": {}})


def test_every_name_of_the_library_can_be_planned():
    found = planned(
        signals=dict.fromkeys(TARGETS, 64),
        filters=list(FILTERS),
        losses=["mse", "s0.5", "linear2", "cosine1", "step2.5", "sum2"],
    )
    assert tuple(name for name, _ in found.signals) == TARGETS
    assert found.filters == planned().filters == FILTERS
    for name in (*found.losses, *LOSSES):
        assert Schedule.named(name)


def test_only_several_rates_are_tuned():
    assert planned(snr=[0, 10], steps=50, record_every=5).work("denoising") == (2 * 2 * 50, "steps")
    once = planned(snr=[0, 10], steps=50, record_every=5, learning_rates=[0.01])
    assert once.work("denoising") == (2 * 50, "steps")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"signals": {"sawtooth": 64}}, "^sobolev.x.signals: unknown 'sawtooth'; give one of"),
        ({"signals": {"steps": 20}}, "^sobolev.x.signals.steps: 20 points an axis are too few"),
        ({"signals": {"digits": 60}}, "^sobolev.x.signals.digits: 60 is no multiple of 8"),
        ({"losses": ["l1"]}, "^sobolev.x.losses: unknown 'l1'; give mse, or one of s, linear"),
        ({"losses": []}, "^sobolev.x.losses: none; give at least 1, each once"),
        ({"losses": ["s" + "9" * 400]}, "^sobolev.x.losses: unknown 's999.* a number up to 20, as"),
        ({"snr": [float("inf")]}, "^sobolev.x.snr\\[0\\]: inf is not a finite number"),
        ({"filters": ["median"]}, "^sobolev.x.filters: unknown 'median'"),
        ({"seeds": [1, 1]}, "^sobolev.x.seeds: 1 stands twice"),
        ({"seeds": [1001]}, "^sobolev.x.tuning_seeds: 1001 is one of seeds too"),
        ({"learning_rates": [0]}, "^sobolev.x.learning_rates\\[0\\]: 0 is not a number above 0"),
        ({"fourier_features": 7}, "^sobolev.x.fourier_features: 7 is odd"),
        ({"steps": 0}, "^sobolev.x.steps: 0 is not a whole number of at least 1"),
        (
            {"record_every": 100},
            "^sobolev.x.record_every: 5 records of 400 steps are too few for 8 modes",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(change, match):
    with pytest.raises(InputError, match=match) as caught:
        planned(**change)
    assert "\n" not in str(caught.value)
