"""A native run with per-frame rows, windows, curves and pictures, from formulas that a test can follow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import polars as pl
from PIL import Image

from engine.results.layout import PREVIEWS, preview_name
from engine.results.writer import write_run
from engine.schema import CheckpointInfo, RunMetadata
from support.store import curves, frame_row, frames, metadata, windows

ALIGNS = ("none", "scale", "median", "scale_shift")
DRIVES = ("2013_05_28_drive_0003_sync", "2013_05_28_drive_0004_sync")
STRATA = ("rich", "mixed")
CHECKPOINTS = ("baseline", "checkpoint_1", "checkpoint_2")
FRAMES_PER_WINDOW = 4
WINDOWS = 4
THRESHOLDS = tuple(round(0.01 * step, 2) for step in range(1, 21))


def abs_rel(checkpoint: str, window: int, frame: int) -> float:
    """The depth error of a frame: it grows along a drive, and checkpoint_2 gains in window 0 and loses in window 3."""
    error = 0.2 + 0.01 * window + 0.02 * (frame % FRAMES_PER_WINDOW)
    shift = {"baseline": 0.0, "checkpoint_1": -0.05, "checkpoint_2": -0.1 + 0.05 * window}[checkpoint]
    return round(error + shift, 6)


def frames_of(window: int) -> list[int]:
    """The frame numbers of a window."""
    return [10 + FRAMES_PER_WINDOW * window + offset for offset in range(FRAMES_PER_WINDOW)]


def drive_of(window: int) -> str:
    """Two windows in each drive."""
    return DRIVES[window // 2]


def frame_rows(checkpoints: Sequence[str] = CHECKPOINTS) -> pl.DataFrame:
    """Per-frame rows of regions building and full under all alignments, and a pose row per window."""
    rows = []
    for checkpoint in checkpoints:
        for window in range(WINDOWS):
            place = {"window": window, "drive": drive_of(window)}
            for frame in frames_of(window):
                error = abs_rel(checkpoint, window, frame)
                rows += [
                    frame_row(
                        checkpoint,
                        frame,
                        **place,
                        region=region,
                        align=align,
                        pixels=100 + frame,
                        degenerate=align == "scale_shift" and window == 3,
                        depth__abs_rel=error + 0.1 * ALIGNS.index(align) + (0.5 if region == "full" else 0.0),
                        depth__delta1=1.0 - error,
                        depth__rmse=10.0 * error,
                        photometric__inlier_ratio=0.5 - error / 10,
                        normals__inlier_30=0.3,
                    )
                    for region in ("building", "full")
                    for align in ALIGNS
                ]
            rows.append(
                frame_row(checkpoint, None, **place, align=None, pose__ate_trans=1.0 + window - len(checkpoint) / 100)
            )
    return frames(rows)


def write_picture(
    run: Path, checkpoint: str, window: int, frame: int, *, titles: Sequence[str] = (), bars: int = 1
) -> Path:
    """A picture of panels, 160 x 40 pixels each: grey, red, green and blue, in bars that get brighter."""
    from PIL.PngImagePlugin import PngInfo

    colours = ((128, 128, 128), (255, 0, 0), (0, 255, 0), (0, 0, 255))
    count = len(titles) or 3
    picture = Image.new("RGB", (160, 40 * count))
    for index in range(count):
        for bar in range(bars):
            red, green, blue = (value * (bar + 1) // bars for value in colours[index])
            picture.paste((red, green, blue), (160 * bar // bars, 40 * index, 160, 40 * index + 40))
    info = PngInfo()
    if titles:
        info.add_text("panels", "\n".join(titles))
    path = run / PREVIEWS / checkpoint / preview_name(window, frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, pnginfo=info)
    return path


def run_metadata(checkpoints: Sequence[str] = CHECKPOINTS) -> RunMetadata:
    """Metadata that names roles; oracle and chance have theirs."""
    described = metadata(*checkpoints)
    extra = [CheckpointInfo.model_validate({"name": name, "role": name}) for name in ("oracle", "chance")]
    return described.model_copy(update={"run": "native", "checkpoints": [*described.checkpoints, *extra]})


def write_native_run(folder: Path, *, status: Literal["done", "running"] = "done") -> Path:
    """The whole run; pictures of window 0, frame 12, of all checkpoints, and of window 2, frame 20, of checkpoint_2."""
    parts = [(name, "photometric_inlier", "building") for name in (*CHECKPOINTS, "oracle", "chance")]
    write_run(
        folder,
        run_metadata().model_copy(update={"status": status}),
        frames=frame_rows(),
        windows=windows(*((w, drive_of(w), frames_of(w), STRATA[w % 2]) for w in range(WINDOWS))),
        curves=curves(
            *((*part, x, min(1.0, x * (4 + index)), 12) for index, part in enumerate(parts) for x in THRESHOLDS)
        ),
    )
    for name in CHECKPOINTS:
        write_picture(folder, name, 0, 12, bars=4)
    write_picture(folder, "checkpoint_2", 2, 20, titles=("image", "inverse depth", "depth error", "normals"), bars=8)
    return folder
