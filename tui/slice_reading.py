"""One metric of a checkpoint beside another's in every part of the sample, judged where per-frame rows allow it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import polars as pl

from engine.analysis.differences import DIFFERENCES
from engine.analysis.evidence import Evidence
from engine.analysis.losses import Loss, every_slice, losses
from engine.analysis.paired import paired_differences
from engine.analysis.slices import SLICES
from engine.analysis.worst_frames import change, slice_means
from engine.catalogue import Metric
from engine.schema import empty
from tui.evidence import gather_evidence
from tui.frame_reading import FrameReader, Subject
from tui.library import Library

ALL = "all"
PARTS = pl.Schema(
    {
        "by": pl.String,  # all, drive, stratum, region and so on
        "slice": pl.String,
        "windows": pl.Int64,
        "frames": pl.Int64,
        "value": pl.Float64,
        "baseline": pl.Float64,  # of the checkpoint beside it
        "delta": pl.Float64,
        "delta_pct": pl.Float64,
        "joint_low": pl.Float64,  # interval of delta that holds for all parts and checkpoints at once
        "joint_high": pl.Float64,
        "verdict": pl.String,
        "change": pl.String,  # which way the values differ: an engine.analysis.worst_frames.Change
    }
)
_KEPT = 12


@dataclass(frozen=True, eq=False)
class Parts:
    """One metric of two checkpoints in every part of the sample.

    Attributes:
        metric: which one.
        rows: frame of schema :data:`PARTS`: all first, then the parts, kind by kind.
        judged: whether differences were told from chance; else the values are plain means.
        alone: whether the verdicts are corrected for the parts alone; else for all checkpoints of the run, too.
        loses: the parts that are worse although the whole is better.
        note: what could not be read besides, in words.
    """

    metric: Metric
    rows: pl.DataFrame
    judged: bool
    alone: bool = False
    loses: tuple[Loss, ...] = ()
    note: str = ""


class SliceReader:
    """Reads parts; what they are judged by is kept for a while. May be called from several threads.

    Args:
        library: directions and the score's weights.
        frames: reads plain means where nothing can be judged.
    """

    def __init__(self, library: Library, frames: FrameReader) -> None:
        self._library = library
        self._frames = frames
        self._evidence: OrderedDict[tuple[int, str], Evidence] = OrderedDict()
        self._lock = threading.Lock()

    def parts(self, subject: Subject) -> Parts:
        """The metric of both checkpoints in every part.

        Raises:
            NoFramesError: the run has no per-frame rows, or the metric is no figure of a frame.
            DataError: they cannot be read.
        """
        found = self._frames.pairs(subject)
        evidence = self._weighed(subject)
        whole, slices = _judged(evidence, subject)
        if whole.is_empty():
            means = slice_means(found.pairs, found.metric).rename(
                {"count": "frames", "against": "baseline", "difference": "delta"}
            )
            return Parts(found.metric, _in_order(means, found.metric), False, note=evidence.missing or found.note)
        first = whole.with_columns(pl.lit(ALL).alias("by"), pl.lit(ALL).alias("slice"))
        rows = pl.concat([_in_order(first, found.metric), _in_order(slices, found.metric)])
        alone = subject.against != evidence.baseline or subject.checkpoint not in evidence.checkpoints
        loses = losses(slices, subject.checkpoint).get(subject.key, ())
        return Parts(found.metric, rows, True, alone, loses, found.note)

    def _weighed(self, subject: Subject) -> Evidence:
        place = (subject.reading, subject.key)
        with self._lock:
            found = self._evidence.get(place)
            if found is None:
                found = self._evidence[place] = gather_evidence(self._library, subject.loaded, [subject.key])
                while len(self._evidence) > _KEPT:
                    self._evidence.popitem(last=False)
        return found


def _judged(evidence: Evidence, subject: Subject) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The differences over the whole sample and in its parts; without rows where nothing can be compared."""
    statistics, name, against = evidence.statistics, subject.checkpoint, subject.against
    if statistics is None or against is None or against not in statistics.sample:
        return empty(DIFFERENCES), empty(SLICES)
    if against == evidence.baseline and name in evidence.checkpoints:
        own = pl.col("checkpoint") == name
        whole = evidence.differences([subject.key]).filter(own, pl.col("windows").is_not_null())
        return whole, evidence.slices([subject.key]).filter(own)
    whole = paired_differences(
        statistics, baseline=against, checkpoints=[name], catalogue=evidence.catalogue, metrics=[subject.key]
    ).filter(pl.col("delta").is_not_null())
    slices = every_slice(
        statistics,
        whole,
        evidence.windows,
        baseline=against,
        checkpoints=[name],
        catalogue=evidence.catalogue,
        points=evidence.points,
    )
    return whole, slices


def _in_order(rows: pl.DataFrame, metric: Metric) -> pl.DataFrame:
    """The columns of :data:`PARTS`, without parts that neither checkpoint has a value in."""
    sign = pl.lit(metric.direction.sign)
    missing = [pl.lit(None, PARTS[name]).alias(name) for name in PARTS if name not in rows.columns and name != "change"]
    ways = change(pl.col("value"), pl.col("baseline"), sign).alias("change")
    return (
        rows.with_columns(missing)
        .with_columns(ways)
        .filter(pl.col("value").is_not_null() | pl.col("baseline").is_not_null())
        .select(pl.col(name).cast(dtype) for name, dtype in PARTS.items())
    )
