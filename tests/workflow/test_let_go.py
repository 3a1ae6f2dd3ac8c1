"""Trajectories that need not stay are deleted once they were read, and the proof still holds."""

import json

import pytest

from koopscope.artefacts import store

STUDY = """
data: {digits: {kind: digits}}
training: {keep: false}
studies:
  rates:
    question: Do two rates train alike?
    network:
      data: digits
      hidden_widths: [4]
      steps: 30
      initialisations: 3
      sketch: 2
      probe: 3
      seeds: [1, 2, 3, 4]
    fit: {delays: 2, rank: 3}
    variants: {slow: {learning_rate: 0.05}, fast: {}}
    sensitivity:
      rank 2: {fit: {rank: 2}}
      raw: {fit: {coordinates: raw}}
      answers: {fit: {observable: probe}}
"""


@pytest.fixture(scope="module")
def gone(tmp_path_factory, checkout_at):
    """A study whose trajectories were let go."""
    checkout = checkout_at(tmp_path_factory.mktemp("gone") / "checkout")
    (checkout.root / "own.yaml").write_text(STUDY)
    checkout.run(config="own.yaml")
    return checkout


def trajectories(checkout):
    return list((checkout.root / "results").glob("trajectories/*"))


def test_they_are_gone_and_nothing_is_made_again(gone):
    assert not trajectories(gone)
    assert not gone.planned(config="own.yaml")
    text = gone.run("verify", config="own.yaml").stdout
    assert "holds" in text and "BROKEN" not in text and "trajectories" not in text
    facts = json.loads((gone.root / "results/summary.json").read_text())
    assert facts["studies"]["rates"]["pairs"]


def test_what_was_made_of_them_says_what_they_were(gone):
    made = [
        *(gone.root / "results/spectra").glob("*/*.zarr"),
        gone.root / "results/curves/rates.zarr",
    ]
    assert len(made) > 4
    for path in made:
        stamp = store.read_provenance(path)
        assert stamp["consumed"] and stamp["consumed"].keys() == stamp["inputs"].keys()
        for name, was in stamp["consumed"].items():
            assert was["digest"] == stamp["inputs"][name]
            assert was["provenance"]["parameters_digest"].startswith(name.split(".")[-2])


def test_comparing_again_trains_nothing_and_fitting_again_trains(gone):
    again = gone.planned("--forcerun", "distances", config="own.yaml")
    assert again["compare_study"] == 1 and not again["train_network"] and not again["fit_spectra"]
    changed = gone.config("rank", {"rank: 3}": "rank: 2}"}, base="own.yaml")
    planned = gone.planned(config=changed)
    assert planned["fit_spectra"] and planned["train_network"]


def test_the_stage_that_trains_keeps_them(gone):
    gone.run("train", config="own.yaml")
    found = [{"sketch", "probe"} & set(store.read(path)) for path in trajectories(gone)]
    # What a fit reads beside the weights: of the control lines' setup none does.
    assert sorted(map(len, found)) == [0, 1, 1] and set().union(*found) == {"probe"}
    assert "BROKEN" not in gone.run("verify", config="own.yaml").stdout
    # They are newer than what was made of those before them.
    planned = gone.planned(config="own.yaml")
    assert planned["fit_spectra"] and not planned["train_network"]
