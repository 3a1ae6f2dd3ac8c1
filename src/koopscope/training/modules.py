"""Many networks of any ``nn.Module`` trained as one: stacked parameters, one optimiser.

Networks are computed together by :func:`torch.vmap`, or one after the other on views of the stacked
parameters, which is quicker for convolutions on a processor (benchmarks/modules_are_batched.py).
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from koopscope.config.models import ModelSetup, recorded_names
from koopscope.recording.sketch import Sketch
from koopscope.training.answers import losses_of
from koopscope.training.architectures import SquareMLP, build
from koopscope.training.batches import CLOUD
from koopscope.training.one_module import checked_module, computed_together, drawing, vmapped
from koopscope.training.optimizers import optimizer_of

SKETCHED = 7003


class ModuleEnsemble:
    """Networks of several seeds, ``initialisations`` each, on one device.

    Parameters
    ----------
    setup
        Module, number of initialisations, loss and optimiser.
    seeds
        Of the networks.
    device
        Where to compute.
    initial
        Initial parameters by name, shape (seed, init, …) each, in place of those that the setup
        draws.

    Raises
    ------
    InputError
        If the module cannot be trained so (:func:`checked_module`).
    """

    def __init__(
        self,
        setup: ModelSetup,
        seeds: Sequence[int],
        device: torch.device,
        initial: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.setup, self.seeds, self.inits = setup, len(seeds), setup.initialisations
        built = [build(setup, seed) for seed in seeds]
        self.module = checked_module(setup, built[0]).to(device)
        self.together = computed_together(setup, self.module)
        # Two thirds of the time on a processor; a user's module may count on the usual order.
        self._last = setup.architecture is not None and torch.device(device).type == "cpu"
        self.parameters = self._stacked(built, seeds, device)
        for name, values in (initial or {}).items():
            given = torch.as_tensor(values).to(device)
            self.parameters[name].data.copy_(given.flatten(0, 1))
        self.buffers = {
            name: torch.stack([dict(m.named_buffers())[name].to(device) for m in built])
            .repeat_interleave(self.inits, dim=0)
            .contiguous()
            for name, _ in built[0].named_buffers()
        }
        self._lengths = self._length() * (setup.norm_kept or 1)
        self._bring_to_length()
        trained = dict(built[0].named_parameters())
        self._trained = [n for n in self.parameters if trained[n].requires_grad]
        self.optimizer = optimizer_of(
            setup, [self.parameters[n] for n in self._trained], fused=True
        )
        self._seeds, self._step = list(seeds), 0
        self._sketches: dict[str, Sketch] = {}

    @property
    def runs(self) -> int:
        """Number of networks."""
        return self.seeds * self.inits

    @property
    def recorded(self) -> tuple[str, ...]:
        """Names of the recorded parameters."""
        return recorded_names(self.parameters, self.setup.observable)

    def weights(self, name: str) -> torch.Tensor:
        """Values of a parameter, shape (seed, init, …)."""
        return self.parameters[name].detach().unflatten(0, (self.seeds, self.inits))

    def snapshot(self) -> torch.Tensor:
        """Recorded parameters, each row by row or as its sketch; shape (seed, init, weight)."""
        parts = [self._seen(name) for name in self.recorded]
        return torch.cat(parts, dim=1).unflatten(0, (self.seeds, self.inits))

    def lengths(self) -> torch.Tensor:
        """Euclidean length of all parameters of each network, shape (seed, init)."""
        return self._length().unflatten(0, (self.seeds, self.inits))

    def gradient_lengths(self) -> torch.Tensor:
        """Length of each network's gradient in the last step, shape (seed, init)."""
        grads = [self.parameters[name].grad for name in self._trained]
        squares = sum(g.flatten(1).square().sum(dim=1) for g in grads if g is not None)
        return torch.as_tensor(squares).sqrt().unflatten(0, (self.seeds, self.inits))

    def descend(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """One step of the optimiser; return the losses before it, shape (seed, init).

        Parameters
        ----------
        images
            Shape (seed, batch, …), or (1, batch, …) for the same batch in all networks.
        labels
            Shape (seed, batch) or (1, batch).
        """
        self.module.train()
        losses = self._all(images, labels) if self.together else self._each(images, labels)
        self.optimizer.step()
        self._step += 1
        self._bring_to_length()
        return losses.detach().unflatten(0, (self.seeds, self.inits))

    @torch.no_grad()
    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of each network for images (sample, …), shape (seed, init, sample, class).

        What networks change while they train, such as means of batch normalisation, they leave.
        """
        self.module.eval()
        kept = {name: values.clone() for name, values in self.buffers.items()}
        if self.together:
            found = self._vmapped(images[None])
        else:
            images = self._ordered(images)
            found = torch.stack([self._one(r, self._of(r), images) for r in range(self.runs)])
        self.buffers = kept
        return found.unflatten(0, (self.seeds, self.inits))

    def _all(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Losses of all networks at once, whose gradients are put beside the parameters."""
        logits = self._vmapped(images)
        truth = labels if len(labels) == 1 else labels.repeat_interleave(self.inits, dim=0)
        losses = losses_of(self.setup.loss, logits, truth)
        for parameter in self.parameters.values():
            parameter.grad = None
        # Networks share nothing, so the gradient of the sum is each one's own.
        losses.sum().backward()
        return losses

    def _each(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """As :meth:`_all`, one network after the other."""
        losses = []
        for name in self._trained:
            parameter = self.parameters[name]
            parameter.grad = torch.empty_like(parameter)
        for run in range(self.runs):
            seed = run // self.inits if len(images) > 1 else 0
            own = self._of(run)
            leaves = [own[name].requires_grad_() for name in self._trained]
            logits = self._one(run, own, self._ordered(images[seed]))
            loss = losses_of(self.setup.loss, logits[None], labels[seed][None])[0]
            grads = torch.autograd.grad(loss, leaves, allow_unused=True)
            for name, grad in zip(self._trained, grads, strict=True):
                into = self.parameters[name].grad[run]  # type: ignore[index]
                into.zero_() if grad is None else into.copy_(grad)
            losses.append(loss.detach())
        return torch.stack(losses)

    def _of(self, run: int) -> dict[str, torch.Tensor]:
        """Parameters of one network, to be read: they may share the memory of the stacked ones."""
        own = ((name, values.detach()[run]) for name, values in self.parameters.items())
        return {name: self._ordered(values) for name, values in own}

    def _ordered(self, values: torch.Tensor) -> torch.Tensor:
        """Images or kernels with their channels last in memory, where that is quicker."""
        last = self._last and values.ndim == 4
        return values.contiguous(memory_format=torch.channels_last) if last else values

    def _one(
        self, run: int, parameters: Mapping[str, torch.Tensor], images: torch.Tensor
    ) -> torch.Tensor:
        """Logits of one network, whose buffers are changed in place."""
        state = {**parameters, **{name: values[run] for name, values in self.buffers.items()}}
        seed, init = self._seeds[run // self.inits], run % self.inits
        # Architectures draw nothing; of a module of the user's own nobody knows.
        own = self.setup.architecture is None
        with drawing(seed, init, self._step) if own else nullcontext():
            logits = functional_call(self.module, state, (images,))
        for name, values in self.buffers.items():
            # Of a module that puts a new tensor in the place of the old one.
            if state[name].data_ptr() != values[run].data_ptr():
                values[run] = state[name].detach()
        return logits

    def _vmapped(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of all networks, shape (run, sample, class); buffers are changed."""
        shared = len(images) == 1
        inputs = images[0] if shared else images.repeat_interleave(self.inits, dim=0)
        if isinstance(self.module, SquareMLP):
            return self.module.of_many(self.parameters, inputs.flatten(1 if shared else 2))
        logits, buffers = vmapped(self.module, self.parameters, self.buffers, inputs, shared)
        self.buffers = {name: values.detach() for name, values in buffers.items()}
        return logits

    def _stacked(
        self, built: Sequence[nn.Module], seeds: Sequence[int], device: torch.device
    ) -> dict[str, torch.Tensor]:
        """Parameters of all networks: one of each seed as it is built, the others near it."""
        found = {}
        clouds = [np.random.default_rng([seed, CLOUD]) for seed in seeds]
        for name, first in built[0].named_parameters():
            rows = []
            for module, cloud in zip(built, clouds, strict=True):
                drawn = dict(module.named_parameters())[name].detach().cpu()
                near = cloud.uniform(-1, 1, (self.inits - 1, *drawn.shape))
                factors = torch.as_tensor(1 + self.setup.perturbation_scale * near)
                rows += [drawn[None], (drawn * factors).to(drawn.dtype)]
            found[name] = torch.cat(rows).to(device).requires_grad_(first.requires_grad)
        return found

    def _seen(self, name: str) -> torch.Tensor:
        values = self.parameters[name].detach().flatten(1)
        if not self.setup.sketch:
            return values
        if name not in self._sketches:
            # The same for every setup in which a parameter has this name and size.
            stream = (SKETCHED, *name.encode())
            self._sketches[name] = Sketch(values.shape[1], self.setup.sketch, stream)
        return torch.as_tensor(self._sketches[name].of_runs(values)).to(values.device)

    def _length(self) -> torch.Tensor:
        squares = [p.detach().flatten(1).square().sum(dim=1) for p in self.parameters.values()]
        return torch.stack(squares).sum(dim=0).sqrt()

    def _bring_to_length(self) -> None:
        if self.setup.norm_kept is None:
            return
        factors = self._lengths / self._length()
        with torch.no_grad():
            for values in self.parameters.values():
                values.mul_(factors.view(-1, *[1] * (values.ndim - 1)))
