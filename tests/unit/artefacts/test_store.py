"""Artefacts appear whole or not at all, and show any later change."""

import errno
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import koopscope
from koopscope.artefacts import provenance, store
from koopscope.errors import InputError

STAMP = {"kind": "spectra", "parameters": {"a": 1}}
SOURCES = str(Path(koopscope.__file__).parent.parent)


def dataset(value=1.0):
    return xr.Dataset({"x": (("seed", "mode"), np.full((4, 6), value)), "n": ("seed", range(4))})


def write(path, value=1.0):
    store.write(path, dataset(value), STAMP, encoding={"x": {"chunks": (1, 6)}})


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def refused(path, match):
    for opened in (store.read, store.check):
        with pytest.raises(InputError, match=match) as error:
            opened(path)
        assert "\n" not in str(error.value)
        assert str(path) in str(error.value)


def refused_by_check(path, match):
    with pytest.raises(InputError, match=match):
        store.check(path)


def test_what_was_written_is_read(tmp_path):
    write(tmp_path / "a.zarr")
    found = store.read(tmp_path / "a.zarr", "spectra")
    xr.testing.assert_equal(found.load(), dataset())
    assert json.loads(found.attrs["provenance"]) == STAMP
    assert store.read_provenance(tmp_path / "a.zarr") == STAMP
    assert names(tmp_path) == ["a.zarr"]


def test_the_same_contents_have_the_same_digest_wherever_they_lie(tmp_path):
    write(tmp_path / "a.zarr")
    write(tmp_path / "deeper" / "b.zarr")
    write(tmp_path / "c.zarr", 2.0)
    a, b, c = (store.sealed_digest(tmp_path / p) for p in ("a.zarr", "deeper/b.zarr", "c.zarr"))
    assert a == b != c


def test_a_killed_write_leaves_nothing_under_the_name_and_can_be_repeated(tmp_path):
    script = f"""
import sys, time
sys.path.insert(0, {SOURCES!r})
from koopscope.artefacts import store
with store.staged({str(tmp_path / "a.zarr")!r}, {STAMP!r}) as folder:
    (folder / "half").write_text("half of it")
    print("inside", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "inside\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "a.zarr").exists()
    assert names(tmp_path) == [f"{store.PARTIAL}a.zarr"]
    with pytest.raises(InputError, match="no such artefact; run the stage that makes it"):
        store.read(tmp_path / "a.zarr")
    write(tmp_path / "a.zarr")
    write(tmp_path / "b.zarr")
    assert store.sealed_digest(tmp_path / "a.zarr") == store.sealed_digest(tmp_path / "b.zarr")
    assert names(tmp_path) == ["a.zarr", "b.zarr"]


def test_what_stood_there_stays_if_the_block_fails(tmp_path):
    write(tmp_path / "a.zarr")
    before = store.sealed_digest(tmp_path / "a.zarr")
    with pytest.raises(RuntimeError), store.staged(tmp_path / "a.zarr", STAMP) as folder:
        (folder / "x").write_text("new")
        raise RuntimeError
    store.check(tmp_path / "a.zarr")
    assert store.sealed_digest(tmp_path / "a.zarr") == before
    assert names(tmp_path) == ["a.zarr"]


def test_what_there_is_to_go_on_with_stays_if_the_block_fails(tmp_path):
    path = tmp_path / "a.zarr"
    with pytest.raises(RuntimeError), store.staged(path, STAMP, keep=True) as folder:
        (folder / "x").write_text("half")
        raise RuntimeError
    with store.staged(path, STAMP, keep=True, resume=True) as folder:
        assert (folder / "x").read_text() == "half"
    assert (path / "x").read_text() == "half"


def test_a_file_in_the_place_of_a_store_is_replaced_whole(tmp_path):
    (tmp_path / "a.zarr").write_text("no store")
    write(tmp_path / "a.zarr")
    store.check(tmp_path / "a.zarr")
    assert names(tmp_path) == ["a.zarr"]


def test_what_a_clock_measured_is_read_and_is_no_part_of_the_contents(tmp_path):
    for name, seconds in (("a.zarr", 1.0), ("b.zarr", 2.0), ("c.zarr", None)):
        found = dataset().assign(seconds=("seed", np.full(4, seconds or 0.0)))
        stamp = provenance.stamp("spectra", parameters={"a": 1})
        timings = ["seconds"] if seconds else []
        if not seconds:
            found = dataset()
        store.write(tmp_path / name, found, stamp, timings=timings)
    a, b, c = (store.sealed_digest(tmp_path / name) for name in ("a.zarr", "b.zarr", "c.zarr"))
    assert a == b == c
    assert store.read(tmp_path / "b.zarr", "spectra")["seconds"].values.tolist() == [2.0] * 4
    chunk = tmp_path / "b.zarr" / store.TIMINGS / "seconds" / "c" / "0"
    chunk.write_bytes(b"x")
    with pytest.raises(InputError, match="timings.zarr: contents differ from their seal"):
        store.read(tmp_path / "b.zarr")


def test_what_stood_there_is_replaced_whole(tmp_path):
    write(tmp_path / "a.zarr")
    with store.staged(tmp_path / "a.zarr", STAMP) as folder:
        (folder / "only").write_text("new")
        assert store.read(tmp_path / "a.zarr")["x"].max() == 1
    store.check(tmp_path / "a.zarr")
    assert {p.name for p in (tmp_path / "a.zarr").iterdir()} == {
        "only",
        store.SEAL,
        store.PROVENANCE,
    }
    assert names(tmp_path) == ["a.zarr"]


def test_a_lost_chunk_is_refused(tmp_path):
    write(tmp_path / "a.zarr")
    chunk = tmp_path / "a.zarr" / "x" / "c" / "2" / "0"
    chunk.unlink()
    refused(tmp_path / "a.zarr", "contents differ from their seal; delete it and run again")


@pytest.mark.parametrize("name", ["x/c/2/0", "zarr.json", store.PROVENANCE])
def test_a_changed_byte_is_refused(tmp_path, name):
    write(tmp_path / "a.zarr")
    file = tmp_path / "a.zarr" / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    refused(tmp_path / "a.zarr", "contents differ from their seal|provenance.json is damaged")


def test_provenance_cut_short_is_refused_in_one_line(tmp_path):
    write(tmp_path / "a.zarr")
    file = tmp_path / "a.zarr" / store.PROVENANCE
    file.write_text(file.read_text()[:20])
    refused(tmp_path / "a.zarr", "provenance.json is damaged; delete it and run again")


def test_an_added_file_is_refused_but_the_engines_own_is_not(tmp_path):
    write(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / ".snakemake_timestamp").touch()
    store.check(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "x" / "c" / "9").write_text("stray")
    refused(tmp_path / "a.zarr", "contents differ from their seal")


@pytest.mark.parametrize("name", [store.SEAL, store.PROVENANCE])
def test_a_lost_seal_or_provenance_is_refused(tmp_path, name):
    write(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / name).unlink()
    refused(tmp_path / "a.zarr", "not a complete artefact .*; delete it and run again")


def test_another_kind_is_refused(tmp_path):
    write(tmp_path / "a.zarr")
    with pytest.raises(InputError, match="holds spectra, not trajectories; give a trajectories"):
        store.read(tmp_path / "a.zarr", "trajectories")


def test_a_store_under_the_name_of_other_parameters_is_refused(tmp_path):
    recorded = provenance.stamp("spectra", parameters={"delays": 8}, named_by_digest=True)
    name = f"d8.{provenance.short(recorded['parameters_digest'])}.zarr"
    store.write(tmp_path / name, xr.Dataset({"x": ("mode", [1.0])}), recorded)
    assert store.read(tmp_path / name, "spectra")["x"].values == [1.0]
    other = tmp_path / "d9.0123abcd.zarr"
    (tmp_path / name).rename(other)
    with pytest.raises(InputError, match="d9.*made from other parameters than its name says"):
        store.read(other, "spectra")


def test_text_is_stored_in_a_type_that_zarr_specifies(tmp_path, recwarn):
    words = xr.Dataset({"said": ("k", ["a", "bc"])}, coords={"k": ["x", "yz"]})
    store.write(tmp_path / "words.zarr", words, STAMP)
    assert not [w for w in recwarn if "specification" in str(w.message)]
    found = store.read(tmp_path / "words.zarr")
    assert found["said"].values.tolist() == ["a", "bc"]
    assert found["k"].values.tolist() == ["x", "yz"]


def test_scratch_is_empty_and_goes_whatever_happens(tmp_path):
    left = tmp_path / f"{store.PARTIAL}scratch-a.zarr"
    left.mkdir()
    (left / "of a killed run").write_text("x")
    with (
        pytest.raises(ZeroDivisionError),
        store.scratch(tmp_path / "a.zarr") as folder,
    ):
        assert folder.is_dir() and not list(folder.iterdir())
        (folder / "big").write_text("x")
        1 / 0  # noqa: B018
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", [".DS_Store", "x/Thumbs.db", "x/c/.nfs000000000a1b2c3d", "._x"])
def test_a_stray_file_of_the_system_is_named_and_the_data_are_kept(tmp_path, name):
    write(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / name).write_text("stray")
    with pytest.warns(UserWarning, match="is not of it and is left out") as warned:
        found = store.read(tmp_path / "a.zarr", "spectra").load()
    assert name in str(warned[0].message) and "delete" not in str(warned[0].message)
    xr.testing.assert_equal(found, dataset())
    assert store.check(tmp_path / "a.zarr") == [name]


def test_any_other_stray_file_is_named_too_unless_it_could_be_data(tmp_path):
    write(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "notes.txt").write_text("mine")
    assert store.check(tmp_path / "a.zarr") == ["notes.txt"]
    with store.staged(tmp_path / "figures", STAMP) as folder:
        (folder / "a.png").write_text("drawn")
    (tmp_path / "figures" / "copy of a.png").write_text("mine")
    assert store.check(tmp_path / "figures") == ["copy of a.png"]
    (tmp_path / "figures" / "a.png").write_text("drawn otherwise")
    refused_by_check(tmp_path / "figures", "contents differ from their seal")


def test_a_stray_file_that_is_there_while_writing_is_not_sealed(tmp_path):
    with store.staged(tmp_path / "a", STAMP) as folder:
        (folder / "x").write_text("x")
        (folder / ".DS_Store").write_text("window at 3, 4")
    (tmp_path / "a" / ".DS_Store").write_text("window at 5, 6")
    assert store.check(tmp_path / "a") == [".DS_Store"]


def test_a_lost_chunk_beside_a_stray_file_is_refused(tmp_path):
    write(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "notes.txt").write_text("mine")
    (tmp_path / "a.zarr" / "x" / "c" / "2" / "0").unlink()
    refused(tmp_path / "a.zarr", "contents differ from their seal")


def test_a_store_of_others_is_not_to_be_deleted(tmp_path):
    dataset().to_zarr(tmp_path / "mine.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(
        InputError, match="koopscope did not write this .*koopscope import"
    ) as error:
        store.read(tmp_path / "mine.zarr")
    assert "delete" not in str(error.value)
    with pytest.raises(InputError, match="koopscope did not write this"):
        store.read(tmp_path / "mine.zarr" / "zarr.json")


def test_a_store_behind_a_link_is_written_again_and_the_link_stays(tmp_path):
    disk = tmp_path / "disk"
    (tmp_path / "a.zarr").symlink_to(disk / "there.zarr")
    for value in (1.0, 2.0, 3.0):
        write(tmp_path / "a.zarr", value)
        assert store.read(tmp_path / "a.zarr")["x"].max() == value
    assert (tmp_path / "a.zarr").is_symlink()
    assert names(disk) == ["there.zarr"] and names(tmp_path) == ["a.zarr", "disk"]


def test_a_flipped_byte_behind_a_link_is_found(tmp_path):
    write(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "x").rename(tmp_path / "elsewhere")
    (tmp_path / "a.zarr" / "x").symlink_to(tmp_path / "elsewhere")
    assert store.check(tmp_path / "a.zarr") == []
    chunk = tmp_path / "elsewhere" / "c" / "2" / "0"
    chunk.write_bytes(b"\0" + chunk.read_bytes()[1:])
    refused(tmp_path / "a.zarr", "contents differ from their seal")


def test_a_link_to_nowhere_is_told(tmp_path):
    (tmp_path / "a.zarr").symlink_to(tmp_path / "gone")
    refused(tmp_path / "a.zarr", "a link to .*gone, where nothing is; mend the link")


def test_folders_that_lead_round_in_a_circle_are_read_once(tmp_path):
    write(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "round").symlink_to(tmp_path / "a.zarr")
    store.check(tmp_path / "a.zarr")


def test_the_second_of_two_writers_is_refused_and_the_first_goes_on(tmp_path):
    with store.staged(tmp_path / "a.zarr", STAMP) as folder:
        (folder / "x").write_text("of the first")
        with pytest.raises(InputError, match="another process or thread is writing there; wait"):
            write(tmp_path / "a.zarr")
    assert (tmp_path / "a.zarr" / "x").read_text() == "of the first"
    store.check(tmp_path / "a.zarr")
    write(tmp_path / "a.zarr")


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_a_chunk_that_cannot_be_read_is_told_in_one_line(tmp_path, monkeypatch, number):
    write(tmp_path / "a.zarr")

    def unreadable(file):
        raise OSError(number, "It cannot be", str(file))

    monkeypatch.setattr(store, "file_digest", unreadable)
    refused(tmp_path / "a.zarr", r"cannot be read \(It cannot be\); look after its permissions")


@pytest.mark.parametrize("content", [b"null", b"[1]", b"\xff\xfe", b"[" * 100_000, b"{}"])
def test_a_stamp_that_is_none_is_refused_in_one_line(tmp_path, content):
    write(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / store.PROVENANCE).write_bytes(content)
    refused(tmp_path / "a.zarr", "its provenance.json is damaged; delete it and run again")


def test_a_seal_that_is_none_is_refused_in_one_line(tmp_path):
    write(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / store.SEAL).write_bytes(b"\xff" * 64)
    refused(tmp_path / "a.zarr", "its content.sha256 is damaged; delete it and run again")
