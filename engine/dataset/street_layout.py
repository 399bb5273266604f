"""Building a synthetic street from a seed: what stands where, and how the vehicle drives through it."""

from __future__ import annotations

import numpy as np

from engine.dataset import labels as ids
from engine.dataset.model import Float64
from engine.dataset.street_scene import Scene, Thing, Track
from engine.dataset.street_shapes import Box, Cylinder, Openings, Sphere

ROAD_HALF = 3.6
PAVEMENT_HALF = 6.2
IMU_HEIGHT = 0.93
_SECTION = 44.0  # metres of street of one character
_BEFORE, _BEYOND = 25.0, 110.0  # how far the street goes on before the first and after the last frame
_FACADE_TURNS = np.radians([0.0, 0.0, 10.0, -12.0, 24.0, -28.0])
_WALLS = ((0.74, 0.66, 0.54), (0.62, 0.40, 0.32), (0.70, 0.70, 0.68), (0.80, 0.74, 0.60), (0.55, 0.58, 0.62))
_CARS = ((0.65, 0.12, 0.12), (0.15, 0.25, 0.55), (0.85, 0.85, 0.85), (0.20, 0.20, 0.22))
_SIDES = (-1, 1)


def build_scene(seed: int, drive: int, length: float) -> Scene:
    """A street for one drive.

    Sections of dense building on both sides, of building on one side, and of trees alone follow each other from a
    random start, so that windows of every stratum come about.

    Args:
        seed: of the whole street.
        drive: number of the drive; streets of one seed differ.
        length: metres that the vehicle drives.
    """
    random = np.random.default_rng([seed, drive])
    track = Track(
        swing=float(random.uniform(2.0, 4.5)),
        wavelength=float(random.uniform(90, 140)),
        phase=float(random.uniform(0, 2 * np.pi)),
    )
    things: list[Thing] = []
    first = int(random.integers(3))
    for number, start in enumerate(np.arange(-_BEFORE, length + _BEYOND, _SECTION)):
        character = (first + number) % 3
        for side in _SIDES:
            built = character == 0 or (character == 1 and side == _SIDES[(first + number) // 3 % 2])
            if built:
                _houses(things, random, track, float(start), side)
            _greenery(things, random, track, float(start), side, 1 if built else 3)
            _street_furniture(things, random, track, float(start), side)
    offset = random.uniform(-1, 1, size=2) * 2000
    return Scene(
        offset=(round(float(offset[0]), 3), round(float(offset[1]), 3), 100.0),
        track=track,
        road=ROAD_HALF,
        pavement=PAVEMENT_HALF,
        things=tuple(things),
    )


def drive_poses(scene: Scene, seed: int, drive: int, frames: int, step: float) -> Float64:
    """IMU to world of every frame, [frames, 4, 4]: along the track, turning with it, rolling and pitching a little.

    The IMU's axes are those of KITTI-360: x forward, y right, z down.
    """
    random = np.random.default_rng([seed, drive, 1])
    roll_phase, pitch_phase, sway_phase = random.uniform(0, 2 * np.pi, 3)
    number = np.arange(frames)
    x = (number * step).astype(np.float64)
    yaw = scene.track.heading(x)
    roll = np.radians(0.6) * np.sin(0.31 * number + roll_phase)
    pitch = np.radians(0.5) * np.sin(0.23 * number + pitch_phase)
    sway = 0.25 * np.sin(0.17 * number + sway_phase)
    height = IMU_HEIGHT + 0.02 * np.sin(0.5 * number + pitch_phase)
    poses = np.tile(np.eye(4), (frames, 1, 1))
    for index in range(frames):
        level = _about_z(yaw[index]) @ np.diag([1.0, -1.0, -1.0])
        poses[index, :3, :3] = level @ _about_y(pitch[index]) @ _about_x(roll[index])
    poses[:, 0, 3] = x - sway * np.sin(yaw)
    poses[:, 1, 3] = scene.track.y(x) + sway * np.cos(yaw)
    poses[:, 2, 3] = height
    poses[:, :3, 3] += scene.offset
    return poses


def _houses(things: list[Thing], random: np.random.Generator, track: Track, start: float, side: int) -> None:
    position = start
    while position < start + _SECTION:
        length, depth, height = random.uniform(9, 16), random.uniform(7, 10), random.uniform(7, 14)
        turn = float(random.choice(_FACADE_TURNS))
        x = position + length / 2
        yaw = float(track.heading(np.array(x, dtype=np.float64))) + turn
        half = (float(length / 2), float(depth / 2), float(height / 2))
        # Pushed outwards until the nearest corner stands behind the pavement.
        reach = half[0] * abs(np.sin(turn)) + half[1] * np.cos(turn)
        centre_x, centre_y = _beside(track, x, side * (PAVEMENT_HALF + random.uniform(0.6, 2.0) + reach))
        openings = Openings(
            pitch=float(random.uniform(2.4, 3.4)),
            storey=float(random.uniform(2.9, 3.4)),
            width=float(random.uniform(1.0, 1.5)),
            height=float(random.uniform(1.2, 1.7)),
            sill=0.9,
            depth=float(random.uniform(0.15, 0.45)),
        )
        colour = _WALLS[int(random.integers(len(_WALLS)))]
        box = Box((centre_x, centre_y, half[2]), half, yaw, openings)
        things.append(Thing("box", box, ids.BUILDING, colour))
        position += length + random.uniform(0, 4)


def _greenery(
    things: list[Thing], random: np.random.Generator, track: Track, start: float, side: int, trees: int
) -> None:
    for place in start + (np.arange(trees) + random.uniform(0.2, 0.8, trees)) * _SECTION / trees:
        x, y = _beside(track, float(place), side * random.uniform(5.0, 5.8))
        trunk, crown = float(random.uniform(2.6, 3.4)), float(random.uniform(1.3, 1.8))
        green = (0.25 + float(random.uniform(0, 0.1)), 0.42, 0.20)
        radius = float(random.uniform(0.14, 0.24))
        things.append(Thing("cylinder", Cylinder((x, y), radius, 0.0, trunk), ids.VEGETATION, (0.38, 0.30, 0.22)))
        things.append(Thing("sphere", Sphere((x, y, trunk + 0.7 * crown), crown), ids.VEGETATION, green))


def _street_furniture(things: list[Thing], random: np.random.Generator, track: Track, start: float, side: int) -> None:
    x, y = _beside(track, start + random.uniform(2, _SECTION - 2), side * random.uniform(4.2, 4.8))
    things.append(Thing("cylinder", Cylinder((x, y), 0.09, 0.0, 5.5), ids.POLE, (0.45, 0.46, 0.48)))
    if random.random() < 0.7:
        place = start + float(random.uniform(4, _SECTION - 4))
        x, y = _beside(track, place, side * random.uniform(3.1, 3.5))
        yaw = float(track.heading(np.array(place, dtype=np.float64)))
        colour = _CARS[int(random.integers(len(_CARS)))]
        things.append(Thing("box", Box((x, y, 0.55), (2.1, 0.88, 0.4), yaw), ids.CAR, colour))
        things.append(Thing("box", Box((x, y, 1.2), (1.1, 0.78, 0.28), yaw), ids.CAR, colour))
    if random.random() < 0.5:
        x, y = _beside(track, start + random.uniform(2, _SECTION - 2), side * random.uniform(5.4, 5.9))
        things.append(Thing("box", Box((x, y, 0.55), (0.3, 0.35, 0.55), 0.3), ids.TRASH_BIN, (0.30, 0.34, 0.30)))


def _beside(track: Track, x: float, lateral: float) -> tuple[float, float]:
    """The point at ``lateral`` to the left of the track at x."""
    heading = float(track.heading(np.array(x, dtype=np.float64)))
    return x - lateral * np.sin(heading), float(track.y(np.array(x, dtype=np.float64))) + lateral * np.cos(heading)


def _about_x(angle: float) -> Float64:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0, 0], [0, cos, -sin], [0, sin, cos]])


def _about_y(angle: float) -> Float64:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0, sin], [0, 1.0, 0], [-sin, 0, cos]])


def _about_z(angle: float) -> Float64:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
