"""What an artefact has to be, by the plan, so that none is taken for another.

A seal proves that an artefact is whole, not that it is the one that its place or its reader asks
for: that of another study is whole too. What is asked for is planned without opening anything, and
handed to jobs as JSON values.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from koopscope.artefacts import store
from koopscope.artefacts.provenance import digest, short
from koopscope.errors import InputError

Expected = Mapping[str, Any]


def expected(
    kind: str, parameters: Mapping[str, Any] | None, inputs: Iterable[str] = ()
) -> dict[str, Any]:
    """What an artefact has to be.

    Parameters
    ----------
    kind, parameters, inputs
        Those of its stamp (:func:`koopscope.artefacts.provenance.stamp`); inputs by their names
        alone. Parameters that are not known are None.

    Returns
    -------
    dict
        ``kind``, ``parameters`` (short digests by their keys, or None) and ``inputs``, sorted.
    """
    return {
        "kind": kind,
        "parameters": None if parameters is None else _digests(parameters),
        "inputs": sorted(set(inputs)),
    }


def check_expected(path: Path | str, asked: Expected, recorded: Mapping[str, Any]) -> None:
    """Refuse an artefact that is another than its place or its reader asks for.

    Parameters
    ----------
    path
        For the line that refuses it.
    asked
        What it has to be.
    recorded
        Its stamp.

    Raises
    ------
    InputError
        If it is of another kind, made with other parameters, or of other inputs; the line says
        which.
    """
    remedy = "it belongs elsewhere; delete it and run again"
    if recorded["kind"] != asked["kind"]:
        raise InputError(f"{path}: holds {recorded['kind']}, not {asked['kind']}; {remedy}")
    if asked["parameters"] is not None:
        here, there = asked["parameters"], _digests(_mapping(path, recorded, "parameters"))
        other = sorted(key for key in here.keys() | there.keys() if here.get(key) != there.get(key))
        if other:
            raise InputError(f"{path}: made with another {', '.join(other)}; {remedy}")
    inputs = sorted(_mapping(path, recorded, "inputs"))
    if inputs != list(asked["inputs"]):
        made, of = (", ".join(names) or "nothing" for names in (inputs, asked["inputs"]))
        raise InputError(f"{path}: made from {made}, not from {of}; {remedy}")


def contents(asked: Mapping[str, Expected]) -> dict[str, str]:
    """Content digest of each store that a job reads, once it is known to be the one asked for.

    Parameters
    ----------
    asked
        What each has to be, by its path.

    Raises
    ------
    InputError
        If one is missing, damaged or another.
    """
    for path, of in asked.items():
        check_expected(path, of, store.read_provenance(Path(path)))
    return {path: store.sealed_digest(Path(path)) for path in asked}


def _digests(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: short(digest(value)) for key, value in values.items()}


def _mapping(path: Path | str, recorded: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = recorded.get(key)
    if not isinstance(found, Mapping):
        raise InputError(f"{path}: its provenance has no {key}; delete it and run again")
    return found
