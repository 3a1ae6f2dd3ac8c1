"""Before anything runs it is said what it needs, and what cannot fit is refused."""

import re
from pathlib import Path

import pytest

from koopscope.config.files import load
from koopscope.experiments import registry

STEPS = {"steps: 120": "steps: 10000000000"}


def test_a_dry_run_prints_what_each_stage_needs(fresh):
    lines = fresh.run("-n").stdout.splitlines()
    start = lines.index("Estimated:")
    assert lines[start + 1].split() == ["stage", "jobs", "memory", "of", "the", "largest", "disk"]
    stages = {line.split()[0] for line in lines[start + 2 :] if line.strip()}
    assert {"data", "train", "spectra", "comparison", "denoising", "snapshots"} <= stages


@pytest.mark.parametrize("dry", [["-n"], []], ids=["dry", "real"])
def test_a_study_that_no_machine_holds_is_refused_in_one_line_before_any_job(fresh, dry):
    config = fresh.config("endless", STEPS)
    done = fresh.run(*dry, config=config, check=False)
    assert done.returncode and "Traceback" not in done.stdout
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("Error"))
    assert "steps: 10000000000" in line and " of memory, and " in line and "; give less" in line
    assert "Job " not in done.stdout


def test_only_what_is_to_run_has_to_fit(fresh):
    config = fresh.config("endless", STEPS)
    lines = fresh.run("-n", "data", config=config).stdout.splitlines()
    start = lines.index("Estimated:")
    assert [line.split()[0] for line in lines[start + 1 : start + 3]] == ["stage", "data"]


def test_the_smoke_studys_jobs_take_the_memory_that_was_estimated(smoke):
    """Within a factor of two, by what the jobs themselves say at their end."""
    config = load(smoke.root / "config/smoke.yaml")
    needs = registry.needs(registry.read(config).values(), config)
    logs = smoke.root / "logs"
    compared = 0
    for path, need in needs.items():
        log = logs / Path(path).relative_to("results").with_suffix(".log")
        said = log.exists() and re.search(r"took \S+ s and (\d+) MB, (\d+) of", log.read_text())
        if said:
            # Jobs that one process has begun have all in memory that any of them imports.
            measured = need.base + 2**20 * (int(said[1]) - int(said[2]))
            assert measured / 2 <= need.memory_bytes <= 2 * measured, path
            compared += 1
    assert compared > 15
