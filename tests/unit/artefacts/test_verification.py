"""The chain of digests holds on a fresh chain, and every break of it is found and named."""

import json
import os
import shutil

import numpy as np
import pytest
import xarray as xr

from koopscope.artefacts import files, store
from koopscope.artefacts.consumed import stamped
from koopscope.artefacts.expected import expected
from koopscope.artefacts.provenance import digest, short, stamp
from koopscope.artefacts.verification import remove_refuted, verify
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


def test_an_input_that_was_let_go_breaks_nothing_if_the_stamp_says_what_it_was(root):
    trajectories = f"results/runs/{NAME}"
    was = stamped(inputs(f"runs/{NAME}"))
    made = stamp("spectra", parameters={}, inputs=inputs(f"runs/{NAME}"), consumed=was)
    store.write(root / "more.zarr", dataset(7), made)
    store.remove(root / "runs" / NAME)
    assert "more" not in " ".join(map(str, broken(root)))
    was[trajectories]["digest"] = "0" * 64
    store.write(root / "more.zarr", dataset(7), made)
    assert "more" in " ".join(map(str, broken(root)))


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
    assert found[0].reason == (
        "koopscope did not write this (it has no provenance.json); move it elsewhere and run the "
        "stage that makes it, or bring in runs of your own with `koopscope import`"
    )


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


PLAN = {
    "results/data.zarr": expected("data", {}),
    f"results/runs/{NAME}": expected("trajectories", PARAMETERS, ["results/data.zarr"]),
    "results/spectra.zarr": expected("spectra", {"delays": 2}, [f"results/runs/{NAME}"]),
    "results/summary.md": expected("summary", {}, ["results/spectra.zarr"]),
}


def refuted(root, plan=None):
    return {
        f.path.relative_to(root).as_posix(): f.reason
        for f in verify(root, PLAN | (plan or {}))
        if not f.holds
    }


def test_what_is_there_as_planned_holds(root):
    assert refuted(root) == {}
    assert len(list(verify(root, PLAN))) == len(PLAN)


def test_what_ought_to_be_there_and_is_not_is_missed(root):
    shutil.rmtree(root / "spectra.zarr")
    (root / "summary.md").unlink()
    files.sidecar(root / "summary.md").unlink()
    assert refuted(root) == dict.fromkeys(
        ["spectra.zarr", "summary.md"], "no such artefact; run the stage that makes it"
    )


def test_a_deleted_sidecar_is_missed(root):
    files.sidecar(root / "summary.md").unlink()
    assert refuted(root) == {
        "summary.md": "its summary.md.provenance.json is missing; delete it and run again"
    }


def test_a_file_whose_sidecar_alone_is_left_is_missed_without_a_plan(root):
    (root / "summary.md").unlink()
    assert broken(root) == {"summary.md": "no such artefact; run the stage that makes it"}


def test_a_flipped_byte_behind_a_link_to_another_disk_is_found(root, tmp_path):
    (root / "runs").rename(tmp_path / "disk")
    (root / "runs").symlink_to(tmp_path / "disk")
    assert refuted(root) == broken(root) == {}
    chunk = tmp_path / "disk" / NAME / "x" / "c" / "0"
    chunk.write_bytes(b"\0" + chunk.read_bytes()[1:])
    assert list(refuted(root)) == list(broken(root)) == [f"runs/{NAME}"]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (stamp("comparison", parameters={"delays": 2}), "holds comparison, not spectra"),
        (stamp("spectra", parameters={"delays": 3}), "made with another delays"),
        (stamp("spectra", parameters={"delays": 2}), "made from nothing, not from results/runs/"),
    ],
)
def test_a_whole_store_of_another_place_is_found(root, other, told):
    store.write(root / "spectra.zarr", dataset(3), other)
    assert refuted(root)["spectra.zarr"].startswith(told)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("data.zarr/provenance.json", b"null"),
        ("data.zarr/provenance.json", b"[1, 2]"),
        ("data.zarr/provenance.json", b'{"kind": "data", "parameters": 3}'),
        ("data.zarr/content.sha256", b"\xff\n"),
        ("summary.md.provenance.json", bytes(range(256))),
        ("summary.md.provenance.json", b'{"kind": "summary", "inputs": ["x"]}'),
    ],
)
def test_each_broken_thing_gets_a_line_and_the_others_theirs(root, file, content):
    (root / file).write_bytes(content)
    chunk = root / "spectra.zarr" / "x" / "c" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    assert len(list(verify(root, PLAN))) == len(PLAN)
    name = file.split("/")[0].removesuffix(".provenance.json")
    for found in (refuted(root), broken(root)):
        assert {name, "spectra.zarr"} <= set(found)


def test_a_folder_that_cannot_be_read_gets_a_line_and_is_not_deleted(root, monkeypatch):
    def scandir(path):
        if str(path).endswith("runs"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    findings = list(verify(root))
    (found,) = [f for f in findings if f.path == root / "runs"]
    assert (found.holds, found.ours) == (False, False)
    assert found.reason == "cannot be read (Permission denied)"
    assert {f.path.name for f in findings if f.holds} >= {"data.zarr", "summary.md"}


def test_stray_files_are_named_and_break_nothing(root):
    (root / "data.zarr" / ".DS_Store").touch()
    (found,) = [f for f in verify(root, PLAN) if f.reason]
    assert found.holds
    assert ".DS_Store is not of it" in str(found)


def test_exactly_what_is_refuted_is_deleted_and_nothing_of_others(root, tmp_path):
    chunk = root / "spectra.zarr" / "x" / "c" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    (root / "summary.md").write_text("changed")
    (root / f"{store.PARTIAL}x.zarr").mkdir()
    dataset(5).to_zarr(root / "mine.zarr", zarr_format=3, consolidated=False)
    removed = remove_refuted(verify(root, PLAN))
    assert sorted(p.name for p in removed) == [
        f"{store.PARTIAL}x.zarr",
        "spectra.zarr",
        "summary.md",
    ]
    assert sorted(p.name for p in root.iterdir()) == ["data.zarr", "mine.zarr", "runs"]
    assert {f.path.name for f in verify(root, PLAN) if f.holds} == {"data.zarr", NAME}


def test_what_is_refuted_behind_a_link_is_deleted_there_and_the_link_stays(root, tmp_path):
    (root / "data.zarr").rename(tmp_path / "disk.zarr")
    (root / "data.zarr").symlink_to(tmp_path / "disk.zarr")
    (tmp_path / "disk.zarr" / "zarr.json").write_text("{}")
    remove_refuted(f for f in verify(root, PLAN) if f.path.name == "data.zarr")
    assert (root / "data.zarr").is_symlink()
    assert not (tmp_path / "disk.zarr").exists()
