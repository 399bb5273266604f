"""What the metrics of the existing system cannot tell by construction, and why (protocol, section 7).

Runs imported from it have neither chance nor oracle to be read against. But its formulas are known, and what a perfect
prediction gets from them on a synthetic street has been measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from engine.catalogue import Catalogue, Group
from engine.i18n import mark

COMPAT = "compat"


class Limit(StrEnum):
    """How much a metric can tell."""

    NEAR_CHANCE = "near_chance"  # about the same whatever is predicted
    DISTORTED = "distorted"  # it tells something, but not what its name says


@dataclass(frozen=True, slots=True)
class KnownLimit:
    """A metric's limit.

    Attributes:
        limit: how much it can tell.
        reason: one sentence without a full stop; English, and in the catalogue of the app's texts.
        perfect: what a perfect prediction gets from the existing system on buildings of the synthetic street, in the
            metric's unit; ``None`` where that was not measured.
    """

    limit: Limit
    reason: str
    perfect: float | None = None


_NORMALS = mark(
    "normals are differences of neighbouring pixels of sparse depth, zero-padded; most neighbours are holes, so angles "
    "are 80 to 95 degrees whatever is predicted"
)
_PLANARITY = mark(
    "one plane is laid through all building points of a frame, whatever walls they are on, and those points are "
    "averages of several depths"
)
_PHOTOMETRIC = mark(
    "depth is aligned to metres while the predicted translation keeps the model's own unit, so the two do not fit "
    "together and pixels are compared with the wrong ones"
)
_RELATIVE = mark(
    "relative poses are formed as inv(E_i) E_i+1 of world-to-camera matrices, which depends on the world frame"
)
_DEPTH = mark(
    "the ground truth is wrong: IMU poses stand for camera poses, R_rect is never applied and accumulated points are "
    "averaged instead of the nearest being kept, so 89 % of the building pixels are off by more than 5 %"
)
_SPEED = mark(
    "windows are counted, not frames, data loading is included, and models evaluated in parallel share the clock"
)

# By metric without its region, or by group.
LIMITS: Mapping[str, KnownLimit] = MappingProxyType(
    {
        "normals": KnownLimit(Limit.NEAR_CHANCE, _NORMALS),
        "normals.angular_mean": KnownLimit(Limit.NEAR_CHANCE, _NORMALS, 81.0),
        "planarity": KnownLimit(Limit.NEAR_CHANCE, _PLANARITY),
        "planarity.inlier_ratio": KnownLimit(Limit.NEAR_CHANCE, _PLANARITY, 0.07),
        "photometric": KnownLimit(Limit.NEAR_CHANCE, _PHOTOMETRIC),
        "pose.ate_trans": KnownLimit(
            Limit.NEAR_CHANCE,
            mark(
                "it is the mean distance of world-to-camera translations without any alignment, the true ones in world "
                "coordinates: thousands of metres whatever is predicted"
            ),
            3904.0,
        ),
        "pose.ate_rot_deg": KnownLimit(
            Limit.NEAR_CHANCE,
            mark("rotations are compared without aligning the two worlds: near 177 degrees whatever is predicted"),
        ),
        "pose.rpe_trans": KnownLimit(
            Limit.NEAR_CHANCE,
            mark(
                "translations are unscaled, and relative poses are formed as inv(E_i) E_i+1 of world-to-camera "
                "matrices, which depends on the world frame"
            ),
        ),
        "pose.rpe_rot_deg": KnownLimit(Limit.NEAR_CHANCE, _RELATIVE),
        "depth": KnownLimit(Limit.DISTORTED, _DEPTH),
        "depth.abs_rel": KnownLimit(Limit.DISTORTED, _DEPTH, 1.10),
        "depth.delta1": KnownLimit(Limit.DISTORTED, _DEPTH, 0.41),
        "performance.fps": KnownLimit(Limit.DISTORTED, _SPEED),
        "performance.latency_sec": KnownLimit(Limit.DISTORTED, _SPEED),
        "performance.vram_mb": KnownLimit(
            Limit.DISTORTED, mark("models evaluated in parallel share the counter of the peak memory")
        ),
    }
)


def known_limits(
    keys: Iterable[str], protocol: str | None, *, catalogue: Catalogue | None = None
) -> dict[str, KnownLimit]:
    """The limits of those metrics that have one, by key, in the order given.

    Args:
        keys: metric keys of a run.
        protocol: the protocol that made its numbers; anything but ``compat`` has no limits of this sort.
        catalogue: groups; default the built-in metric table.

    Returns:
        ``perfect`` is given for the building region and metrics without a region alone: the others were not measured.
    """
    if protocol != COMPAT:
        return {}
    table = catalogue or Catalogue()
    found = {}
    for key in keys:
        metric = table.get(key)
        limit = LIMITS.get(f"{metric.group}.{key.rpartition('.')[2]}") or LIMITS.get(metric.group)
        if limit is None or (metric.group is Group.DEPTH and key.endswith(".pixels")):
            continue
        measured = metric.region in ("", "building")
        found[key] = limit if measured else KnownLimit(limit.limit, limit.reason)
    return found
