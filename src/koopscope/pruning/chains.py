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
from koopscope.pruning.names import SCORES, STRUCTURED
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
        Random stream of ``"random"``.

    Raises
    ------
    InputError
        If there is no such method, or the window has no eigenvalue that can be taken for 1.
    """
    score = method.removesuffix(STRUCTURED)
    if score not in SCORES:
        raise InputError(f"method: unknown {method!r}; give one of {', '.join(SCORES)}")
    if score == "koopman":
        return scores.koopman_magnitude(fixed_point(trajectory))
    if score == "koopman_spent":
        return _spent(fixed_point(trajectory))
    if score == "window_mean":
        return scores.window_mean(trajectory)
    now = vector(prunable(model, weight_names(model)))
    return scores.random(now, list(stream)) if score == "random" else scores.magnitude(now)


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

    Raises
    ------
    InputError
        If the scores are of another network, or too few weights are left.
    """
    check_model(found, model)
    worn = np.concatenate([masks[n].flatten().numpy() for n in compaction.chain_of(model)])
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
