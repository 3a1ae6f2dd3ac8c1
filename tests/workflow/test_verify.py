"""No result is taken for another, by whoever reads it or by the proof."""

import os
import shutil
import time

import pytest

from koopscope.artefacts import store


def swap(checkout, pattern, other):
    # Alternates of a study, whose spectra stand beside its own, have no refits.
    path, another = (
        next(
            path
            for path in sorted((checkout.root / "results").glob(those))
            if store.read_provenance(path)["parameters"].get("resamples") != 0
        )
        for those in (pattern, other)
    )
    shutil.rmtree(path)
    shutil.copytree(another, path)
    # As new as whatever it was made from: else it would be made again before it is read.
    for dated in (path, path / ".snakemake_timestamp"):
        os.utime(dated)
    return path.relative_to(checkout.root)


def test_swapped_and_damaged_results_are_refuted_and_repaired(finished):
    comparison = swap(finished, "comparison/learning_rate.zarr", "comparison/optimizers.zarr")
    spectra = swap(finished, "spectra/mlp-h5-*/*.zarr", "spectra/mlp-h20-sgd-lr0.2-*/*.zarr")
    (finished.root / "results/summary.json").write_text("")
    (finished.root / "results/summary.md.provenance.json").unlink()
    shutil.rmtree(finished.root / "results/curves/width.zarr")
    assert "Traceback" not in finished.run("-n").stdout
    text = finished.run("verify", check=False).stdout
    for line in (
        f"BROKEN  {comparison}: made with another study;",
        f"BROKEN  {spectra}: made from results/trajectories/mlp-h20",
        "BROKEN  results/summary.json: contents differ from their digest",
        "BROKEN  results/summary.md: its summary.md.provenance.json is missing",
        "BROKEN  results/curves/width.zarr: no such artefact",
    ):
        assert line in text
    target = "results/comparison/width.zarr"
    refused = finished.run("--forcerun", "compare_study", "--", target, check=False).stdout
    assert f"Error: {spectra}: made from" in refused and "Traceback" not in refused, refused
    finished.run("delete_refuted")
    assert not (finished.root / comparison).exists() and not (finished.root / spectra).exists()
    finished.run("every_output")
    assert "BROKEN" not in finished.run("verify").stdout


def test_a_result_dated_in_the_future_is_set_back_and_nothing_is_made_again(finished):
    (path,) = (finished.root / "results/spectra").glob("omd-*/*.zarr")
    later = time.time() + 86_400
    for dated in (path, path / ".snakemake_timestamp"):
        os.utime(dated, (later, later))
    text = finished.run().stdout
    assert "was dated in the future, and is set back" in text and "Nothing to be done" in text, text
    store.check(path)


@pytest.mark.parametrize("folder", ["results", "logs"])
def test_a_file_in_place_of_a_folder_is_told_in_one_line(another, folder):
    (another.root / folder).write_text("mine")
    text = another.run(check=False).stdout
    assert f"Error: {folder}: a file" in text and "Traceback" not in text
