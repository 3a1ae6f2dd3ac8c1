"""Which files a script reaches, and one digest of them, so that changed code reruns what it may.

Followed are imports. What is loaded by name (:mod:`koopscope.artefacts.names`) is not, and has to
be given beside the script if results depend on it; plans and refusals are loaded by name because
results do not: all that a plan says is in a result's parameters. ``__init__`` files only hand names
on, and are left out: what people may import, or a new version, makes no other result.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def imported_modules(source: Path) -> set[str]:
    """Names of the modules that a Python file imports anywhere, functions included."""
    return set(_imports(source.read_text(), str(source)))


def sources(*roots: Path | str) -> list[Path]:
    """Return every file of this package that roots reach by imports, and the roots, sorted.

    Parameters
    ----------
    *roots
        Scripts or other files, and modules of this package by their dotted names.

    Raises
    ------
    ValueError
        If there is no such module.
    """
    waiting = [root if isinstance(root, Path) else _file(root) for root in roots]
    if None in waiting:
        raise ValueError(f"{roots[waiting.index(None)]}: no such module of {PACKAGE.name}")
    reached: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path is None or path in reached:
            continue
        reached.add(path)
        if path.suffix == ".py":
            for name in imported_modules(path):
                waiting.append(_file(name))
    return sorted(reached)


def code_digest(*roots: Path | str) -> str:
    """SHA-256 over the contents of :func:`sources`.

    It changes exactly when code changes that could change the roots' results.
    """
    joint = hashlib.sha256()
    for path in sources(*roots):
        joint.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return joint.hexdigest()


# By the text, so that a changed file is read anew: every script reaches much the same files, and
# the workflow asks for all scripts whenever it starts, once for each job.
@cache
def _imports(text: str, filename: str) -> frozenset[str]:
    names = set()
    waiting: list[ast.AST] = [ast.parse(text, filename=filename)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting.extend(node.orelse)
            continue
        waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            # "from package import module" imports the module as well.
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def _file(module: str) -> Path | None:
    """File of a module of this package; None of a package, or of another one's module."""
    package, _, rest = module.partition(".")
    path = PACKAGE.joinpath(*rest.split(".")).with_suffix(".py")
    return path if package == PACKAGE.name and rest and path.exists() else None
