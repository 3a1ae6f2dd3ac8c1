"""Questions about grokking: what they become, and what is refused before any work starts."""

import json

import pytest
from fixtures.grokking import DATA, ENTRY, MODEL, PREDICTION, question

from koopscope.errors import InputError
from koopscope.experiments.grokking.plan import from_dict
from koopscope.experiments.registry import read


def test_a_question_comes_back_from_its_json():
    plan = question(prediction=PREDICTION)
    said = json.loads(json.dumps(plan.to_dict("grokking")))
    again = from_dict(said)
    assert json.loads(json.dumps(again.to_dict("grokking"))) == said
    assert [d.to_dict() for d in again.data_sets] == [d.to_dict() for d in plan.data_sets]
    assert [s.seeds for s in again.trained.values()] == [s.seeds for s in plan.trained.values()]
    assert (again.compare.permutations, again.kind) == (199, "grokking")


def test_without_a_prediction_it_comes_back_too():
    again = from_dict(json.loads(json.dumps(question().to_dict("grokking"))))
    assert again.prediction is None and again.settings == {}


def test_no_two_of_what_is_trained_share_a_seed():
    plan = question(prediction=PREDICTION | {"seeds": [1, 2, 3, 7]})
    seeds = [s for setup in (*plan.trained.values(), *plan.settings.values()) for s in setup.seeds]
    assert len(seeds) == len(set(seeds)) == 4 * 6 + 3 * 4
    assert list(plan.trained) == ["delayed", "fresh", "renamed", "small"]
    assert plan.shared == {} and len(plan.ensembles) == 4 + 3


def test_a_setting_that_is_a_group_too_is_trained_once():
    plan = question(prediction=PREDICTION, reference="small")
    assert plan.shared == {"base": "delayed"}
    assert plan.settings["base"].seeds == plan.trained["delayed"].seeds[:4]
    seeds = [s for setup in plan.ensembles for s in setup.seeds]
    assert len(seeds) == len(set(seeds)) == 4 * 6 + 2 * 4
    assert plan.work("grokking") == (len(seeds) * 200, "network steps")


def test_the_reference_comes_first_wherever_it_stands():
    plan = question(reference="small")
    assert list(plan.trained) == ["small", "fresh", "renamed", "delayed"]
    assert plan.trained["renamed"].initial_scale == 0.1


def test_fresh_seeds_train_as_the_reference_and_renamed_ones_on_the_renamed_set():
    trained = question().trained
    assert trained["fresh"].data == trained["delayed"].data
    assert trained["renamed"].data.kind == "renamed"
    assert trained["renamed"].data.like == trained["delayed"].data


def test_each_data_set_is_read_once_and_the_renamed_one_is_made_of_one_that_is():
    names = [data.name for data in question(prediction=PREDICTION).data_sets]
    assert sorted(names) == ["few", "sums", "sums_renamed"]


def test_a_group_may_train_on_other_data():
    plan = question(groups={"delayed": {}, "few": {"data": "few"}})
    assert plan.trained["few"].data.train_samples == 10


def settings(*names):
    return PREDICTION | {"settings": {name: {} for name in names}}


REFUSED = [
    ({"groups": {"delayed": {}, "": {}}}, "groups: '' is no name"),
    ({"groups": {"delayed": {}, "fresh": {}}}, "groups: fresh is a line that every question has"),
    ({"groups": {"delayed": {}}}, "groups: delayed; give the reference and at least one other"),
    ({"groups": {}}, "groups: none; give the reference"),
    ({"reference": "late"}, "reference: unknown 'late'; give one of delayed, small"),
    ({"windows": [50, 400]}, "windows: 400, but runs have 200 steps; give at most 200, or more"),
    ({"windows": [52]}, "windows: 52 is no multiple of record_every, 5"),
    ({"windows": [25]}, "windows: 25 steps are 5 snapshots, too few for 2 delays and rank 3"),
    ({"windows": [50, 30]}, "windows: .*; give them ascending"),
    ({"windows": []}, "windows: none"),
    ({"seeds": [1]}, "seeds: 1; give at least 2"),
    ({"seeds": [1, 1]}, "seeds: 1 stands twice"),
    ({"seeds": [1, 20_000]}, "seeds.1.: 20000 is not"),
    ({"coordinates": "cooked"}, "coordinates: unknown 'cooked'"),
    ({"alternates": ["cooked"]}, "coordinates: unknown 'cooked'"),
    ({"controls": ["recoded:sideways"]}, "controls.*: unknown 'recoded:sideways'"),
    ({"model": MODEL | {"seeds": [1]}}, "model.seeds: the question decides it; leave it out"),
    ({"model": MODEL | {"data": "digits"}}, "model.data: digits is no modular arithmetic"),
    (
        {"model": MODEL | {"data": "words"}},
        "model.architecture: square_mlp takes pixels or numbers, words has none",
    ),
    ({"model": MODEL | {"data": "none"}}, "model.data: unknown 'none'"),
    ({"model": MODEL | {"batch_size": 16}}, "model.batch_size: 16, but sums has 15 training"),
    ({"model": MODEL | {"stepss": 3}}, "model.stepss: unknown key"),
    (
        {"model": MODEL | {"architecture": "transformer", "options": {}, "observable": ["all"]}},
        "model.architecture: transformer takes tokens, sums has none",
    ),
    (
        {"model": MODEL | {"architecture": "lenet", "options": {}, "observable": ["all"]}},
        "model.architecture: lenet takes images",
    ),
    ({"groups": {"delayed": {}, "b": {"steps": 3}}}, "groups.b.steps: all runs have the same"),
    ({"groups": {"delayed": {}, "b": {"seeds": [3]}}}, "groups.b.seeds: the question decides"),
    ({"groups": {"delayed": {}, "b": {"initial_scale": 0}}}, "groups.b.initial_scale: 0"),
    ({"prediction": settings("a", "b")}, "prediction.settings: 2; give at least 3"),
    ({"prediction": PREDICTION | {"horizons": [200]}}, "prediction.horizons: 200, but runs have"),
    ({"prediction": PREDICTION | {"horizons": [20]}}, "prediction.horizons: 20 steps are 4 snaps"),
    ({"prediction": PREDICTION | {"horizons": [100, 50]}}, "prediction.horizons: .*ascending"),
    ({"prediction": PREDICTION | {"seeds": [1]}}, "prediction.seeds: 1; give at least 2"),
    ({"prediction": {"seeds": [1, 2]}}, "prediction.settings: is missing"),
]


@pytest.mark.parametrize(("changes", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_cannot_be_asked_is_refused_in_one_line(changes, said):
    with pytest.raises(InputError, match=f"^grokking.one.{said}") as refused:
        question(**changes)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"modulus": 2}, "data.sums.modulus: 2"),
        ({"train_share": 0.999}, "data.sums.train_share: 0.999 of 25 pairs leaves none to test"),
    ],
)
def test_sets_that_cannot_be_learned_are_refused(change, said):
    data = DATA | {"sums": DATA["sums"] | change}
    with pytest.raises(InputError, match=f"^{said}"):
        read({"data": data, "grokking": {"one": ENTRY}})
