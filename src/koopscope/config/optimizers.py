"""Update rules of ``torch.optim`` by name: plain values, to plan with."""

from collections.abc import Mapping
from typing import Any

# Rules of torch.optim that treat every weight by itself, so that one call updates all networks:
# class, what it is told besides the learning rate and the weight decay, and how many tensors like
# the weights it keeps.
ELEMENTWISE: dict[str, tuple[str, Mapping[str, Any], int]] = {
    "sgd": ("SGD", {}, 0),
    "momentum": ("SGD", {"momentum": None}, 1),
    "nesterov": ("SGD", {"momentum": None, "nesterov": True}, 1),
    "adam": ("Adam", {}, 2),
    "adamw": ("AdamW", {}, 2),
    "rmsprop": ("RMSprop", {}, 1),
    "adagrad": ("Adagrad", {}, 1),
    "adadelta": ("Adadelta", {}, 2),
    "adamax": ("Adamax", {}, 2),
    "nadam": ("NAdam", {}, 2),
    "radam": ("RAdam", {}, 2),
    "rprop": ("Rprop", {}, 2),
    "asgd": ("ASGD", {}, 1),
}
# Weight of the past in those that have such a number (PyTorch's usual choice).
MOMENTUM = 0.9
