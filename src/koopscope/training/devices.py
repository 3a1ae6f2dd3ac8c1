"""Where to compute."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

from koopscope.errors import InputError


def choose_device(name: str = "auto") -> torch.device:
    """Device by name; ``"auto"`` takes CUDA, then MPS, then the processor.

    Raises
    ------
    InputError
        If the device is unknown or not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device: {name!r} cannot be used ({reason}); give auto or cpu") from None
    return device


@contextmanager
def one_blas_thread(threads: int) -> Iterator[None]:
    """Give PyTorch so many threads and the linear algebra of small matrices one.

    With many, products of a few numbers would take many times as long.
    """
    torch.set_num_threads(threads)
    with threadpool_limits(1, "blas"):
        yield
