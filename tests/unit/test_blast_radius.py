"""Folders are the cache policy: what a change reruns (``make blast-radius`` prints it)."""

from pathlib import Path

import pytest
from fixtures.imports import PACKAGE
from fixtures.rules import RUNS, SCRIPTS, jobs

from koopscope.experiments.registry import KINDS

JOBS = jobs()
# Jobs that may take long: a change of words, figures, facts, plans or refusals reruns none.
TRAINING = (
    "train_network",
    "train_model",
    "run_optimizer",
    "record_epochs",
    "fit_spectra",
    "prepare_data",
    *RUNS,
)
LONG = {job for job in JOBS if job.startswith((*TRAINING, "prune_epoch", "count_errors", "vary"))}
# The most lines of the library behind a job, by the first word of its name.
# With 130 of them each watches whether its run is still there, with 340 it checks that each store
# is whole and the one planned; errors hold the checks of numbers and what they show too;
# comparisons leave out empty spectra, their intervals of few seeds are wide enough, and arrays of
# any library are read; control lines stand beside the pairs, in comparisons and in figures;
# definitions of data sets have the keys of modular arithmetic, and setups those of any module.
MOST = {"draw": 2600, "train_experiment_on_device": 6100, "compare_study": 4450}
# It trains any module, fits and compares in one job.
MOST |= {
    "draw comparison": 2700,  # with the page on which eigenvalues can be pointed at
    "train_experiment_on_device early_phase": 8450,
    "train_experiment_on_device grokking": 8800,
}
WORDS = ("summary.py", "baselines.py", "findings.py", "captions.py", "registry.py", "plan.py")
WORDS += (
    "figures.py",
    "tables.py",
    "refusals.py",
    "checks.py",
    "files.py",
    "entries.py",
    "reading.py",
    "keys.py",
    "sizes.py",
    "reliability.py",
)


def reruns(path: Path) -> set[str]:
    return {job for job, files in JOBS.items() if path in files}


def test_there_are_jobs_of_every_sort():
    assert len(LONG) > 10 and {"summary", "report", "draw comparison"} <= set(JOBS) - LONG


@pytest.mark.parametrize("job", JOBS)
def test_no_more_of_the_library_is_behind_a_job_than_it_needs(job):
    ours = [file for file in JOBS[job] if not file.is_relative_to(SCRIPTS)]
    lines = sum(len(file.read_text().splitlines()) for file in ours)
    assert lines <= MOST.get(job, MOST.get(job.split()[0], lines))


def test_words_figures_facts_and_plans_retrain_and_refit_nothing():
    words = [path for path in PACKAGE.rglob("*.py") if path.name in WORDS]
    words += [*PACKAGE.glob("report/*.py"), *PACKAGE.glob("experiments/*/figures/*.py")]
    words += PACKAGE.glob("experiments/*/captions/*.rst")
    costly = {path.relative_to(PACKAGE).as_posix(): reruns(path) & LONG for path in words}
    assert len(costly) > 80
    assert not {path: found for path, found in costly.items() if found}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kinds_change_reruns_its_own_jobs_alone(kind):
    shown = {f"draw {shown.folder}" for shown in kind.shown}
    own = {f"{rule} {store}" for rule in RUNS for store in kind.stores} | shown
    own |= {"summary", "report"}
    own |= {
        "equivalence": {"compare_study", "vary_estimate", "count_errors", "collect_curves"}
        | {"bring_in_runs"},
        "pruning": {"record_epochs", "prune_epoch", "gather_pruning"},
        # What hierarchical regression predicts, the question of depth sets beside its own.
        "hsvr": {"train_experiment depth"},
    }.get(kind.name, set())
    for path in (PACKAGE / "experiments" / kind.name).rglob("*.py"):
        assert reruns(path) <= own, path


@pytest.mark.parametrize("path", ["koopman/regressor.py", "monitor/monitor.py", "__init__.py"])
def test_what_users_import_and_no_experiment_uses_reruns_nothing(path):
    assert (PACKAGE / path).exists() and not reruns(PACKAGE / path)
