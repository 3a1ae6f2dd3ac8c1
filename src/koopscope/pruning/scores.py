"""Scores of weights: the smaller the score, the sooner the weight is pruned.

Each function gives one number of at least 0 per weight, dim ``weight``, with the coordinates that
say which weights they are. Koopman scores: Redman et al. (ICLR 2022). The controls at the end use
the same snapshots without any dynamics.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.errors import InputError
from koopscope.pruning.fixed_points import FixedPoint, fixed_point
from koopscope.pruning.masks import keep_fresh
from koopscope.pruning.names import VARIANTS
from koopscope.recording.weights import (
    by_layer,
    check_model,
    owner,
    prunable,
    refuse_unprunable,
    sharing,
    vector,
)

# Weights read at a time of a window that is not stored in chunks.
BLOCK = 8192
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def koopman_magnitude(trajectory: xr.DataArray | FixedPoint, **choices) -> xr.DataArray:
    """Koopman magnitude pruning (KMP): modulus of the exact mode whose eigenvalue is nearest 1.

    Parameters
    ----------
    trajectory
        Snapshots (step, weight), or their fit.
    **choices
        ``rank`` and ``eigenvalue_tolerance`` of :func:`koopscope.pruning.fixed_point`; none if the
        fit is given.

    Returns
    -------
    xarray.DataArray
        At least 0, double precision; dim ``weight``.

    Raises
    ------
    InputError
        If the window has no eigenvalue that can be taken for 1, or there are choices beside a fit.

    Examples
    --------
    Three weights that go to 3, 0 and -1; their fixed point, made a unit vector, is the score:

    >>> import numpy as np
    >>> import xarray as xr
    >>> from koopscope.pruning import koopman_magnitude
    >>> step = np.arange(10)[:, None]
    >>> window = [3, 0, -1] + np.array([0, 1, 2]) * 0.5**step
    >>> window = xr.DataArray(window, dims=("step", "weight"))
    >>> koopman_magnitude(window).values.round(6).tolist()
    [0.948683, 0.0, 0.316228]
    """
    found = _fitted(trajectory, choices)
    mode = found.spectrum.modes([found.index], "exact").values[0, 0]
    return _scores(np.abs(mode), found.window, "koopman_magnitude")


def koopman_gradient(
    trajectory: xr.DataArray | FixedPoint, variant: str = "sum", **choices
) -> xr.DataArray:
    """Koopman gradient pruning (KGP): predicted next change of a weight by what passes, times it.

    With the last snapshot θ and the shares c_i of the modes in it, the change leaves out the mode
    taken for 1; it is the analogue of |gradient · weight|. [ours: the paper's scripts have no KGP]

    Parameters
    ----------
    trajectory
        Snapshots (step, weight), or their fit.
    variant
        ``"sum"``: |Σ_{i≠1} (λ_i − 1) c_i v_i| · |θ|; ``"slowest"``: the same of the slowest
        decaying mode (and its conjugate) alone; ``"moduli"``: Σ_{i≠1} |(λ_i − 1) c_i v_i| · |θ|.
    **choices
        ``rank`` and ``eigenvalue_tolerance`` of :func:`koopscope.pruning.fixed_point`; none if the
        fit is given.

    Returns
    -------
    xarray.DataArray
        At least 0, double precision; dim ``weight``.

    Raises
    ------
    InputError
        If the variant is unknown, the window has no eigenvalue that can be taken for 1, no other
        mode passes, or there are choices beside a fit.

    Examples
    --------
    The first of three weights stands still; the last moves most, and is larger than the second:

    >>> import numpy as np
    >>> import xarray as xr
    >>> from koopscope.pruning import koopman_gradient
    >>> step = np.arange(10)[:, None]
    >>> window = [3, 0, -1] + np.array([0, 1, 2]) * 0.5**step
    >>> window = xr.DataArray(window, dims=("step", "weight"))
    >>> scores = koopman_gradient(window)
    >>> (scores / scores.max()).values.round(3).tolist()
    [0.0, 0.001, 1.0]
    """
    if variant not in VARIANTS:
        raise InputError(f"variant: unknown {variant!r}; give one of {', '.join(VARIANTS)}")
    found = _fitted(trajectory, choices)
    values, chosen = found.spectrum.eigenvalues, found.others
    if variant == "slowest":
        moduli = np.where(chosen & (np.abs(values) < 1), np.abs(values), -1)
        # A conjugate pair has one modulus, up to rounding.
        chosen = chosen & np.isclose(moduli, moduli.max(), rtol=1e-12) & (moduli >= 0)
    if not chosen.any():
        raise InputError("window: no mode passes, so no gradient is left; give a longer window")
    amplitudes = (values - 1) * found.spectrum.final_coordinates[0] * chosen
    change = found.spectrum.combined(amplitudes, "exact", moduli=variant == "moduli")[0]
    last = found.window.isel(step=-1).values.astype(np.float64)
    return _scores(np.abs(change) * np.abs(last), found.window, f"koopman_gradient:{variant}")


def magnitude(weights: xr.DataArray) -> xr.DataArray:
    """Global magnitude pruning (GMP): |w|, of weights (weight,) such as the last snapshot's.

    Raises
    ------
    InputError
        If a weight is not finite.
    """
    values = np.abs(weights.values.astype(np.float64))
    return _scores(_finite(values, "magnitude"), weights, "magnitude")


def layer_magnitude(weights: xr.DataArray) -> xr.DataArray:
    """Layer-wise magnitude pruning: the weight's rank in its own layer, (0, 1].

    The same global threshold then keeps the same share of every layer.

    Raises
    ------
    InputError
        If a weight is not finite.
    """
    return layer_wise(magnitude(weights)).rename("layer_magnitude")


def layer_wise(scores: xr.DataArray) -> xr.DataArray:
    """Ranks of scores within each layer over its size, (0, 1]; the later of equals ranks lower."""
    ranks = np.empty(scores.size)
    layers = scores["layer"].values
    for layer in np.unique(layers):
        places = np.flatnonzero(layers == layer)
        order = np.argsort(-scores.values[places], kind="stable")
        ranks[places[order]] = np.arange(len(places), 0, -1) / len(places)
    return _scores(ranks, scores, "layer_wise")


def gradient(
    model: nn.Module,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    loss: Loss = nn.functional.cross_entropy,
    include: Iterable[str] | None = None,
) -> xr.DataArray:
    """Gradient pruning: |w · g|, with g the gradient of the loss summed over the batches.

    At initialisation this is SNIP (Lee et al., ICLR 2019) up to a factor, for which see
    :func:`snip`. The model is used as it is (batch normalisation in its present mode) and its own
    gradients are left alone.

    Parameters
    ----------
    model
        Any network.
    batches
        Pairs (inputs, targets), as ``model`` and ``loss`` take them.
    loss
        Of ``(model(inputs), targets)``; a scalar.
    include
        Names of the parameters to score; by default the weights of all linear and convolution
        layers.

    Returns
    -------
    xarray.DataArray
        At least 0, double precision; dim ``weight``, with the coordinates ``layer`` and ``index``.

    Raises
    ------
    InputError
        If there is no batch, a score is not finite, the loss does not depend on a layer, or
        ``include`` names none of the model's.
    """
    total = {name: torch.zeros_like(w) for name, w in prunable(model, include).items()}
    count = 0
    for inputs, targets in batches:
        value = loss(model(inputs), targets)
        # After the forward pass, which makes the masked weights of a pruned layer anew.
        weights = prunable(model, total)
        found = torch.autograd.grad(value, list(weights.values()), allow_unused=True)
        for (name, sums), part in zip(total.items(), found, strict=True):
            if part is None:
                raise InputError(f"{name}: the loss does not depend on it; leave it out")
            sums += part
        count += 1
    if count == 0:
        raise InputError("batches: none; give at least one pair of inputs and targets")
    products = {name: (weights[name] * total[name]).abs() for name in total}
    flat = vector(products)
    return _scores(_finite(flat.values.astype(np.float64), "gradient"), flat, "gradient")


def snip(
    model: nn.Module,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    loss: Loss = nn.functional.cross_entropy,
    include: Iterable[str] | None = None,
) -> xr.DataArray:
    """Connection sensitivity (SNIP; Lee et al., ICLR 2019): |w · g| of a new network, sum 1.

    Parameters
    ----------
    model, batches, loss, include
        As for :func:`gradient`.

    Returns
    -------
    xarray.DataArray
        As :func:`gradient` gives it, scaled to sum 1; all 0 if no gradient is left.

    Raises
    ------
    InputError
        As :func:`gradient`.
    """
    found = gradient(model, batches, loss, include)
    return _scores(found.values / max(found.values.sum(), np.finfo(float).tiny), found, "snip")


def random(like: xr.DataArray, seed: int | Sequence[int]) -> xr.DataArray:
    """Scores drawn uniformly from (0, 1], one for each weight of ``like``.

    Parameters
    ----------
    like
        Anything with the dim ``weight``, whose coordinates the scores take over.
    seed
        Of the generator (``np.random.default_rng``), whole numbers of at least 0.

    Returns
    -------
    xarray.DataArray
        Double precision; dim ``weight``.
    """
    drawn = 1 - np.random.default_rng(seed).random(like.sizes["weight"])
    return _scores(drawn, like, "random")


def window_mean(window: xr.DataArray) -> xr.DataArray:
    """Control without dynamics: mean of |w| over the snapshots (step, weight).

    Parameters
    ----------
    window
        Snapshots, dims ``step`` and ``weight`` in any order; read in blocks of weights if it is
        lazy.

    Returns
    -------
    xarray.DataArray
        At least 0, double precision; dim ``weight``.

    Raises
    ------
    InputError
        If a weight is not finite.
    """
    means = np.empty(window.sizes["weight"])
    width = window.encoding.get("preferred_chunks", {}).get("weight", BLOCK)
    for low in range(0, len(means), width):
        part = slice(low, low + width)
        values = window.isel(weight=part).transpose("step", "weight").values
        means[part] = np.abs(values).mean(axis=0, dtype=np.float64)
    return _scores(_finite(means, "window_mean"), window, "window_mean")


def first_snapshot(window: xr.DataArray) -> xr.DataArray:
    """Control: |w| of the window's first snapshot."""
    return magnitude(window.isel(step=0)).rename("first_snapshot")


def last_snapshot(window: xr.DataArray) -> xr.DataArray:
    """Global magnitude pruning at the window's end: |w| of its last snapshot."""
    return magnitude(window.isel(step=-1))


def shuffled(window: xr.DataArray, seed: int | Sequence[int]) -> xr.DataArray:
    """The window with its snapshots in random order: the same mean, no dynamics.

    The KMP of it is a control. Loads the window.

    Parameters
    ----------
    window
        Snapshots, dims (step, weight).
    seed
        Of the generator (``np.random.default_rng``), whole numbers of at least 0.

    Returns
    -------
    xarray.DataArray
        Of the same shape, dims and coordinates; ``step`` says which snapshot is where.
    """
    order = np.random.default_rng(seed).permutation(window.sizes["step"])
    return window.load().isel(step=order)


def importance(scores: xr.DataArray, model: nn.Module) -> dict[tuple[nn.Module, str], torch.Tensor]:
    """Scores as ``torch.nn.utils.prune.global_unstructured`` takes them.

    Its ``parameters`` are the keys. Double precision where the weights' device has it, so that no
    two scores become equal. The model gets a hook (:func:`koopscope.pruning.masks.keep_fresh`).

    Raises
    ------
    InputError
        If the scores are of another architecture, or for a weight that takes no mask or is shared.
    """
    check_model(scores, model)
    found: dict[tuple[nn.Module, str], torch.Tensor] = {}
    for name, values in by_layer(scores).items():
        place = owner(model, name)
        refuse_unprunable(name, place)
        if others := sharing(model, name).keys() - {name}:
            raise InputError(
                f"{name}: is the weight of {min(others)} too, which global_unstructured would "
                "leave unpruned; put a mask of select_masks on by masks.apply"
            )
        device = getattr(*place).device
        found[place] = values.to(device, torch.float32 if device.type == "mps" else torch.float64)
    keep_fresh(model)
    return found


def _fitted(trajectory: xr.DataArray | FixedPoint, choices: dict) -> FixedPoint:
    if isinstance(trajectory, FixedPoint):
        if choices:
            raise InputError(f"{', '.join(choices)}: the window is fitted already; leave them out")
        return trajectory
    return fixed_point(trajectory, **choices)


def _finite(values: np.ndarray, name: str) -> np.ndarray:
    if not np.isfinite(values).all():
        raise InputError(f"{name}: a score is not finite; did the training diverge?")
    return values


def _scores(values: np.ndarray, like: xr.DataArray, name: str) -> xr.DataArray:
    coords = {key: like[key].variable for key in ("layer", "index") if key in like.coords}
    return xr.DataArray(values, dims="weight", coords=coords, name=name)
