"""Where a result comes from: digests of values and sources, versions, and their stamp.

Nothing here depends on time, host or path, so the same inputs give the same bytes.
"""

import ast
import hashlib
import importlib.metadata
import json
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from koopscope import __version__

PACKAGE = Path(__file__).parent
STAMPED_VERSIONS = ("torch", "numpy", "scipy", "xarray", "zarr")


def canonical(value: Any) -> str:
    """JSON text of a value that does not depend on key order or white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """SHA-256 (hexadecimal) of :func:`canonical` of ``value``."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def short(full_digest: str) -> str:
    """First eight characters of a digest: enough for a file name, not for a proof."""
    return full_digest[:8]


def stamp(
    kind: str,
    *,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, str] | None = None,
    code: str | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Provenance of one artefact, to be stored in its attributes.

    Parameters
    ----------
    kind
        What the artefact is: ``"data"``, ``"trajectories"``, ``"spectra"``, ….
    parameters
        Everything that was chosen, as JSON values; its digest is stored too.
    inputs
        Content digest of each input artefact by its name.
    code
        Digest of the sources that made it, from :func:`code_digest`.
    **extra
        Further JSON values, such as the number of threads.
    """
    return {
        "kind": kind,
        "parameters": dict(parameters),
        "parameters_digest": digest(parameters),
        "inputs": dict(inputs or {}),
        "code": code,
        "koopscope": __version__,
        "commit": _commit(),
        "versions": _versions(),
        **extra,
    }


def imported_modules(source: Path) -> set[str]:
    """Names of the modules that a Python file imports anywhere, functions included."""
    return set(_imports(source.read_text(), str(source)))


def sources(*scripts: Path) -> list[Path]:
    """Return the scripts and every file of this package that they reach by imports, sorted."""
    reached: set[Path] = set()
    waiting = [Path(script) for script in scripts]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        for name in imported_modules(path):
            waiting.extend(_package_files(name))
    return sorted(reached)


def code_digest(*scripts: Path) -> str:
    """SHA-256 over the contents of :func:`sources`.

    It changes exactly when code changes that could change the scripts' results.
    """
    joint = hashlib.sha256()
    for path in sources(*scripts):
        joint.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return joint.hexdigest()


# By the text, so that a changed file is read anew: every script reaches much the same files, and
# the workflow asks for all scripts whenever it starts, once for each job.
@cache
def _imports(text: str, filename: str) -> frozenset[str]:
    names = set()
    for node in ast.walk(ast.parse(text, filename=filename)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            # "from package import module" imports the module as well.
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def _package_files(module: str) -> Iterable[Path]:
    """Files that Python runs to import ``module``, as far as they are this package's."""
    parts = module.split(".")
    if parts[0] != PACKAGE.name:
        return
    folder = PACKAGE
    yield folder / "__init__.py"
    for part in parts[1:]:
        if (folder / part / "__init__.py").exists():
            folder = folder / part
            yield folder / "__init__.py"
        elif (folder / f"{part}.py").exists():
            yield folder / f"{part}.py"
            return
        else:
            return


@cache
def _commit() -> str | None:
    """Git commit of the checkout this package lies in, with ``+changes`` if it has any."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(PACKAGE), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changes = git("status", "--porcelain", "--untracked-files=no", "--", str(PACKAGE))
        return git("rev-parse", "HEAD") + ("+changes" if changes else "")
    except (OSError, subprocess.CalledProcessError):
        return None


@cache
def _versions() -> dict[str, str]:
    found = {}
    for name in STAMPED_VERSIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
