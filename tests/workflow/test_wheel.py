"""What is installed: a wheel in a fresh environment, away from the checkout, without the extras."""

import json
import os
import subprocess
import sys
import venv

import pytest
from fixtures.places import ROOT

SCRIPT = """
import numpy as np
import koopscope as ks

def train(seed, rates, recorder):
    rng = np.random.default_rng(seed)
    start = rng.normal(1, 0.2, 5)
    for step in range(80):
        state = np.array(rates) ** step * start + 1e-4 * rng.normal(size=5)
        recorder.snapshot({"w": state})

for seed in range(5):
    for name, faster in (("slow", 1), ("fast", 2)):
        rates = np.array([0.99, 0.95, 0.9, 0.8, 0.6]) ** faster
        own = seed + 100 * faster
        with ks.record({"w": np.ones(5)}, f"runs/{name}/{seed}", seed=own) as recorder:
            train(own, rates, recorder)
print(ks.compare_runs({"slow": "runs/slow/*", "fast": "runs/fast/*"}))
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Folder with a fresh environment that has the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    built = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(built, check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "environment", with_pip=True)
    python = folder / "environment" / "bin" / "python"
    lock = ["-c", ROOT / "requirements.lock"]
    install = ["-m", "pip", "--disable-pip-version-check", "-q", "install", *lock, wheel]
    subprocess.run([python, *install], check=True)
    (folder / "empty").mkdir()
    return folder


def run(fresh, program, *arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(
        [fresh / "environment" / "bin" / program, *arguments],
        cwd=fresh / "empty",
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_ten_lines_and_the_command_run_without_torch_or_the_workflow(fresh):
    done = run(fresh, "python", "-c", SCRIPT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("slow / fast: distinguished")
    done = run(fresh, "koopscope", "compare", "slow=runs/slow/*", "fast=runs/fast/*", "--json")
    assert json.loads(done.stdout)["pairs"][0]["verdict"] == "distinguished", done.stderr
    assert "holds" in run(fresh, "koopscope", "verify", "runs/slow/*").stdout
    for missing in ("torch", "snakemake", "dask", "matplotlib"):
        assert run(fresh, "python", "-c", f"import {missing}").returncode


def test_what_an_extra_brings_is_asked_for_in_one_line(fresh):
    run(fresh, "python", "-c", SCRIPT)
    groups = ("slow=runs/slow/*", "fast=runs/fast/*")
    done = run(fresh, "koopscope", "compare", *groups, "--report", "page.html")
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "pip install 'koopscope[report]'" in line
