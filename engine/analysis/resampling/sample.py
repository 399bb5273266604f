"""Sums over windows as arrays: one row per checkpoint, one column per window, frames paired where both have a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import DataError, UnknownNameError
from engine.schema import WINDOW_SUMS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_NO_FRAME = -1


@dataclass(frozen=True, eq=False)
class MetricSums:
    """One metric of all checkpoints. A cell is a window, or one frame of it where checkpoints differ in frames.

    Attributes:
        key: the metric.
        sums: sum over the frames of a cell, less ``shift`` for each, [checkpoints, cells]; 0 where there is none.
        squares: sum of squares of value less ``shift``, likewise.
        present: whether the checkpoint has the cell, [checkpoints, cells].
        counts: frames in a cell, [cells]; the same for every checkpoint that has it.
        windows: the window of a cell, ascending, [cells].
        shift: the metric's overall mean, subtracted so that spreads of large values keep their digits.
    """

    key: str
    sums: Floats
    squares: Floats
    present: Bools
    counts: Floats
    windows: Ints
    shift: float


@dataclass(frozen=True, eq=False)
class WindowSample:
    """The windows of a run and the sums of its checkpoints over them.

    Attributes:
        checkpoints: names; the rows of every array.
        drives: the drive of every window, [windows]; windows are ordered by drive, then by number.
        windows: their numbers, [windows].
        metrics: by key.
    """

    checkpoints: tuple[str, ...]
    drives: tuple[str, ...]
    windows: Ints
    metrics: Mapping[str, MetricSums]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.checkpoints)}

    def __contains__(self, checkpoint: str) -> bool:
        """Whether a checkpoint has a value of any metric."""
        return checkpoint in self._places

    def row(self, checkpoint: str) -> int:
        """The row of a checkpoint.

        Raises:
            UnknownNameError: it has no value of any metric.
        """
        if checkpoint not in self._places:
            raise UnknownNameError("checkpoint", checkpoint, self.checkpoints)
        return self._places[checkpoint]

    def rows(self, checkpoints: Sequence[str]) -> Ints:
        """The rows of several checkpoints.

        Raises:
            UnknownNameError: one has no value of any metric.
        """
        return np.array([self.row(name) for name in checkpoints], dtype=np.int64)

    def metric(self, key: str) -> MetricSums:
        """The sums of one metric.

        Raises:
            UnknownNameError: no checkpoint has a value of it.
        """
        if key not in self.metrics:
            raise UnknownNameError("metric", key, self.metrics)
        return self.metrics[key]


def tabulate(
    sums: pl.DataFrame, *, metrics: Sequence[str] | None = None, windows_of: WindowSample | None = None
) -> WindowSample:
    """Turn sums over windows into arrays.

    Args:
        sums: frame of schema :data:`engine.schema.WINDOW_SUMS`; the order of its rows does not matter.
        metrics: keep these alone; keys that nobody has are left out.
        windows_of: a sample whose windows are taken, so that both can share their resamples; default those of the
            sums.

    Returns:
        The sample; checkpoints and metrics in alphabetical order.

    Raises:
        DataError: there are no rows, or some of a window that the other sample lacks; a cell occurs twice, or
            checkpoints disagree on how many frames a cell has.
    """
    rows = sums if metrics is None else sums.filter(pl.col("metric").is_in(list(metrics)))
    if rows.is_empty():
        raise DataError("there are no per-frame rows to judge differences by", "evaluate the checkpoints again")
    # Categories sort by when they were first seen: their order must not tell, so it is that of the texts.
    by_text = pl.col("drive").cast(pl.String), pl.col("window")
    own = rows.select("drive", "window").unique()
    windows = (own.sort(by_text) if windows_of is None else _windows_of(windows_of)).with_row_index("place")
    if windows_of is not None and not own.join(windows, on=["drive", "window"], how="anti").is_empty():
        raise DataError("there are rows of windows that the sample does not hold", "load the run again")
    order = rows.select("checkpoint").unique().sort(pl.col("checkpoint").cast(pl.String)).with_row_index("row")
    rows = rows.join(windows, on=["drive", "window"]).join(order, on="checkpoint")
    names = order.get_column("checkpoint").cast(pl.String)
    columns = ("metric", "place", "row", "frame", "sum", "m2", "count")
    parts = rows.select(columns).partition_by("metric", as_dict=True, include_key=False)
    return WindowSample(
        checkpoints=tuple(names),
        drives=tuple(windows.get_column("drive").cast(pl.String)),
        windows=windows.get_column("window").to_numpy(),
        metrics={str(key): _metric(str(key), part, len(names)) for (key,), part in sorted(parts.items())},
    )


def _windows_of(sample: WindowSample) -> pl.DataFrame:
    columns = {"drive": list(sample.drives), "window": sample.windows}
    return pl.DataFrame(columns, schema={name: WINDOW_SUMS[name] for name in columns})


def _metric(key: str, part: pl.DataFrame, checkpoints: int) -> MetricSums:
    place, row = (part.get_column(name).to_numpy().astype(np.int64) for name in ("place", "row"))
    frame = part.get_column("frame").fill_null(_NO_FRAME).to_numpy()
    total, m2, count = (part.get_column(name).cast(pl.Float64).to_numpy() for name in ("sum", "m2", "count"))
    frames, which = np.unique(frame, return_inverse=True)
    cells, cell = np.unique(place * len(frames) + which.reshape(-1), return_inverse=True)
    cell = cell.reshape(-1)
    shape = (checkpoints, len(cells))
    sums, within, counts, present = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool)
    present[row, cell] = True
    if int(present.sum()) < len(row):
        raise DataError(f"{key}: a window occurs twice in one checkpoint", "evaluate the checkpoint again")
    sums[row, cell], within[row, cell], counts[row, cell] = total, m2, count
    shift = float(sums.sum() / counts.sum())
    sums -= counts * shift
    squares = within + np.divide(sums**2, counts, out=np.zeros(shape), where=present)
    most = counts.max(axis=0)
    if (present & (counts != most)).any():
        raise DataError(f"{key}: checkpoints have different numbers of frames in one window", "evaluate them again")
    return MetricSums(key, sums, squares, present, most, cells // len(frames), shift)
