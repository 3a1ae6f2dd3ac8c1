"""Artefacts on disk: Zarr v3 stores and folders of files that appear only when complete.

An artefact is written beside its place under a name that begins with ``.partial-``, sealed with
the digest of its contents, and then renamed. So whatever stands under an artefact's name is whole,
and :func:`check` can prove that it has not changed since.
"""

import hashlib
import json
import re
import shutil
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from koopscope.artefacts.locks import only_writer
from koopscope.artefacts.provenance import short, stamp
from koopscope.artefacts.seals import (
    ENGINES,
    FOREIGN,
    PARTIAL,
    PROVENANCE,
    SEAL,
    TIMINGS,
    ZARR,
    file_digest,
    former_of,
    partial_of,
    place_of,
    walk,
)
from koopscope.errors import InputError

# Zarr remarks on every file that is not its own; these are known.
warnings.filterwarnings(
    "ignore", message=f"Object at ({SEAL}|{PROVENANCE}|{FOREIGN.pattern}) is not"
)


class NotOurs(InputError):
    """Something stands there that koopscope did not write, and nobody should delete for it."""


@contextmanager
def staged(
    path: Path, provenance: Mapping[str, Any], keep: bool = False, resume: bool = False
) -> Iterator[Path]:
    """Give a folder to write an artefact into; seal and rename it if the block succeeds.

    Parameters
    ----------
    path
        Final place of the artefact, or a link to it, which stays. What stands there is replaced
        only at the very end.
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
    InputError
        If another process or thread is writing it.
    TypeError
        After the block, if the stamp is not of JSON values.
    """
    path = place_of(Path(path))
    partial, old = partial_of(path), former_of(path)
    with only_writer(partial):
        if not resume:
            for left in partial.iterdir():
                remove(left)
        try:
            yield partial
            stamped = json.dumps(provenance, indent=1, sort_keys=True) + "\n"
            (partial / PROVENANCE).write_text(stamped, encoding="utf-8")
            (partial / SEAL).write_text(_joint(_contents(partial)) + "\n")
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

    Warns
    -----
    UserWarning
        If files lie in it that are not of it.

    Raises
    ------
    InputError
        If nothing is there, if koopscope did not write it, if it was cut short, changed or cannot
        be read, or if it is not of the ``kind`` asked for.
    """
    path = Path(path)
    recorded = read_provenance(path)
    if strays := check(path):
        warnings.warn(f"{path}: {strays_said(strays)}", stacklevel=2)
    if kind is not None and recorded["kind"] != kind:
        raise InputError(f"{path}: holds {recorded['kind']}, not {kind}; give a {kind} store")
    # No Dask graph: each access reads just the chunks that it touches.
    found = xr.open_zarr(path, consolidated=False, chunks=None)
    if (path / TIMINGS).exists():
        found = found.assign(read(path / TIMINGS, "timings").data_vars)
    return found


def strays_said(names: Collection[str]) -> str:
    """What is said of files that lie in an artefact and are not of it."""
    are = "is not of it and is" if len(names) == 1 else "are not of it and are"
    return f"{', '.join(names)} {are} left out; its own files are whole"


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say in one line that an artefact cannot be read.

    Raises
    ------
    InputError
        In place of an error of the system.
    """
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}: {error.filename or 'a file of it'} cannot be read ({error.strerror}); look "
            "after its permissions and the disk"
        ) from None


def read_provenance(path: Path) -> dict[str, Any]:
    """Stamp of an artefact.

    Raises
    ------
    InputError
        If the artefact is missing, is none of koopscope's, was cut short or cannot be read.
    """
    path = Path(path)
    with readable(path):
        if not path.exists():
            if path.is_symlink():
                raise InputError(
                    f"{path}: a link to {path.readlink()}, where nothing is; mend the link, or "
                    "run the stage that makes it"
                )
            raise InputError(f"{path}: no such artefact; run the stage that makes it")
        there = [name for name in (SEAL, PROVENANCE) if (path / name).exists()]
        if not there:
            raise NotOurs(
                f"{path}: koopscope did not write this (it has no {PROVENANCE}); move it elsewhere "
                "and run the stage that makes it, or bring in runs of your own with `koopscope "
                "import`"
            )
        if len(there) < 2:
            raise InputError(
                f"{path}: not a complete artefact (no {SEAL} with a {PROVENANCE}); delete it and "
                "run again"
            )
        return read_stamp(path / PROVENANCE, path)


def read_stamp(file: Path, of: Path) -> dict[str, Any]:
    """Stamp in a file.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("kind"), str):
        raise InputError(f"{of}: its {file.name} is damaged; delete it and run again")
    return found


def sealed_digest(path: Path) -> str:
    """Content digest that the artefact was sealed with.

    Raises
    ------
    InputError
        As :func:`read_provenance`, and if the seal is damaged.
    """
    read_provenance(path)
    with readable(path):
        seal = (Path(path) / SEAL).read_bytes().strip()
    if not re.fullmatch(rb"[0-9a-f]{64}", seal):
        raise InputError(f"{path}: its {SEAL} is damaged; delete it and run again")
    return seal.decode()


def check(path: Path) -> list[str]:
    """Compare an artefact's contents with its seal, and its name with its parameters.

    Returns
    -------
    list of str
        Files that lie in it and are not of it, such as a file manager leaves; what is of it is
        whole.

    Raises
    ------
    InputError
        If a file of it was changed, added or lost since it was written, cannot be read, or if it
        was made from other parameters than its name says.
    """
    path = Path(path)
    recorded = read_provenance(path)
    named = path.stem.rsplit(".", 1)[-1]
    if recorded.get("named_by_digest") and named != short(str(recorded.get("parameters_digest"))):
        raise InputError(f"{path}: made from other parameters than its name says; delete it")
    sealed = sealed_digest(path)
    with readable(path):
        strays: list[str] = []
        contents = _contents(path, strays.append)
    if _joint(contents) == sealed:
        return strays
    for more in _possible_strays(contents):
        if _joint({n: of for n, of in contents.items() if n not in more}) == sealed:
            return [*strays, *more]
    raise InputError(f"{path}: contents differ from their seal; delete it and run again")


def _contents(folder: Path, stray: Callable[[str], object] = lambda name: None) -> dict[str, str]:
    """Digest of each file by its name, but for those that are known to be of others."""
    found = {}
    for inner, folders, files in walk(folder):
        if inner == folder:
            # Sealed by itself.
            folders[:] = [name for name in folders if name != TIMINGS]
        for file in files:
            name = (inner / file).relative_to(folder).as_posix()
            if FOREIGN.fullmatch(file):
                if file != ENGINES:
                    stray(name)
            elif name != SEAL:
                found[name] = file_digest(inner / file)
    return found


def _joint(contents: Mapping[str, str]) -> str:
    joint = hashlib.sha256()
    for name in sorted(contents, key=lambda name: Path(name).parts):
        joint.update(f"{contents[name]}  {name}\n".encode())
    return joint.hexdigest()


def _possible_strays(contents: Mapping[str, str]) -> list[list[str]]:
    """Sets of files without which the others may be what was sealed."""
    if "zarr.json" in contents:
        return [[name for name in contents if not ZARR.fullmatch(name) and name != PROVENANCE]]
    return [[name] for name in contents if "/" not in name]


def remove(path: Path) -> None:
    """Delete a folder, a file or a link, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
