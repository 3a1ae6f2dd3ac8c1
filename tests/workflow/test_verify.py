"""No result is taken for another, by whoever reads it or by the proof."""

import os
import shutil
import time

import pytest

from koopscope.artefacts import store


@pytest.fixture
def copy(smoke, checkout_at, tmp_path):
    """A copy of the finished run, whatever other tests have made again of it."""
    smoke.run()
    shutil.copytree(smoke.root / "results", tmp_path / "checkout/results")
    shutil.copytree(smoke.root / ".snakemake", tmp_path / "checkout/.snakemake")
    return checkout_at(tmp_path / "checkout")


def swap(checkout, pattern, other):
    (path,) = (checkout.root / "results").glob(pattern)
    (another,) = (checkout.root / "results").glob(other)
    shutil.rmtree(path)
    shutil.copytree(another, path)
    # As new as whatever it was made from: else it would be made again before it is read.
    for dated in (path, path / ".snakemake_timestamp"):
        os.utime(dated)
    return path.relative_to(checkout.root)


def test_swapped_and_damaged_results_are_refuted_and_repaired(copy):
    comparison = swap(copy, "comparison/learning_rate.zarr", "comparison/optimizers.zarr")
    spectra = swap(copy, "spectra/mlp-h5-*/*.zarr", "spectra/mlp-h20-sgd-lr0.2-*/*.zarr")
    (copy.root / "results/summary.json").write_text("")
    (copy.root / "results/summary.md.provenance.json").unlink()
    shutil.rmtree(copy.root / "results/curves/width.zarr")
    assert "Traceback" not in copy.run("-n").stdout
    text = copy.run("verify", check=False).stdout
    for line in (
        f"BROKEN  {comparison}: made with another study;",
        f"BROKEN  {spectra}: made from results/trajectories/mlp-h20",
        "BROKEN  results/summary.json: contents differ from their digest",
        "BROKEN  results/summary.md: its summary.md.provenance.json is missing",
        "BROKEN  results/curves/width.zarr: no such artefact",
    ):
        assert line in text
    target = "results/comparison/width.zarr"
    refused = copy.run("--forcerun", "compare_study", "--", target, check=False).stdout
    assert f"Error: {spectra}: made from" in refused and "Traceback" not in refused, refused
    copy.run("delete_refuted")
    assert not (copy.root / comparison).exists() and not (copy.root / spectra).exists()
    copy.run("every_output")
    assert "BROKEN" not in copy.run("verify").stdout


def test_a_result_dated_in_the_future_is_set_back_and_nothing_is_made_again(copy):
    (path,) = (copy.root / "results/spectra").glob("omd-*/*.zarr")
    later = time.time() + 86_400
    for dated in (path, path / ".snakemake_timestamp"):
        os.utime(dated, (later, later))
    text = copy.run().stdout
    assert "was dated in the future, and is set back" in text and "Nothing to be done" in text, text
    store.check(path)


@pytest.mark.parametrize("folder", ["results", "logs"])
def test_a_file_in_place_of_a_folder_is_told_in_one_line(another, folder):
    (another.root / folder).write_text("mine")
    text = another.run(check=False).stdout
    assert f"Error: {folder}: a file" in text and "Traceback" not in text
