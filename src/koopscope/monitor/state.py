"""State of a monitor as ``torch.save`` keeps it and ``weights_only`` reads it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from koopscope.errors import InputError


def tensors(state: Any) -> Any:
    """The same, with tensors in place of arrays, which are copied."""
    if isinstance(state, dict):
        return {key: tensors(value) for key, value in state.items()}
    return torch.from_numpy(state.copy()) if isinstance(state, np.ndarray) else state


def arrays(state: Any) -> Any:
    """What :func:`tensors` was given; a trainer may have moved them to its device."""
    if isinstance(state, Mapping):
        return {key: arrays(value) for key, value in state.items()}
    return state.cpu().numpy().copy() if isinstance(state, torch.Tensor) else state


def refuse_other(there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Refuse the state of a monitor that differs in what snapshots of one window share."""
    for key in {**here, **there}:
        found, needed = there.get(key, "missing"), here.get(key, "missing")
        if found != needed:
            raise InputError(
                f"state: {key} is {found} there but {needed} here; "
                "make the monitor as it was made then"
            )
