"""Digests of values and of sources."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

import koopscope
from koopscope.artefacts import code
from koopscope.artefacts.code import code_digest, imported_modules, sources
from koopscope.artefacts.provenance import canonical, digest, stamp

PACKAGE = Path(koopscope.__file__).parent


def test_the_digest_of_a_value_does_not_depend_on_the_order_of_keys():
    a = {"x": 1, "y": {"b": [1, 2.5], "a": None}}
    b = {"y": {"a": None, "b": (1, 2.5)}, "x": 1}
    assert canonical(a) == canonical(b) == '{"x":1,"y":{"a":null,"b":[1,2.5]}}'
    assert digest(a) == digest(b) == hashlib.sha256(canonical(a).encode()).hexdigest()


@pytest.mark.parametrize("other", [{"x": 2}, {"y": 1}, {"x": [1]}, {"x": "1"}, {"x": True}, {}])
def test_another_value_has_another_digest(other):
    assert digest(other) != digest({"x": 1})


def test_a_number_that_is_none_has_no_digest():
    with pytest.raises(ValueError):
        digest({"x": float("nan")})


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of the same name, with chains of imports, and a script."""
    folder = tmp_path / "koopscope"
    files = {
        "__init__.py": "",
        "a.py": "from koopscope.inner import b\n",
        "inner/__init__.py": "from koopscope.unused import x\n",
        "inner/b.py": "import koopscope.inner.c\n\ndef late():\n    import koopscope.d\n",
        "inner/c.py": "thing = 1\n",
        "d.py": "import numpy\n",
        "unused.py": "x = 1\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (tmp_path / "script.py").write_text("from koopscope import a\nprint(a)\n")
    monkeypatch.setattr(code, "PACKAGE", folder)
    return tmp_path


def test_sources_reach_every_file_that_imports_lead_to(package):
    found = {p.relative_to(package).as_posix() for p in sources(package / "script.py")}
    assert found == {
        "script.py",
        "koopscope/a.py",
        "koopscope/inner/b.py",
        "koopscope/inner/c.py",
        "koopscope/d.py",
    }


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("script.py", True),
        ("koopscope/a.py", True),
        ("koopscope/inner/c.py", True),
        ("koopscope/d.py", True),
        ("koopscope/__init__.py", False),
        ("koopscope/inner/__init__.py", False),
        ("koopscope/unused.py", False),
    ],
)
def test_the_digest_of_code_changes_exactly_with_what_it_reaches(package, name, changes):
    before = code_digest(package / "script.py")
    assert code_digest(package / "script.py") == before
    with (package / name).open("a") as file:
        file.write("y = 2\n")
    assert (code_digest(package / "script.py") != before) == changes


def test_a_new_import_of_an_old_file_changes_the_digest(package):
    before = code_digest(package / "script.py")
    with (package / "koopscope" / "d.py").open("a") as file:
        file.write("from koopscope.unused import x\n")
    assert package / "koopscope" / "unused.py" in sources(package / "script.py")
    assert code_digest(package / "script.py") != before


def test_every_way_to_import_is_seen(tmp_path):
    script = tmp_path / "s.py"
    script.write_text(
        "import a.b as c, d\nfrom e.f import g\n"
        "def late():\n    from h import i\n"
        "if True:\n    import j\n"
        "try:\n    import k\nexcept ImportError:\n    pass\n"
    )
    assert imported_modules(script) == {"a.b", "d", "e.f", "e.f.g", "h", "h.i", "j", "k"}


def test_the_sources_of_a_module_of_ours_are_what_python_really_imports():
    module = PACKAGE / "artefacts/verification.py"
    named = {p.relative_to(PACKAGE).as_posix() for p in sources(module)}
    code = (
        "import sys, koopscope.artefacts.verification\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'koopscope'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent,
        env={"PYTHONPATH": str(PACKAGE.parent), "PATH": ""},
    )
    loaded = {Path(p).relative_to(PACKAGE).as_posix() for p in run.stdout.split()}
    # Those only hand names on to users, and faces.py is what they do it with.
    assert {n for n in loaded - {"faces.py"} if not n.endswith("__init__.py")} <= named
    assert "artefacts/store.py" in loaded
    assert "koopman/fitting.py" not in named


def test_a_stamp_says_what_made_an_artefact_and_repeats():
    found = stamp("spectra", parameters={"rank": 3}, inputs={"a": "ff"}, code="c0de", seeds=[1])
    assert found == stamp(
        "spectra", parameters={"rank": 3}, inputs={"a": "ff"}, code="c0de", seeds=[1]
    )
    assert found["parameters_digest"] == digest({"rank": 3})
    assert found["inputs"] == {"a": "ff"}
    assert found["seeds"] == [1]
    assert found["koopscope"] == koopscope.__version__
    assert found["versions"]["numpy"] == numpy.__version__
    assert "torch" in found["versions"]
    assert found["commit"] is None or len(found["commit"].removesuffix("+changes")) == 40


COUNTED = '''"""What it is."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from somewhere import Thing

# Why.
LIMIT: int = 3


def f(x: "Thing", *, é: str = "é") -> str:
    """Say it."""
    # Because.
    text = """
    # no comment
    """
    return f"{x} {é} {text} {os.sep} {LIMIT}"
'''


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("What it is.", "What it was.\n\nAnd more.", False),
        ("Say it.", "Say it again.", False),
        ("# Why.\n", "", False),
        ("    # Because.", "    # Because of that.\n    # And more.", False),
        ("LIMIT: int", "LIMIT: float", False),
        ('x: "Thing", *, é: str', "x: int, *, é: list[\n    str\n]", False),
        (" -> str:", ":", False),
        ("from somewhere import Thing", "from elsewhere import Thing, Other", False),
        ("LIMIT: int = 3", "LIMIT: int = 4", True),
        # Of a dataclass that would be no field.
        ("LIMIT: int = 3", "LIMIT = 3", True),
        ("# no comment", "# no  comment", True),
        ("{os.sep}", "{os.name}", True),
        ('= "é"', '= "e"', True),
        ("import os\n", "", True),
    ],
)
def test_words_for_readers_do_not_count_and_all_else_does(tmp_path, old, new, counts):
    script = tmp_path / "s.py"
    script.write_text(COUNTED)
    before = code_digest(script)
    assert old in COUNTED
    script.write_text(COUNTED.replace(old, new))
    assert (code_digest(script) != before) == counts
