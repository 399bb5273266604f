"""The shapes of the synthetic street, and where rays meet them: closed formulas, vectorised over rays.

The world has z up, metres. A ray is ``origin + t * direction`` with a direction of any length; a hit has t > 0. Every
function takes one origin [3] and directions [N, 3], and returns :class:`Hits`; t is infinite where the ray misses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.dataset.model import Float64


class Part(IntEnum):
    """Which part of a shape a ray meets; they differ in colour."""

    BODY = 0
    GLASS = 1
    REVEAL = 2


@dataclass(frozen=True, eq=False)
class Hits:
    """Where N rays meet one shape.

    Attributes:
        t: [N]; infinite where a ray misses.
        normal: outward unit normal in the world, [N, 3]; anything where a ray misses.
        part: a :class:`Part`, [N], int8.
    """

    t: Float64
    normal: Float64
    part: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Openings:
    """Windows in the walls of a box: a grid of rectangles, recessed by ``depth``.

    Attributes:
        pitch: from one window's centre to the next along the wall.
        storey: from one row's centre to the next.
        width, height: of a window.
        sill: from the floor of a storey to the window's lower edge.
        depth: how far the glass lies behind the wall.
    """

    pitch: float
    storey: float
    width: float
    height: float
    sill: float
    depth: float


@dataclass(frozen=True, slots=True)
class Box:
    """A box on a level floor, turned about the vertical.

    Attributes:
        centre: x, y, z of its middle.
        half: half its length, width and height.
        yaw: radians, from the x axis to its length.
        openings: windows in its four walls, or none.
    """

    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    yaw: float
    openings: Openings | None = None

    @property
    def bounding_sphere(self) -> tuple[tuple[float, float, float], float]:
        """A centre and a radius that hold all of it."""
        return self.centre, float(np.linalg.norm(self.half))

    def meet(self, origin: Float64, directions: Float64) -> Hits:
        """Where rays from outside meet the box (slab method), windows included."""
        turn = _turn(self.yaw)
        start = (origin - np.asarray(self.centre)) @ turn
        along = directions @ turn
        half = np.asarray(self.half)
        with np.errstate(divide="ignore", invalid="ignore"):
            first, second = (-half - start) / along, (half - start) / along
        # 0 / 0: a ray within the plane of a side, which neither enters nor leaves through it.
        enter = np.nan_to_num(np.minimum(first, second), nan=-np.inf, neginf=-np.inf, posinf=np.inf)
        leave = np.nan_to_num(np.maximum(first, second), nan=np.inf, neginf=-np.inf, posinf=np.inf)
        axis = enter.argmax(axis=1)
        t = enter.max(axis=1)
        t[(t > leave.min(axis=1)) | (t <= 0)] = np.inf
        rows = np.arange(len(t))
        normal = np.zeros_like(along)
        normal[rows, axis] = -np.sign(along[rows, axis])
        part = np.zeros(len(t), dtype=np.int8)
        if self.openings is not None:
            self._recess(self.openings, start, along, axis, t, normal, part)
        return Hits(t, normal @ turn.T, part)

    def _recess(
        self,
        openings: Openings,
        start: Float64,
        along: Float64,
        axis: NDArray[np.intp],
        t: Float64,
        normal: Float64,
        part: NDArray[np.int8],
    ) -> None:
        """Move the hits that fall into windows on to the glass or the reveal, in place (all in the box's own frame)."""
        for wall in (0, 1):
            side = 1 - wall
            rows = np.flatnonzero(np.isfinite(t) & (axis == wall))
            point = start + t[rows, None] * along[rows]
            across, hit_column = _cell(point[:, side], self.half[side], openings.pitch)
            columns = int(2 * self.half[side] / openings.pitch)
            height = point[:, 2] + self.half[2]
            row = np.floor(height / openings.storey)
            up = height - row * openings.storey - openings.sill - openings.height / 2
            inside = (
                (np.abs(across) < openings.width / 2)
                & (np.abs(up) < openings.height / 2)
                & (hit_column >= 0)
                & (hit_column < columns)
                & (row < int(2 * self.half[2] / openings.storey))
            )
            rows, across, up = rows[inside], across[inside], up[inside]
            # Behind the opening the ray goes on in a small box until it meets the glass or one of the four reveals.
            side_speed, up_speed, in_speed = along[rows, side], along[rows, 2], np.abs(along[rows, wall])
            with np.errstate(divide="ignore"):
                ways = np.stack(
                    [
                        (openings.width / 2 - np.sign(side_speed) * across) / np.abs(side_speed),
                        (openings.height / 2 - np.sign(up_speed) * up) / np.abs(up_speed),
                        openings.depth / in_speed,
                    ],
                    axis=1,
                )
            which = ways.argmin(axis=1)
            t[rows] += ways.min(axis=1)
            part[rows] = np.where(which == 2, Part.GLASS, Part.REVEAL)
            for surface, component, speed in ((0, side, side_speed), (1, 2, up_speed)):
                on = which == surface
                normal[rows[on]] = 0
                normal[rows[on], component] = -np.sign(speed[on])


@dataclass(frozen=True, slots=True)
class Cylinder:
    """The mantle of an upright cylinder (a trunk, a pole); it is higher than any sensor, so it has no lid.

    Attributes:
        foot: x, y of its axis.
        radius: metres.
        bottom, top: z of its ends.
    """

    foot: tuple[float, float]
    radius: float
    bottom: float
    top: float

    @property
    def bounding_sphere(self) -> tuple[tuple[float, float, float], float]:
        """A centre and a radius that hold all of it."""
        middle = (self.bottom + self.top) / 2
        return (*self.foot, middle), float(np.hypot(self.radius, (self.top - self.bottom) / 2))

    def meet(self, origin: Float64, directions: Float64) -> Hits:
        """Where rays from outside meet the mantle: the nearer root of a quadratic in the plane."""
        start = origin[:2] - np.asarray(self.foot)
        along = directions[:, :2]
        t = _nearer_root((along**2).sum(axis=1), along @ start, float(start @ start) - self.radius**2)
        height = origin[2] + np.where(np.isfinite(t), t, 0) * directions[:, 2]
        t[(height < self.bottom) | (height > self.top)] = np.inf
        normal = np.zeros_like(directions)
        met = np.isfinite(t)
        normal[met, :2] = (start + t[met, None] * along[met]) / self.radius
        return Hits(t, normal, np.zeros(len(t), dtype=np.int8))


@dataclass(frozen=True, slots=True)
class Sphere:
    """A ball (the crown of a tree).

    Attributes:
        centre: x, y, z.
        radius: metres.
    """

    centre: tuple[float, float, float]
    radius: float

    @property
    def bounding_sphere(self) -> tuple[tuple[float, float, float], float]:
        """Itself."""
        return self.centre, self.radius

    def meet(self, origin: Float64, directions: Float64) -> Hits:
        """Where rays from outside meet the ball."""
        start = origin - np.asarray(self.centre)
        t = _nearer_root((directions**2).sum(axis=1), directions @ start, float(start @ start) - self.radius**2)
        normal = np.zeros_like(directions)
        met = np.isfinite(t)
        normal[met] = (start + t[met, None] * directions[met]) / self.radius
        return Hits(t, normal, np.zeros(len(t), dtype=np.int8))


Shape = Box | Cylinder | Sphere
SHAPES: dict[str, Callable[..., Shape]] = {"box": Box, "cylinder": Cylinder, "sphere": Sphere}


def _nearer_root(a: Float64, b: Float64, c: float) -> Float64:
    """The smaller root of a t^2 + 2 b t + c where it is positive, else infinity."""
    with np.errstate(divide="ignore", invalid="ignore"):
        discriminant = b * b - a * c
        t = (-b - np.sqrt(discriminant)) / a
    t[~((discriminant > 0) & (t > 0))] = np.inf
    return t


def _cell(position: Float64, half: float, pitch: float) -> tuple[Float64, Float64]:
    """In a row of cells centred on a wall: how far from the middle of its cell a position is, and the cell's number."""
    margin = (2 * half - int(2 * half / pitch) * pitch) / 2
    offset = position + half - margin
    number = np.floor(offset / pitch)
    return offset - number * pitch - pitch / 2, number


def _turn(yaw: float) -> Float64:
    """Rotation about z, [3, 3]: columns are the turned axes, so ``points @ turn`` gives turned coordinates."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
