"""From the definition of a data set to the data."""

from pathlib import Path

import xarray as xr

from koopscope.config.data import DataSpec
from koopscope.data import cifar10, digits, mnist, modular
from koopscope.data.controls import permute, relabel
from koopscope.data.synthetic import synthesize
from koopscope.errors import InputError

# Kinds that come from files which a user may have.
READ = ("mnist", "cifar10")


def load(spec: DataSpec, like: xr.Dataset | None = None, path: Path | None = None) -> xr.Dataset:
    """Fetch or generate the data set that a definition describes.

    Parameters
    ----------
    spec
        The definition.
    like
        Only for a derived data set: the one that ``spec.like`` defines, if it is at hand;
        otherwise it is loaded first.
    path
        Only where MNIST or CIFAR-10 is read: the folder that holds the files
        (:func:`koopscope.data.mnist.load`, :func:`koopscope.data.cifar10.load`).

    Returns
    -------
    xr.Dataset
        In the common form (:func:`koopscope.data.make`), with ``spec.name`` as attribute ``name``.

    Raises
    ------
    InputError
        If the data cannot be had, or an argument is given that the definition has no use for or
        that contradicts it.
    """
    if like is not None and spec.like is None:
        raise InputError(f"data.{spec.name}.like: given, but {spec.kind} data are like no other")
    origin = spec
    while origin.like is not None:
        origin = origin.like
    if path is not None and (origin.kind not in READ or like is not None):
        raise InputError(f"data.{spec.name}.path: {path} is given, but nothing is read; remove it")
    if spec.like is not None:
        if like is None:
            like = load(spec.like, path=path)
        elif (like.attrs["kind"], like.sizes["pixel"]) != (spec.like.kind, spec.like.pixels):
            raise InputError(
                f"data.{spec.name}.like: given {like.attrs['kind']} data with "
                f"{like.sizes['pixel']} pixels; give {spec.like.kind} with {spec.like.pixels}"
            )
        if spec.kind == "synthetic":
            ds = synthesize(like, spec.difficulty, spec.seed)
        else:
            control = {"permuted": permute, "relabelled": relabel, "renamed": modular.rename}
            ds = control[spec.kind](like, spec.seed)
    elif spec.kind == "modular":
        ds = modular.modular_arithmetic(
            spec.modulus, spec.operation, spec.train_share, spec.encoding, spec.seed
        )
    elif spec.kind == "mnist":
        ds = mnist.load(path)
    elif spec.kind == "digits":
        ds = digits.load()
    else:
        ds = cifar10.load(path or Path(cifar10.ARCHIVE))
    return ds.assign_attrs(name=spec.name)
