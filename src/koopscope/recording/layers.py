"""Where in a network each number of a vector of weights is: coordinates that go along with it."""

import json
from collections.abc import Mapping

import numpy as np
import xarray as xr

from koopscope.errors import InputError

Shapes = Mapping[str, tuple[int, ...]]


def coordinates(shapes: Shapes) -> dict[str, xr.DataArray]:
    """Coordinates of a vector of weights: ``layer`` (number, with names as flags) and ``index``.

    ``index`` counts the entries of a layer's weight row by row; the attribute ``shapes`` (JSON
    text) of ``layer`` says how to bring them back to its shape.
    """
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    flags = {"flag_values": list(range(len(sizes))), "flag_meanings": list(shapes)}
    layer = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    index = np.concatenate([np.arange(size, dtype=np.int32) for size in sizes])
    text = json.dumps({name: list(shape) for name, shape in shapes.items()})
    return {
        "layer": xr.DataArray(layer, dims="weight", attrs={**flags, "shapes": text}),
        "index": xr.DataArray(index, dims="weight"),
    }


def recorded_shapes(values: xr.DataArray) -> dict[str, tuple[int, ...]]:
    """Shapes of the layers whose weights these values belong to, by name.

    Raises
    ------
    InputError
        If the values do not say which weights they are.
    """
    try:
        shapes = json.loads(values["layer"].attrs["shapes"])
    except KeyError:
        raise InputError("weights: no coordinate 'layer' with shapes; give recorded ones") from None
    return {name: tuple(shape) for name, shape in shapes.items()}
