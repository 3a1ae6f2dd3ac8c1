"""What a killed run left is set right, and nothing else is touched."""

import json
import shutil

import pytest
import xarray as xr

from koopscope.artefacts import files, recovery, store

STAMP = {"kind": "spectra", "parameters": {}}


def write(path, value=1.0):
    store.write(path, xr.Dataset({"x": ("mode", [value])}), STAMP)


def value(path):
    return float(store.read(path)["x"][0])


@pytest.fixture
def results(tmp_path):
    """A store whose replacement was killed between the two renames."""
    write(tmp_path / "results/spectra/a/one.zarr", 1.0)
    write(tmp_path / "results/spectra/a/two.zarr", 2.0)
    old = tmp_path / "results/spectra/a" / f"{store.PARTIAL}old-one.zarr"
    (tmp_path / "results/spectra/a/one.zarr").replace(old)
    return tmp_path / "results"


def test_a_former_result_goes_back_where_its_place_is_empty(results):
    place = results / "spectra/a/one.zarr"
    assert recovery.put_back(results) == [place]
    assert value(place) == 1
    assert recovery.put_back(results) == []


def test_a_former_result_never_takes_the_place_of_a_new_one(results):
    shutil.copytree(results / "spectra/a/two.zarr", results / "spectra/a/one.zarr")
    assert recovery.put_back(results) == []
    assert len(recovery.clear(results)) == 1
    assert value(results / "spectra/a/one.zarr") == 2
    assert {p.name for p in (results / "spectra/a").iterdir()} == {"one.zarr", "two.zarr"}


def test_what_is_left_is_cleared_in_the_folders_that_are_named_alone(results):
    mine = results / "mine" / f"{store.PARTIAL}run"
    mine.mkdir(parents=True)
    page = results / f"{store.PARTIAL}report.html"
    page.write_text("<html>")
    inside = results / "spectra/a/two.zarr" / f"{store.PARTIAL}x"
    inside.write_text("is the store's, and breaks its seal")
    recovery.put_back(results, {"spectra"})
    assert recovery.clear(results, {"spectra"}) == [page]
    assert mine.exists() and inside.exists()


def test_a_folder_that_is_not_there_has_nothing_left_in_it(tmp_path):
    assert recovery.put_back(tmp_path / "none") == recovery.clear(tmp_path / "none") == []
    assert recovery.restore(tmp_path / "none", tmp_path) == []


def test_a_copy_takes_the_place_of_what_is_not_whole_and_of_nothing_else(tmp_path):
    base, copies = tmp_path / "base", tmp_path / "copies"
    for name in ("whole", "damaged", "lost"):
        write(base / f"results/x/{name}.zarr", 1.0)
        shutil.copytree(base / f"results/x/{name}.zarr", copies / f"results/x/{name}.zarr")
    write(base / "results/x/whole.zarr", 2.0)
    (base / "results/x/damaged.zarr/zarr.json").write_text("{}")
    shutil.rmtree(base / "results/x/lost.zarr")
    (copies / "results/x/half.zarr").mkdir()
    restored = recovery.restore(copies, base)
    assert [p.name for p in restored] == ["damaged.zarr", "lost.zarr"]
    assert not copies.exists()
    assert [value(base / f"results/x/{n}.zarr") for n in ("whole", "damaged", "lost")] == [2, 1, 1]
    assert not (base / "results/x/half.zarr").exists()


def test_a_copy_of_a_file_goes_back_if_it_is_the_file_that_was_sealed(tmp_path):
    base, copies = tmp_path / "base", tmp_path / "copies/results"
    copies.mkdir(parents=True)
    for name in ("kept.md", "cut.md"):
        files.write_files({base / "results" / name: "whole\n"}, STAMP)
        shutil.copy(base / "results" / name, copies)
    (base / "results/cut.md").write_text("who")
    files.write_files({base / "results/kept.md": "new\n"}, STAMP)
    assert recovery.restore(tmp_path / "copies", base) == [base / "results/cut.md"]
    assert (base / "results/cut.md").read_text() == "whole\n"
    assert (base / "results/kept.md").read_text() == "new\n"
    assert json.loads(files.sidecar(base / "results/cut.md").read_text())["kind"] == "spectra"
