"""The chain of digests holds on a fresh chain, and every break of it is found and named."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr

from koopscope.artefacts import files, store
from koopscope.artefacts.provenance import digest, short, stamp
from koopscope.artefacts.verification import verify
from koopscope.errors import InputError

PARAMETERS = {"hidden": [5], "steps": 10}
NAME = f"mlp-h5.{short(digest(PARAMETERS))}.zarr"


def dataset(value):
    return xr.Dataset({"x": ("seed", np.full(8, float(value))), "y": ("seed", np.zeros(8))})


def inputs(*paths):
    return {f"results/{p}": store.sealed_digest(f"results/{p}") for p in paths}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Data → trajectories → spectra → a summary, as the workflow names them."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "results"
    store.write(root / "data.zarr", dataset(1), stamp("data", parameters={}))
    store.write(
        root / "runs" / NAME,
        dataset(2),
        stamp(
            "trajectories",
            parameters=PARAMETERS,
            inputs=inputs("data.zarr"),
            named_by_digest=True,
        ),
    )
    store.write(
        root / "spectra.zarr",
        dataset(3),
        stamp("spectra", parameters={"delays": 2}, inputs=inputs(f"runs/{NAME}")),
    )
    files.write_files(
        {root / "summary.md": "It works.\n"},
        stamp("summary", parameters={}, inputs=inputs("spectra.zarr")),
    )
    return root


def broken(root):
    findings = list(verify(root))
    for finding in findings:
        assert "\n" not in str(finding)
    return {f.path.relative_to(root).as_posix(): f.reason for f in findings if not f.holds}


def test_a_fresh_chain_holds_from_end_to_end(root):
    findings = list(verify(root))
    assert [f.path.relative_to(root).as_posix() for f in findings if f.holds] == [
        "data.zarr",
        f"runs/{NAME}",
        "spectra.zarr",
        "summary.md",
    ]
    assert len(findings) == 4
    assert str(findings[0]).startswith("holds ")


def test_a_relative_root_is_as_good(root):
    assert all(f.holds for f in verify("results"))


def test_changed_contents_break_their_artefact_alone(root):
    chunk = root / "spectra.zarr" / "x" / "c" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    found = broken(root)
    assert list(found) == ["spectra.zarr"]
    assert found["spectra.zarr"].startswith("contents differ from their seal")


def test_a_changed_file_that_stands_alone_is_broken(root):
    (root / "summary.md").write_text("It works wonderfully.\n")
    assert broken(root)["summary.md"].startswith("contents differ from their digest")


def test_an_input_made_anew_with_other_contents_breaks_what_was_made_from_it(root):
    store.write(root / "data.zarr", dataset(1.5), stamp("data", parameters={}))
    assert broken(root) == {
        f"runs/{NAME}": "made from another version of results/data.zarr; run the workflow again"
    }


def test_an_input_made_anew_with_the_same_contents_breaks_nothing(root):
    store.write(root / "data.zarr", dataset(1), stamp("data", parameters={}))
    assert broken(root) == {}


def test_a_lost_input_breaks_what_was_made_from_it(root):
    shutil.rmtree(root / "runs" / NAME)
    found = broken(root)
    assert list(found) == ["spectra.zarr"]
    assert "no such artefact" in found["spectra.zarr"]


def test_a_resealed_forgery_of_parameters_is_found(root):
    path = root / "runs" / NAME
    recorded = store.read_provenance(path)
    recorded["parameters"]["steps"] = 99
    with store.staged(path, recorded) as folder:
        (folder / "x").write_text("")
    assert "parameters differ from their digest" in broken(root)[f"runs/{NAME}"]


def test_a_name_that_is_not_that_of_the_parameters_is_found(root):
    (root / "runs" / NAME).rename(root / "runs" / "mlp-h5.0123abcd.zarr")
    assert (
        "made from other parameters than its name says" in broken(root)["runs/mlp-h5.0123abcd.zarr"]
    )


def test_what_an_interrupted_run_left_is_named_once(root):
    shutil.copytree(root / "data.zarr", root / "runs" / f"{store.PARTIAL}x.zarr")
    (root / "runs" / f"{store.PARTIAL}x.zarr" / store.SEAL).unlink()
    (root / "runs" / f"{store.PARTIAL}x.zarr" / store.PROVENANCE).unlink()
    found = list(verify(root))
    assert [f.reason for f in found if not f.holds] == [
        "left by an interrupted run; it is no result, delete it"
    ]


def test_a_bare_store_is_named_once(root):
    dataset(5).to_zarr(root / "bare.zarr", zarr_format=3, consolidated=False)
    found = [f for f in verify(root) if not f.holds]
    assert [f.path.name for f in found] == ["bare.zarr"]
    assert found[0].reason == "a store without provenance; delete it and run again"


@pytest.mark.parametrize("lost", [store.SEAL, store.PROVENANCE])
def test_a_store_that_lost_its_seal_or_provenance_is_named_once(root, lost):
    (root / "spectra.zarr" / lost).unlink()
    found = [f for f in verify(root) if not f.holds and f.path.name == "spectra.zarr"]
    assert len(found) == 1
    assert "delete it and run again" in found[0].reason


def test_damaged_provenance_is_a_finding_and_stops_nothing(root):
    (root / "data.zarr" / store.PROVENANCE).write_text("{")
    found = broken(root)
    assert "damaged" in found["data.zarr"]
    sidecar = files.sidecar(root / "summary.md")
    sidecar.write_text(json.dumps({"kind": "summary"}))
    assert "summary.md" in broken(root)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder; run the workflow first"):
        list(verify(tmp_path / "results"))
