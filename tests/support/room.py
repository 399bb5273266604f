"""A small analytic street for tests of scoring: a few endless planes, seen by moving cameras, with exact answers.

Plain float64 NumPy, independent of the code under test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from engine.dataset.model import FramePoints, PreparedWindow, Stratum, Window
from engine.inference.contract import Prediction

ROAD, BUILDING, SKY = 7, 11, 23
REGIONS: Mapping[str, Sequence[int] | None] = {"full": None, "building": (BUILDING,), "non_building": (ROAD, SKY)}
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Wall:
    """``normal @ x = offset`` in the world, with a label."""

    normal: tuple[float, float, float]
    offset: float
    label: int


STREET = (
    Wall((0.0, 1.0, 0.0), 1.5, ROAD),
    Wall((-1.0, 0.0, 0.0), 4.0, BUILDING),
    Wall((0.96, 0.0, 0.28), 7.0, BUILDING),
    Wall((0.0, 0.0, 1.0), 30.0, BUILDING),
)


def pose(x: float = 0.0, y: float = 0.0, z: float = 0.0, yaw: float = 0.0, pitch: float = 0.0) -> Array:
    """Camera to world, [4, 4]; angles in degrees."""
    a, b = np.radians([yaw, pitch])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    found = np.eye(4)
    found[:3, :3] = turn @ nod
    found[:3, 3] = x, y, z
    return found


DRIVE = tuple(pose(x=0.04 * i * i, y=0.02 * i, z=0.8 * i, yaw=1.5 * i, pitch=0.3 * i) for i in range(4))


@dataclass(frozen=True)
class Room:
    """A scene and how it is seen."""

    walls: tuple[Wall, ...] = STREET
    poses: tuple[Array, ...] = DRIVE
    native: tuple[int, int] = (96, 240)
    image: tuple[int, int] = (42, 105)
    focal: float = 110.0
    density: float = 0.6
    seed: int = 0

    @property
    def native_intrinsics(self) -> Array:
        height, width = self.native
        return np.array([[self.focal, 0, (width - 1) / 2 + 1.3], [0, self.focal, (height - 1) / 2 - 0.8], [0, 0, 1.0]])

    @property
    def native_to_image(self) -> Array:
        sy, sx = self.image[0] / self.native[0], self.image[1] / self.native[1]
        return np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2]])

    @property
    def image_intrinsics(self) -> Array:
        full = np.vstack([self.native_to_image, [0, 0, 1]])
        return full @ self.native_intrinsics

    def cast(self, uv: Array, intrinsics: Array, camera_to_world: Array) -> tuple[Array, NDArray[np.int64]]:
        """Depth and number of the wall seen at positions [n, 2]; an endless room, so something is always hit or far."""
        rays = np.column_stack([uv, np.ones(len(uv))]) @ np.linalg.inv(intrinsics).T
        depth = np.full((len(self.walls), len(uv)), np.inf)
        for index, wall in enumerate(self.walls):
            normal = camera_to_world[:3, :3].T @ np.array(wall.normal)
            offset = wall.offset - np.array(wall.normal) @ camera_to_world[:3, 3]
            with np.errstate(divide="ignore"):
                z = offset / (rays @ normal)
            depth[index] = np.where(z > 0, z, np.inf)
        return depth.min(0), depth.argmin(0)

    def normals(self, frame: int) -> Array:
        """Of the walls in a camera's frame, turned towards the camera, [walls, 3]."""
        found = []
        for wall in self.walls:
            normal = self.poses[frame][:3, :3].T @ np.array(wall.normal)
            offset = wall.offset - np.array(wall.normal) @ self.poses[frame][:3, 3]
            found.append(-normal if offset > 0 else normal)
        return np.array(found)

    def colour(self, points: Array) -> Array:
        """A smooth texture of the world, [n, 3]."""
        return np.stack([0.5 + 0.3 * np.sin(points @ np.array(k)) for k in _WAVES], axis=-1)


_WAVES = ((0.5, 0.31, 0.22), (-0.22, 0.43, 0.27), (0.17, -0.36, 0.45))


def grid(size: tuple[int, int]) -> Array:
    """Pixel centres (u, v), row by row."""
    v, u = np.mgrid[: size[0], : size[1]]
    return np.column_stack([u.ravel(), v.ravel()]).astype(np.float64)


def window(room: Room, far: float = 80.0) -> PreparedWindow:
    """The room as a dataset would hand it over; points farther than ``far`` are missing."""
    rng = np.random.default_rng(room.seed)
    images, points, dense = [], [], []
    for camera in room.poses:
        uv = grid(room.image)
        z, _ = room.cast(uv, room.image_intrinsics, camera)
        rays = np.column_stack([uv, np.ones(len(uv))]) @ np.linalg.inv(room.image_intrinsics).T
        world = rays * np.minimum(z, 1e3)[:, None] @ camera[:3, :3].T + camera[:3, 3]
        images.append(room.colour(world).reshape(*room.image, 3).transpose(2, 0, 1))
        dense.append(np.where(np.isfinite(z), z, 0.0).reshape(room.image))
        native = grid(room.native)
        native = native[rng.random(len(native)) < room.density]
        native = native + rng.uniform(-0.4, 0.4, native.shape)
        depth, hit = room.cast(native, room.native_intrinsics, camera)
        kept = depth < far
        labels = np.array([wall.label for wall in room.walls], dtype=np.int16)[hit]
        points.append(FramePoints(native[kept], depth[kept], labels[kept], np.ones(int(kept.sum()), dtype=bool)))
    count = len(room.poses)
    return PreparedWindow(
        window=Window(3, "drive", tuple(range(100, 100 + count)), Stratum.RICH),
        images=np.stack(images).astype(np.float32),
        intrinsics=np.repeat(room.image_intrinsics[None], count, axis=0),
        native_size=room.native,
        native_intrinsics=np.repeat(room.native_intrinsics[None], count, axis=0),
        native_to_image=room.native_to_image,
        camera_to_world=np.stack(room.poses),
        points=tuple(points),
        dense_depth=np.stack(dense).astype(np.float32),
    )


def perfect(prepared: PreparedWindow, unit: float = 1.0) -> Prediction:
    """The prediction that is right, in another unit of length."""
    world_to_camera = np.linalg.inv(prepared.camera_to_world)[:, :3]
    world_to_camera[:, :, 3] *= unit
    assert prepared.dense_depth is not None
    depth = torch.from_numpy(prepared.dense_depth * unit)[None].float()
    return Prediction(
        depth=depth,
        confidence=torch.ones_like(depth),
        world_to_camera=torch.from_numpy(world_to_camera)[None],
        intrinsics=torch.from_numpy(prepared.intrinsics)[None],
    )


def imperfect(prepared: PreparedWindow, seed: int = 0, unit: float = 1.0) -> Prediction:
    """A plausible prediction: depth off by some ten per cent, smooth and rough, poses and intrinsics off a little."""
    rng = np.random.default_rng(seed)
    right = perfect(prepared)
    shape = right.depth.shape
    factor = np.exp(0.1 * rng.standard_normal(shape) + 0.2 * rng.standard_normal((1, shape[1], 1, 1)))
    bend = rng.normal(0, 0.02, (1, shape[1], 3))
    poses = right.world_to_camera.numpy().copy()
    for index in range(shape[1]):
        w = bend[0, index]
        skew = np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])
        u, _, vt = np.linalg.svd(np.eye(3) + skew)
        poses[0, index] = u @ vt @ poses[0, index]
    poses[..., 3] += rng.normal(0, 0.1, poses[..., 3].shape)
    poses[..., 3] *= unit
    return replace(
        right,
        depth=torch.from_numpy(right.depth.numpy() * factor * 0.7 * unit).float(),
        world_to_camera=torch.from_numpy(poses),
        intrinsics=right.intrinsics * torch.tensor([[1.03, 1, 1], [1, 0.98, 1], [1, 1, 1]]),
    )
