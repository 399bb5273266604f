"""The colours of the synthetic street: a solid texture of many scales, band-limited to the pixel that looks at it.

The texture is a sum of plane waves in space, so that a point has one colour from wherever it is seen; each wave is
damped by the Gaussian of its frequency in the image, so that what a pixel cannot resolve is averaged away instead of
flickering.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.dataset.model import Float64
from engine.dataset.street_scene import GROUND, SKY, Scene, View
from engine.dataset.street_shapes import Part

_WAVES = 20
_LONGEST, _SHORTEST = 9.0, 0.12  # metres
_CONTRAST = 0.026  # amplitude of a wave, of full brightness
_PIXEL_SIGMA = 0.6  # of the Gaussian that a pixel averages with, in pixels
_SUN = np.array([-0.45, -0.55, 0.70])
_AMBIENT = 0.62
_ROAD, _PAVEMENT, _TERRAIN = (0.36, 0.36, 0.38), (0.58, 0.56, 0.53), (0.40, 0.46, 0.28)
_GLASS, _REVEAL = (0.42, 0.46, 0.50), (0.66, 0.64, 0.60)
_SKY_LOW, _SKY_HIGH = np.array([0.82, 0.87, 0.92]), np.array([0.45, 0.62, 0.86])


class Texture:
    """Colours for one scene.

    Args:
        scene: whose things are painted.
        seed: of the waves.
    """

    def __init__(self, scene: Scene, seed: int) -> None:
        random = np.random.default_rng([seed, 7])
        lengths = np.geomspace(_LONGEST, _SHORTEST, _WAVES)
        directions = random.normal(size=(_WAVES, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        self._waves = directions * (2 * np.pi / lengths)[:, None]  # radians per metre
        self._phases = random.uniform(0, 2 * np.pi, size=(len(scene.things) + 2, _WAVES))
        self._tint = random.normal(scale=0.35, size=(_WAVES, 3)) + 1
        self._scene = scene
        self._colours = np.array([thing.colour for thing in scene.things]).reshape(-1, 3)

    def colours(
        self, view: View, origin: Float64, directions: Float64, per_column: Float64, per_row: Float64
    ) -> Float64:
        """The colours that rays see.

        Args:
            view: what they meet, N rays.
            origin: [3], world.
            directions: [N, 3], world.
            per_column: how a direction changes from one pixel to the next in its row, [3].
            per_row: the same in its column, [3].

        Returns:
            RGB in [0, 1], [N, 3].
        """
        colours = np.empty((len(view.t), 3))
        above = view.surface == SKY
        rise = directions[above, 2] / np.linalg.norm(directions[above], axis=1)
        blend = np.clip(rise * 2.5, 0, 1)[:, None]
        colours[above] = _SKY_LOW * (1 - blend) + _SKY_HIGH * blend
        met = np.flatnonzero(~above)
        colours[met] = self._painted(view, met, origin, directions[met], per_column, per_row)
        return np.clip(colours, 0, 1)

    def _painted(
        self,
        view: View,
        met: NDArray[np.intp],
        origin: Float64,
        directions: Float64,
        per_column: Float64,
        per_row: Float64,
    ) -> Float64:
        t, normal = view.t[met, None], view.normal[met]
        start = np.asarray(origin) - np.asarray(self._scene.offset)
        points = start + t * directions
        phase = points @ self._waves.T + self._phases[view.surface[met]]
        # On the tangent plane n.(P - P0) = 0 a step in the image moves the point by t (e - d (n.e) / (n.d)).
        slant = np.einsum("ij,ij->i", normal, directions)[:, None]
        slant = np.where(np.abs(slant) < 1e-9, 1e-9, slant)
        frequency = np.zeros_like(phase)
        for step in (per_column, per_row):
            moved = t * (step - directions * ((normal @ step)[:, None] / slant))
            frequency += (moved @ self._waves.T) ** 2
        waves = np.sin(phase) * np.exp(-0.5 * _PIXEL_SIGMA**2 * frequency)
        shade = _AMBIENT + (1 - _AMBIENT) * np.maximum(normal @ _SUN, 0)
        painted: Float64 = self._base(view, met, points) * shade[:, None] + _CONTRAST * (waves @ self._tint)
        return painted

    def _base(self, view: View, met: NDArray[np.intp], points: Float64) -> Float64:
        surface, part = view.surface[met], view.part[met]
        base = np.empty((len(met), 3))
        ground = surface == GROUND
        across = np.abs(self._scene.track.lateral(points[ground, 0], points[ground, 1]))
        base[ground] = np.select(
            [across[:, None] < self._scene.road, across[:, None] < self._scene.pavement],
            [np.array(_ROAD), np.array(_PAVEMENT)],
            default=np.array(_TERRAIN),
        )
        base[~ground] = self._colours[surface[~ground]]
        base[part == Part.GLASS] = _GLASS
        base[part == Part.REVEAL] = _REVEAL
        return base
