"""Koopman pruning through PyTorch's own interface, ``torch.nn.utils.prune``."""

import torch
import xarray as xr
from torch import nn
from torch.nn.utils import prune

from koopscope.pruning.fixed_points import FixedPoint
from koopscope.pruning.masks import kept_count, largest
from koopscope.pruning.scores import importance, koopman_gradient, koopman_magnitude


class _LargestStay(prune.BasePruningMethod):
    """Keep the weights of largest importance, exactly as many as the compression says.

    Parameters
    ----------
    compression
        Weights over kept ones, of those given to ``global_unstructured`` that are not pruned yet.
    """

    PRUNING_TYPE = "unstructured"

    def __init__(self, compression: float) -> None:
        self.compression = compression

    def compute_mask(self, t: torch.Tensor, default_mask: torch.Tensor) -> torch.Tensor:
        """Mask of the importances ``t``, as :mod:`torch.nn.utils.prune` asks for it."""
        kept = kept_count(t.numel(), self.compression)
        chosen = torch.as_tensor(largest(t.detach().cpu().numpy(), kept))
        return default_mask * chosen.to(default_mask)


class KoopmanMagnitude(_LargestStay):
    """KMP for ``global_unstructured``, with the importances that :meth:`importance` gives."""

    @staticmethod
    def importance(
        model: nn.Module, window: xr.DataArray | FixedPoint, **choices
    ) -> dict[tuple[nn.Module, str], torch.Tensor]:
        """Scores by (module, name); see :func:`koopscope.pruning.koopman_magnitude`."""
        return importance(koopman_magnitude(window, **choices), model)


class KoopmanGradient(_LargestStay):
    """KGP for ``global_unstructured``, with the importances that :meth:`importance` gives."""

    @staticmethod
    def importance(
        model: nn.Module, window: xr.DataArray | FixedPoint, **choices
    ) -> dict[tuple[nn.Module, str], torch.Tensor]:
        """Scores by (module, name); see :func:`koopscope.pruning.koopman_gradient`."""
        return importance(koopman_gradient(window, **choices), model)
