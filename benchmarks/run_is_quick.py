"""Claim: the default study takes minutes from data to report, and a second run does nothing.

Runs the workflow as a user does, in a temporary copy of the checkout. See README.md.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from measuring import arguments, judged, seconds

CHECKOUT = Path(__file__).parents[1]
RUN_TARGET = 540  # seconds: 8 minutes for equivalence, 1 for regression
AGAIN_TARGET = 5
NOTHING = "Nothing to be done"


def copy_checkout(to: Path) -> None:
    """Copy the files that git tracks or does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (CHECKOUT / name).is_file():  # not one deleted since the last commit
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, to / name)


def snakemake(folder: Path, *words: str) -> str:
    """Run snakemake in a folder and return what it said; show it and end if it fails."""
    paths = [str(folder / "src"), os.environ.get("PYTHONPATH")]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nsnakemake {' '.join(words)} failed with {done.returncode}")
    return done.stdout


def main() -> None:
    """Time a whole run from the data at hand, then one that finds everything done."""
    quick = arguments(__doc__).quick
    configuration = "config/smoke.yaml" if quick else "config/config.yaml"
    options = ("--configfile", configuration) if quick else ()
    with tempfile.TemporaryDirectory(prefix="koopscope-") as name:
        folder = Path(name)
        copy_checkout(folder)
        # The words come first: the option takes all that follow it.
        data = seconds(partial(snakemake, folder, "data", *options))
        run = seconds(partial(snakemake, folder, *options))
        report = folder / "results" / "report.html"
        if not report.exists():
            sys.exit(f"The run ended without {report.relative_to(folder)}.")
        said = []
        again = seconds(lambda: said.append(snakemake(folder, *options)))
        if NOTHING not in said[0]:
            sys.exit(f"{said[0]}\nThe second run was to do nothing.")
    print(
        f"{configuration}, all {os.cpu_count()} cores, each once; data at hand after {data:.1f} s"
    )
    print(judged("seconds, snakemake", run, RUN_TARGET, quick, at_least=False))
    print(judged("seconds, snakemake again", again, AGAIN_TARGET, quick, at_least=False))


if __name__ == "__main__":
    main()
