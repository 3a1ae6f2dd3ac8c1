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
        chosen = torch.as_tensor(largest(t.detach().double().cpu().numpy(), kept))
        return default_mask * chosen.to(default_mask)


class KoopmanMagnitude(_LargestStay):
    """KMP for ``global_unstructured``, with the importances that :meth:`importance` gives.

    Parameters
    ----------
    compression
        Weights over kept ones, of those given to ``global_unstructured`` that are not pruned yet.

    Examples
    --------
    Three weights that go to 3, 0 and -1, recorded with their place in the network:

    >>> import numpy as np
    >>> import xarray as xr
    >>> from torch import nn
    >>> from torch.nn.utils import prune
    >>> from koopscope.pruning import KoopmanMagnitude, score_weights
    >>> model = nn.Sequential(nn.Linear(3, 1))
    >>> places = score_weights("magnitude", model, None).coords
    >>> window = [3, 0, -1] + np.array([0, 1, 2]) * 0.5 ** np.arange(10)[:, None]
    >>> window = xr.DataArray(window, dims=("step", "weight"), coords=places)
    >>> importance = KoopmanMagnitude.importance(model, window)
    >>> prune.global_unstructured(importance, KoopmanMagnitude, importance, compression=1.5)
    >>> model[0].weight_mask.tolist()
    [[1.0, 0.0, 1.0]]
    """

    @staticmethod
    def importance(
        model: nn.Module, window: xr.DataArray | FixedPoint, **choices
    ) -> dict[tuple[nn.Module, str], torch.Tensor]:
        """Scores by (module, name); see :func:`koopscope.pruning.koopman_magnitude`.

        Parameters
        ----------
        model
            The network that is to be pruned.
        window
            Its snapshots (step, weight) as recorded, or their fit.
        **choices
            ``rank`` and ``eigenvalue_tolerance`` of :func:`koopscope.pruning.fixed_point`; none if
            the fit is given.

        Returns
        -------
        dict
            Double precision, in the shapes of the layers' weights; its keys are the ``parameters``
            that ``global_unstructured`` takes.

        Raises
        ------
        InputError
            If the window is of another architecture, or as :func:`koopman_magnitude`.
        """
        return importance(koopman_magnitude(window, **choices), model)


class KoopmanGradient(_LargestStay):
    """KGP for ``global_unstructured``, with the importances that :meth:`importance` gives.

    Parameters
    ----------
    compression
        Weights over kept ones, of those given to ``global_unstructured`` that are not pruned yet.

    Examples
    --------
    Three weights, of which the first stands still, recorded with their place in the network:

    >>> import numpy as np
    >>> import xarray as xr
    >>> from torch import nn
    >>> from torch.nn.utils import prune
    >>> from koopscope.pruning import KoopmanGradient, score_weights
    >>> model = nn.Sequential(nn.Linear(3, 1))
    >>> places = score_weights("magnitude", model, None).coords
    >>> window = [3, 0, -1] + np.array([0, 1, 2]) * 0.5 ** np.arange(10)[:, None]
    >>> window = xr.DataArray(window, dims=("step", "weight"), coords=places)
    >>> importance = KoopmanGradient.importance(model, window)
    >>> prune.global_unstructured(importance, KoopmanGradient, importance, compression=1.5)
    >>> model[0].weight_mask.tolist()
    [[0.0, 1.0, 1.0]]
    """

    @staticmethod
    def importance(
        model: nn.Module, window: xr.DataArray | FixedPoint, **choices
    ) -> dict[tuple[nn.Module, str], torch.Tensor]:
        """Scores by (module, name); see :func:`koopscope.pruning.koopman_gradient`.

        Takes, gives and refuses what :meth:`KoopmanMagnitude.importance` does, and takes
        ``variant`` too, also where the fit is given.
        """
        return importance(koopman_gradient(window, **choices), model)
