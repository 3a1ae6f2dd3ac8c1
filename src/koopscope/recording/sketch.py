"""A few thousand numbers in place of a network's weights: a seeded count sketch.

Each weight is added, with a random sign, to one of k numbers drawn at random (Charikar, Chen and
Farach-Colton, ICALP 2002). Inner products are kept on average, with a variance of at most
2 ‖x‖² ‖y‖² / k, for one pass over the weights; a dense projection would take k passes.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from koopscope.errors import InputError, whole_number

if TYPE_CHECKING:
    import torch

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
        Draws places and signs; one number or several.

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

    def __init__(
        self, weights: int, size: int | None = 4096, seed: int | Sequence[int] = 0
    ) -> None:
        if weights < 1:
            raise InputError("weights: none; give a model with parameters that are trained")
        self.weights = weights
        if size is not None:
            size = whole_number("projection", size, instead=", or None for all weights")
        self.size = weights if size is None else min(size, weights)
        self.exact = self.size == weights
        if not self.exact:
            stream = list(seed) if isinstance(seed, Sequence) else [seed]
            places = np.random.default_rng([*stream, PLACE]).integers(self.size, size=weights)
            signs = np.random.default_rng([*stream, SIGN]).integers(2, size=weights) * 2 - 1
            # Half the memory of what is drawn: there is one of each for every weight.
            self._drawn = places.astype(np.int32), signs.astype(np.float32)
            self._tensors: tuple[torch.Tensor, torch.Tensor] | None = None

    def __call__(self, tensors: "Iterable[torch.Tensor]") -> np.ndarray:
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
        import torch

        return self.of_runs(torch.cat([t.detach().reshape(-1) for t in tensors])[None])[0]

    def of_runs(self, weights: "torch.Tensor | np.ndarray") -> np.ndarray:
        """Sketches of several networks' weights, shape (run, weights); shape (run, size).

        In the weights' precision, single at least.
        """
        if isinstance(weights, np.ndarray):
            return self._of_arrays(weights)
        import torch

        if weights.dtype not in (torch.float32, torch.float64):
            weights = weights.float()
        if self.exact:
            return weights.cpu().numpy().copy()
        places, signs = self._on(weights)
        out = weights.new_zeros(len(weights), self.size)
        # Run by run: additions into one row stay in the cache.
        for row, run in zip(out, weights, strict=True):
            row.index_add_(0, places, run * signs)
        return out.cpu().numpy()

    def _on(self, weights: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
        """Places and signs where the weights are."""
        import torch

        known = self._tensors
        if known is None or known[1].device != weights.device or known[1].dtype != weights.dtype:
            places, signs = (torch.from_numpy(drawn).to(weights.device) for drawn in self._drawn)
            self._tensors = known = places, signs.to(weights.dtype)
        return known

    def _of_arrays(self, weights: np.ndarray) -> np.ndarray:
        kind = weights.dtype if weights.dtype in (np.float32, np.float64) else np.float32
        if self.exact:
            return weights.astype(kind)
        places, signs = self._drawn
        sums = [np.bincount(places, run * signs, minlength=self.size) for run in weights]
        return np.array(sums, dtype=kind)
