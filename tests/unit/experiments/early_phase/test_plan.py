"""Questions of the early phase: what they become, and what is refused before any work starts."""

import json

import pytest

from koopscope.errors import InputError
from koopscope.experiments.early_phase.plan import Windows, from_dict
from koopscope.experiments.registry import needs, read

MODEL = {
    "data": "digits",
    "architecture": "mlp",
    "options": {"hidden_widths": [8]},
    "seeds": [1, 2, 3, 4, 5, 6],
}
ENTRY = {"question": "When?", "model": MODEL, "windows": {"first": 20, "count": 4}}


def planned(compare=None, **changes):
    model = MODEL | changes.pop("model", {})
    config = {
        "data": {"digits": {"kind": "digits"}},
        "compare": compare or {},
        "early_phase": {"one": ENTRY | {"model": model} | changes},
    }
    return read(config)["one"]


def test_a_question_comes_back_from_its_json():
    plan = planned(layers=["hidden1.*", "output.weight"], controls=[], other_coordinates=[])
    assert from_dict(json.loads(json.dumps(plan.to_dict("early_phase")))) == plan


def test_even_windows_have_one_length_and_geometric_ones_double():
    assert Windows(50, 4).bounds == (0, 50, 100, 150, 200)
    assert Windows(50, 4, "geometric").bounds == (0, 50, 100, 200, 400)
    assert Windows(edges=(10, 40, 70, 130)).bounds == (10, 40, 70, 130)


@pytest.mark.parametrize(
    ("windows", "strides"),
    [
        ({"first": 20, "count": 4}, (1, 1, 1, 1)),
        ({"first": 20, "count": 4, "spacing": "geometric"}, (1, 1, 2, 4)),
        ({"edges": [0, 60, 80, 120]}, (3, 1, 2)),
    ],
)
def test_all_windows_have_one_number_of_snapshots(windows, strides):
    plan = planned(windows=windows, delays=4, rank=3)
    assert plan.strides == strides
    lengths = plan.windows.lengths
    counts = {n // stride for n, stride in zip(lengths, strides, strict=True)}
    assert counts == {plan.snapshots}


def test_a_run_ends_with_the_last_window_unless_told():
    assert planned().model.steps == 80
    assert planned(model={"steps": 200}).model.steps == 200


def test_networks_are_one_a_seed_and_compared_as_studies_are():
    plan = planned(compare={"alpha": 0.01, "bootstrap": 300})
    assert plan.model.initialisations == 1
    assert (plan.compare.alpha, plan.compare.bootstrap) == (0.01, 300)
    assert plan.work("early_phase") == (6 * 80, "steps")


def test_more_seeds_need_more_memory():
    few, many = (needs([planned(model={"seeds": list(range(count))})], {}) for count in (10, 1000))
    path = "results/early_phase/one.zarr"
    assert many[path].memory_bytes > few[path].memory_bytes + 900 * 80 * 4 * 730


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"model": {"steps": 70}},
            r"windows: the last one ends at step 80, but a run has 70 steps \(model.steps\)",
        ),
        (
            {"windows": {"first": 16, "count": 4}},
            "windows: 16 snapshots each are too few for 10 delays and rank 5; give at least 17",
        ),
        ({"windows": {"first": 20, "count": 2}}, "count: 2 is not a whole number of at least 3"),
        ({"windows": {"edges": [0, 20, 40]}}, "edges: 0, 20, 40; give at least 4"),
        ({"windows": {"edges": [0, 40, 20, 60]}}, "edges: .* give them ascending"),
        ({"windows": {"edges": [0, 20, 40, 70]}}, "edges: a window of 30 steps beside one of 20"),
        (
            {"windows": {"first": 20, "edges": [0, 20, 40, 60]}},
            "windows.edges: stand in place of the other keys",
        ),
        ({"windows": {"spacing": "odd"}}, "spacing: unknown 'odd'; give one of even, geometric"),
        (
            {"windows": {"first": 50, "count": 1000, "spacing": "geometric"}},
            "model.steps",
        ),
        (
            {"model": {"record_every": 8}},
            "windows: one begins or ends at step 20, but a snapshot is taken each 8 steps",
        ),
        (
            {"layers": ["hidden1.weight", "fc9.weight"]},
            "layers: fc9.weight is no recorded parameter; give some of hidden1.weight, ",
        ),
        (
            {"layers": ["output.bias"], "model": {"observable": ["*.weight"]}},
            "layers: output.bias is no recorded parameter",
        ),
        ({"layers": ["output.bias", "output.bias"]}, "layers: output.bias stands twice"),
        ({"coordinates": "nonsense"}, "coordinates: unknown 'nonsense'"),
        ({"coordinates": "whitened:20"}, "coordinates: whitened:20 of windows of 20 snapshots"),
        ({"other_coordinates": ["normal_scores+per_step"]}, "other_coordinates: .* already"),
        ({"controls": ["recoded:nothing"]}, r"controls\[0\]: unknown 'recoded:nothing'"),
        ({"model": {"initialisations": 3}}, "model.initialisations: the question decides it"),
        ({"model": {"data": "dogits"}}, "model.data: unknown 'dogits'"),
        ({"model": {"architecture": "lanet"}}, "model.architecture: unknown 'lanet'"),
        ({"model": {"batch_size": 10**6}}, "model.batch_size: 1000000, but digits has"),
        (
            {"model": {"seeds": [1, 2, 3, 4]}},
            "model.seeds: with 4 and 999 permutations the smallest p reachable over 3 windows",
        ),
        ({"windows": {"start": 3}}, "windows.*start.*unknown key"),
        ({"rank": 0}, "rank: 0 is not a whole number of at least 1"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(changes, said):
    with pytest.raises(InputError, match=said) as error:
        planned(**changes)
    assert "\n" not in str(error.value)
