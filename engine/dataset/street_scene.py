"""The synthetic street as a scene: what a ray sees, and how the scene is written to and read from JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.dataset import labels as ids
from engine.dataset.model import Float64
from engine.dataset.street_shapes import SHAPES, Openings, Shape

GROUND = -1  # surface number of the ground
SKY = -2
_GROUND_REACH = 400.0  # metres; beyond, the ground ends and the sky begins


@dataclass(frozen=True, slots=True)
class Track:
    """The middle of the road: y = swing * sin(2 pi x / wavelength + phase), from the scene's origin.

    Attributes:
        swing, wavelength: metres.
        phase: radians.
    """

    swing: float
    wavelength: float
    phase: float

    def y(self, x: Float64) -> Float64:
        """y of the middle at x."""
        return self.swing * np.sin(2 * np.pi * x / self.wavelength + self.phase)

    def heading(self, x: Float64) -> Float64:
        """Direction of the road at x, radians from the x axis."""
        rate = 2 * np.pi / self.wavelength
        return np.arctan(self.swing * rate * np.cos(rate * x + self.phase))

    def lateral(self, x: Float64, y: Float64) -> Float64:
        """How far (x, y) lies to the left of the middle, to first order."""
        return (y - self.y(x)) * np.cos(self.heading(x))


@dataclass(frozen=True, slots=True)
class Thing:
    """One shape in the street.

    Attributes:
        kind: key of :data:`~engine.dataset.street_shapes.SHAPES`.
        shape: the shape itself.
        label: official label id.
        colour: RGB in [0, 1].
    """

    kind: str
    shape: Shape
    label: int
    colour: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class View:
    """What N rays see.

    Attributes:
        t: [N], infinite for the sky.
        normal: unit normals towards the ray's origin side, [N, 3]; zero for the sky.
        label: [N], uint8.
        surface: number of the thing, :data:`GROUND` or :data:`SKY`, [N], int32.
        part: a :class:`~engine.dataset.street_shapes.Part`, [N], int8.
    """

    t: Float64
    normal: Float64
    label: NDArray[np.uint8]
    surface: NDArray[np.int32]
    part: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Scene:
    """A street: a level ground with road, pavements and terrain along a track, and things on it.

    Attributes:
        offset: x, y, z of the scene's origin in the world (real recordings lie kilometres from theirs).
        track: the middle of the road.
        road, pavement: half width of the road, and of road and pavements together.
        things: what stands there.
    """

    offset: tuple[float, float, float]
    track: Track
    road: float
    pavement: float
    things: tuple[Thing, ...]

    def cast(self, origin: Float64, directions: Float64) -> View:
        """What rays see.

        Args:
            origin: in the world, [3].
            directions: [N, 3], of any length; t counts in them.
        """
        start = np.asarray(origin, dtype=np.float64) - np.asarray(self.offset)
        count = len(directions)
        t = np.full(count, np.inf)
        normal = np.zeros((count, 3))
        label = np.full(count, ids.SKY, dtype=np.uint8)
        surface = np.full(count, SKY, dtype=np.int32)
        part = np.zeros(count, dtype=np.int8)

        lengths = np.linalg.norm(directions, axis=1)
        self._ground(start, directions, lengths, t, normal, label, surface)
        unit = directions / lengths[:, None]
        for number, thing in enumerate(self.things):
            rays = _towards(thing.shape, start, unit)
            if not rays.size:
                continue
            hits = thing.shape.meet(start, directions[rays])
            nearer = hits.t < t[rays]
            rays = rays[nearer]
            t[rays] = hits.t[nearer]
            normal[rays] = hits.normal[nearer]
            label[rays] = thing.label
            surface[rays] = number
            part[rays] = hits.part[nearer]
        return View(t, normal, label, surface, part)

    def _ground(
        self,
        start: Float64,
        directions: Float64,
        lengths: Float64,
        t: Float64,
        normal: Float64,
        label: NDArray[np.uint8],
        surface: NDArray[np.int32],
    ) -> None:
        down = np.flatnonzero(directions[:, 2] * _GROUND_REACH < -start[2] * lengths)
        reach = -start[2] / directions[down, 2]
        x = start[0] + reach * directions[down, 0]
        y = start[1] + reach * directions[down, 1]
        across = np.abs(self.track.lateral(x, y))
        t[down] = reach
        normal[down, 2] = 1
        label[down] = np.select(
            [across < self.road, across < self.pavement], [ids.ROAD, ids.SIDEWALK], default=ids.TERRAIN
        )
        surface[down] = GROUND

    def to_json(self) -> dict[str, Any]:
        """Plain data that :meth:`from_json` reads."""
        return {
            "offset": list(self.offset),
            "track": dataclasses.asdict(self.track),
            "road": self.road,
            "pavement": self.pavement,
            "things": [
                {
                    "kind": thing.kind,
                    "label": thing.label,
                    "colour": list(thing.colour),
                    **dataclasses.asdict(thing.shape),
                }
                for thing in self.things
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Scene:
        """The scene that :meth:`to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: the data is something else.
        """
        return cls(
            offset=_triple(data["offset"]),
            track=Track(**data["track"]),
            road=float(data["road"]),
            pavement=float(data["pavement"]),
            things=tuple(_thing(dict(entry)) for entry in data["things"]),
        )


def _thing(entry: dict[str, Any]) -> Thing:
    kind = entry.pop("kind")
    label, colour = int(entry.pop("label")), _triple(entry.pop("colour"))
    openings = entry.pop("openings", None)
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    if openings is not None:
        fields["openings"] = Openings(**openings)
    return Thing(kind, SHAPES[kind](**fields), label, colour)


def _triple(values: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = values
    return float(x), float(y), float(z)


def _towards(shape: Shape, start: Float64, unit: Float64) -> NDArray[np.intp]:
    """The rays that pass through a shape's bounding sphere: few of them, and the only ones that can meet it."""
    centre, radius = shape.bounding_sphere
    offset = np.asarray(centre) - start
    distance = float(np.linalg.norm(offset))
    if distance <= radius:
        return np.arange(len(unit))
    least_cosine = np.sqrt(1 - (radius / distance) ** 2)
    return np.flatnonzero(unit @ offset >= least_cosine * distance)
