"""What jobs need is known from the configuration alone, and comes near what they take."""

import copy
import json
import subprocess
import sys
from dataclasses import asdict
from functools import reduce
from time import perf_counter

import pytest
from fixtures.places import ROOT
from fixtures.rules import jobs

from koopscope.config.data import DataSpec
from koopscope.config.files import load
from koopscope.config.fit import FitSpec
from koopscope.config.settings import Comparing
from koopscope.config.setup import NetworkSetup, OnlineSetup
from koopscope.config.sizes import NUMERICAL, TORCH, check
from koopscope.errors import InputError
from koopscope.experiments import registry, sizes

SMOKE = load(ROOT / "config" / "smoke.yaml")
GB = 10**9
DIGITS = DataSpec("digits", "digits")


def needs_of(config):
    return registry.needs(registry.read(config).values(), config)


def changed(path, value):
    """The smoke configuration with one value changed."""
    config = copy.deepcopy(SMOKE)
    *folders, last = path.split("/")
    reduce(dict.__getitem__, folders, config)[last] = value
    # So many that relabellings are drawn and not enumerated.
    config["bases"]["small"]["network"]["seeds"] = list(range(1, 13))
    return config


def test_every_job_that_leaves_a_store_has_a_need():
    found = {path.split("/")[1] for path in needs_of(SMOKE)}
    stores = {store for kind in registry.KINDS for store in kind.stores} - {"pruning"}
    assert found == stores | {"data", "trajectories", "spectra", "snapshots", "pruned"}


def test_small_studies_fit_anywhere():
    assert check(needs_of(SMOKE).values(), 2 * GB, 2 * GB) == []


BASE = "bases/small/network"
TOO_MUCH = [
    (f"{BASE}/steps", 10**10, "steps: 10000000000"),
    (f"{BASE}/hidden_widths", [10**8], "hidden_widths: 100000000"),
    (f"{BASE}/initialisations", 10**9, "initialisations: 1000000000"),
    (f"{BASE}/sketch", 10**6, ""),
    ("compare/permutations", 10**9, "compare.permutations: 1000000000"),
    ("compare/bootstrap", 10**9, "compare.bootstrap: 1000000000"),
    ("studies/width/error_rates/draws", 10**9, "error_rates.draws: 1000000000"),
    ("studies/optimizers/online/states", 10**10, "states: 10000000000"),
    ("studies/optimizers/online/dimension", 10**10, ""),
    ("bases/small/fit/resamples", 10**10, ""),
    ("monitor/when_to_stop/epochs", 10**9, "epochs: 1000000000"),
    ("monitor/when_to_stop/runs/relu/hidden_widths", [10**7], "hidden_widths: 10000000"),
    ("monitor/poor_initialisations/epochs", 10**9, "epochs: 1000000000"),
    ("monitor/layers/tasks/digits/steps", 10**10, "steps: 10000000000"),
    ("monitor/layers/tasks/tones/points", 10**11, "points: 100000000000"),
    ("monitor/layers/depths", [1, 10**12], "depths: 1000000000000"),
    ("monitor/layers/tasks/tones/width", 10**8, "width: 100000000"),
    ("monitor/layers/initialisations", 10**9, "initialisations: 1000000000"),
    ("monitor/lighter/hidden_widths", [10**8, 24], "hidden_widths: 100000000"),
    ("monitor/lighter/evaluations_per_epoch", 10**10, "evaluations_per_epoch: 10000000000"),
    ("early_phase/early_lenet/model/steps", 10**10, "model.steps: 10000000000"),
    ("early_phase/early_lenet/model/options/hidden_widths", [10**9], ""),
    ("hsvr/depth/signals/tones", 10**11, "signals.tones: 100000000000"),
    ("sobolev/denoise/signals/falling-tones", 10**10, "signals.falling-tones: 10000000000"),
    ("sobolev/denoise/steps", 10**10, "steps: 10000000000"),
    ("sobolev/denoise/width", 10**8, "width: 100000000"),
]


@pytest.mark.parametrize(("path", "value", "said"), TOO_MUCH, ids=[path for path, *_ in TOO_MUCH])
def test_what_no_machine_holds_is_refused_by_its_key_before_anything_runs(path, value, said):
    start = perf_counter()
    with pytest.raises(InputError) as refused:
        check(needs_of(changed(path, value)).values(), 20 * GB, 1000 * GB)
    assert said in str(refused.value) and "\n" not in str(refused.value)
    assert perf_counter() - start < 5


@pytest.mark.parametrize("path", [path for path, value, _ in TOO_MUCH if isinstance(value, int)])
def test_no_number_is_too_large_to_be_estimated(path):
    with pytest.raises(InputError, match="10\\^|needs|give"):
        check(needs_of(changed(path, 10**30)).values(), 1000 * GB, 1000 * GB)


def test_no_job_but_words_depends_on_an_estimate():
    """So that a better one trains and fits nothing anew."""
    found = {job for job, files in jobs().items() if any(f.name == "sizes.py" for f in files)}
    assert found <= {"summary", "report", "answers"}


MEASURE = """
import json, re, sys
def peak():
    # Not ru_maxrss: a new process begins with that of the one that started it.
    status = open("/proc/self/status").read()
    return 1024 * int(re.search(r"VmHWM:\\s*(\\d+) kB", status).group(1))
{imports}
base = peak()
{work}
print(json.dumps([base, peak()]))
"""


def measured(imports, work):
    """Peak of a process's memory after its imports and after its work, in bytes."""
    code = MEASURE.format(imports=imports, work=work)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def total(parts):
    return sum(part.bytes for part in parts)


def near(estimate, truth):
    """Within a factor of two."""
    assert truth / 2 <= estimate <= 2 * truth, (estimate, truth)


WIDE = NetworkSetup(DIGITS, hidden_widths=(1000,), steps=40, initialisations=20, seeds=(1, 2))
LONG = NetworkSetup(
    DIGITS, hidden_widths=(4,), steps=4_000, batch_size=1400, initialisations=1, seeds=(1, 2)
)


@pytest.mark.parametrize("setup", [WIDE, LONG], ids=["wide", "long"])
def test_training_takes_the_memory_and_the_disk_that_were_estimated(setup, tmp_path):
    imports = "from koopscope.config.setups import setup_from_dict\n"
    imports += (
        "from koopscope.data import digits\nfrom koopscope.training.recording import record\n"
    )
    imports += "import torch; torch.set_num_threads(1)"
    given = json.dumps(setup.to_dict())
    work = f"setup = setup_from_dict(json.loads({given!r}))\n"
    work += f"record(setup, digits.load(), {str(tmp_path / 'x')!r}, device='cpu')"
    base, peak = measured(imports, work)
    near(TORCH, base)
    near(TORCH + total(sizes.trained(setup)), peak)
    files = [file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()]
    near(sizes.snapshots(setup).bytes, sum(files))


@pytest.mark.parametrize(("states", "dimension"), [(10_000, 3), (2_000, 20)])
def test_an_online_methods_runs_take_the_memory_that_was_estimated(states, dimension):
    setup = OnlineSetup(
        "omd",
        states=states,
        dimension=dimension,
        initial_points="random",
        initialisations=100,
        seeds=(1, 2),
    )
    imports = "from koopscope.config.setup import OnlineSetup\n"
    imports += "from koopscope.training.online import trajectories"
    base, peak = measured(
        imports, f"trajectories(OnlineSetup(**{asdict(setup)!r} | {{'seeds': (1, 2)}}))"
    )
    near(total(sizes.iterated(setup)[0]), peak - base)


@pytest.mark.parametrize("permutations", [100_000, 400_000])
def test_a_permutation_test_takes_the_memory_that_was_estimated(permutations):
    how = Comparing(permutations=permutations, bootstrap=permutations)
    work = "at = np.arange(20.0)\ncompare(abs(at[:, None] - at), range(10), range(10, 20), "
    work += f"permutations={permutations}, bootstrap={permutations})"
    base, peak = measured("import numpy as np\nfrom koopscope.compare.verdict import compare", work)
    near(total(sizes.tested({(10, 10)}, how)), peak - base)


@pytest.mark.parametrize(
    ("solver", "width", "steps", "init", "delays"),
    [("full", 100, 500, 2, 4), ("gram", 20_000, 300, 2, 0)],
)
def test_a_fit_takes_the_memory_that_was_estimated(solver, width, steps, init, delays):
    setup = NetworkSetup(DIGITS, steps=steps, initialisations=init, hidden_widths=(width // 10,))
    fit = FitSpec(delays=delays, rank=5, solver=solver)
    assert setup.weights == width
    imports = "import numpy as np, xarray as xr\nfrom koopscope.koopman.fitting import fit"
    work = f"values = np.random.default_rng(0).standard_normal(({init}, {steps}, {width}))\n"
    work += "values = xr.DataArray(values.cumsum(1), dims=('init', 'step', 'weight'))\n"
    work += f"fit(values, {delays}, 5, {solver!r})"
    base, peak = measured(imports, work)
    near(NUMERICAL + total(sizes.fitted(fit, setup, 1)), NUMERICAL + peak - base)
