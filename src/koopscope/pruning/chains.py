"""Scores and masks of chains of layers, single weights or whole units.

For networks that are pruned while they train (:class:`koopscope.pruning.PrunedRun`).
"""

import warnings

import numpy as np
import xarray as xr
from torch import nn

from koopscope.errors import InputError
from koopscope.pruning import compaction, scores
from koopscope.pruning.fixed_points import FixedPoint, fixed_point
from koopscope.pruning.masks import LayerCollapse, select_masks
from koopscope.pruning.names import SCORES, STRUCTURED, WINDOWED
from koopscope.recording.weights import by_layer, check_model, prunable, vector


def score_weights(
    method: str,
    model: nn.Module,
    trajectory: xr.DataArray | None,
    *stream: int,
) -> xr.DataArray:
    """Scores of all weights of a chain by a method, dim ``weight``.

    ``"koopman"`` is the modulus of the mode of eigenvalue 1 (KMP); ``"koopman_spent"`` [ours] adds
    what the passing modes still hold of the weight, |Σ_{i≠1} c_i v_i|, to the fixed part,
    |c_1 v_1|, so that a weight goes only when it tends to 0 and its transients are spent.

    Parameters
    ----------
    method
        With or without ``":structured"``.
    model
        The network as it is.
    trajectory
        Snapshots (step, weight) of it, for the scores that need them.
    *stream
        Random stream of ``"random"``: whole numbers of at least 0.

    Returns
    -------
    xarray.DataArray
        At least 0, double precision.

    Raises
    ------
    InputError
        If there is no such method, the model is no chain, or the window is missing or has no
        eigenvalue that can be taken for 1.

    Examples
    --------
    >>> from torch import nn
    >>> from koopscope.pruning import score_weights
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> scores = score_weights("magnitude", model, None)
    >>> scores.shape, scores["layer"].attrs["flag_meanings"]
    ((20,), ['0.weight', '2.weight'])
    >>> bool((scores[:12] == model[0].weight.detach().abs().flatten()).all())
    True
    """
    score = method.removesuffix(STRUCTURED)
    if score not in SCORES:
        raise InputError(f"method: unknown {method!r}; give one of {', '.join(SCORES)}")
    if score not in WINDOWED:
        now = vector(prunable(model, weight_names(model)))
        return scores.random(now, list(stream)) if score == "random" else scores.magnitude(now)
    if trajectory is None:
        raise InputError(f"trajectory: {method!r} needs the snapshots of a window; give them")
    if score == "window_mean":
        return scores.window_mean(trajectory)
    found = fixed_point(trajectory)
    return scores.koopman_magnitude(found) if score == "koopman" else _spent(found)


def _spent(found: FixedPoint) -> xr.DataArray:
    shares = found.spectrum.final_coordinates[0]
    parts = [shares * ~found.others, shares * found.others]
    moduli = [np.abs(found.spectrum.combined(part, "exact")[0]) for part in parts]
    return scores.magnitude(found.window.isel(step=-1)).copy(data=sum(moduli))


def select(
    method: str,
    found: xr.DataArray,
    model: nn.Module,
    masks: compaction.Masks,
    budget: int,
) -> compaction.Masks:
    """Masks by layer that keep at most ``budget`` weights, all of them kept before.

    Parameters
    ----------
    method
        With ``":structured"`` whole units go, else single weights, over all layers alike.
    found
        Scores of the model's weights.
    model
        The network that the masks are for.
    masks
        That it wears.
    budget
        Number of weights that may stay.

    Returns
    -------
    dict
        Bool, by layer, of the weights' shapes.

    Raises
    ------
    InputError
        If the scores are of another network, or too few weights are left.

    Examples
    --------
    Of three hidden units, with four weights each, eight weights leave two:

    >>> import torch
    >>> from torch import nn
    >>> from koopscope.pruning import PrunedRun, score_weights, select
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> run = PrunedRun(model, torch.optim.SGD(model.parameters(), lr=0.1), torch.zeros(1, 2))
    >>> scores = score_weights("magnitude", model, None)
    >>> chosen = select("magnitude:structured", scores, model, run.masks, budget=8)
    >>> {name: int(mask.sum()) for name, mask in chosen.items()}
    {'0': 4, '2': 4}
    """
    check_model(found, model)
    worn = np.concatenate([masks[n].flatten().cpu().numpy() for n in compaction.chain_of(model)])
    found = found.copy(data=found.values * worn)
    if method.endswith(STRUCTURED):
        by_name = {n.removesuffix(".weight"): s for n, s in by_layer(found).items()}
        chosen = compaction.unit_masks(by_name, compaction.chain_of(model), budget)
        return {name: chosen[name] & masks[name] for name in chosen}
    with warnings.catch_warnings():
        # Seen in what is left of the units.
        warnings.simplefilter("ignore", LayerCollapse)
        mask = select_masks(found, found.size / (min(budget, found.size) + 0.5))
    return compaction.layer_masks(mask & worn, model)


def weight_names(model: nn.Module) -> list[str]:
    """Names of the weights of a chain, in the order of its layers."""
    return [f"{name}.weight" for name in compaction.chain_of(model)]
