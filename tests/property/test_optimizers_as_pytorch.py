import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from koopscope.config.data import DataSpec
from koopscope.config.setup import NetworkSetup
from koopscope.training.optimizers import Optimizer

PYTORCH = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {}),
    "nesterov": (torch.optim.SGD, {"nesterov": True}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
    "rmsprop": (torch.optim.RMSprop, {}),
}


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(sorted(PYTORCH)),
    rate=st.floats(1e-4, 1),
    momentum=st.floats(0.01, 0.99),
    decay=st.floats(1e-3, 0.5) | st.just(0.0),
    scale=st.sampled_from([1e-10, 1e-3, 1, 1e3]),
    steps=st.integers(1, 8),
    seed=st.integers(0, 2**32),
)
def test_any_gradients_move_any_weights_as_in_pytorch(
    name, rate, momentum, decay, scale, steps, seed
):
    fields = {"momentum": momentum} if name in ("momentum", "nesterov") else {}
    if name == "adamw":
        decay = decay or 0.01
    setup = NetworkSetup(
        DataSpec("digits", "digits"),
        optimizer=name,
        learning_rate=rate,
        weight_decay=decay,
        **fields,
    )
    rng = np.random.default_rng(seed)
    weights = [torch.as_tensor(rng.normal(size=shape)) for shape in ((2, 3, 4), (5, 1))]
    make, options = PYTORCH[name]
    theirs = [w.clone().requires_grad_() for w in weights]
    reference = make(theirs, lr=rate, weight_decay=decay, **fields, **options)
    ours = Optimizer(setup, weights)
    for _ in range(steps):
        gradients = [torch.as_tensor(rng.normal(0, scale, w.shape)) for w in weights]
        for parameter, gradient in zip(theirs, gradients, strict=True):
            parameter.grad = gradient.clone()
        reference.step()
        ours.step(gradients)
        for found, expected in zip(weights, theirs, strict=True):
            torch.testing.assert_close(found, expected.detach(), atol=1e-12, rtol=1e-12)
