"""The sensors of the synthetic street: a pinhole camera and a 64-beam scanner, cast ray by ray into the scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.dataset.model import Float32, Float64
from engine.dataset.street_scene import SKY, Scene, View
from engine.dataset.street_shapes import Part
from engine.dataset.street_texture import Texture

_BEAM_TOP, _BEAM_BOTTOM = np.radians(2.0), np.radians(-24.8)  # of a Velodyne HDL-64E
_SCAN_REACH = (1.5, 120.0)  # metres
_EDGE_SAMPLES = 3  # per axis, in pixels that surfaces share
_CREASE_COSINE = 0.9


@dataclass(frozen=True, eq=False)
class Picture:
    """What a camera sees: depth and labels at pixel centres, colours averaged over pixels.

    Attributes:
        depth: z in the camera frame, [H, W], float64; 0 for the sky.
        normal: unit normals in the camera frame, [H, W, 3]; 0 for the sky.
        label: [H, W], uint8.
        rgb: [H, W, 3], uint8; ``None`` where no colours were asked for.
    """

    depth: Float64
    normal: Float64
    label: NDArray[np.uint8]
    rgb: NDArray[np.uint8] | None = None


def pixel_rays(uv: Float64, intrinsics: Float64, camera_to_world: Float64) -> Float64:
    """World directions of image positions [..., 2], with camera depth 1: t of a hit is its depth. [..., 3]."""
    homogeneous = np.concatenate([uv, np.ones((*uv.shape[:-1], 1))], axis=-1)
    return homogeneous @ (camera_to_world[:3, :3] @ np.linalg.inv(intrinsics)).T


def see(scene: Scene, uv: Float64, intrinsics: Float64, camera_to_world: Float64) -> View:
    """What a camera sees at image positions [N, 2]; ``t`` is the depth, normals are in the world."""
    return scene.cast(camera_to_world[:3, 3], pixel_rays(uv, intrinsics, camera_to_world))


def photograph(
    scene: Scene,
    intrinsics: Float64,
    size: tuple[int, int],
    camera_to_world: Float64,
    texture: Texture | None = None,
) -> Picture:
    """A picture of the scene.

    Args:
        scene: the scene.
        intrinsics: [3, 3], pixel centres at integers.
        size: (height, width).
        camera_to_world: [4, 4].
        texture: gives the colours; ``None`` for a picture without.
    """
    height, width = size
    uv = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 2).astype(np.float64)
    origin = camera_to_world[:3, 3]
    directions = pixel_rays(uv, intrinsics, camera_to_world)
    view = scene.cast(origin, directions)
    rgb = None
    if texture is not None:
        ray = camera_to_world[:3, :3] @ np.linalg.inv(intrinsics)
        per_column, per_row = ray[:, 0], ray[:, 1]
        colours = texture.colours(view, origin, directions, per_column, per_row)
        # Where surfaces share a pixel its colour is their mean; elsewhere the texture itself is band-limited.
        edges = np.flatnonzero(_edges(view, size))
        steps = (np.arange(_EDGE_SAMPLES) + 0.5) / _EDGE_SAMPLES - 0.5
        total = np.zeros((edges.size, 3))
        for right in steps:
            for down in steps:
                shifted = directions[edges] + right * per_column + down * per_row
                seen = scene.cast(origin, shifted)
                total += texture.colours(seen, origin, shifted, per_column, per_row)
        colours[edges] = total / _EDGE_SAMPLES**2
        rgb = np.rint(colours * 255).astype(np.uint8).reshape(height, width, 3)
    return Picture(
        depth=np.where(np.isfinite(view.t), view.t, 0).reshape(size),
        normal=(view.normal @ camera_to_world[:3, :3]).reshape(height, width, 3),
        label=view.label.reshape(size),
        rgb=rgb,
    )


def scan(
    scene: Scene,
    velodyne_to_world: Float64,
    beams: int,
    azimuths: int,
    noise: float = 0.0,
    random: np.random.Generator | None = None,
) -> Float32:
    """One turn of the scanner, taken at one instant.

    Args:
        scene: the scene.
        velodyne_to_world: [4, 4]; the velodyne has x forward, y left, z up.
        beams: how many, spread evenly from 2 degrees up to 24.8 degrees down.
        azimuths: shots of every beam in one turn.
        noise: standard deviation of the range in metres.
        random: where noise comes from; needed with ``noise``.

    Returns:
        Points [N, 4], float32: x, y, z in metres, and an intensity in [0, 1].
    """
    elevation = np.linspace(_BEAM_TOP, _BEAM_BOTTOM, beams)[:, None]
    azimuth = -np.arange(azimuths)[None] * (2 * np.pi / azimuths)  # it turns clockwise
    flat = np.cos(elevation)
    directions = np.stack(
        [flat * np.cos(azimuth), flat * np.sin(azimuth), np.broadcast_to(np.sin(elevation), (beams, azimuths))], axis=-1
    ).reshape(-1, 3)
    view = scene.cast(velodyne_to_world[:3, 3], directions @ velodyne_to_world[:3, :3].T)
    hit = (view.t > _SCAN_REACH[0]) & (view.t < _SCAN_REACH[1])
    reach = view.t[hit]
    if noise and random is not None:
        reach = reach + random.normal(scale=noise, size=reach.size)
    facing = np.abs(np.einsum("ij,ij->i", view.normal[hit] @ velodyne_to_world[:3, :3], directions[hit]))
    points = np.concatenate([directions[hit] * reach[:, None], (0.2 + 0.6 * facing)[:, None]], axis=1)
    return points.astype(np.float32)


def _edges(view: View, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels that differ from one of their four neighbours in surface, part or label, or lie across a crease; flat."""
    code = ((view.surface.astype(np.int64) * len(Part)) + view.part) * 256 + view.label
    code, normal = code.reshape(size), view.normal.reshape(*size, 3)
    different = np.zeros(size, dtype=bool)
    for here, there in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        turned = np.einsum("ijk,ijk->ij", normal[here], normal[there]) < _CREASE_COSINE
        change = (code[here] != code[there]) | (turned & (view.surface.reshape(size)[here] != SKY))
        different[here] |= change
        different[there] |= change
    return different.ravel()
