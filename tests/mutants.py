"""Change the heart of the library in one place at a time, and see whether its tests notice.

Cosmic Ray makes the changes, in a copy of the tree, and runs the fast unit tests of the part. A
sample of fixed seed is tried of each part; survivors are printed. See docs/mutants.md.
"""

import argparse
import os
import random
import re
import shlex
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from cosmic_ray.commands import execute, init
from cosmic_ray.config import ConfigDict
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult
from fixtures.places import ROOT

# Share of the sample that has to be noticed.
LEAST = 0.9
# Of each part the modules, and the tests that are to notice.
PARTS = {
    "compare": (
        "verdict intervals metrics transport permutations power barycentre modes",
        "compare --deselect tests/unit/compare/test_coverage.py",
    ),
    "koopman": (
        "dmd embedding fitting krylov spectrum choice costs trust",
        "koopman/test_known_spectra.py koopman/test_products.py koopman/test_choice.py "
        "koopman/test_costs.py koopman/test_numbers.py koopman/test_results.py "
        "koopman/test_inputs.py",
    ),
    "pruning": (
        "scores masks",
        "pruning/test_scores.py pruning/test_score_numbers.py pruning/test_masks.py",
    ),
    "monitor": (
        "window verdict spectrum",
        "monitor/test_bounds.py monitor/test_rolling.py monitor/test_window.py",
    ),
    "sobolev": ("norms", "sobolev"),
}
# Nonsense of types, unions of annotations, and what only makes things slower.
LEFT_OUT = re.compile(
    r".*_(FloorDiv|Mod|Pow|RShift|LShift|BitOr|BitAnd|BitXor|Is|IsNot|UAdd|Invert)$"
    r"|.*BinaryOperator_(BitOr|Mod|FloorDiv)_.*|.*(RemoveDecorator|VariableReplacer|VariableInserter)"
)


def sampled(database: WorkDB, count: int, seed: int) -> int:
    """Leave so many mutants pending, drawn by a fixed seed; how many there are of all kinds."""
    items = [
        (mutation.module_path.name, mutation.start_pos, mutation.operator_name, item.job_id)
        for item in database.work_items
        for mutation in item.mutations
        if not LEFT_OUT.match(mutation.operator_name)
    ]
    # In an order that does not depend on the names that Cosmic Ray draws for jobs.
    items.sort()
    kept = {item[-1] for item in random.Random(seed).sample(items, min(count, len(items)))}
    others = [item.job_id for item in database.work_items if item.job_id not in kept]
    database.set_multiple_results(others, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))
    return len(items)


def tried(part: str, count: int, seed: int, timeout: float) -> tuple[int, int]:
    """Mutants of a part that were noticed, and tried; prints the others."""
    modules, tests = PARTS[part]
    paths = [Path("src/koopscope") / part / f"{name}.py" for name in modules.split()]
    files = " ".join(
        t if t.startswith(("-", "tests/")) else f"tests/unit/{t}" for t in tests.split()
    )
    command = f"{shlex.quote(sys.executable)} -m pytest -x -q -p no:cacheprovider {files}"
    config = ConfigDict({"test-command": command, "timeout": timeout})
    config["distributor"] = ConfigDict({"name": "local"})
    database = WorkDB(":memory:", WorkDB.Mode.create)
    init(paths, database, {})
    there = sampled(database, count, seed)
    execute(database, config)
    places = {item.job_id: item.mutations[0] for item in database.work_items}
    found = [(job, r) for job, r in database.results if r.worker_outcome == WorkerOutcome.NORMAL]
    killed = sum(result.is_killed for _, result in found)
    print(f"{part}: {killed} of {len(found)} noticed, of {there} possible", flush=True)
    for job, result in sorted(found, key=lambda one: places[one[0]].start_pos):
        if result.test_outcome == TestOutcome.SURVIVED:
            at = places[job]
            print(f"  {at.module_path}:{at.start_pos[0]} {at.operator_name}")
            changed = re.findall(r"^[-+](?![-+]{2}).*", result.diff or "", re.MULTILINE)
            print("".join(f"    {line}\n" for line in changed), end="", flush=True)
    return killed, len(found)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    asked.add_argument("--count", type=int, default=60, help="mutants of each part")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--timeout", type=float, default=120, help="seconds for one mutant")
    given = asked.parse_args()
    with TemporaryDirectory(prefix="koopscope-mutants-") as folder:
        for name in ("src", "tests", "docs", "config"):
            shutil.copytree(
                ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("_build")
            )
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, folder)
        os.chdir(folder)
        os.environ |= {"PYTHONPATH": f"{folder}/src", "OMP_NUM_THREADS": "1"}
        found = [tried(part, given.count, given.seed, given.timeout) for part in given.parts]
    killed, count = map(sum, zip(*found, strict=True))
    print(f"{killed} of {count} noticed: {killed / count:.0%}")
    sys.exit(killed < LEAST * count)


if __name__ == "__main__":
    main()
