"""Small pictures of a few frames: the image, the predicted inverse depth, and the error at the ground-truth points."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.atomic import atomic_write_bytes
from engine.dataset.model import PreparedWindow, Window
from engine.text import safe_name

WIDTH = 160
# abs_rel that is drawn in the strongest colour.
WORST = 0.5
FOLDER = "previews"


def preview_windows(windows: tuple[Window, ...]) -> frozenset[int]:
    """The windows that get pictures: the first of every stratum, or the first one."""
    first: dict[str | None, int] = {}
    for window in windows:
        first.setdefault(window.stratum.value if window.stratum else None, window.id)
    return frozenset(first.values())


def write_preview(run: Path, checkpoint: str, prepared: PreparedWindow, depth: NDArray[np.float32]) -> None:
    """Write ``previews/<checkpoint>/w<window>-<frame>.png`` of the window's middle frame.

    Args:
        run: the run's folder.
        checkpoint: its name.
        prepared: the window.
        depth: predicted z-depth of all frames at the images' resolution, [S, H, W], any unit; the error is drawn
            after median alignment of this frame.
    """
    middle = len(prepared.points) // 2
    image = np.clip(prepared.images[middle].transpose(1, 2, 0)[..., ::-1] * 255, 0, 255).astype(np.uint8)
    height, width = image.shape[:2]
    panels = [image, _inverse_depth(depth[middle]), _errors(prepared, middle, depth[middle])]
    small = (WIDTH, max(1, round(height * WIDTH / width)))
    picture = np.vstack([cv2.resize(panel, small, interpolation=cv2.INTER_AREA) for panel in panels])
    done, data = cv2.imencode(".png", picture)
    if done:
        folder = run / FOLDER / safe_name(checkpoint)
        folder.mkdir(parents=True, exist_ok=True)
        frame = prepared.window.frames[middle]
        atomic_write_bytes(folder / f"w{prepared.window.id}-{frame}.png", data.tobytes())


def _inverse_depth(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    inverse = np.where(np.isfinite(depth) & (depth > 0), 1.0 / np.maximum(depth, 1e-6), 0.0)
    low, high = np.percentile(inverse, [2, 98])
    scaled = np.clip((inverse - low) / max(high - low, 1e-12), 0, 1)
    return np.asarray(cv2.applyColorMap((scaled * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS), dtype=np.uint8)


def _errors(prepared: PreparedWindow, frame: int, depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """abs_rel at the points, each drawn as a dot on a dark ground."""
    height, width = depth.shape
    canvas = np.zeros((height, width), np.uint8)
    seen = np.zeros((height, width), np.uint8)
    points = prepared.points[frame]
    matrix = prepared.native_to_image
    at = np.rint(points.uv @ matrix[:, :2].T + matrix[:, 2]).astype(int)
    inside = (at[:, 0] >= 0) & (at[:, 0] < width) & (at[:, 1] >= 0) & (at[:, 1] < height) & points.usable
    columns, rows, truth = at[inside, 0], at[inside, 1], points.depth[inside]
    predicted = depth[rows, columns]
    valid = np.isfinite(predicted) & (predicted > 0)
    if valid.any():
        scale = np.median(truth[valid]) / np.median(predicted[valid])
        error = np.abs(predicted * scale - truth) / truth
        canvas[rows, columns] = np.clip(np.nan_to_num(error, nan=WORST) / WORST * 255, 0, 255).astype(np.uint8)
        seen[rows, columns] = 1
    kernel = np.ones((3, 3), np.uint8)
    coloured = np.asarray(cv2.applyColorMap(cv2.dilate(canvas, kernel), cv2.COLORMAP_INFERNO), dtype=np.uint8)
    coloured[cv2.dilate(seen, kernel) == 0] = 0
    return coloured
