"""Matrix products with one BLAS thread.

The products here are many and small. BLAS threads that wait for each other cost more than they save, ten times as much
where other programs keep the cores busy. And the order of summation, so the last digit, no longer depends on how many
cores a machine has.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

Number = TypeVar("Number", bound=np.floating[Any])

_lock = Lock()
_limits: list[Any] = []  # one entry per product being computed; the first holds what there was before


def product(left: npt.NDArray[Number], right: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """``left @ right``."""
    with _one_thread():
        result: npt.NDArray[Number] = left @ right
    return result


@contextmanager
def _one_thread() -> Iterator[None]:
    """Products of several threads overlap: what the first one found is restored after the last one."""
    with _lock:
        _limits.append(_controller().limit(limits=1, user_api="blas") if not _limits else None)
    try:
        yield
    finally:
        with _lock:
            limit = _limits.pop()
            if limit is not None:
                limit.restore_original_limits()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
