"""One module as an ensemble takes it: what it is given, how it is computed, what is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
import xarray as xr
from torch import nn
from torch.func import functional_call

from koopscope.config.models import ModelSetup, recorded_names
from koopscope.errors import InputError
from koopscope.training.architectures import build
from koopscope.training.loop import Samples, samples_of
from koopscope.training.optimizers import optimizer_of
from koopscope.training.single import samples

CONVOLUTIONS = (nn.modules.conv._ConvNd,)
DROPOUT = (nn.modules.dropout._DropoutNd,)
DROPPED = 3
FEW = 2
State = dict[str, torch.Tensor]


def inputs_of(setup: ModelSetup, data: xr.Dataset) -> Samples:
    """Samples of both splits as a module takes them, shape (sample, …), and their classes.

    Images (sample, channel, row, column), brought to the module's attribute ``image`` if it has
    one; other data as they are, (sample, number).

    Raises
    ------
    InputError
        If the data are of another size than the setup's.
    """
    flat = samples_of(setup, data)
    module = build(setup, setup.seeds[0])
    if hasattr(module, "image"):
        found = samples(data, module)
        return {"train": found.train, "test": found.test}
    shape = setup.data.shape
    return {split: (images.reshape(-1, *shape), labels) for split, (images, labels) in flat.items()}


def sample_shape(setup: ModelSetup, module: nn.Module) -> tuple[int, ...]:
    """Shape of one sample as a module takes it."""
    if hasattr(module, "image"):
        channels, side = module.image
        return (channels, side, side)
    return setup.data.shape


def computed_together(setup: ModelSetup, module: nn.Module) -> bool:
    """Whether networks are computed by vmap: as the setup says, or all without convolutions."""
    if setup.together is not None:
        return setup.together
    return not any(isinstance(part, CONVOLUTIONS) for part in module.modules())


def check(setup: ModelSetup) -> None:
    """Refuse a setup whose module or optimiser PyTorch cannot do with; see :func:`checked_module`.

    Raises
    ------
    InputError
        In one line.
    """
    module = checked_module(setup, build(setup, setup.seeds[0]))
    optimizer_of(setup, [parameter.detach() for parameter in module.parameters()])
    if computed_together(setup, module):
        parameters, buffers = (
            {name: torch.stack([values.detach().clone()] * FEW) for name, values in named}
            for named in (module.named_parameters(), module.named_buffers())
        )
        few = torch.zeros(FEW, *sample_shape(setup, module))
        module.train()
        vmapped(module, parameters, buffers, few, shared=True)


def checked_module(setup: ModelSetup, module: nn.Module) -> nn.Module:
    """Refuse a module that cannot be trained in an ensemble.

    Raises
    ------
    InputError
        If it has no parameters, or some of several dtypes, drops units at random where networks are
        computed together, depends on values under vmap, or gives other shapes than one logit for
        each class.
    """
    said = f"module: {setup.module or setup.architecture}"
    kinds = {p.dtype for p in module.parameters()}
    if not kinds:
        raise InputError(f"{said} has no parameters; give a module that can be trained")
    if len(kinds) > 1:
        named = ", ".join(sorted(str(kind).removeprefix("torch.") for kind in kinds))
        raise InputError(f"{said} has parameters of {named}; give all of them one dtype")
    if not recorded_names(dict(module.named_parameters()), setup.observable):
        names = ", ".join(name for name, _ in module.named_parameters())
        raise InputError(
            f"observable: {', '.join(setup.observable)} is no parameter; give some of {names}"
        )
    together = computed_together(setup, module)
    for name, part in module.named_modules():
        if together and isinstance(part, DROPOUT) and part.p > 0:
            raise InputError(
                f"{said}: dropout in {name} (p = {part.p:g}) cannot be computed for all networks "
                "at once; give together: false, or p = 0"
            )
    few = torch.zeros(FEW, *sample_shape(setup, module))
    state = {name: values.detach().clone() for name, values in module.state_dict().items()}
    module.train()
    try:
        with torch.no_grad(), drawing(0, 0, 0):
            logits = functional_call(module, state, (few,))
    except Exception as error:  # of any kind: it is the user's own code
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(
            f"{said} fails on {FEW} samples of shape {tuple(few.shape[1:])}: "
            f"{type(error).__name__}: {reason}"
        ) from None
    wanted = (FEW, setup.data.classes)
    if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != wanted:
        found = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise InputError(
            f"{said} gives {found} for {FEW} samples; give logits of shape {wanted}, one for each "
            f"of the {setup.data.classes} classes of {setup.data.name}"
        )
    return module


def units_of(setup: ModelSetup) -> int:
    """Numbers that the parts of a module give for one sample, all together."""
    module, count = build(setup, setup.seeds[0]), 0

    def counted(part: nn.Module, given: object, made: object) -> None:
        nonlocal count
        if isinstance(made, torch.Tensor):
            count += made[:1].numel()

    hooks = [part.register_forward_hook(counted) for part in module.modules()]
    with torch.no_grad():
        module(torch.zeros(FEW, *sample_shape(setup, module)))
    for hook in hooks:
        hook.remove()
    return count


def vmapped(
    module: nn.Module,
    parameters: State,
    buffers: State,
    inputs: torch.Tensor,
    shared: bool,
) -> tuple[torch.Tensor, State]:
    """Logits of many networks, and their buffers after it.

    Parameters
    ----------
    module
        What computes them.
    parameters, buffers
        By name, shape (run, …) each.
    inputs
        Shape (run, sample, …), or (sample, …) if they are shared by all.
    shared
        Whether they are.

    Raises
    ------
    InputError
        If the module draws random numbers, decides by its data, or has no such rule of vmap.
    """

    def one(own: State, held: State, x: torch.Tensor) -> tuple[torch.Tensor, State]:
        state = {**own, **held}
        logits = functional_call(module, state, (x,))
        return logits, {name: state[name] for name in held}

    try:
        return torch.vmap(one, in_dims=(0, 0, None if shared else 0))(parameters, buffers, inputs)
    except RuntimeError as error:
        raise _refused(error) from None


@contextmanager
def drawing(seed: int, init: int, step: int) -> Iterator[None]:
    """Random numbers of a network's own in one step, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        stream = np.random.SeedSequence([seed, DROPPED, init, step])
        torch.manual_seed(int(stream.generate_state(1)[0]))
        yield


def _refused(error: RuntimeError) -> InputError:
    reason = (str(error).splitlines() or [""])[0]
    if "random" in reason:
        said = "draws random numbers in its forward pass"
    elif "data-dependent" in reason or ".item()" in reason:
        said = "decides by the values of its data (data-dependent control flow)"
    else:
        said = f"cannot be computed for all networks at once ({reason})"
    return InputError(f"module: {said}; give together: false, which computes one after the other")
