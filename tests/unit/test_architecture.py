"""The rule of arrows: what people import stands below, what the workflow asks stands above.

A failure names the import that breaks the rule; docs/architecture.md says why it is one.
"""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from types import ModuleType

import pytest
from fixtures.imports import PACKAGE, arrows, imports, modules, room_of
from fixtures.places import ROOT

from koopscope.artefacts.code import imported_modules
from koopscope.experiments.registry import KINDS

# Of two rooms on one floor neither imports the other.
FLOORS = (
    {"faces"},
    {"koopscope"},
    {"errors"},
    {"artefacts"},
    {"config"},
    {"koopman"},
    {"compare", "recording"},
    {"controls", "data", "hsvr", "monitor", "pruning", "report", "sobolev"},
    {"integrations", "training"},
    {"experiments"},
    {"own_runs"},
    {"cli"},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FACES = sorted(module_stub.parent.name for module_stub in PACKAGE.glob("*/__init__.pyi"))
# What kinds may take from others: the room that questions about watched runs share, and the
# prediction of layers, which the question of depth compares with.
SHARED = {"watching": "", "hsvr": "koopscope.experiments.hsvr.prediction"}
# Runs of one's own are the question of equivalence without the workflow.
OF_OWN_RUNS = {"own_runs": "equivalence"}
LONGEST = 400
HEAVY = {"torch", "sklearn", "dask", "xarray", "numpy", "scipy", "matplotlib", "pandas", "zarr"}


def test_every_room_stands_on_a_floor():
    assert {room_of(module) for module in modules()} == set(FLOOR)


def test_arrows_run_down_only():
    up = [
        f"{module} imports {other}, which stands above it or beside it"
        for module, other in sorted(arrows())
        if room_of(module) != room_of(other) and FLOOR[room_of(other)] >= FLOOR[room_of(module)]
    ]
    assert not up, "\n".join(up)


def test_no_imports_go_round_in_a_circle():
    """Those for types alone neither."""
    graph = {
        module: {
            f"{node.module}.{alias.name}"
            if f"{node.module}.{alias.name}" in modules()
            else node.module
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        & set(modules())
        for module, path in modules().items()
        if path.name != "__init__.py"
    }
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def kind_of(module: str) -> str:
    """Kind of experiments whose folder a module lies in, if any."""
    parts = module.split(".")
    return parts[2] if len(parts) > 3 and parts[1] == "experiments" else ""


def test_a_kind_of_experiment_imports_no_other():
    across = [
        f"{module} imports {other}"
        for module, other in sorted(arrows())
        if kind_of(other) not in ("", kind_of(module), OF_OWN_RUNS.get(room_of(module)))
        and not (kind_of(other) in SHARED and other.startswith(SHARED[kind_of(other)]))
    ]
    assert not across, "\n".join(across)


def test_what_no_kind_owns_imports_none():
    """Tables over all kinds go through the registry, which loads by name."""
    owned = [
        f"{module} imports {other}"
        for module, other in sorted(arrows())
        if not kind_of(module) and kind_of(other) not in ("", OF_OWN_RUNS.get(room_of(module)))
    ]
    assert not owned, "\n".join(owned)


@pytest.mark.parametrize("folder", ["src", "workflow/scripts", "benchmarks"])
def test_nothing_of_ours_imports_from_a_face(folder):
    """Faces are for users: they load lazily, and so hide modules from the digest of the code."""
    known, wrong = set(modules()), []
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module in {
                f"koopscope.{face}" for face in FACES
            }:
                names = (f"{node.module}.{alias.name}" for alias in node.names)
                wrong += [f"{file.name} imports {name}" for name in names if name not in known]
            elif isinstance(node, ast.Import):
                faces = {f"koopscope.{face}" for face in FACES}
                wrong += [f"{file.name} imports {a.name}" for a in node.names if a.name in faces]
    assert not wrong, "import from the module that defines:\n" + "\n".join(wrong)


@pytest.mark.parametrize("face", ["koopscope", *(f"koopscope.{face}" for face in FACES)])
def test_a_face_offers_what_its_stub_names(face):
    module = import_module(face)
    assert module.__all__
    for name in module.__all__:
        offered = getattr(module, name)
        assert callable(offered) or isinstance(offered, ModuleType) or name.isupper()
    assert set(module.__all__) <= set(dir(module))
    assert module.__doc__


def test_nothing_of_the_whole_face_is_named_like_a_package():
    module = import_module("koopscope")
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    named_so = {name for name in module.__all__ if name in packages}
    assert all(isinstance(getattr(module, name), ModuleType) for name in named_so)


def test_a_misspelt_name_is_told_what_there_is():
    with pytest.raises(AttributeError, match="koopscope.koopman has no 'fitt', .*'fit'; it offers"):
        _ = import_module("koopscope.koopman").fitt
    with pytest.raises(ImportError, match="koopscope has no 'wassertein', .*'wasserstein'; it off"):
        from koopscope import wassertein  # noqa: F401
    assert not hasattr(import_module("koopscope"), "nothing")
    # A module that no face names is there all the same.
    assert isinstance(import_module("koopscope.faces"), ModuleType)
    assert python("from koopscope import errors; print(errors.__name__)") == "koopscope.errors"


def test_a_fit_needs_neither_torch_nor_scikit_learn_nor_dask():
    code = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name in ('torch', 'sklearn', 'distributed', 'pooch', 'matplotlib'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Missing)\n"
        "import numpy as np\nimport koopscope as ks\n"
        "states = 0.9 ** np.arange(20)[:, None]\n"
        "assert abs(ks.fit([states]).eigenvalues - 0.9).max() < 1e-9\n"
        "assert ks.wasserstein([1], [1]) == 0\n"
        "assert 'dask' not in sys.modules\n"
        "from koopscope.compare import compare\n"
        "assert compare(np.ones((8, 8)) - np.eye(8), range(4), range(4, 8)).effect == 1\n"
        "try:\n    ks.KoopmanMonitor\nexcept ModuleNotFoundError as error:\n    print(error)"
    )
    assert python(code) == (
        "koopscope.KoopmanMonitor needs torch, which is not installed: "
        "pip install 'koopscope[torch]'"
    )


@pytest.mark.parametrize(
    ("module", "library"), [("lightning", "lightning"), ("huggingface", "transformers")]
)
@pytest.mark.parametrize(
    "asking",
    [
        "from koopscope.integrations.{0} import WatchCallback",
        "import koopscope as ks; ks.integrations.{0}.WatchCallback",
    ],
)
def test_an_integration_without_its_library_names_the_extra(module, library, asking):
    code = (
        "import sys\n"
        # Python takes these for not there.
        "sys.modules |= dict.fromkeys(('lightning', 'pytorch_lightning', 'transformers'))\n"
        f"try:\n    {asking.format(module)}\n"
        "except ModuleNotFoundError as error:\n    print(error)"
    )
    assert python(code) == (
        f"koopscope.integrations.{module} needs {library}, which is not installed: "
        "pip install 'koopscope[integrations]'"
    )


def test_faces_load_nothing_before_it_is_used():
    code = "import sys\nimport koopscope\n"
    code += "".join(f"import koopscope.{face}\n" for face in FACES)
    code += f"print(*{HEAVY} & set(sys.modules))"
    assert python(code) == ""


def test_planning_loads_nothing_numerical():
    code = (
        "import sys\nfrom koopscope.config.files import load\n"
        "from koopscope.experiments import registry\n"
        "registry.check()\n"
        f"plans = registry.read(load({str(ROOT / 'config/smoke.yaml')!r}))\n"
        "assert {plan.kind for plan in plans.values()} == {kind.name for kind in registry.KINDS}\n"
        f"print(*{HEAVY} & set(sys.modules))"
    )
    assert python(code) == ""


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    environment = {"PYTHONPATH": str(PACKAGE.parent), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT
    )
    assert not done.returncode, done.stderr
    return done.stdout.strip()


def test_the_library_knows_nothing_of_the_workflow_engine():
    knowing = [
        module
        for module, path in modules().items()
        if any(name.split(".")[0] == "snakemake" for name in imported_modules(path))
    ]
    assert not knowing


def test_inits_only_hand_names_on():
    for path in PACKAGE.rglob("__init__.py"):
        for node in ast.parse(path.read_text()).body:
            assert isinstance(node, ast.Expr | ast.Import | ast.ImportFrom | ast.Assign), path


def test_no_module_is_longer_than_can_be_read_at_once():
    long = {m: n for m, p in modules().items() if (n := len(p.read_text().splitlines())) > LONGEST}
    assert not long, f"make two of each: {long}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_has_its_modules(kind):
    for part in ("plan", "summary"):
        assert kind.module(part) in modules()
    for store in kind.stores if kind.job else ():
        assert kind.runs(store) in modules()
        assert kind.module("figures") in modules()
        reached = imports(modules()[kind.runs(store)])
        assert kind.module("figures") not in reached
