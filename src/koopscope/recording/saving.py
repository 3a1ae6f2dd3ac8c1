"""Runs of any source as sealed stores."""

from pathlib import Path

import numpy as np
import xarray as xr

from koopscope.artefacts import store as stores
from koopscope.artefacts.provenance import stamp
from koopscope.artefacts.seals import partial_of
from koopscope.errors import InputError
from koopscope.recording.snapshots import KIND, open_snapshots
from koopscope.recording.writer import STEPS, VALUES, WEIGHTS, even_chunk


def check_free(out: Path) -> None:
    """Refuse to write where something stands.

    Raises
    ------
    InputError
        If a store is there, whole or not.
    """
    for there in (out, partial_of(out)):
        if there.exists():
            raise InputError(f"store: {there} exists; give another name or delete it")


def save_run(run: xr.Dataset, out: str | Path) -> xr.Dataset:
    """Write a run as a sealed store, which :func:`koopscope.open_snapshots` opens.

    Parameters
    ----------
    run
        As :func:`koopscope.from_arrays` or another importer gives it.
    out
        Folder to write; must not exist.

    Returns
    -------
    xarray.Dataset
        The same, opened from the store.

    Raises
    ------
    InputError
        If something stands at ``out``.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import koopscope as ks
    >>> from koopscope.recording import save_run
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = save_run(ks.from_arrays(np.ones((5, 3)), seed=1), f"{folder}/run").load()
    >>> run["weights"].shape, run.attrs["seed"]
    ((5, 3), 1)
    """
    path = Path(out)
    # Chunks of what it was read from would not fit those written here.
    plain = (run.load() if run.chunks else run).drop_encoding()
    plain.attrs = known = {
        name: value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        for name, value in run.attrs.items()
        if name not in ("complete", "provenance")
    }
    most = {"step": STEPS, **dict.fromkeys(VALUES.values(), WEIGHTS)}
    encoding = {
        name: {
            "chunks": tuple(
                1 if dim in ("seed", "init") else even_chunk(n, most.get(str(dim), n))
                for dim, n in array.sizes.items()
            ),
            "compressors": None,
        }
        for name, array in plain.data_vars.items()
        if array.ndim
    }
    parameters = {**known, "variables": {str(n): list(v.shape) for n, v in plain.items()}}
    check_free(path)
    stores.write(path, plain, stamp(KIND, parameters=parameters), encoding=encoding)
    return open_snapshots(path)
