"""A few thousand numbers in place of a network's weights: a seeded count sketch.

Each weight is added, with a random sign, to one of k numbers drawn at random (Charikar, Chen and
Farach-Colton, ICALP 2002). Inner products are kept on average, with a variance of at most
2 ‖x‖² ‖y‖² / k, for one pass over the weights; a dense projection would take k passes.
"""

from collections.abc import Iterable
from numbers import Integral

import numpy as np
import torch

from koopscope.errors import InputError

PLACE, SIGN = 1, 2


class Sketch:
    """Linear map from all weights to k numbers, the same for a seed and a number of weights.

    Few weights, up to k, are kept as they are. Sums are made in the weights' own precision, single
    at least; on a GPU in no fixed order.

    Parameters
    ----------
    weights
        Number of weights.
    size
        k; None keeps every weight.
    seed
        Draws places and signs.

    Raises
    ------
    InputError
        If the size is no whole number of at least 1, or there is no weight.

    Examples
    --------
    >>> import torch
    >>> from koopscope.recording import Sketch
    >>> model = torch.nn.Linear(100, 100)
    >>> sketch = Sketch(10_100, size=64)
    >>> snapshot = sketch(model.parameters())
    >>> snapshot.shape, bool((snapshot == Sketch(10_100, size=64)(model.parameters())).all())
    ((64,), True)

    Few weights are kept as they are:

    >>> Sketch(3)([torch.tensor([1.0, 2.0]), torch.tensor([3.0])]).tolist()
    [1.0, 2.0, 3.0]
    """

    def __init__(self, weights: int, size: int | None = 4096, seed: int = 0) -> None:
        if weights < 1:
            raise InputError("weights: none; give a model with parameters that are trained")
        if size is not None and (not isinstance(size, Integral) or size < 1):
            raise InputError(
                f"projection: {size!r}; give a whole number of at least 1, or None for all weights"
            )
        self.weights = weights
        self.size = weights if size is None else min(int(size), weights)
        self.exact = self.size == weights
        if not self.exact:
            places = np.random.default_rng([seed, PLACE]).integers(self.size, size=weights)
            signs = np.random.default_rng([seed, SIGN]).integers(2, size=weights) * 2 - 1
            self._places, self._signs = torch.as_tensor(places), torch.as_tensor(signs)

    def __call__(self, tensors: Iterable[torch.Tensor]) -> np.ndarray:
        """Sketch of the weights that these tensors hold one after another; shape (size,).

        Parameters
        ----------
        tensors
            As many numbers together as the sketch is for, on one device.

        Returns
        -------
        numpy.ndarray
            In the tensors' precision, single at least.
        """
        return self.of_runs(torch.cat([t.detach().reshape(-1) for t in tensors])[None])[0]

    def of_runs(self, weights: torch.Tensor) -> np.ndarray:
        """Sketches of several networks' weights, shape (run, weights); shape (run, size).

        In the weights' precision, single at least.
        """
        if weights.dtype not in (torch.float32, torch.float64):
            weights = weights.float()
        if self.exact:
            return weights.cpu().numpy().copy()
        if self._signs.device != weights.device or self._signs.dtype != weights.dtype:
            self._places = self._places.to(weights.device)
            self._signs = self._signs.to(weights.device, weights.dtype)
        out = weights.new_zeros(len(weights), self.size)
        # Run by run: additions into one row stay in the cache.
        for row, run in zip(out, weights, strict=True):
            row.index_add_(0, self._places, run * self._signs)
        return out.cpu().numpy()
