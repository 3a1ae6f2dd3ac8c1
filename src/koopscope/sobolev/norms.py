"""Negative Sobolev norms of a residual, as losses: what is fine counts less.

[derived] For a residual e on n points with discrete Fourier coefficients ê_k, in a domain of
length L, ‖e‖²_{H^{−s}} = (1/n²) Σ_k |ê_k|² / (1 + (2πk/L)²)^s. s = 0 is the mean square (Parseval);
s = ½ the mix-norm of Mathew, Mezić and Petzold (Physica D 211, 2005). White noise of variance η²
adds η²/n Σ_k (1 + (2πk/L)²)^{−s}, which in one dimension falls like 1/n if s > ½. The gradient is
the residual under the same filter, so that training sees a smoothed residual.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from koopscope.errors import InputError
from koopscope.sobolev.arguments import Number, count, lengths_of, numbers, positions_of, tensor_of
from koopscope.sobolev.kernel import bessel_kernel

BOUNDARIES = ("periodic", "reflecting")
POINT_BOUNDARIES = (*BOUNDARIES, "free")
# Beyond this order Γ overflows.
LARGEST = 150


class SobolevLoss(nn.Module):
    """Mean over a batch of ‖prediction − target‖²_{H^{−s}}.

    Parameters
    ----------
    s
        Order, at least 0; several for the mean of their norms ("sum over scales"). May be set
        anew at any time (:attr:`s`), as a schedule does.
    length
        Length of the domain in each dimension, one number for all: the period, or the side that is
        reflected. The unit in which it is given is the scale at which the damping sets in:
        wavelengths far above 2π keep their weight.
    grid
        For values on an equidistant grid, the last ``len(grid)`` dims of the tensors: of each
        dimension its number of points or its coordinates. A point stands for a cell around it, so
        n points of spacing h make a length of n·h.
    points
        For values at scattered points, the last dim of the tensors: positions, shape (point,) or
        (point, coordinate).
    boundary
        ``"periodic"``: Fourier series. ``"reflecting"``: even extension, hence cosines, for data
        that do not meet at the ends; wave numbers are πk/L. ``"free"``, only for points and s above
        half their dimension: the kernel of (1 − Δ)^{−s} on the whole space, in closed form
        (Matérn).

    Raises
    ------
    InputError
        If an argument is out of its range, or they contradict each other.

    Notes
    -----
    For scattered points ‖e‖² = eᵀ G e / n². On a periodic or reflecting domain G is summed as a
    series up to the wave number of the mean spacing: on a grid the same as the grid's form. s = 0
    is the mean square in every case. Linear algebra is done in single precision at least.

    Examples
    --------
    A wave of wave number k has the mean square ½, which s = 1 divides by 1 + k²:

    >>> import torch
    >>> from koopscope.sobolev import SobolevLoss
    >>> x = torch.arange(16) * 2 * torch.pi / 16
    >>> loss = SobolevLoss(1.0, length=2 * torch.pi, grid=(16,))
    >>> [round(loss(torch.sin(k * x), torch.zeros(16)).item(), 4) for k in (1, 2, 3)]
    [0.25, 0.1, 0.05]
    """

    def __init__(
        self,
        s: Number,
        length: Number = 1.0,
        *,
        grid: Sequence | None = None,
        points: np.ndarray | torch.Tensor | None = None,
        boundary: str = "periodic",
    ) -> None:
        super().__init__()
        if (grid is None) == (points is None):
            raise InputError("grid, points: give one of the two")
        allowed = BOUNDARIES if points is None else POINT_BOUNDARIES
        if boundary not in allowed:
            raise InputError(f"boundary: unknown {boundary!r}; give one of {', '.join(allowed)}")
        self.boundary = boundary
        self._on_grid = points is None
        if points is None:
            # An array is one axis's coordinates.
            axes = list(grid) if isinstance(grid, Sequence) else [grid]
            if not axes:
                raise InputError("grid: no dimension; give the points of each")
            self.length = lengths_of(length, len(axes))
            pairs = zip(axes, self.length, strict=True)
            self.shape = tuple(count(axis, side, i) for i, (axis, side) in enumerate(pairs))
            self._squares = _grid_squares(self.shape, self.length, boundary)
        else:
            self._positions = positions_of(points)
            self.length = lengths_of(length, self._positions.shape[1])
            self.shape = (len(self._positions),)
            if boundary != "free":
                self._modes, self._squares = _series(self._positions, self.length, boundary)
        self._kept: dict[tuple, torch.Tensor] = {}
        self.s = s

    def __setattr__(self, name: str, value: Any) -> None:
        """As a module does; but the order is a number also where a parameter is given."""
        given: Any = numbers("s", value, "of at least 0") if name == "s" else value
        super().__setattr__(name, given)

    @property
    def s(self) -> float | tuple[float, ...]:
        """Order, or the orders that are averaged."""
        return self._s[0] if len(self._s) == 1 else self._s

    @s.setter
    def s(self, s: Number) -> None:
        orders = numbers("s", s, "of at least 0")
        said = ", ".join(f"{x:g}" for x in orders)
        half = 0 if self._on_grid else self._positions.shape[1] / 2
        if self.boundary == "free" and not all(x == 0 or x > half for x in orders):
            raise InputError(
                f"s: {said} gives a kernel that is infinite at 0; give 0, above {half:g}, or a "
                "periodic or reflecting boundary"
            )
        if self.boundary == "free" and max(orders) > LARGEST:
            raise InputError(
                f"s: {said} is beyond the numbers of the whole space's kernel; give {LARGEST} at "
                "most"
            )
        self._s = orders
        # The waves at the points are the same for every s.
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] == "waves"}

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Mean of the squared norms of the differences, over all leading dims.

        Parameters
        ----------
        prediction, target
            Shape ``(…, *grid)`` or ``(…, point)``.

        Returns
        -------
        torch.Tensor
            A scalar; 0 for an empty batch.

        Raises
        ------
        InputError
            If the shapes differ, or do not end in those of the grid.
        """
        prediction, target = tensor_of("prediction", prediction), tensor_of("target", target)
        if prediction.shape != target.shape:
            raise InputError(
                f"prediction, target: shapes {tuple(prediction.shape)} and {tuple(target.shape)} "
                "differ; give the same"
            )
        norms = self.squared_norm(prediction - target)
        # Of no residual at all the mean would be no number, and training end with it.
        return norms.mean() if norms.numel() else norms.sum()

    def squared_norm(self, residual: torch.Tensor) -> torch.Tensor:
        """‖e‖²_{H^{−s}} of each residual; shape of the leading dims.

        Parameters
        ----------
        residual
            Shape ``(…, *grid)`` or ``(…, point)``.

        Raises
        ------
        InputError
            If the shape does not end in that of the grid.
        """
        residual = tensor_of("residual", residual)
        if residual.is_complex():
            return self.squared_norm(residual.real) + self.squared_norm(residual.imag)
        residual = self._checked(residual)
        device = residual.device.type
        if not torch.amp.is_autocast_available(device) or not torch.is_autocast_enabled(device):
            return self._squared_norm(residual)
        with torch.autocast(device, enabled=False):
            return self._squared_norm(residual)

    def _squared_norm(self, residual: torch.Tensor) -> torch.Tensor:
        if not residual.numel():
            return residual.square().sum(dim=self._dims)
        if all(s == 0 for s in self._s):
            return residual.square().mean(dim=self._dims)
        n = math.prod(self.shape)
        if self._on_grid:
            # The even extension repeats each value, so it has the same mean square.
            spectrum = torch.fft.rfftn(self._extended(residual), dim=self._dims)
            power = spectrum.real.square() + spectrum.imag.square()
            return (power * self._weights(residual)).sum(dim=self._dims)
        if self.boundary == "free":
            return ((residual @ self._kernel(residual)) * residual).sum(dim=-1) / n**2
        waves = self._waves(residual)
        flat, modes = self._flat_weights(residual), len(self._squares)
        # Waves of length √n each way, so that on a grid Parseval holds as for the series.
        coefficients = torch.stack([residual @ waves[:, :modes], residual @ waves[:, modes:]])
        of_series = (coefficients.square().sum(0) * flat).sum(dim=-1) / n**2
        zeros = sum(s == 0 for s in self._s) / len(self._s)
        return of_series + zeros * residual.square().mean(dim=-1) if zeros else of_series

    def filtered(self, residual: torch.Tensor) -> torch.Tensor:
        """(1 − Δ)^{−s} e: n/2 times the gradient of :meth:`squared_norm`; shape of the residual."""
        with torch.inference_mode(False), torch.enable_grad():
            residual = tensor_of("residual", residual)
            if residual.is_complex():
                real, imag = self.filtered(residual.real), self.filtered(residual.imag)
                return torch.complex(real, imag)
            leaf = self._checked(residual).detach().clone().requires_grad_()
            total = self.squared_norm(leaf).sum()
            gradient = torch.autograd.grad(total, leaf)[0]
        return gradient * (math.prod(self.shape) / 2)

    def expected_noise(self, variance: float = 1.0) -> float:
        """Squared norm that independent noise of this variance has on average."""
        n = math.prod(self.shape)
        eye = torch.zeros((), dtype=torch.float64)
        if all(s == 0 for s in self._s):
            return float(variance)
        if self._on_grid:
            repeats = 1 if self.boundary == "periodic" else 2 ** len(self.shape)
            weights = _damping(self._squares, self._s)
            if repeats == 1:
                return float(variance * weights.sum() / n)
            # Only the cosines of k = 0 to n − 1 carry noise, each as much.
            kept = weights[tuple(slice(0, count) for count in self.shape)]
            return float(variance * kept.sum() / n)
        if self.boundary == "free":
            return float(variance * self._kernel(eye).diagonal().mean() / n)
        waves, modes = self._waves(eye), len(self._squares)
        power = (waves[:, :modes].square() + waves[:, modes:].square()).sum(0)
        zeros = sum(s == 0 for s in self._s) / len(self._s)
        return float(variance * ((power * self._flat_weights(eye)).sum() / n**2 + zeros))

    def extra_repr(self) -> str:
        """What printing the module says."""
        return f"s={self.s}, length={self.length}, shape={self.shape}, boundary={self.boundary!r}"

    @property
    def _dims(self) -> tuple[int, ...]:
        return tuple(range(-len(self.shape), 0))

    def _checked(self, residual: torch.Tensor) -> torch.Tensor:
        if tuple(residual.shape[-len(self.shape) :]) != self.shape:
            raise InputError(
                f"residual: shape {tuple(residual.shape)} does not end in the loss's {self.shape}"
            )
        return residual

    def _extended(self, residual: torch.Tensor) -> torch.Tensor:
        if self.boundary == "reflecting":
            for dim in self._dims:
                residual = torch.cat([residual, residual.flip(dim)], dim)
        return residual

    def _cached(
        self, name: str, like: torch.Tensor, make: Callable[[], np.ndarray]
    ) -> torch.Tensor:
        key = (name, like.dtype, like.device)
        if key not in self._kept:
            # Kept for training, though the first call may be a validation step.
            with torch.inference_mode(False):
                self._kept[key] = torch.as_tensor(make()).to(like.dtype).to(like.device)
        return self._kept[key]

    def _weights(self, like: torch.Tensor) -> torch.Tensor:
        """Weights of a real transform's coefficients: the last dim has each conjugate pair once."""

        def make() -> np.ndarray:
            last = self._squares.shape[-1]
            pairs = np.full(last // 2 + 1, 2.0)
            pairs[0] = 1
            if last % 2 == 0:
                pairs[-1] = 1
            weights = _damping(self._squares[..., : last // 2 + 1], self._s)
            return weights * pairs / self._squares.size**2

        return self._cached("grid", like, make)

    def _flat_weights(self, like: torch.Tensor) -> torch.Tensor:
        # s = 0 is the mean square, which the cut-off series is not, away from a grid.
        orders = [s for s in self._s if s > 0]
        share = len(orders) / len(self._s)
        return self._cached("series", like, lambda: share * _damping(self._squares, orders))

    def _waves(self, like: torch.Tensor) -> torch.Tensor:
        return self._cached("waves", like, lambda: self._modes)

    def _kernel(self, like: torch.Tensor) -> torch.Tensor:
        def make() -> np.ndarray:
            n, volume = len(self._positions), math.prod(self.length)
            kernels = (
                bessel_kernel(self._positions, s) * volume if s > 0 else n * np.eye(n)
                for s in self._s
            )
            return np.asarray(sum(kernels) / len(self._s))

        return self._cached("kernel", like, make)


def _damping(squares: np.ndarray, orders: Sequence[float]) -> np.ndarray:
    return np.asarray(sum((1 + squares) ** -s for s in orders) / len(orders))


def _grid_squares(shape: Sequence[int], length: Sequence[float], boundary: str) -> np.ndarray:
    """Squared wave numbers of a grid's transform; twice as long an axis where it is reflected."""
    times = 2 if boundary == "reflecting" else 1
    axes = [
        2 * np.pi * np.fft.fftfreq(times * n, side / n)
        for n, side in zip(shape, length, strict=True)
    ]
    # Waves so short that their squares are no numbers any more weigh nothing.
    with np.errstate(over="ignore"):
        return sum(k**2 for k in np.meshgrid(*axes, indexing="ij", sparse=True))


def _series(
    positions: np.ndarray, length: Sequence[float], boundary: str
) -> tuple[np.ndarray, np.ndarray]:
    """Waves at the points, cosines beside sines, and their squared wave numbers.

    As many waves an axis as a grid of so many points has, and of the same mean square 1.
    """
    n, dimension = positions.shape
    aside = max(1, round(n ** (1 / dimension)))
    if boundary == "reflecting":
        if np.any(positions < 0) or np.any(positions > np.asarray(length)):
            raise InputError("points: some lie outside 0 to length; shift them, or give a length")
        counts = np.meshgrid(*[np.arange(aside)] * dimension, indexing="ij")
        k = np.stack([c.ravel() for c in counts]) * np.pi / np.asarray(length)[:, None]
        phases = positions[:, :, None] * k
        waves = np.prod(np.where(k == 0, 1.0, math.sqrt(2)) * np.cos(phases), axis=1)
        both = np.concatenate([waves, np.zeros_like(waves)], axis=1)
    else:
        counts = np.meshgrid(*[np.fft.fftfreq(aside, 1 / aside)] * dimension, indexing="ij")
        k = np.stack([c.ravel() for c in counts]) * 2 * np.pi / np.asarray(length)[:, None]
        phases = positions @ k
        both = np.concatenate([np.cos(phases), np.sin(phases)], axis=1)
    with np.errstate(over="ignore"):
        return both, (k**2).sum(axis=0)
