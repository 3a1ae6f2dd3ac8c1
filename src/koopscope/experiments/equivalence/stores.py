"""Read the spectra of a study's variants, and refuse those that are not what it asks for."""

from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from koopscope.artefacts import store
from koopscope.errors import InputError
from koopscope.experiments.equivalence.study import Alternate, Study


def read_spectra(of: Study | Alternate, paths: Sequence[Path | str]) -> dict[str, xr.Dataset]:
    """Spectra by variant and control line, from one sealed store each, in the order of ``fitted``.

    Raises
    ------
    InputError
        If a store is damaged, or was fitted otherwise than the study says; the line names the
        store, what differs, and the remedy.
    """
    found = {}
    for variant, path in zip(of.fitted, paths, strict=True):
        asked, there = variant.fit.to_dict(), store.read_provenance(path)["parameters"]
        for key, value in asked.items():
            if there.get(key) != value:
                raise InputError(
                    f"{path}: fitted with {key} {there.get(key)!r}, but {variant.name} of "
                    f"{of.name} asks for {value!r}; delete it and run again"
                )
        found[variant.name] = store.read(path, "spectra")
    return found
