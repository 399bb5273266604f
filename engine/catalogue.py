"""The metric table: every metric's key, label, group, unit, direction, digits and bounds, in one place.

Keys are dotted: ``depth.building.abs_rel`` (group, region, name), ``pose.ate_trans`` (group, name) and ``score``. A
region is ``full``, ``building``, ``non_building`` or any label class. Metrics that are not in the table are kept and
shown; they have no direction until ``lorascope.toml`` gives them one.

The definitions themselves (formulas, units) are those of the evaluation protocol; this module holds no formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.errors import UnknownNameError
from engine.i18n import mark
from engine.metric import REGIONS as REGIONS
from engine.metric import Direction as Direction
from engine.metric import Group as Group
from engine.metric import Metric as Metric
from engine.metric import region_shown as region_shown

SCORE_KEY = "score"


@dataclass(frozen=True, slots=True)
class _Entry:
    label: str
    unit: str
    direction: Direction
    digits: int
    bounds: tuple[float | None, float | None]
    description: str


_UP, _DOWN, _FREE = Direction.HIGHER, Direction.LOWER, Direction.NONE
_UNIT = (0.0, 1.0)
_POSITIVE = (0.0, None)
_ANGLE = (0.0, 180.0)
_ANY = (None, None)

# Groups whose keys carry a region between group and name.
_REGIONAL: dict[Group, dict[str, _Entry]] = {
    Group.DEPTH: {
        "abs_rel": _Entry("AbsRel", "", _DOWN, 4, _POSITIVE, "Mean of |p - g| / g."),
        "delta1": _Entry("δ<1.25", "", _UP, 4, _UNIT, "Share of points with max(p/g, g/p) < 1.25."),
        "delta2": _Entry("δ<1.25²", "", _UP, 4, _UNIT, "Share of points with max(p/g, g/p) < 1.25 squared."),
        "delta3": _Entry("δ<1.25³", "", _UP, 4, _UNIT, "Share of points with max(p/g, g/p) < 1.25 cubed."),
        "mae": _Entry("MAE", "m", _DOWN, 3, _POSITIVE, "Mean absolute depth error."),
        "rmse": _Entry("RMSE", "m", _DOWN, 3, _POSITIVE, "Root mean squared depth error."),
        "rmse_log": _Entry("RMSE log", "", _DOWN, 4, _POSITIVE, "Root mean squared error of log depth."),
        "si_log": _Entry("SILog", "", _DOWN, 4, _POSITIVE, "Scale-invariant error of log depth."),
        "sq_rel": _Entry("SqRel", "m", _DOWN, 3, _POSITIVE, "Mean of (p - g) squared / g."),
        "log10": _Entry("log10", "", _DOWN, 4, _POSITIVE, "Mean absolute error of log10 depth."),
        "pixels": _Entry(mark("pixels"), "", _FREE, 0, _POSITIVE, "Ground-truth points that count, per frame."),
    },
    Group.SCALE: {
        "log_ratio": _Entry(
            mark("log scale"), "", _FREE, 4, _ANY, "log(median g / median p) before alignment: 0 is a metric model."
        ),
    },
    Group.NORMALS: {
        "angular_mean": _Entry(mark("normal mean"), "°", _DOWN, 2, _ANGLE, "Mean angle between normals."),
        "angular_median": _Entry(mark("normal median"), "°", _DOWN, 2, _ANGLE, "Median angle between normals."),
        "inlier_11_25": _Entry(mark("normal <11.25°"), "", _UP, 4, _UNIT, "Share of normals within 11.25 degrees."),
        "inlier_22_5": _Entry(mark("normal <22.5°"), "", _UP, 4, _UNIT, "Share of normals within 22.5 degrees."),
        "inlier_30": _Entry(mark("normal <30°"), "", _UP, 4, _UNIT, "Share of normals within 30 degrees."),
        "coverage": _Entry(mark("normal coverage"), "", _FREE, 4, _UNIT, "Share of points with a ground-truth normal."),
    },
    Group.PLANARITY: {
        "inlier_ratio": _Entry(
            mark("plane inlier"), "", _UP, 4, _UNIT, "Predicted points within 0.1 m of their true plane."
        ),
        "residual_mean": _Entry(mark("plane mean"), "m", _DOWN, 4, _POSITIVE, "Mean distance to the true plane."),
        "residual_median": _Entry(mark("plane median"), "m", _DOWN, 4, _POSITIVE, "Median distance to the true plane."),
        "self_residual": _Entry(
            mark("plane self"), "m", _DOWN, 4, _POSITIVE, "Distance to the predicted points' own plane."
        ),
    },
    Group.PHOTOMETRIC: {
        "error": _Entry(mark("photo error"), "", _DOWN, 4, _UNIT, "Mean absolute RGB difference after warping."),
        "inlier_ratio": _Entry(
            mark("photo <0.05"), "", _UP, 4, _UNIT, "Share of warped pixels with a difference below 0.05."
        ),
        "inlier_auc": _Entry(
            mark("photo AUC"), "", _UP, 4, _UNIT, "Area of the inlier curve, thresholds 0.01 to 0.20."
        ),
    },
}
# Groups whose keys are group and name alone.
_GLOBAL: dict[Group, dict[str, _Entry]] = {
    Group.POSE: {
        "ate_trans": _Entry("ATE", "m", _DOWN, 3, _POSITIVE, "Absolute trajectory error, translation."),
        "ate_rot_deg": _Entry(mark("ATE rot"), "°", _DOWN, 3, _ANGLE, "Absolute trajectory error, rotation."),
        "rpe_trans": _Entry("RPE", "m", _DOWN, 3, _POSITIVE, "Relative pose error of consecutive frames, translation."),
        "rpe_rot_deg": _Entry(
            mark("RPE rot"), "°", _DOWN, 3, _ANGLE, "Relative pose error of consecutive frames, rotation."
        ),
        "rra5": _Entry("RRA@5", "", _UP, 4, _UNIT, "Share of pairs whose relative rotation is within 5 degrees."),
        "rta5": _Entry("RTA@5", "", _UP, 4, _UNIT, "Share of pairs whose translation direction is within 5 degrees."),
        "auc30": _Entry("AUC@30", "", _UP, 4, _UNIT, "Area under the pose accuracy curve up to 30 degrees."),
    },
    Group.PERFORMANCE: {
        "fps": _Entry("FPS", "1/s", _UP, 3, _POSITIVE, "Frames (existing system: windows) per second."),
        "latency_sec": _Entry(mark("latency"), "s", _DOWN, 3, _POSITIVE, "Time for one window, median."),
        "latency_p95_sec": _Entry(
            mark("latency p95"), "s", _DOWN, 3, _POSITIVE, "Time for one window, 95th percentile."
        ),
        "vram_mb": _Entry(mark("VRAM"), "MB", _DOWN, 0, _POSITIVE, "Peak device memory; 1 GB is 1000 MB."),
        "adapter_mb": _Entry(mark("adapter"), "MB", _DOWN, 1, _POSITIVE, "Size of the adapter."),
        "trainable_params": _Entry(mark("trainable"), "", _DOWN, 0, _POSITIVE, "Trainable parameters."),
    },
}
_SCORE = Metric(
    SCORE_KEY,
    mark("score"),
    Group.SCORE,
    "",
    "",
    Direction.HIGHER,
    4,
    (None, None),
    "Composite score: weighted sum over metrics, weights from lorascope.toml.",
)


@dataclass(frozen=True, slots=True)
class Alias:
    """A short name in filters and options: ``factor * <the first of keys that a run has>``."""

    keys: tuple[str, ...]
    factor: float = 1.0


def _regional(group: str, name: str) -> Alias:
    return Alias(tuple(f"{group}.{region}.{name}" for region in ("building", "full", "non_building")))


ALIASES: Mapping[str, Alias] = {
    **{name: _regional("depth", name) for name in _REGIONAL[Group.DEPTH]},
    "normals": _regional("normals", "inlier_30"),
    "normal_mean": _regional("normals", "angular_mean"),
    "planarity": _regional("planarity", "inlier_ratio"),
    "photometric": _regional("photometric", "inlier_ratio"),
    "ate": Alias(("pose.ate_trans",)),
    "ate_rot": Alias(("pose.ate_rot_deg",)),
    "rpe": Alias(("pose.rpe_trans",)),
    "rpe_rot": Alias(("pose.rpe_rot_deg",)),
    "fps": Alias(("performance.fps",)),
    "latency": Alias(("performance.latency_sec",)),
    "vram_mb": Alias(("performance.vram_mb",)),
    "vram_gb": Alias(("performance.vram_mb",), 1.0 / 1000.0),
}


def frame_metric_names() -> dict[Group, tuple[str, ...]]:
    """The names of the metrics that a per-frame row can hold, by group (regional groups and pose)."""
    names = {group: tuple(entries) for group, entries in _REGIONAL.items()}
    names[Group.POSE] = tuple(_GLOBAL[Group.POSE])
    return names


class Catalogue:
    """The metric table together with what ``lorascope.toml`` adds to it.

    Args:
        overrides: key -> fields of :class:`Metric` to replace (``label``, ``unit``, ``direction``, ``digits``).
    """

    def __init__(self, overrides: Mapping[str, Mapping[str, object]] | None = None) -> None:
        self._overrides = dict(overrides or {})
        self._cache: dict[str, Metric] = {}

    def get(self, key: str) -> Metric:
        """The metric with this key. Unknown keys get an entry of their own, without direction (``known`` is False)."""
        metric = self._cache.get(key)
        if metric is None:
            metric = _lookup(key)
            if key in self._overrides:
                metric = replace(metric, known=True, **self._overrides[key])  # type: ignore[arg-type]
            self._cache[key] = metric
        return metric

    def order(self, keys: Iterable[str]) -> list[str]:
        """``keys`` in table order: by group, then region (building, full, non_building, others), then entry."""
        return sorted(dict.fromkeys(keys), key=self._sort_key)

    def _sort_key(self, key: str) -> tuple[int, int, str, int, str]:
        metric = self.get(key)
        region_rank = {"": 0, "building": 1, "full": 2, "non_building": 3}.get(metric.region, 4)
        entries = _REGIONAL.get(metric.group) or _GLOBAL.get(metric.group) or {}
        name = key.rsplit(".", 1)[-1]
        rank = list(entries).index(name) if name in entries else len(entries)
        return (list(Group).index(metric.group), region_rank, metric.region, rank, key)

    def resolve(self, name: str, available: Iterable[str], where: str = "") -> str:
        """The key that ``name`` (a key, or an alias with factor 1) means among ``available``.

        Raises:
            UnknownNameError: nothing of that name is available; it suggests the near ones.
        """
        keys = tuple(available)
        if name in keys:
            return name
        alias = ALIASES.get(name)
        if alias and alias.factor == 1.0:
            for key in alias.keys:
                if key in keys:
                    return key
        aliases = [a for a, entry in ALIASES.items() if any(key in keys for key in entry.keys)]
        raise UnknownNameError("metric", name, [*keys, *aliases], where)


def _lookup(key: str) -> Metric:
    if key == SCORE_KEY:
        return _SCORE
    parts = key.split(".")
    if len(parts) == 3:
        entry = _REGIONAL.get(_group(parts[0]), {}).get(parts[2])
        if entry:
            return _metric(key, _group(parts[0]), parts[1], entry)
    elif len(parts) == 2:
        entry = _GLOBAL.get(_group(parts[0]), {}).get(parts[1])
        if entry:
            return _metric(key, _group(parts[0]), "", entry)
    return Metric(key, key, Group.OTHER, "", "", Direction.NONE, 4, _ANY, "Not in the metric table.", known=False)


def _group(text: str) -> Group:
    return Group(text) if text in Group._value2member_map_ else Group.OTHER


def _metric(key: str, group: Group, region: str, entry: _Entry) -> Metric:
    return Metric(
        key,
        entry.label,
        group,
        region,
        entry.unit,
        entry.direction,
        entry.digits,
        entry.bounds,
        entry.description,
    )
