"""Many fully connected networks trained as one: gradients by hand, in batched products.

The networks of a seed see the same batches, so their first layers are one wide matrix: a single
product per seed, and a single fused product-and-update per step, where most of the time goes.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from koopscope.config.setup import ACTIVATIONS, NetworkSetup
from koopscope.training.answers import log_likelihood
from koopscope.training.optimizers import Optimizer


def _identity(z: torch.Tensor) -> torch.Tensor:
    return z


def _identity_slope(z: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(z)


def _relu_slope(z: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    return (z > 0).to(z.dtype)


def _tanh_slope(_: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    return 1 - a * a


def _sigmoid_slope(_: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    return a * (1 - a)


def _gelu_slope(z: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    density = torch.exp(-0.5 * z * z) * 0.3989422804014327
    return 0.5 * (1 + torch.erf(z * 0.7071067811865476)) + z * density


def _silu_slope(z: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    sigmoid = torch.sigmoid(z)
    return sigmoid + a * (1 - sigmoid)


def _function(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    return _identity if name == "identity" else getattr(torch.nn.functional, name)


# Function and slope; the slope may use the input z and the output a.
FUNCTIONS = {name: (_function(name), globals()[f"_{name}_slope"]) for name in ACTIVATIONS}


class NetworkEnsemble:
    """Networks of several seeds, ``initialisations`` each, on one device.

    Parameters
    ----------
    setup
        Architecture, number of initialisations and optimiser.
    weights
        Per seed, the initial matrices by layer, each (init, inputs, outputs).
    device
        Where to compute.
    dtype
        Single precision by default; double for checks of the gradient.
    """

    def __init__(
        self,
        setup: NetworkSetup,
        weights: Sequence[Mapping[str, np.ndarray]],
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.setup = setup
        self.seeds, self.inits = len(weights), setup.initialisations
        self.function, self.slope = FUNCTIONS[setup.activation]
        stacked = {
            layer: torch.as_tensor(np.stack([w[layer] for w in weights])).to(device, dtype)
            for layer in setup.layers
        }
        first, *deeper = setup.layers
        # (seed, inputs, init · outputs): all networks of a seed side by side.
        self.first = stacked[first].permute(0, 2, 1, 3).flatten(2).contiguous()
        # (seed · init, inputs, outputs) each.
        self.deeper = [stacked[layer].flatten(0, 1).contiguous() for layer in deeper]
        plain = setup.optimizer == "sgd" and setup.weight_decay == 0
        self.optimizer = None if plain else Optimizer(setup, [self.first, *self.deeper])

    def weights(self, layer: str) -> torch.Tensor:
        """Weights of a layer, shape (seed, init, inputs, outputs)."""
        index = self.setup.layers.index(layer)
        if index == 0:
            return self.first.unflatten(2, (self.inits, -1)).permute(0, 2, 1, 3)
        return self.deeper[index - 1].unflatten(0, (self.seeds, self.inits))

    def snapshot(self) -> torch.Tensor:
        """Recorded weights, shape (seed, init, weight): layer by layer, row by row."""
        return torch.cat([self.weights(layer).flatten(2) for layer in self.setup.recorded], dim=2)

    def projected(self, layer: str, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """``leftᵀ W right`` of a layer's weights W, shape (seed, init, rows, columns).

        Parameters
        ----------
        left, right
            Shapes (inputs, rows) and (outputs, columns), the same for every network.
        """
        index = self.setup.layers.index(layer)
        wide = self.first if index == 0 else self.deeper[index - 1]
        # The long side first: of the widest matrix one product a seed is left, of few rows.
        rows = torch.bmm(left.mT.expand(len(wide), -1, -1), wide)
        if index == 0:
            return (rows.unflatten(2, (self.inits, -1)) @ right).transpose(1, 2)
        return (rows @ right).unflatten(0, (self.seeds, self.inits))

    def gradients(
        self, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """Loss, signal that reaches the first layer, and gradients of the deeper layers.

        Parameters
        ----------
        images
            Shape (seed, batch, pixel).
        labels
            Shape (seed, batch).

        Returns
        -------
        losses
            Mean negative log-likelihood of each network, shape (seed, init).
        signal
            Gradient at the first layer's output, shape (seed, batch, init · outputs); the first
            layer's own gradient is ``imagesᵀ signal``.
        deeper
            Gradients of :attr:`deeper`.
        """
        inputs, sums, logits = self._forward(images)
        batch = images.shape[1]
        likelihood = log_likelihood(logits)
        targets = labels.repeat_interleave(self.inits, dim=0)[:, None, :]
        losses = -likelihood.gather(1, targets).mean(dim=(1, 2))
        signal = likelihood.exp_()
        signal.scatter_add_(1, targets, torch.full_like(signal[:, :1], -1.0))
        signal = (signal / batch).mT
        gradients = []
        for i in reversed(range(len(self.deeper))):
            gradients.append(inputs[i].mT @ signal)
            signal = (signal @ self.deeper[i].mT) * self.slope(sums[i], inputs[i])
        return losses.view(self.seeds, self.inits), self._side_by_side(signal), gradients[::-1]

    def descend(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """One step of the optimiser; return the losses before it, shape (seed, init).

        Parameters
        ----------
        images, labels
            As for :meth:`gradients`.
        """
        losses, signal, gradients = self.gradients(images, labels)
        self.update(images, signal, gradients)
        return losses

    def update(
        self, images: torch.Tensor, signal: torch.Tensor, deeper: list[torch.Tensor]
    ) -> None:
        """One step of the optimiser along what :meth:`gradients` gave for these images.

        The weights are changed in place.

        Parameters
        ----------
        images
            Shape (seed, batch, pixel).
        signal
            Gradient at the first layer's output, shape (seed, batch, init · outputs).
        deeper
            Gradients of the deeper layers, shape (seed · init, inputs, outputs) each.
        """
        if self.optimizer is not None:
            self.optimizer.step([torch.bmm(images.mT, signal), *deeper])
            return
        rate = -self.setup.learning_rate
        # Plain descent: product and update in one pass over the largest matrix.
        self.first.baddbmm_(images.mT, signal, alpha=rate)
        for weights, gradient in zip(self.deeper, deeper, strict=True):
            weights.add_(gradient, alpha=rate)

    def gradient_norms(
        self, images: torch.Tensor, signal: torch.Tensor, deeper: list[torch.Tensor]
    ) -> torch.Tensor:
        """Length of each network's gradient, of what :meth:`gradients` gave; shape (seed, init)."""
        # ‖imagesᵀ s‖² = sᵀ (images imagesᵀ) s: a batch is small beside the first layer.
        seen = torch.bmm(torch.bmm(images, images.mT), signal) * signal
        squares = seen.unflatten(2, (self.inits, -1)).sum(dim=(1, 3))
        for gradient in deeper:
            squares = squares + gradient.square().sum(dim=(1, 2)).view(self.seeds, self.inits)
        # Rounding may leave less than nothing of a dead network's.
        return squares.clamp_(min=0).sqrt_()

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of each network for images (sample, pixel), shape (seed, init, sample, class)."""
        logits = self._forward(images.expand(self.seeds, -1, -1))[2]
        return logits.unflatten(0, (self.seeds, self.inits))

    def _forward(
        self, images: torch.Tensor
    ) -> tuple[list[torch.Tensor], list[torch.Tensor], torch.Tensor]:
        """Inputs of the deeper layers, the sums they come from, and the logits."""
        values = self._network_by_network(torch.bmm(images, self.first))
        inputs, sums = [], []
        for weights in self.deeper:
            sums.append(values)
            inputs.append(self.function(values))
            values = torch.bmm(inputs[-1], weights)
        return inputs, sums, values

    def _network_by_network(self, wide: torch.Tensor) -> torch.Tensor:
        """From (seed, batch, init · n) to (seed · init, batch, n)."""
        return wide.unflatten(2, (self.inits, -1)).permute(0, 2, 1, 3).flatten(0, 1)

    def _side_by_side(self, values: torch.Tensor) -> torch.Tensor:
        """From (seed · init, batch, n) to (seed, batch, init · n)."""
        return values.unflatten(0, (self.seeds, self.inits)).permute(0, 2, 1, 3).flatten(2)
