"""Where a result comes from: digests of values, versions, and their stamp.

Nothing here depends on time, host or path, so the same inputs give the same bytes.
"""

import hashlib
import importlib.metadata
import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from koopscope import __version__

PACKAGE = Path(__file__).parents[1]
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
        Digest of the sources that made it, from :func:`koopscope.artefacts.code.code_digest`.
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
