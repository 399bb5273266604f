"""Loops compiled by Numba at their first call, and shared out over threads; on a CPU.

A tensor operation writes its values to memory and reads them again; a loop keeps them in a register from the first to
the last. Whoever runs a loop gives every call its own place for its results, so that they depend neither on how many
threads there are nor on which of them was first.

Numba notices that a cached function is out of date by its own file alone: a loop and what it calls belong in one file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import torch

_SPANS = 16


def compiled(function: Callable[..., Any]) -> Any:
    """Compile at the first call, without the lock of the interpreter; kept on disk where there is a place for it.

    A product and a sum may become one operation, rounded once.
    """
    return _jit(function, {"contract"})


def adding(function: Callable[..., Any]) -> Any:
    """As :func:`compiled`; the addends of a sum may be taken in any order, always the same for sums of the same length.

    Without that a sum is a chain in which every addition waits for the one before.
    """
    return _jit(function, {"contract", "reassoc", "nsz"})


def share_out(function: Callable[..., Any], work: Sequence[tuple[Any, ...]]) -> None:
    """Call a compiled function with every item of the work, in as many threads as torch may use."""
    threads = min(torch.get_num_threads(), len(work))
    if threads < 2:
        for item in work:
            function(*item)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda item: function(*item), work):
            pass


def spans(count: int) -> list[slice]:
    """A few neighbouring slices of so many things to do: enough for any number of threads to share out evenly."""
    length = max(1, -(-count // _SPANS))
    return [slice(first, min(first + length, count)) for first in range(0, count, length)]


def _jit(function: Callable[..., Any], fastmath: set[str]) -> Any:
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    try:
        return numba.njit(cache=True, **settings)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return numba.njit(**settings)(function)
