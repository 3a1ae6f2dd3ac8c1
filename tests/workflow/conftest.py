"""A copy of the checkout in which the real workflow runs, once for all tests of this folder."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PARTS = ("Snakefile", "config", "envs", "profiles", "src", "workflow")


class Checkout:
    """A copy of the checkout, and Snakemake in it."""

    def __init__(self, root):
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            source = CHECKOUT / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(source, root / part, ignore=ignored)
            else:
                shutil.copy(source, root / part)

    def command(self, *arguments, config="config/smoke.yaml"):
        options = ["--configfile", str(config), "--cores", "all"]
        return [sys.executable, "-m", "snakemake", *options, *arguments]

    def run(self, *arguments, config="config/smoke.yaml", check=True):
        """Run Snakemake; the result's ``stdout`` holds everything that it printed."""
        done = subprocess.run(
            self.command(*arguments, config=config),
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        )
        assert not check or done.returncode == 0, done.stdout
        return done

    def planned(self, *arguments, config="config/smoke.yaml"):
        """Number of jobs by rule that a dry run lists, without the targets."""
        text = self.run("-n", *arguments, config=config).stdout
        if "Nothing to be done" in text:
            return Counter()
        table = re.search(r"job +count\n-+ +-+\n(.*?)total", text, re.S).group(1)
        jobs = Counter({name: int(n) for name, n in re.findall(r"(\w+) +(\d+)", table)})
        return Counter({name: n for name, n in jobs.items() if name not in TARGETS})

    def config(self, name, change, base="config/smoke.yaml"):
        """Write a configuration made from another by replacing text; return its path."""
        text = (self.root / base).read_text()
        for old, new in change.items():
            assert old in text, old
            text = text.replace(old, new)
        path = self.root / "config" / f"{name}.yaml"
        path.write_text(text)
        return path.relative_to(self.root)


TARGETS = {"all", "data", "train", "spectra", "distances", "hsvr", "pruning", "monitor"}
TARGETS |= {"sobolev", "figures", "known_answers", "early_phase"}


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """A checkout in which the smoke study ran from nothing to its report."""
    checkout = Checkout(tmp_path_factory.mktemp("smoke") / "checkout")
    checkout.log = checkout.run().stdout
    return checkout


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """A checkout in which nothing ever runs."""
    return Checkout(tmp_path_factory.mktemp("fresh") / "checkout")


@pytest.fixture(scope="session")
def checkout_at():
    """Make a checkout in a folder."""
    return Checkout


@pytest.fixture
def finished(smoke, tmp_path, checkout_at):
    """A copy of the finished run and all that Snakemake knows of it, whatever tests made again."""
    smoke.run()
    checkout = checkout_at(tmp_path / "finished")
    for part in ("results", ".snakemake"):
        shutil.copytree(smoke.root / part, checkout.root / part)
    return checkout


@pytest.fixture
def another(tmp_path):
    """A checkout of its own."""
    return Checkout(tmp_path / "checkout")
