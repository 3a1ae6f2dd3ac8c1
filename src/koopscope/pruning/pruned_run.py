"""A network under training that loses weights and units on the way, and what it has cost so far."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter, process_time

import torch
from torch import nn

from koopscope.errors import InputError
from koopscope.pruning import compaction

COUNTS = ("seconds", "processor_seconds", "multiply_adds", "multiply_adds_nonzero")


class PrunedRun:
    """A chain of layers, its optimiser, and its masks, which are changed together.

    Parameters
    ----------
    model
        A chain (:func:`koopscope.pruning.compaction.chain_of`), which is changed in place.
    optimizer
        :class:`torch.optim.SGD` over parameters of it; stays the same one, so that a scheduler,
        and whatever follows its steps, go on.
    image
        One sample as the model takes it; only its shape matters.

    Raises
    ------
    InputError
        If the model is no such chain, or the optimiser another one.

    Attributes
    ----------
    model, optimizer, masks
        As they are now.
    costs
        By the names in ``COUNTS``, from the start.

    Examples
    --------
    A network of three hidden units that loses one of them and trains on:

    >>> import torch
    >>> from torch import nn
    >>> from koopscope.pruning import PrunedRun, score_weights, select
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> run = PrunedRun(model, torch.optim.SGD(model.parameters(), lr=0.1), torch.zeros(1, 2))
    >>> scores = score_weights("magnitude:structured", run.model, None)
    >>> run.apply_masks(select("magnitude:structured", scores, run.model, run.masks, budget=8))
    >>> run.hidden_units, tuple(run.model[0].weight.shape)
    (2, (2, 2))
    >>> run.train([(torch.ones(5, 2), torch.tensor([0, 1, 0, 1, 0]))])
    """

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, image: torch.Tensor
    ) -> None:
        if type(optimizer) is not torch.optim.SGD:
            raise InputError(
                f"optimizer: {type(optimizer).__name__}; only momentum is carried over to a "
                "smaller network: give torch.optim.SGD"
            )
        self.model, self.optimizer, self.image = model, optimizer, image
        self.masks = compaction.layer_masks(None, model)
        self.costs = dict.fromkeys(COUNTS, 0.0)
        self._count()

    @property
    def hidden_units(self) -> int:
        """Number of hidden units."""
        return sum(len(layer.weight) for layer in self.layers[:-1])

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time of a block to the costs."""
        wall, processor = perf_counter(), process_time()
        yield
        self.costs["seconds"] += perf_counter() - wall
        self.costs["processor_seconds"] += process_time() - processor

    def spend(self, multiply_adds: int) -> None:
        """Count what is multiplied beside the training."""
        for name in ("multiply_adds", "multiply_adds_nonzero"):
            self.costs[name] += multiply_adds

    def train(self, data: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Train on batches; pruned weights stay at 0."""
        self.model.train()
        for images, labels in data:
            self.optimizer.zero_grad()
            nn.functional.cross_entropy(self.model(images), labels).backward()
            for weight, mask in self._masked:
                if weight.grad is not None:
                    weight.grad.mul_(mask)
            self.optimizer.step()
            self.costs["multiply_adds"] += len(labels) * self._dense
            self.costs["multiply_adds_nonzero"] += len(labels) * self._nonzero

    def apply_masks(self, masks: compaction.Masks) -> None:
        """Put masks on, and take out the units that they leave dead.

        Momentum of what stays goes on as it was; that of pruned weights is 0. What is frozen, or
        not the optimiser's, stays so. A monitor or a recorder of the model goes on if no unit went,
        and else says at the next step that the shapes are others.

        Raises
        ------
        InputError
            If the masks are of another network.
        """
        smaller = compaction.compact(self.model, masks)
        parameters: dict[nn.Parameter, nn.Parameter] = {}
        previous = None
        for layer, (name, kept) in zip(self.layers, smaller.kept.items(), strict=True):
            of_weight, of_bias = self._momentum(layer.weight), self._momentum(layer.bias)
            if of_weight is not None:
                moved = compaction.sliced(of_weight, kept, previous)
                moved = moved * smaller.masks[name].to(moved.device)
                self.optimizer.state[layer.weight]["momentum_buffer"] = moved
            if layer.bias is not None and of_bias is not None:
                self.optimizer.state[layer.bias]["momentum_buffer"] = of_bias[kept].clone()
            new = compaction.layer_of(smaller.model, name)
            parameters |= compaction.refill(layer, new.weight, new.bias)
            previous = kept
        self._hand_over(parameters)
        self.masks = smaller.masks
        self._count()

    def _hand_over(self, parameters: Mapping[nn.Parameter, nn.Parameter]) -> None:
        """Have the optimiser train new parameters in the place of old ones, with their state."""
        for group in self.optimizer.param_groups:
            group["params"] = [parameters.get(old, old) for old in group["params"]]
        for old, new in parameters.items():
            if old in self.optimizer.state:
                self.optimizer.state[new] = self.optimizer.state.pop(old)

    def _momentum(self, parameter: torch.Tensor | None) -> torch.Tensor | None:
        """What the optimiser holds of a parameter; nothing of a bias that is not there."""
        held = {} if parameter is None else self.optimizer.state.get(parameter, {})
        return held.get("momentum_buffer")

    def _count(self) -> None:
        """Count anew what a training step costs for one sample."""
        names = compaction.chain_of(self.model)
        self.layers = [compaction.layer_of(self.model, name) for name in names]
        dense = compaction.multiply_adds(self.model, self.image)
        nonzero = compaction.multiply_adds(self.model, self.image, self.masks)
        self._dense, self._nonzero = map(compaction.training_multiply_adds, (dense, nonzero))
        worn = zip(self.layers, (self.masks[name] for name in names), strict=True)
        self._masked = [
            (layer.weight, mask.to(layer.weight.device)) for layer, mask in worn if not mask.all()
        ]
