"""Conda cannot be reached in CI, so here is proved what can be proved without it.

Every environment file is well formed, pins what the lock pins, and names each package that the
scripts of its rules import, directly or through the library.
"""

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest
import yaml
from fixtures.places import ROOT
from fixtures.rules import Rule, loaded, read_rules

from koopscope.artefacts.code import imported_modules, sources
from koopscope.experiments.registry import KINDS

ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))

# Conda name: PyPI name, where they differ by more than spelling.
PYPI_NAMES = {
    "dask-core": "dask",
    "matplotlib-base": "matplotlib",
    "pytorch": "torch",
    "seaborn-base": "seaborn",
    "snakemake-minimal": "snakemake",
}

# Snakemake imports this in front of every script itself, so no environment has to bring it.
GIVEN_BY_SNAKEMAKE = "snakemake.iocontainers"
# Plans and refusals are loaded by name wherever a plan comes back from a result's parameters.
LOADED_BESIDE = ("koopscope.config.refusals", *(kind.module("plan") for kind in KINDS))


def spelled(name: str) -> str:
    """Name of a distribution in the one spelling that PyPI compares."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {spelled(name): version for name, version in pins}


def pins(environment: Path) -> dict[str, str]:
    """Version of each package of an environment file, by PyPI name; python is left out."""
    found = {}
    for entry in yaml.safe_load(environment.read_text())["dependencies"]:
        assert isinstance(entry, str), f"{environment.name}: '{entry}' is not 'name=version'"
        name, *version = entry.split("=")
        assert len(version) == 1, f"{environment.name}: '{entry}' is not 'name=version'"
        found[spelled(PYPI_NAMES.get(name, name))] = version[0]
    del found["python"]
    return found


def needed(rule: Rule) -> dict[str, set[str]]:
    """Third-party modules that a rule reaches, each with the distributions that provide it."""
    distributions = importlib.metadata.packages_distributions()
    modules = {module for those in loaded(rule.name).values() for module in those}
    reached = {}
    for file in sources(rule.script, *modules, *LOADED_BESIDE):
        for module in imported_modules(file):
            top = module.partition(".")[0]
            ours = top == "koopscope" or (rule.script.parent / f"{top}.py").exists()
            given = f"{module}.".startswith(f"{GIVEN_BY_SNAKEMAKE}.")
            if not (ours or given or top in sys.stdlib_module_names):
                reached[top] = {spelled(name) for name in distributions.get(top, [])}
    return reached


RULES = read_rules()


def test_the_workflow_has_rules_with_scripts():
    assert RULES, "no rule with a script was found: nothing below would be tested"


def test_there_is_an_environment_for_each_kind_of_rule():
    assert [file.stem for file in ENVIRONMENTS] == [
        "data",
        "figures",
        "koopman",
        "networks",
        "report",
        "train",
    ]


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda file: file.stem)
def test_environment_names_its_channels_and_nothing_else_than_packages(environment):
    content = yaml.safe_load(environment.read_text())
    assert set(content) == {"channels", "dependencies"}
    assert content["channels"][0] == "conda-forge"
    assert content["channels"][-1] == "nodefaults"


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda file: file.stem)
def test_environment_pins_python_and_what_the_lock_pins(environment):
    assert re.search(r"^  - python=3\.\d+$", environment.read_text(), re.MULTILINE)
    ours, lock = pins(environment), locked()
    assert ours == {name: lock.get(name) for name in ours}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_names_a_script_and_an_environment_that_exist(rule):
    assert rule.script and rule.script.is_file(), f"rule {rule.name}: no such script {rule.script}"
    assert rule.conda in ENVIRONMENTS, f"rule {rule.name}: no environment file {rule.conda}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_environment_provides_every_module_that_the_script_reaches(rule):
    provided = set(pins(rule.conda))
    missing = {module for module, names in needed(rule).items() if not names & provided}
    assert not missing, f"envs/{rule.conda.name} lacks {sorted(missing)} of rule {rule.name}"
