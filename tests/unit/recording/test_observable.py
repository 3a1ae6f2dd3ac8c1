"""What is compared of a run: layers by name, logged numbers, an even and finite stretch."""

import numpy as np
import pytest

from koopscope.errors import InputError
from koopscope.recording.arrays import from_arrays
from koopscope.recording.finding import content_digest
from koopscope.recording.observable import Part, layers_of, observed, places
from koopscope.recording.recorder import Recorder
from koopscope.recording.snapshots import open_snapshots
from koopscope.recording.spacing import finite_part

WEIGHTS = {"enc": {"0": {"w": np.ones((2, 3)), "b": np.ones(2)}}, "head": {"w": np.ones(4)}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("observable") / "run"
    with Recorder(WEIGHTS, path) as recorder:
        for step in range(1, 13):
            recorder.snapshot(
                {
                    "enc": {"0": {"w": np.full((2, 3), step), "b": np.full(2, -step)}},
                    "head": {"w": np.full(4, step**2)},
                }
            )
            recorder.log(loss=1 / step, accuracy=step)
    return open_snapshots(path)


@pytest.mark.parametrize(
    ("layers", "count"),
    [
        (None, 12),
        (["enc"], 8),
        (["enc.0"], 8),
        (["enc.0.b"], 2),
        (["*.w"], 10),
        (["enc.0.b", "head"], 6),
    ],
)
def test_layers_are_named_or_fit_a_pattern(run, layers, count):
    found = observed(run, layers)
    assert found.name == "weights" and found.dims == ("step", "weight")
    assert found.sizes["weight"] == count


def test_layers_are_what_parameters_share_before_the_last_dot(run):
    found = observed(run)
    assert layers_of(found) == {"enc.0": [0, 1], "head": [2]}
    assert places(found, [0, 1]) == slice(0, 8)
    assert places(found, [0, 2]).tolist() == [*range(6), *range(8, 12)]
    assert layers_of(observed(run, ["head"])) == {"head": [2]}


def test_logged_numbers_are_columns(run):
    found = observed(run, columns=["accuracy", "loss"])
    assert found.name == "logged"
    np.testing.assert_allclose(found[3], [4, 1 / 4])
    assert layers_of(found) == {"accuracy": [0], "loss": [1]}
    assert observed(run.drop_vars("weights")).sizes["weight"] == 2


def test_a_part_is_even_and_finite(run):
    found, ended = Part(begin=3, end=10, every=2).of(run)
    assert found["step"].values.tolist() == [4, 6, 8, 10] and ended is None
    broken = run.load().copy()
    broken["weights"] = broken["weights"].where(broken["step"] < 7)
    found, ended = Part().of(broken)
    assert (found.sizes["step"], ended, found.name) == (6, 7, "weights")
    # Only what is compared has to be finite.
    assert Part(columns=["loss"]).of(broken)[1] is None


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"layers": ["dec"]}, "^layers: no 'dec' was recorded; there are enc.0.w, enc.0.b, head.w"),
        ({"layers": "enc"}, "^layers: 'enc'; give a list"),
        ({"columns": ["los"]}, "^columns: no 'los' was logged; there are accuracy, loss"),
        ({"columns": "loss"}, "^columns: 'loss'; give a list"),
        ({"layers": ["enc"], "columns": ["loss"]}, "^layers: logged numbers have none"),
    ],
)
def test_what_is_not_there_is_told_what_is(run, choices, message):
    with pytest.raises(InputError, match=message):
        observed(run, **choices)


def test_a_digest_is_of_what_a_run_holds(tmp_path):
    for name in ("a", "b"):
        with Recorder({"w": np.ones(2)}, tmp_path / name) as recorder:
            recorder.snapshot({"w": np.ones(2) * (name == "b")})
    assert content_digest(tmp_path / "a") != content_digest(tmp_path / "b")
    assert content_digest(tmp_path / "a") == (tmp_path / "a" / "content.sha256").read_text().strip()
    np.save(tmp_path / "run.npy", np.ones(3))
    before = content_digest(tmp_path / "run.npy")
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    with pytest.raises(InputError, match="checkpoints: no file is there"):
        content_digest(folder)
    (folder / "1.pt").write_bytes(b"1")
    of_folder = content_digest(folder)
    (folder / "2.pt").write_bytes(b"2")
    np.save(tmp_path / "run.npy", np.zeros(3))
    assert content_digest(folder) != of_folder
    assert content_digest(tmp_path / "run.npy") != before


@pytest.mark.parametrize(("said", "known"), [(np.nan, None), (-1, None), (None, None), (30, 30)])
def test_only_a_step_says_that_a_run_diverged(said, known):
    run = from_arrays(np.arange(8.0).reshape(4, 2), step=[5, 10, 15, 20])
    if said is not None:
        run.attrs["diverged_at"] = said
    assert finite_part(run)[1] == known
    assert Part().of(run)[1] == known
