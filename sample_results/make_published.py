"""Writes ``published/``: the figures that a report on three LoRA runs prints, as native stores.

Run ``python -m sample_results.make_published`` to write them again, or give another folder to write to. The figures
below are the source; nothing is computed but gigabytes to MB.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine.results.writer import write_run
from engine.schema import (
    SUMMARY,
    CheckpointInfo,
    DatasetInfo,
    ModelInfo,
    ProtocolInfo,
    Provenance,
    Role,
    RunMetadata,
)

BASELINE = "baseline"
MB_PER_GB = 1000  # as `vram_gb` in a filter is

# In the order in which the report prints them: baseline -> best checkpoint.
QUALITY = (
    "depth.building.abs_rel",
    "depth.building.delta1",
    "depth.building.rmse",
    "normals.building.angular_mean",
    "normals.building.inlier_30",
    "planarity.building.inlier_ratio",
    "photometric.building.inlier_ratio",
    "pose.ate_trans",
)


@dataclass(frozen=True)
class Printed:
    """What the report prints of one run.

    Attributes:
        best: the best checkpoint's number.
        baseline, figures: its baseline and its best checkpoint, in the order of ``QUALITY``.
        fps, latency_sec, vram_gb: resources of the best checkpoint; ``None`` where none are printed.
        max_seqs: sampled sequences; ``None`` for the whole split.
        score, score_gain_pct: the printed composite score and its gain on the baseline.
        score_from_rounded: what the printed figures above give instead.
        remarks: notes of this run alone.
    """

    best: int
    baseline: tuple[float, ...]
    figures: tuple[float, ...]
    fps: float | None
    latency_sec: float | None
    vram_gb: float | None
    max_seqs: int | None
    score: str
    score_gain_pct: str
    score_from_rounded: str
    remarks: tuple[str, ...]


RUNS: Mapping[str, Printed] = {
    "strategy_b": Printed(
        best=34,
        baseline=(1.7214, 0.4030, 16.50, 83.76, 0.122, 0.141, 0.650, 3603),
        figures=(0.6107, 0.4375, 11.02, 82.67, 0.158, 0.200, 0.498, 3556),
        fps=1.12,
        latency_sec=0.90,
        vram_gb=20.3,
        max_seqs=500,
        score="0.3455",
        score_gain_pct="+30.9",
        score_from_rounded="0.34541 (+30.86 %)",
        remarks=(
            "Trained for 20 epochs with a first configuration, then on with a second one that relaxes the LoRA "
            "parameters.",
        ),
    ),
    "strategy_b_soft": Printed(
        best=37,
        baseline=(2.044, 0.382, 18.13, 83.73, 0.118, 0.149, 0.655, 3629),
        figures=(0.789, 0.386, 11.74, 81.19, 0.173, 0.229, 0.486, 3639),
        fps=None,
        latency_sec=None,
        vram_gb=None,
        max_seqs=500,
        score="0.2999",
        score_gain_pct="+15.8",
        score_from_rounded="0.29985 (+15.86 %)",
        remarks=(
            "Trained with a mild LoRA configuration throughout: lower learning rate, smaller alpha.",
            "No resources of this evaluation are printed for a checkpoint: the report says only that about 10 GB were "
            "recorded once.",
        ),
    ),
    "strategy_b_soft_full": Printed(
        best=45,
        baseline=(2.236, 0.368, 18.40, 84.08, 0.117, 0.149, 0.647, 3620.31),
        figures=(0.819, 0.385, 11.90, 81.10, 0.174, 0.216, 0.480, 3620.25),
        fps=0.45,
        latency_sec=2.23,
        vram_gb=20.3,
        max_seqs=None,
        score="0.2909",
        score_gain_pct="+14.9",
        score_from_rounded="0.29090 (+14.89 %)",
        remarks=("The training run of strategy_b_soft, evaluated on every sequence instead of a sample of 500.",),
    ),
}


def summary(printed: Printed) -> pl.DataFrame:
    """The run's figures as a frame of schema ``SUMMARY``: means alone, everything else was not printed."""
    best = f"checkpoint_{printed.best}"
    vram_mb = None if printed.vram_gb is None else printed.vram_gb * MB_PER_GB
    resources = {
        "performance.fps": printed.fps,
        "performance.latency_sec": printed.latency_sec,
        "performance.vram_mb": vram_mb,
    }
    rows: list[tuple[str, str, float]] = [
        *((BASELINE, key, float(value)) for key, value in zip(QUALITY, printed.baseline, strict=True)),
        *((best, key, float(value)) for key, value in zip(QUALITY, printed.figures, strict=True)),
        *((best, key, value) for key, value in resources.items() if value is not None),
    ]
    known = pl.DataFrame(rows, schema=["checkpoint", "metric", "mean"], orient="row")
    return known.select(
        pl.col(name) if name in known.columns else pl.lit(None, dtype).alias(name) for name, dtype in SUMMARY.items()
    )


def metadata(run: str, printed: Printed) -> RunMetadata:
    """The run's ``metadata.json``: what the report says of it, and what to keep in mind when reading its figures."""
    notes = [
        *printed.remarks,
        "Printed, rounded figures of one evaluation each: no spread, no counts, no intervals.",
        f"The report prints a composite score of {printed.score} ({printed.score_gain_pct} %) for this checkpoint, "
        f"computed from unrounded figures; from the figures here it is {printed.score_from_rounded}. Its percentages "
        "are of unrounded figures too.",
        "LoRA in the prediction heads and the last 8 transformer layers.",
        "The existing system's FPS counts windows, not frames.",
    ]
    if printed.vram_gb is not None:
        notes.append(f"Memory is printed as {printed.vram_gb} GB and stored as {printed.vram_gb * MB_PER_GB:.0f} MB.")
    return RunMetadata(
        run=run,
        provenance=Provenance.PUBLISHED,
        source="report on LoRA fine-tuning of VGGT for buildings on KITTI-360, key figures and resources",
        protocol=ProtocolInfo(name="compat"),
        dataset=DatasetInfo(name="KITTI-360", max_seqs=printed.max_seqs),
        model=ModelInfo(name="VGGT"),
        checkpoints=[
            CheckpointInfo(name=BASELINE, role=Role.BASELINE),
            CheckpointInfo(name=f"checkpoint_{printed.best}", step=printed.best),
        ],
        notes=notes,
    )


def make(folder: Path) -> None:
    """Write the runs into ``folder``, one store each.

    Raises:
        DataError: the folder cannot be written to.
    """
    for run, printed in RUNS.items():
        write_run(folder / run, metadata(run, printed), summary=summary(printed))


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "published")
