"""The evaluator proves itself: what a perfect, a scaled perfect and a blind prediction score."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import polars as pl
import torch

from engine.catalogue import Catalogue, Direction, Group, Metric
from engine.dataset.model import Dataset, Preparation, PreparedWindow, Window
from engine.dataset.open import open_dataset
from engine.dataset.street_writer import write_street
from engine.dataset.windows import sample
from engine.errors import DataError
from engine.evaluation import selftest_limits as limits
from engine.evaluation.chance_depth import chance_depth
from engine.evaluation.plan import CHANCE, ORACLE, default_split
from engine.evaluation.predictors import chance
from engine.geometry.alignment import ALIGNMENTS
from engine.i18n import mark
from engine.inference.contract import Prediction
from engine.scoring.oracle import oracle
from engine.scoring.truth import prepare_truth
from engine.scoring.window import rows, score_window

ALIGN = "median"
REGIONS = ("building", "full")
FACTOR = 3.7
PATCH = 14
STREET_SIZE, DATA_SIZE = 350, 518  # pixels of width; the second is VGGT's
SEQ_LEN = 8
_SCALED = "scaled oracle"
_STREET_DRIVES = {3: "val", 4: "val"}
_STREET_FRAMES = 2 * SEQ_LEN
_POSE_REGION = ""


class Verdict(StrEnum):
    """What the self-test says of a metric."""

    OK = "ok"  # a perfect prediction is within the limit, chance is clearly worse, and a common scale does not matter
    FAILED = mark("failed")  # one of these does not hold
    # A perfect prediction is within the limit, but on these data chance nearly is, too.
    UNINFORMATIVE = mark("uninformative")
    NO_LIMIT = mark("no limit")  # shown, not judged
    NOT_MEASURED = mark("not measured")


@dataclass(frozen=True, slots=True)
class MetricCheck:
    """One metric.

    Attributes:
        key: of the catalogue.
        oracle, chance: means over frames (or windows); ``None`` where not measured.
        limit: the worst that the oracle may have; ``None`` without one.
        scaled_difference: by how much the oracle in another unit of length differs, at most over the alignments for
            which that should not matter; ``None`` where it should, or nothing was measured.
        verdict: see there.
        why: what failed, in words; empty otherwise.
    """

    key: str
    oracle: float | None
    chance: float | None
    limit: float | None
    scaled_difference: float | None
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True, slots=True)
class SelftestReport:
    """What the self-test found.

    Attributes:
        dataset: ``kitti360``, ``rgbd`` or ``street``.
        root_name: the folder's name; empty for the street that was written for the test.
        windows, frames: how many were scored.
        checks: of every metric, in the catalogue's order.
        seconds: that it took.
    """

    dataset: str
    root_name: str
    windows: int
    frames: int
    checks: tuple[MetricCheck, ...]
    seconds: float

    @property
    def failed(self) -> tuple[MetricCheck, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.verdict is Verdict.FAILED)

    @property
    def scale_free(self) -> tuple[MetricCheck, ...]:
        """The checks of metrics that a common scale must not change."""
        return tuple(check for check in self.checks if check.scaled_difference is not None)

    @property
    def scale_matters(self) -> tuple[MetricCheck, ...]:
        """Those of them that it did change."""
        return tuple(check for check in self.scale_free if _is_changed(check))


def selftest(
    data: Path | None = None,
    *,
    max_seqs: int = 4,
    size: int | None = None,
    seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> SelftestReport:
    """Score the oracle, the oracle in another unit of length, and chance.

    Args:
        data: a dataset; ``None`` writes a small street into a temporary folder.
        max_seqs: windows to score.
        size: image width in pixels, a multiple of 14; by default 350 on that street, 518 on data.
        seed: of the street, the sample and RANSAC.
        tell: called with what is being done, in a few words.

    Raises:
        UsageError: a size or a number of windows that is not possible.
        DataError: the data are missing, unreadable, or hold no window.
    """
    begin = time.perf_counter()
    if data is not None:
        dataset = open_dataset(data)
        checks, windows = _checks(dataset, max_seqs, size or DATA_SIZE, seed, tell, strict=False)
        root_name = dataset.root_name
    else:
        with tempfile.TemporaryDirectory(prefix="lorascope-") as folder:
            tell("writing a street")
            root = write_street(Path(folder) / "street", seed=seed, drives=_STREET_DRIVES, frames=_STREET_FRAMES)
            dataset = open_dataset(root)
            checks, windows = _checks(dataset, max_seqs, size or STREET_SIZE, seed, tell, strict=True)
            root_name = ""
    frames = sum(len(window.frames) for window in windows)
    return SelftestReport(dataset.name, root_name, len(windows), frames, checks, time.perf_counter() - begin)


def _checks(
    dataset: Dataset, max_seqs: int, size: int, seed: int, tell: Callable[[str], None], *, strict: bool
) -> tuple[tuple[MetricCheck, ...], list[Window]]:
    windows = sample(_windows(dataset), max_seqs, seed=seed)
    preparation = Preparation("fit", size, PATCH)
    depth = chance_depth(dataset, windows, preparation)
    found = []
    rendered = False
    for number, window in enumerate(windows, start=1):
        tell(f"scoring window {number} of {len(windows)}")
        prepared = dataset.load(window, preparation)
        rendered = prepared.dense_depth is not None
        found.append(_score(prepared, dataset, depth, seed))
    means = _means(pl.concat(found))
    table = limits.RENDERED if rendered else limits.EXACT
    return tuple(check_metric(metric, means, table, strict=strict) for metric in _metrics(means)), windows


def _windows(dataset: Dataset) -> list[Window]:
    """The windows of the first split that has any, the default one first."""
    first: DataError | None = None
    for split in dict.fromkeys([default_split(dataset), *dataset.splits]):
        try:
            windows = dataset.windows(split, seq_len=SEQ_LEN, stride=SEQ_LEN)
        except DataError as error:
            first = first or error
            continue
        if windows:
            return windows
    raise first or DataError(f"{dataset.root_name} has no window of {SEQ_LEN} frames", "give data with more frames")


def _score(prepared: PreparedWindow, dataset: Dataset, depth: float, seed: int) -> pl.DataFrame:
    device = torch.device("cpu")
    with torch.inference_mode():
        truth = prepare_truth(prepared, dataset.regions, device, seed=seed)
        exact = truth.depth if prepared.dense_depth is None else None
        perfect = oracle(prepared, device)
        predictions = (
            (ORACLE, perfect, exact),
            (_SCALED, scaled(perfect, FACTOR), None if exact is None else exact * FACTOR),
            (CHANCE, chance(prepared, depth, device), None),
        )
        scores = [
            rows(score_window(prediction, truth, at_points=points), name) for name, prediction, points in predictions
        ]
    return pl.concat(scores)


def scaled(prediction: Prediction, factor: float) -> Prediction:
    """The same prediction in another unit of length."""
    translation = torch.tensor([1.0, 1.0, 1.0, factor], device=prediction.world_to_camera.device)
    return replace(
        prediction, depth=prediction.depth * factor, world_to_camera=prediction.world_to_camera * translation
    )


# (checkpoint, key, alignment) -> mean; the alignment of pose metrics is empty.
Means = Mapping[tuple[str, str, str], float | None]


def _means(frames: pl.DataFrame) -> Means:
    """Means over all rows of a region, of what was measured there."""
    values = [name for name, dtype in frames.schema.items() if dtype == pl.Float64 and "." in name]
    means: dict[tuple[str, str, str], float | None] = {}
    grouped = frames.group_by("checkpoint", "region", "align").agg(pl.col(values).mean())
    for row in grouped.iter_rows(named=True):
        for name in values:
            of_pose = name.startswith(f"{Group.POSE}.")
            if of_pose != (row["region"] == _POSE_REGION):
                continue
            group, _, metric = name.partition(".")
            key = name if of_pose else f"{group}.{row['region']}.{metric}"
            means[row["checkpoint"], key, row["align"] or ""] = row[name]
    return means


def _metrics(means: Means) -> Iterable[Metric]:
    """What the report holds: every metric of the regions that the data have."""
    catalogue = Catalogue()
    keys = catalogue.order({key for _, key, _ in means})
    metrics = [catalogue.get(key) for key in keys]
    regions = (*REGIONS, _POSE_REGION)
    buildings = (Group.PLANARITY,)
    return [m for m in metrics if m.region in regions and (m.group not in buildings or m.region == REGIONS[0])]


def check_metric(metric: Metric, means: Means, table: Mapping[str, float], *, strict: bool) -> MetricCheck:
    """Judge one metric.

    Args:
        metric: which one.
        means: of the oracle, the scaled oracle and chance.
        table: limits by name without region.
        strict: the data are known to tell perfect from chance; elsewhere a metric that does not is uninformative.
    """
    align = "" if metric.group is Group.POSE else ALIGN
    perfect, blind = means.get((ORACLE, metric.key, align)), means.get((CHANCE, metric.key, align))
    limit = table.get(limits.name_of(metric))
    difference = _scaled_difference(metric, means)
    check = MetricCheck(metric.key, perfect, blind, limit, difference, Verdict.NO_LIMIT)
    if perfect is None or blind is None:
        return replace(check, verdict=Verdict.NOT_MEASURED)
    if _is_changed(check):
        why = f"the oracle in another unit of length differs by {difference:.3g}"
        return replace(check, verdict=Verdict.FAILED, why=why)
    if limit is None:
        return check
    allowed = limits.error_of(limit, metric)
    if limits.error_of(perfect, metric) > allowed:
        return replace(check, verdict=Verdict.FAILED, why=f"the oracle's {perfect:.4g} is beyond {limit:g}")
    if limits.error_of(blind, metric) >= limits.CLEARLY * allowed:
        return replace(check, verdict=Verdict.OK)
    if strict and limits.name_of(metric) not in limits.CHANCE_MAY_BE_GOOD:
        return replace(check, verdict=Verdict.FAILED, why=f"chance has {blind:.4g}, as good as a perfect prediction")
    return replace(check, verdict=Verdict.UNINFORMATIVE)


def _scaled_difference(metric: Metric, means: Means) -> float | None:
    """The largest difference to the oracle in another unit, over the alignments that take a scale away."""
    if metric.direction is Direction.NONE:
        return None
    aligns: Sequence[str] = [""] if metric.group is Group.POSE else [name for name in ALIGNMENTS if name != "none"]
    pairs = [(means.get((ORACLE, metric.key, a)), means.get((_SCALED, metric.key, a))) for a in aligns]
    differences = [
        float("inf") if one is None or other is None else abs(one - other)
        for one, other in pairs
        if (one, other) != (None, None)
    ]
    return max(differences, default=None)


def _is_changed(check: MetricCheck) -> bool:
    allowed = limits.judged_share(Catalogue().get(check.key))
    return (
        check.scaled_difference is not None
        and allowed is not None
        and check.scaled_difference > limits.SCALED_SHARE * allowed
    )
