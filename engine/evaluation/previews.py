"""Small pictures of a few frames: the image, what was predicted there, and the error at the ground-truth points."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.atomic import atomic_write_bytes
from engine.dataset.model import PreparedWindow, Window
from engine.i18n import mark
from engine.results.layout import PANELS_TEXT, PREVIEWS, preview_name
from engine.results.writing import not_written
from engine.text import safe_name

WIDTH = 160
# abs_rel that is drawn in the strongest colour.
WORST = 0.5
# What the panels show, from the top; every picture says it of itself.
PANELS = (
    "image",
    mark("inverse depth of the prediction: near is bright"),
    f"depth error: AbsRel at the points, black 0 to bright {WORST:g} and more",
    mark("normals of the prediction: red right, green up, blue towards the camera"),
)


def preview_windows(windows: tuple[Window, ...]) -> frozenset[int]:
    """The windows that get pictures: the first of every stratum, or the first one."""
    first: dict[str | None, int] = {}
    for window in windows:
        first.setdefault(window.stratum.value if window.stratum else None, window.id)
    return frozenset(first.values())


def write_preview(run: Path, checkpoint: str, prepared: PreparedWindow, depth: NDArray[np.float32]) -> None:
    """Write ``previews/<checkpoint>/w<window>-<frame>.png`` of the window's middle frame: :data:`PANELS`, stacked.

    Args:
        run: the run's folder.
        checkpoint: its name.
        prepared: the window.
        depth: predicted z-depth of all frames at the images' resolution, [S, H, W], any unit; the error is drawn
            after median alignment of this frame.

    Raises:
        DataError: it cannot be written.
    """
    middle = len(prepared.points) // 2
    image = np.clip(prepared.images[middle].transpose(1, 2, 0) * 255, 0, 255).astype(np.uint8)
    height, width = image.shape[:2]
    shown = depth[middle]
    panels = [
        image,
        _inverse_depth(shown),
        _errors(prepared, middle, shown),
        normal_colours(shown, prepared.intrinsics[middle]),
    ]
    small = (WIDTH, max(1, round(height * WIDTH / width)))
    picture = np.vstack([cv2.resize(panel, small, interpolation=cv2.INTER_AREA) for panel in panels])
    info = PngInfo()
    info.add_text(PANELS_TEXT, "\n".join(PANELS))
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG", pnginfo=info)
    folder = run / PREVIEWS / safe_name(checkpoint)
    path = folder / preview_name(prepared.window.id, prepared.window.frames[middle])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write_bytes(path, data.getvalue())
    except OSError as error:
        raise not_written(path, error) from error


def normal_colours(depth: NDArray[np.float32], intrinsics: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The orientation of a predicted surface as colours.

    The normal of a pixel is the cross product of the differences to the points of the pixel below and to the right;
    it does not depend on the unit of depth.

    Args:
        depth: z-depth, [H, W], any unit.
        intrinsics: of the camera, [3, 3].

    Returns:
        RGB, [H, W, 3]: each of the directions right, up and towards the camera from -1 (0) to 1 (255); black where
        depth is not valid, and in the last row and column.
    """
    height, width = depth.shape
    z = np.where(np.isfinite(depth) & (depth > 0), depth, np.nan).astype(np.float64)
    u, v = np.meshgrid(np.arange(width), np.arange(height))
    x = (u - intrinsics[0, 2]) / intrinsics[0, 0] * z
    y = (v - intrinsics[1, 2]) / intrinsics[1, 1] * z
    points = np.stack([x, y, z], axis=-1)
    corner = points[:-1, :-1]
    # Down times right points towards the camera in a frame with x right, y down and z forward.
    normal = np.cross(points[1:, :-1] - corner, points[:-1, 1:] - corner)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    valid = np.isfinite(length[..., 0]) & (length[..., 0] > 0)
    unit = normal[valid] / length[valid] * (1.0, -1.0, -1.0)
    colours = np.zeros((height, width, 3), np.uint8)
    colours[:-1, :-1][valid] = np.clip(np.rint((unit + 1) / 2 * 255), 0, 255)
    return colours


def _inverse_depth(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    inverse = np.where(np.isfinite(depth) & (depth > 0), 1.0 / np.maximum(depth, 1e-6), 0.0)
    low, high = np.percentile(inverse, [2, 98])
    scaled = np.clip((inverse - low) / max(high - low, 1e-12), 0, 1)
    return _coloured((scaled * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)


def _coloured(levels: NDArray[np.uint8], colours: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(cv2.applyColorMap(levels, colours)[..., ::-1], dtype=np.uint8)


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
    coloured = _coloured(np.asarray(cv2.dilate(canvas, kernel), dtype=np.uint8), cv2.COLORMAP_INFERNO)
    coloured[cv2.dilate(seen, kernel) == 0] = 0
    return coloured
