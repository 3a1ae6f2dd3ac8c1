"""Which files a script reaches, and one digest of them, so that changed code reruns what it may.

Followed are imports. What is loaded by name (:mod:`koopscope.artefacts.names`) is not, and has to
be given beside the script if results depend on it; plans and refusals are loaded by name because
results do not: all that a plan says is in a result's parameters. ``__init__`` files only hand names
on, and are left out: what people may import, or a new version, makes no other result.

Docstrings, annotations and lines of comment are for readers and for the planner, and count as
little: what a key of the configuration means and may be stands in an annotation.
"""

import ast
import hashlib
import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
ARROW = re.compile(rb"\s*->\s*$")


def imported_modules(source: Path) -> set[str]:
    """Names of the modules that a Python file imports anywhere, functions included."""
    return set(_read(source.read_bytes(), str(source))[0])


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
    """SHA-256 over what counts in :func:`sources`.

    It changes when code changes that could change the roots' results.
    """
    joint = hashlib.sha256()
    for path in sources(*roots):
        content = path.read_bytes()
        if path.suffix == ".py":
            content = _read(content, str(path))[1]
        joint.update(path.name.encode() + b"\0" + content + b"\0")
    return joint.hexdigest()


# By the text, so that a changed file is read anew: every script reaches much the same files, and
# the workflow asks for all scripts whenever it starts, once for each job.
@cache
def _read(text: bytes, filename: str) -> tuple[frozenset[str], bytes]:
    """Modules that a file imports, and what of it counts."""
    names: set[str] = set()
    left_out: list[ast.AST] = []
    strings: set[int] = set()
    waiting: list[ast.AST] = [ast.parse(text, filename=filename)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            left_out += node.body
            waiting.extend(node.orelse)
            continue
        waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            # "from package import module" imports the module as well.
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno > node.lineno:
            strings.update(range(node.lineno, node.end_lineno + 1))
        left_out += _for_readers(node)
    return frozenset(names), _without(text, left_out, strings)


def _for_readers(node: ast.AST) -> list[ast.AST]:
    """Docstring and annotations of a node."""
    if isinstance(node, ast.arg | ast.AnnAssign):
        return [node.annotation] if node.annotation else []
    found: list[ast.AST] = []
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
        found.append(node.returns)
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            found.append(first)
    return found


def _without(text: bytes, left_out: list[ast.AST], strings: set[int]) -> bytes:
    """Return the text without these nodes and without blank lines and lines of comment."""
    lines = text.splitlines()
    for node in sorted(left_out, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        first, last = node.lineno - 1, node.end_lineno - 1
        before, after = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
        lines[first] = ARROW.sub(b"", before) + after
        # Lines keep their numbers, which the nodes before this one are known by.
        lines[first + 1 : last + 1] = [b""] * (last - first)
        strings.difference_update(range(node.lineno, node.end_lineno + 1))
    return b"\n".join(
        line
        for number, line in enumerate(lines, 1)
        if number in strings or not line.lstrip().startswith((b"#",)) and line.strip()
    )


def _file(module: str) -> Path | None:
    """File of a module of this package; None of a package, or of another one's module."""
    package, _, rest = module.partition(".")
    path = PACKAGE.joinpath(*rest.split(".")).with_suffix(".py")
    return path if package == PACKAGE.name and rest and path.exists() else None
