"""A checkout works under whatever name its folder has, its interpreter inside it, or says no."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest


def with_interpreter(checkout):
    """Command of a Python inside the checkout, as `make` puts it there, with the same packages."""
    folder = checkout.root / ".venv"
    python = Path(sys.base_prefix) / "bin/python3"
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "those-of-the-tests.pth").write_text(sysconfig.get_path("purelib"))
    return str(folder / "bin/python")


@pytest.mark.parametrize("name", ["Jane's results", '$HOME; "ü" #1 & (*) ж'])
def test_jobs_run_in_a_folder_of_any_name(checkout_at, tmp_path, name):
    checkout = checkout_at(tmp_path / name)
    python = with_interpreter(checkout)
    checkout.command = lambda *arguments, config: [
        *(python, "-m", "snakemake", "--configfile", config, "--cores", "1"),
        *arguments,
    ]
    checkout.run("data")
    made = {x.name.split(".")[0] for x in (checkout.root / "results/data").glob("*.zarr")}
    assert {"digits", "synthetic"} <= made


@pytest.mark.parametrize("name", ["{seed}", "half}", "at 10:30"])
def test_folder_names_that_end_commands_are_refused_in_one_line(checkout_at, tmp_path, name):
    done = checkout_at(tmp_path / name).run("-n", "data", check=False)
    assert done.returncode
    (line,) = (x for x in done.stdout.splitlines() if x.startswith("Error"))
    assert "rename the folder" in line and name in line
    assert "Traceback" not in done.stdout
