"""Artefacts on disk: Zarr v3 stores and folders of files that appear only when complete.

An artefact is written beside its place under a name that begins with ``.partial-``, sealed with
the digest of its contents, and then renamed. So whatever stands under an artefact's name is whole,
and :func:`check` can prove that it has not changed since.
"""

import hashlib
import json
import shutil
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from koopscope.artefacts.provenance import short, stamp
from koopscope.artefacts.seals import (
    FOREIGN,
    PARTIAL,
    PROVENANCE,
    SEAL,
    TIMINGS,
    file_digest,
    former_of,
    partial_of,
)
from koopscope.errors import InputError

# Zarr remarks on every file that is not its own; these are known.
warnings.filterwarnings("ignore", message=f"Object at ({SEAL}|{PROVENANCE}|.*timestamp) is not")


@contextmanager
def staged(
    path: Path, provenance: Mapping[str, Any], keep: bool = False, resume: bool = False
) -> Iterator[Path]:
    """Give a folder to write an artefact into; seal and rename it if the block succeeds.

    Parameters
    ----------
    path
        Final place of the artefact. What stands there is replaced only at the very end.
    provenance
        Stamp of the artefact (:func:`koopscope.artefacts.provenance.stamp`), stored as a file
        inside it.
    keep
        Leave the folder, unsealed, if the block fails: there is something in it to go on with.
    resume
        Go on in the folder that an attempt which was cut short has left, if there is one.

    Yields
    ------
    pathlib.Path
        Empty folder beside ``path``, but for ``resume``. If the block fails it is deleted, but for
        ``keep``; what stands at ``path`` is left alone.

    Raises
    ------
    TypeError
        After the block, if the stamp is not of JSON values.
    """
    path = Path(path)
    partial, old = partial_of(path), former_of(path)
    if not resume:
        remove(partial)
    partial.mkdir(parents=True, exist_ok=resume)
    try:
        yield partial
        (partial / PROVENANCE).write_text(json.dumps(provenance, indent=1, sort_keys=True) + "\n")
        (partial / SEAL).write_text(_digest_of_files(partial) + "\n")
    except BaseException:
        if not keep:
            remove(partial)
        raise
    if path.exists():
        remove(old)
        path.replace(old)
    partial.replace(path)
    remove(old)


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Give an empty folder beside an artefact's place, deleted after the block whatever happens."""
    folder = Path(path).with_name(f"{PARTIAL}scratch-{Path(path).name}")
    remove(folder)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        remove(folder)


def write(
    path: Path,
    dataset: xr.Dataset,
    provenance: Mapping[str, Any],
    timings: Collection[str] = (),
    **options: Any,
) -> None:
    """Write a dataset as a sealed Zarr v3 store.

    Parameters
    ----------
    path
        Place of the store. What stands there is replaced once the new one is whole.
    dataset
        What to write; fixed-length text is written as text of any length.
    provenance
        Stamp (:func:`koopscope.artefacts.provenance.stamp`), stored as a file and as JSON text in
        the attribute ``provenance``.
    timings
        Variables that were measured with a clock. They differ from run to run, so they lie in a
        sealed store of their own within this one, which is no part of its contents.
    **options
        More of ``xarray.Dataset.to_zarr``, such as ``encoding``; not ``mode``, ``zarr_format`` or
        ``consolidated``.

    Raises
    ------
    TypeError
        If the stamp is not of JSON values.
    """
    with staged(path, provenance) as partial:
        if timings:
            measured = dataset[list(timings)].drop_attrs(deep=False)
            measured = measured.drop_vars(list(measured.coords))
            of = {"of": provenance["parameters_digest"]}
            write(partial / TIMINGS, measured, stamp("timings", parameters=of))
            dataset = dataset.drop_vars(list(timings))
        stamped = dataset.assign_attrs(provenance=json.dumps(provenance, sort_keys=True))
        # Zarr v3 has no specification of fixed-length text yet.
        texts = {n: v.astype(object) for n, v in stamped.variables.items() if v.dtype.kind == "U"}
        coords = {name: texts.pop(name) for name in list(texts) if name in stamped.coords}
        stamped = stamped.assign(texts).assign_coords(coords)
        # mode "a": the staging folder exists already, and is empty.
        stamped.to_zarr(partial, mode="a", zarr_format=3, consolidated=False, **options)


def read(path: Path, kind: str | None = None) -> xr.Dataset:
    """Open a store lazily after checking it against its seal.

    The check reads every byte once (about a second per gigabyte): a lost chunk would otherwise
    read as zeros.

    Raises
    ------
    InputError
        If nothing is there, if it was cut short or changed, or if it is not of the ``kind`` asked
        for.
    """
    path = Path(path)
    recorded = read_provenance(path)
    check(path)
    if kind is not None and recorded["kind"] != kind:
        raise InputError(f"{path}: holds {recorded['kind']}, not {kind}; give a {kind} store")
    # No Dask graph: each access reads just the chunks that it touches.
    found = xr.open_zarr(path, consolidated=False, chunks=None)
    if (path / TIMINGS).exists():
        found = found.assign(read(path / TIMINGS, "timings").data_vars)
    return found


def read_provenance(path: Path) -> dict[str, Any]:
    """Stamp of an artefact.

    Raises
    ------
    InputError
        If the artefact is missing or was cut short.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such artefact; run the stage that makes it")
    if not (path / SEAL).exists() or not (path / PROVENANCE).exists():
        raise InputError(f"{path}: not a complete artefact (no {SEAL}); delete it and run again")
    try:
        return json.loads((path / PROVENANCE).read_text())
    except ValueError:
        raise InputError(f"{path}: its {PROVENANCE} is damaged; delete it and run again") from None


def sealed_digest(path: Path) -> str:
    """Content digest that the artefact was sealed with."""
    read_provenance(path)
    return (Path(path) / SEAL).read_text().strip()


def check(path: Path) -> None:
    """Compare an artefact's contents with its seal, and its name with its parameters.

    Raises
    ------
    InputError
        If a file of it was changed, added or lost since it was written, or if it was made from
        other parameters than its name says.
    """
    recorded = read_provenance(path)
    named = Path(path).stem.rsplit(".", 1)[-1]
    if recorded.get("named_by_digest") and named != short(recorded["parameters_digest"]):
        raise InputError(f"{path}: made from other parameters than its name says; delete it")
    if _digest_of_files(Path(path)) != sealed_digest(path):
        raise InputError(f"{path}: contents differ from their seal; delete it and run again")


def _digest_of_files(folder: Path) -> str:
    joint = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = file.relative_to(folder).as_posix()
        if name != SEAL and file.name not in FOREIGN and not name.startswith(f"{TIMINGS}/"):
            joint.update(f"{file_digest(file)}  {name}\n".encode())
    return joint.hexdigest()


def remove(path: Path) -> None:
    """Delete a folder, a file or a link, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
