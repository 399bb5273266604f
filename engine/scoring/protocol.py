"""The parameters of protocol ``v1``, in one place; a run's metadata stores them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from engine.geometry.normals import NormalRule
from engine.geometry.planes import PlaneRule


@dataclass(frozen=True, slots=True)
class Protocol:
    """What the definitions leave to numbers.

    Attributes:
        least_depth: metres; aligned depth is clamped to at least this.
        normals: when a neighbourhood of ground-truth points gives a normal.
        planes: how ground-truth building points are split into planes.
        plane_inlier: metres; a predicted point nearer to its true plane is an inlier.
        normal_inliers: degrees, ascending: 11.25, 22.5 and 30.
        photometric_inlier: mean absolute difference of RGB in [0, 1] below which a warped point is an inlier.
        photometric_thresholds: of the inlier curve, ascending and evenly spaced.
        hidden: a warped point is hidden if it is farther than the target view's own depth by more than this share.
        least_motion: metres of ground-truth path below which a window has no translation to compare.
        least_baseline: metres between two frames below which the pair has no direction of translation.
        pair_accuracy: degrees, of RRA and RTA.
        distance_edges: metres, ascending from 0; slices by distance reach from each to before the next, the last one to
            the farthest depth that ground truth has.
    """

    least_depth: float = 1e-3
    normals: NormalRule = field(default_factory=NormalRule)
    planes: PlaneRule = field(default_factory=PlaneRule)
    plane_inlier: float = 0.1
    normal_inliers: tuple[float, float, float] = (11.25, 22.5, 30.0)
    photometric_inlier: float = 0.05
    photometric_thresholds: tuple[float, ...] = tuple(round(0.01 * step, 2) for step in range(1, 21))
    hidden: float = 0.05
    least_motion: float = 0.5
    least_baseline: float = 1e-3
    pair_accuracy: float = 5.0
    distance_edges: tuple[float, ...] = (0.0, 2.0, 5.0, 10.0, 20.0, 40.0)


V1 = Protocol()


def distance_names() -> tuple[str, ...]:
    """The names of the slices by distance, nearest first: ``0-2 m`` and so on, ``40+ m`` the last."""
    *edges, last = V1.distance_edges
    between = zip(edges, V1.distance_edges[1:], strict=True)
    return (*(f"{low:g}-{high:g} m" for low, high in between), f"{last:g}+ m")


def parameters() -> dict[str, Any]:
    """Every parameter of ``v1`` as plain JSON values."""
    return asdict(V1)
