"""What lies behind a checkpoint's means: its frames beside another checkpoint's. Read in threads, kept for a while.

Commands and the app ask here, so that they cannot disagree.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from engine.analysis.ablation import ablation, alignment_means
from engine.analysis.worst_frames import pair_frames
from engine.catalogue import SCORE_KEY, Catalogue, Metric
from engine.errors import DataError, UnknownNameError
from engine.i18n import gettext as _
from engine.results.frames import (
    ALIGNMENTS,
    alignment_of,
    collect,
    place_of,
    read_curves,
    read_values,
    sampled_windows,
    scan_checkpoints,
)
from engine.schema import WINDOWS, Role, empty
from tui.library import Loaded

INLIER_CURVE = "photometric_inlier"
# Where the run does not say at which threshold its inlier ratio was taken: that of the metric's definition.
_INLIER_THRESHOLD = 0.05
_KEPT = 12


@dataclass(frozen=True)
class Subject:
    """What is looked at.

    Attributes:
        loaded: the run.
        checkpoint: whose frames.
        against: beside whose; ``None`` where the run has no other.
        key: the metric.
        reading: tells one reading of the run from the next.
    """

    loaded: Loaded = field(compare=False, repr=False)
    checkpoint: str
    against: str | None
    key: str
    reading: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reading", id(self.loaded))

    @property
    def names(self) -> list[str]:
        """The checkpoint and the other one."""
        return list(dict.fromkeys(name for name in (self.checkpoint, self.against) if name is not None))


@dataclass(frozen=True, eq=False)
class FramePairs:
    """One metric of two checkpoints, frame by frame.

    Attributes:
        metric: which one.
        alignment: whose rows these are.
        values: frame of schema :data:`engine.results.frames.VALUES`.
        pairs: frame of schema :data:`engine.analysis.worst_frames.PAIRS`.
        note: what could not be read besides, in words.
    """

    metric: Metric
    alignment: str
    values: pl.DataFrame
    pairs: pl.DataFrame
    note: str = ""


@dataclass(frozen=True, eq=False)
class Ablation:
    """The depth metrics under every alignment.

    Attributes:
        region: of the metrics.
        own: the alignment that the run's summaries are of.
        rows: frame of schema :data:`engine.analysis.ablation.ABLATION`.
    """

    region: str
    own: str
    rows: pl.DataFrame


class FrameReader:
    """Reads what pages and commands show of single frames; the last answers are kept.

    Args:
        catalogue: the metric table.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._pairs: OrderedDict[Subject, FramePairs] = OrderedDict()
        self._lock = threading.Lock()

    def pairs(self, subject: Subject) -> FramePairs:
        """The metric's values in the frames of both checkpoints.

        Raises:
            NoFramesError: the run has no per-frame rows, or the metric is no figure of a frame.
            DataError: they cannot be read.
        """
        with self._lock:
            found = self._pairs.get(subject)
            if found is None:
                found = self._pairs[subject] = self._read_pairs(subject)
                while len(self._pairs) > _KEPT:
                    self._pairs.popitem(last=False)
        return found

    def _read_pairs(self, subject: Subject) -> FramePairs:
        run, metric = subject.loaded.run, self._catalogue.get(subject.key)
        values, alignment = read_values(run, subject.names, subject.key)
        windows, note = empty(WINDOWS), ""
        try:
            windows = sampled_windows(run)
        except DataError as error:
            note = _("strata are not known: {reason}").format(reason=error)
        pairs = pair_frames(values, subject.checkpoint, subject.against, windows, metric)
        return FramePairs(metric, alignment, values, pairs, note)

    def ablation(self, subject: Subject, region: str) -> Ablation:
        """The depth metrics of both checkpoints in a region, under every alignment.

        Raises:
            NoFramesError: the run has no per-frame rows.
            DataError: they cannot be read.
        """
        run = subject.loaded.run
        rows = scan_checkpoints(run, subject.names)
        means = collect(alignment_means(rows, region), run)
        table = ablation(means, subject.checkpoint, subject.against, region, ALIGNMENTS, self._catalogue)
        return Ablation(region, alignment_of(run, rows), table)


def inlier_curves(loaded: Loaded, region: str) -> tuple[pl.DataFrame, float]:
    """The photometric inlier curves of a run in a region, and the threshold at which its inlier ratio is taken.

    Raises:
        DataError: they cannot be read.
    """
    stated = loaded.run.metadata.protocol.parameters.get("photometric_inlier")
    threshold = float(stated) if isinstance(stated, int | float) and stated > 0 else _INLIER_THRESHOLD
    return read_curves(loaded.run, INLIER_CURVE, region), threshold


def frame_keys(loaded: Loaded) -> list[str]:
    """The metrics of a run that are figures of single frames or windows, in catalogue order; all where none is."""
    keys = [key for key in loaded.analysis.metrics if place_of(key) is not None]
    return keys or [key for key in loaded.analysis.metrics if key != SCORE_KEY]


def default_key(loaded: Loaded, catalogue: Catalogue, wanted: Sequence[str]) -> str:
    """The metric that is looked at unless another one is chosen.

    Args:
        loaded: the run.
        catalogue: the metric table.
        wanted: keys or short names, the most wanted first.

    Returns:
        The first of ``wanted`` that is a figure of single frames, else the depth error; empty where there is none.
    """
    keys = frame_keys(loaded)
    for name in (*wanted, "abs_rel"):
        try:
            return catalogue.resolve(name, keys)
        except UnknownNameError:
            continue
    return keys[0] if keys else ""


def regions_of(loaded: Loaded) -> list[str]:
    """The regions that a run has metrics of, the usual ones first."""
    places = (place_of(key) for key in loaded.analysis.metrics)
    present = {place.region for place in places if place is not None and place.region}
    usual = [name for name in ("building", "full", "non_building") if name in present]
    return usual + sorted(present - set(usual))


def other_of(loaded: Loaded, checkpoint: str, wanted: str = "") -> str | None:
    """What a checkpoint is laid beside: the one that was asked for, else the baseline, if the run has it."""
    if wanted and wanted != checkpoint and wanted in loaded.analysis.names:
        return wanted
    baseline = loaded.run.baseline
    return baseline if baseline != checkpoint else None


def pseudo_checkpoints(loaded: Loaded) -> list[str]:
    """The truth itself and the blind guess, where the run holds them."""
    table = loaded.analysis.table
    return table.filter(table["role"].is_in([Role.ORACLE, Role.CHANCE]))["checkpoint"].to_list()
