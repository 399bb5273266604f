"""Every state that a process killed by SIGKILL can leave on disk, one after the other, without a process."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest


class Killed(BaseException):
    """SIGKILL: nothing is done after it, no tidying up either."""


def states(folder: Path, work: Callable[[Path], object]) -> Iterator[Path]:
    """A copy of ``folder`` for every moment at which ``work`` on it may be killed; in the last one it was not.

    A moment is between two changes of the disk: a file written, flushed, renamed, removed, a folder removed.
    """
    for steps in itertools.count():
        copy = folder.with_name(f"{folder.name}-{steps}")
        shutil.copytree(folder, copy)
        try:
            with pytest.MonkeyPatch.context() as patch:
                _kill_after(steps, patch)
                work(copy)
        except Killed:
            yield copy
        else:
            yield copy
            return


def _kill_after(steps: int, patch: pytest.MonkeyPatch) -> None:
    left = itertools.count(steps, -1)

    def counted(act: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            if next(left) <= 0:
                raise Killed
            return act(*arguments, **options)

        return step

    for place, name in (
        (pl.LazyFrame, "sink_parquet"),
        (pl.DataFrame, "write_parquet"),
        (Path, "write_bytes"),
        *((os, name) for name in ("fsync", "replace", "rename", "unlink", "rmdir")),
    ):
        patch.setattr(place, name, counted(getattr(place, name)))
