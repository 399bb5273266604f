"""The distribution of every metric over one checkpoint's frames, exactly, in bounded memory.

Rows of every alignment repeat the metrics that no alignment changes (photometric, scale), so one alignment tells all.
Columns are read a few at a time: the more rows a checkpoint has, the fewer. Held at once are the numbers of the rows
that count (4 bytes each; up to 30 while they are sorted), and the values of as many columns as fit into
:data:`COLUMN_BYTES`, at least one: an exact median needs its column whole. Of pose, which has a row per window, all
columns are held.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.catalogue import Group
from engine.results.parquet import scan
from engine.results.shards import METRICS
from engine.schema import FRAMES, SUMMARY

COLUMN_BYTES = 8 * 2**20
WRONG = "wrong"
# What this module makes: a summary, and how many values were NaN or infinite.
DISTRIBUTIONS = pl.Schema([*SUMMARY.items(), (WRONG, pl.Int64())])

_PER_WINDOW = ""  # the region of pose rows
_POSE = [name for name in METRICS if name.startswith(f"{Group.POSE}.")]
_PIXELS = "pixels"
_REGIONAL = [*(name for name in METRICS if name not in _POSE), _PIXELS]
_ROW = "row"
_NUMBER = "number"

Values = NDArray[np.float64]


def distributions(files: Sequence[Path], alignment: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The distribution of every metric over the rows of usable shards, mostly those of one checkpoint.

    Pose does not depend on the alignment: a window's pose row counts once, and of several that of the alignment.
    Values so large or so small that their sums or squares are no floats are scaled before.

    Args:
        files: usable shards.
        alignment: whose rows count.

    Returns:
        Frame of schema :data:`DISTRIBUTIONS`, metric by metric, and the alignments that per-frame rows have, in
        alphabetical order. ``depth.abs_rel`` of region ``building`` is ``depth.building.abs_rel``. NaN and infinity
        are no values; a metric without any value has the count 0.

    Raises:
        PARQUET_ERRORS: a file is damaged, or was replaced meanwhile.
    """
    rows = scan(files, FRAMES).filter(pl.col("checkpoint").is_not_null())
    parts = _parts(rows)
    table = _Table()
    _add_frames(rows, [part for part in parts if part.align == alignment], alignment, table)
    _add_windows(rows.filter(pl.col("region") == _PER_WINDOW), alignment, table)
    return table.frame(), tuple(sorted({part.align for part in parts if part.align is not None}))


def alignments(files: Sequence[Path]) -> tuple[str, ...]:
    """The alignments that per-frame rows of usable shards have, in alphabetical order.

    Raises:
        PARQUET_ERRORS: a file is damaged.
    """
    of_frames = scan(files, FRAMES).filter(pl.col("region") != _PER_WINDOW)
    present = of_frames.select(pl.col("align").drop_nulls().unique()).collect(engine="streaming")["align"]
    return tuple(sorted(present))


class _Part(NamedTuple):
    """Per-frame rows of one checkpoint, region and alignment, ``height`` of them."""

    checkpoint: str
    region: str
    align: str | None
    height: int


class Distribution(NamedTuple):
    """Of values in their own unit: mean, population standard deviation, median (the mean of the middle two), bounds."""

    mean: float
    std: float
    median: float
    least: float
    largest: float


def distribution(values: Values) -> Distribution:
    """What is known of some values.

    Args:
        values: finite, [N], at least one.
    """
    low, high = float(values.min()), float(values.max())
    if low == high:
        return Distribution(low, 0.0, low, low, high)
    median = float(pl.Series(values).median())  # type: ignore[arg-type]  # selects much faster than NumPy
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        mean = float(values.mean())
        deviations = values - mean
        std = math.sqrt(np.square(deviations, out=deviations).mean())
    if not math.isfinite(mean + std + median) or std == 0.0:  # beyond what floats can add or square
        scale = max(-low, high)
        scaled = distribution(values / scale)
        mean, std, median = scale * scaled.mean, scale * scaled.std, scale * scaled.median
    return Distribution(mean, std, median, low, high)


class _Table:
    """Collects rows of :data:`DISTRIBUTIONS`."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []

    def add(self, parts: Sequence[tuple[str, str, pl.DataFrame]]) -> None:
        """The distributions of some columns, metric by metric.

        Args:
            parts: checkpoint, region and the rows that count for them: numbers, null is "not measured"; the same
                columns in all.
        """
        known = [(checkpoint, region, _known(values)) for checkpoint, region, values in parts]
        for place, column in enumerate(parts[0][2].columns if parts else ()):
            self._rows += [(checkpoint, _key(column, region), *found[place]) for checkpoint, region, found in known]

    def frame(self) -> pl.DataFrame:
        columns = zip(*self._rows, strict=True) if self._rows else ([] for _ in DISTRIBUTIONS)
        named = zip(DISTRIBUTIONS.items(), columns, strict=True)
        return pl.DataFrame([pl.Series(name, list(values), dtype) for (name, dtype), values in named])


def _known(values: pl.DataFrame) -> list[tuple[float | None, ...]]:
    """Of every column mean, standard deviation, median, bounds, how many are finite and how many are not."""
    every = pl.all()
    asked = (every.mean(), every.std(ddof=0), every.median(), every.min(), every.max(), every.count())
    found = values.select(part.name.prefix(f"{number} ") for number, part in enumerate(asked)).row(0)
    known: list[tuple[float | None, ...]] = []
    for place, column in enumerate(values):
        *statistics, count = found[place :: values.width]
        wrong = 0
        if count and not _is_plain(*statistics):
            measured = column.filter(column.is_finite()).to_numpy()
            wrong = count - len(measured)
            statistics = list(distribution(measured)) if len(measured) else [None] * len(statistics)
        known.append((*statistics, count - wrong, wrong))
    return known


def _is_plain(mean: float, std: float, median: float, least: float, largest: float) -> bool:
    """Whether values are finite (else their mean is not), differ, and have sums and squares that are floats."""
    return math.isfinite(mean + std + median) and std != 0.0 and least != largest


def _add_frames(rows: pl.LazyFrame, parts: Sequence[_Part], alignment: str, table: _Table) -> None:
    if not parts:
        return
    of_frames = rows.filter(pl.col("region") != _PER_WINDOW, pl.col("align") == alignment)
    numbering = _Numbering(parts)
    height = sum(part.height for part in parts)
    rows_of: list[pl.Series] = []
    for names in _batches(_REGIONAL, height):
        first = [] if rows_of else [numbering.expression.alias(_NUMBER)]
        values = of_frames.select(*first, pl.col(names).cast(pl.Float64)).collect(engine="streaming")
        if values.height != height:
            raise _changed()
        if first:
            rows_of = numbering.rows(values.drop_in_place(_NUMBER))
        values = values.rename({_PIXELS: f"{Group.DEPTH}.{_PIXELS}"}, strict=False)
        table.add([(part.checkpoint, part.region, values[taken]) for part, taken in zip(parts, rows_of, strict=True)])


def _add_windows(rows: pl.LazyFrame, alignment: str, table: _Table) -> None:
    windows = (
        rows.select("checkpoint", "drive", "window", "align", *_POSE)
        .sort(pl.col("align") != alignment, maintain_order=True, nulls_last=True)
        .unique(["checkpoint", "drive", "window"], keep="first", maintain_order=True)
        .select("checkpoint", *_POSE)
        .collect(engine="streaming")
    )
    parts = windows.partition_by("checkpoint", maintain_order=True, include_key=False, as_dict=True)
    table.add([(name, "", values) for (name,), values in parts.items()])


def _parts(rows: pl.LazyFrame) -> list[_Part]:
    """Which per-frame rows there are, in the order of their first ones."""
    keys = ["checkpoint", "region", "align"]
    found = (
        rows.filter(pl.col("region") != _PER_WINDOW)
        .select(keys)
        .with_row_index(_ROW)
        .group_by(keys)
        .agg(pl.len().alias("height"), pl.col(_ROW).min())
        .collect(engine="streaming")
    )
    return [_Part(*part) for part in found.sort(_ROW).drop(_ROW).iter_rows()]


class _Numbering:
    """Tells rows of different parts apart by a number each.

    Args:
        parts: of one alignment.
    """

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._checkpoints = list(dict.fromkeys(part.checkpoint for part in parts))
        self._regions = list(dict.fromkeys(part.region for part in parts))
        checkpoints = {name: place for place, name in enumerate(self._checkpoints)}
        regions = {name: place for place, name in enumerate(self._regions)}
        self._numbers = [checkpoints[part.checkpoint] * len(regions) + regions[part.region] for part in parts]
        self._heights = [part.height for part in parts]

    @property
    def expression(self) -> pl.Expr:
        """The number of a row's part."""

        def place(column: str, values: Sequence[str]) -> pl.Expr:
            return pl.col(column).cast(pl.Enum(values)).to_physical().cast(pl.UInt32)

        return place("checkpoint", self._checkpoints) * len(self._regions) + place("region", self._regions)

    def rows(self, numbers: pl.Series) -> list[pl.Series]:
        """The rows of every part.

        Args:
            numbers: :attr:`expression` of all rows.

        Raises:
            OSError: these are not the rows that the parts were found among.
        """
        found = numbers.to_numpy()
        # With two bytes each NumPy sorts in linear time.
        order = np.argsort(found.astype(np.uint16) if max(self._numbers) < 2**16 else found, kind="stable")
        sequence = np.argsort(self._numbers)
        heights = np.array(self._heights)[sequence]
        if not np.array_equal(found[order], np.repeat(np.array(self._numbers)[sequence], heights)):
            raise _changed()
        split = np.split(order.astype(np.uint32), np.cumsum(heights)[:-1])
        return [pl.Series(split[place]) for place in np.argsort(sequence)]


def _changed() -> OSError:
    return OSError(errno.ESTALE, "it changed while it was read")


def _batches(columns: Sequence[str], height: int) -> Iterator[Sequence[str]]:
    each = max(1, COLUMN_BYTES // (8 * height))
    for start in range(0, len(columns), each):
        yield columns[start : start + each]


def _key(metric: str, region: str) -> str:
    """``depth.abs_rel`` of region ``building`` is ``depth.building.abs_rel``; pose has no region."""
    group, _, name = metric.partition(".")
    return f"{group}.{region}.{name}" if region else metric
