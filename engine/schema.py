"""The store's schemas: fixed Polars schemas of every table, and the pydantic models of ``metadata.json``.

Null means "not measured"; NaN never enters a table.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from engine.catalogue import Group, frame_metric_names
from engine.i18n import mark

SCHEMA_VERSION = 1


class Role(StrEnum):
    """What a row of the checkpoint table is."""

    BASELINE = "baseline"
    CHECKPOINT = "checkpoint"
    ORACLE = "oracle"
    CHANCE = "chance"


class Provenance(StrEnum):
    """Where the numbers of a run come from."""

    EVALUATED = mark("evaluated")
    IMPORTED = mark("imported")
    PUBLISHED = mark("published")
    SYNTHETIC = mark("synthetic")


# One row per (checkpoint, metric): what is known of the metric's distribution over frames.
SUMMARY = pl.Schema(
    {
        "checkpoint": pl.String,
        "metric": pl.String,
        "mean": pl.Float64,
        "std": pl.Float64,  # population standard deviation
        "median": pl.Float64,
        "min": pl.Float64,
        "max": pl.Float64,
        "count": pl.Int64,  # frames (or windows) that the mean is over
    }
)

# One row per checkpoint, in training order: baseline first, then by number, then by name.
CHECKPOINTS = pl.Schema(
    {
        "checkpoint": pl.String,
        "role": pl.String,  # a Role
        "step": pl.Int64,  # the number in the name; null where it has none
        "problem": pl.String,  # null where the checkpoint was read whole
    }
)

# The sampled windows of a run.
_WINDOW_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "window": pl.Int64,
    "drive": pl.String,
    "frames": pl.List(pl.Int64),
    "stratum": pl.String,  # rich, mixed or road
}
WINDOWS = pl.Schema(_WINDOW_COLUMNS)

# One row per (window, frame, region, align); pose rows are per window: frame is null and region is "".
_FRAME_COLUMNS: dict[str, type[pl.DataType]] = {
    "checkpoint": pl.String,
    "window": pl.Int64,
    "drive": pl.String,
    "frame": pl.Int64,
    "region": pl.String,
    "align": pl.String,  # none, scale, median or scale_shift
    "pixels": pl.Int64,
    "clamped": pl.Int64,  # pixels clamped to the least depth after alignment
    "degenerate": pl.Boolean,  # the alignment could not be fitted and `none` was used
    **{
        f"{group.value}.{name}": pl.Float64
        for group, names in frame_metric_names().items()
        for name in names
        if name != "pixels"
    },
}
FRAMES = pl.Schema(_FRAME_COLUMNS)


class SliceKind(StrEnum):
    """What the points of a frame are divided by."""

    DISTANCE = "distance"  # depth of the ground truth
    CLASS = "class"  # label


# The depth metrics that slices have: means over points, and the root of one.
SLICED = ("abs_rel", "delta1", "delta2", "delta3", "mae", "rmse")
# A frame counts in a slice that holds at least so many of its points: fewer are mostly those at the edge of something
# else, and would weigh as much as thousands. (Of a perfect depth on the street, buildings at 20-40 m had an AbsRel of
# 0.17 for eight frames with up to seven points there, and have 0.013 without them.)
LEAST_POINTS = 20
# One row per (window, frame, region, kind, slice) that holds a point. Slices by distance are of every region, slices by
# label class of all points; where a dataset has no labels there are none.
_SLICE_COLUMNS: dict[str, type[pl.DataType]] = {
    "checkpoint": pl.String,
    "window": pl.Int64,
    "drive": pl.String,
    "frame": pl.Int64,
    "region": pl.String,
    "align": pl.String,  # the run's own alignment
    "by": pl.String,  # a SliceKind
    "slice": pl.String,  # `10-20 m`, `road`
    "pixels": pl.Int64,  # points, at least 1
    # Sums of what is computed in float32: more digits would say nothing, and take twice the space.
    **{f"{Group.DEPTH.value}.{name}": pl.Float32 for name in SLICED},
}
FRAME_SLICES = pl.Schema(_SLICE_COLUMNS)
# In sums over windows, `depth.building/10-20 m.abs_rel` is of a slice by distance, `depth.road.abs_rel` of a class.
OF_REGION = "/"

# Per-frame rows reduced to windows, which is what resampling needs: one row per (checkpoint, metric, drive, window).
# Where the frames with a value are not the same in all checkpoints, there is one row per frame instead, so that
# checkpoints are paired on the frames that both have. Rows of one metric, drive, window and frame are over the same
# frames in all checkpoints.
_SUM_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "checkpoint": pl.Categorical(),
    "metric": pl.Categorical(),
    "drive": pl.Categorical(),
    "window": pl.Int64,
    "frame": pl.Int64,  # null: the whole window, or a metric that windows have (pose)
    "sum": pl.Float64,
    "m2": pl.Float64,  # sum of squared deviations from the row's own mean
    "count": pl.Int64,  # frames (pose: windows) with a value, at least 1
}
WINDOW_SUMS = pl.Schema(_SUM_COLUMNS)

# One row per (checkpoint, merged): measured apart from the quality pass.
COST = pl.Schema(
    {
        "checkpoint": pl.String,
        "merged": pl.Boolean,
        "fps": pl.Float64,  # frames per second
        "latency_sec": pl.Float64,  # p50 per window
        "latency_p95_sec": pl.Float64,
        "vram_mb": pl.Float64,  # MB (1e6 bytes), peak of this model alone
        "adapter_mb": pl.Float64,
        "trainable_params": pl.Int64,
    }
)

# What `lorascope cost` writes there: the single timings besides, so that their spread can be judged at any time.
MEASURED_COST = pl.Schema({**COST, "times_sec": pl.List(pl.Float64)})

# Curves over a threshold or bin: photometric inlier curves, error histograms.
CURVES = pl.Schema(
    {
        "checkpoint": pl.String,
        "curve": pl.String,
        "region": pl.String,
        "x": pl.Float64,
        "y": pl.Float64,
        "count": pl.Int64,
    }
)


class _Model(BaseModel):
    """Unknown fields are kept: a newer minor writer must not lose data in an older reader."""

    model_config = ConfigDict(extra="allow", frozen=True)


class ProtocolInfo(_Model):
    """Which protocol made the numbers, and its parameters."""

    name: Annotated[str, Field(min_length=1)] = "v1"
    align: str | None = None
    align_scope: str | None = None
    prepare: str | None = None
    seq_len: int | None = None
    stride: int | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class DatasetInfo(_Model):
    """What was evaluated on. ``root_name`` is the folder's name, never a full path."""

    name: str | None = None
    root_name: str | None = None
    split: str | None = None
    sampling: str | None = None
    max_seqs: int | None = None
    seed: int | None = None
    sample_fingerprint: str | None = None


class ModelInfo(_Model):
    """The base model and its weights."""

    name: str | None = None
    weights: str | None = None
    weights_sha256: str | None = None
    image_size: int | None = None


class LoraInfo(_Model):
    """The LoRA configuration of the training run."""

    rank: int | None = None
    alpha: float | None = None
    dropout: float | None = None
    target_modules: list[str] | None = None
    learning_rate: float | None = None


class DeviceInfo(_Model):
    """What the numbers were computed on."""

    name: str | None = None
    kind: str | None = None
    dtype: str | None = None
    libraries: dict[str, str] = Field(default_factory=dict)


class CostInfo(_Model):
    """How the rows of ``cost.parquet`` were measured; it is the same for all of them.

    ``images`` says what the window was: one of the sample, or synthetic images of that size. ``threads`` is ``None``
    where the device is no CPU. ``libraries`` are those that decide how fast a pass is. ``vram_note`` says why
    ``vram_mb`` is null, where it is. ``others_mb`` is memory of the device (MB, 1e6 bytes) that was taken by something
    else when measuring began; ``None`` where that cannot be told.
    """

    device: str | None = None
    kind: str | None = None
    dtype: str | None = None
    image_width: int | None = None
    image_height: int | None = None
    frames: int | None = None
    images: str | None = None
    threads: int | None = None
    warmup: int | None = None
    repeats: int | None = None
    libraries: dict[str, str] = Field(default_factory=dict)
    weights_sha256: str | None = None
    vram_note: str | None = None
    others_mb: float | None = None
    measured: datetime | None = None
    lorascope_version: str | None = None


class CheckpointInfo(_Model):
    """One checkpoint as the run knows it.

    ``folder`` is its name below ``frames/`` where that differs from the checkpoint's name; ``path`` is where its file
    or adapter folder was at evaluation time, absolute or relative to the run.
    """

    name: Annotated[str, Field(min_length=1)]
    role: Role = Role.CHECKPOINT
    step: int | None = None
    folder: str | None = None
    path: str | None = None
    problem: str | None = None


class RunMetadata(_Model):
    """``metadata.json`` of the native store."""

    schema_version: Annotated[int, Field(ge=1)] = SCHEMA_VERSION
    run: Annotated[str, Field(min_length=1)]
    created: datetime | None = None
    lorascope_version: str | None = None
    provenance: Provenance = Provenance.EVALUATED
    source: str | None = None  # for published or imported figures: where they are printed
    protocol: ProtocolInfo = Field(default_factory=ProtocolInfo)
    dataset: DatasetInfo = Field(default_factory=DatasetInfo)
    model: ModelInfo = Field(default_factory=ModelInfo)
    lora: LoraInfo = Field(default_factory=LoraInfo)
    device: DeviceInfo = Field(default_factory=DeviceInfo)
    checkpoints: list[CheckpointInfo] = Field(default_factory=list)
    checkpoint_dir: str | None = None
    evaluation_seconds: float | None = None
    cost: CostInfo | None = None
    status: Literal["done", "running", "stopped"] = "done"
    left_out: dict[str, int] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)


def empty(schema: pl.Schema) -> pl.DataFrame:
    """An empty frame of that schema."""
    return pl.DataFrame(schema=schema)
