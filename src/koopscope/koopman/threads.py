"""One thread for the products of a fit: more would change the order of summation, hence bits."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """Limit what NumPy and SciPy compute with to one thread, in this process, meanwhile."""
    return _libraries().limit(limits=1)


@cache
def _libraries() -> ThreadpoolController:
    """What has threads of its own: loaded by now, and to find it takes longer than a small fit."""
    return ThreadpoolController()
