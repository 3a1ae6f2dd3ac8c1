"""One thread for the products of a fit: more would change the order of summation, hence bits."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import scipy.linalg  # noqa: F401  its library has to be there when libraries are looked for
from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """Limit the linear algebra of NumPy and SciPy to one thread, in this process, meanwhile.

    Libraries that others bring later, as OpenMP of PyTorch, keep theirs: no fit computes with them.
    """
    return _libraries().limit(limits=1, user_api="blas")


@cache
def _libraries() -> ThreadpoolController:
    """Found once: to find them takes longer than a small fit."""
    return ThreadpoolController()
