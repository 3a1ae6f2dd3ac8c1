"""What people give to a loss, read and refused."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch

from koopscope.errors import InputError, shown
from koopscope.koopman.inputs import any_array, real_array

Number = float | Sequence[float]
# Coordinates count as equidistant if no spacing differs by more than this share of the mean.
UNIFORM = 1e-4


def lengths_of(length: Number, dimension: int) -> tuple[float, ...]:
    """Length of each dimension, one number for all or one each; refused if they do not fit."""
    sides = numbers("length", length, "above 0")
    if len(sides) == 1 and np.ndim(length) == 0:
        sides *= dimension
    if len(sides) != dimension:
        raise InputError(f"length: {len(sides)} numbers for {dimension} dimensions; give one each")
    return sides


def numbers(key: str, value: Any, bound: str) -> tuple[float, ...]:
    """A finite number, or several, "above 0" or "of at least 0", of any library.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        found = any_array(key, value)
        numeric = found.dtype.kind in "iuf" and found.ndim <= 1 and found.size > 0
        known = numeric and np.isfinite(found.astype(float)).all() and (found >= 0).all()
    except InputError:
        known = False
    if not known or (bound == "above 0" and not found.all()):
        raise InputError(f"{key}: {shown(value)} is no finite number {bound}, nor several")
    return tuple(np.atleast_1d(found.astype(float)).tolist())


def tensor_of(key: str, value: Any) -> torch.Tensor:
    """A dense tensor in single precision at least, of real or complex numbers."""
    if not isinstance(value, torch.Tensor):
        raise InputError(f"{key}: a {type(value).__name__}; give a torch.Tensor")
    if value.layout != torch.strided:
        raise InputError(f"{key}: a tensor of layout {value.layout}; give {key}.to_dense()")
    if value.dtype in (torch.float32, torch.float64, torch.complex64, torch.complex128):
        return value
    return value.to(torch.complex64 if value.is_complex() else torch.float32)


def count(axis, side: float, number: int) -> int:
    """Points of an axis, given as their number or as their coordinates."""
    if isinstance(axis, Integral) and not isinstance(axis, bool):
        if axis < 1:
            raise InputError(f"grid: {axis} points in dimension {number}; give at least 1")
        return int(axis)
    at = real_array("grid", axis)
    if at.ndim != 1 or len(at) < 2 or not np.isfinite(at).all():
        raise InputError(f"grid: dimension {number} is neither a number of points nor coordinates")
    steps = np.diff(at)
    spacing = steps.mean()
    if not spacing > 0 or np.abs(steps - spacing).max() > UNIFORM * spacing:
        raise InputError(
            f"grid: coordinates of dimension {number} are not equidistant; give them as points"
        )
    if abs(spacing * len(at) - side) > UNIFORM * side:
        raise InputError(
            f"length: {side:g}, but {len(at)} points of spacing {spacing:g} fill "
            f"{spacing * len(at):g}; give that"
        )
    return len(at)


def positions_of(points: np.ndarray | torch.Tensor) -> np.ndarray:
    """Positions, shape (point, coordinate), in double precision; refused if they are none."""
    at = real_array("points", points)
    at = at[:, None] if at.ndim == 1 else at
    if at.ndim != 2 or not at.size or not np.isfinite(at).all():
        raise InputError("points: not finite positions of shape (point,) or (point, coordinate)")
    return at
