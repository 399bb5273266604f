"""What the self-test demands of a perfect prediction: a limit for every metric, with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.catalogue import Direction, Group, Metric

# The worst mean that the oracle may have on the synthetic street, where its depth is rendered at the model's resolution
# while the truth comes from scans: at edges bilinear samples mix two surfaces, and that is all it may miss.
RENDERED: Mapping[str, float] = MappingProxyType(
    {
        "depth.abs_rel": 0.005,
        "depth.delta1": 0.99,
        "depth.delta2": 0.99,
        "depth.delta3": 0.99,
        # One point that falls on the wrong side of an edge can be tens of metres off.
        "depth.mae": 0.1,
        "depth.rmse": 1.5,
        "depth.rmse_log": 0.05,
        "depth.si_log": 0.05,
        "depth.sq_rel": 0.1,
        "depth.log10": 0.002,
        "normals.angular_mean": 2.0,
        "normals.angular_median": 0.5,
        "normals.inlier_11_25": 0.98,
        "normals.inlier_22_5": 0.98,
        "normals.inlier_30": 0.98,
        "planarity.inlier_ratio": 0.97,
        "planarity.residual_mean": 0.05,
        "planarity.residual_median": 0.02,
        "planarity.self_residual": 0.05,
        "photometric.error": 0.02,
        "photometric.inlier_ratio": 0.97,
        "photometric.inlier_auc": 0.97,
        "pose.ate_trans": 1e-4,
        # The centres of a straight drive say little of the rotation about it: a tenth of a millimetre turns it.
        "pose.ate_rot_deg": 0.1,
        "pose.rpe_trans": 1e-4,
        "pose.rpe_rot_deg": 0.01,
        "pose.rra5": 0.999,
        "pose.rta5": 0.999,
        "pose.auc30": 0.999,
    }
)
# Without rendered depth the oracle is the truth itself: what it says of depth, normals and poses is exact by
# construction. The residuals of planes are those of the points themselves, which may lie 5 cm from their plane. How
# well views agree is the ceiling of the data, which no limit knows.
EXACT: Mapping[str, float] = MappingProxyType(
    {
        **{name: limit for name, limit in RENDERED.items() if not name.startswith(f"{Group.PHOTOMETRIC}.")},
        # Metres, of whatever size the place has.
        "depth.mae": 0.001,
        "depth.rmse": 0.001,
        "depth.sq_rel": 0.001,
        "planarity.residual_median": 0.05,
    }
)
# What chance may be as good at as the truth, whatever is measured: a constant depth is perfectly flat, and within a
# window a car seldom turns by the 5 degrees that the accuracy of rotations allows.
CHANCE_MAY_BE_GOOD = frozenset({"planarity.self_residual", "pose.rra5"})
# Chance is clearly worse where its error is at least so many times the error that the oracle may have.
CLEARLY = 2.0
# A scaled oracle may differ by rounding: at most by this share of the error that the oracle may have.
SCALED_SHARE = 0.1


def name_of(metric: Metric) -> str:
    """A metric's name without its region: the key of the tables here."""
    return f"{metric.group}.{metric.key.rsplit('.', 1)[-1]}"


def error_of(value: float, metric: Metric) -> float:
    """How far a value is from perfect: itself where less is better, what it lacks to 1 where more is."""
    return 1.0 - value if metric.direction is Direction.HIGHER else value


def judged_share(metric: Metric) -> float | None:
    """The error that the oracle may have on the street; ``None`` for a metric without a direction."""
    limit = RENDERED.get(name_of(metric))
    return None if limit is None else error_of(limit, metric)
