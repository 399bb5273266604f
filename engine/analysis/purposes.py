"""What a checkpoint may be chosen for, and what that means in metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from engine.catalogue import ALIASES, Catalogue, Direction, Group


class Purpose(StrEnum):
    """What a checkpoint is chosen for."""

    DEPTH = "depth"
    GEOMETRY = "geometry"
    BALANCED = "balanced"
    CHEAPEST = "cheapest"
    STABLE = "stable"


# The part of the composite score that a purpose looks at, and short names of metrics where the score weighs none of it.
_PARTS: Mapping[Purpose, tuple[frozenset[Group], tuple[str, ...]]] = {
    Purpose.DEPTH: (frozenset({Group.DEPTH}), ("abs_rel", "delta1")),
    Purpose.GEOMETRY: (frozenset({Group.NORMALS, Group.PLANARITY}), ("normals", "planarity")),
}


def objective_of(
    purpose: Purpose, metrics: Iterable[str], weights: Mapping[str, float], catalogue: Catalogue
) -> dict[str, float]:
    """The weighted metrics that a purpose is judged by.

    Balanced (and cheapest and most stable, which choose among the balanced) is the composite score itself. Depth and
    geometry are its depth metrics, and its normals and planes, with weights that add up to 1; so what counts within a
    purpose is what the settings say, and a purpose's value is on the score's scale (see
    :mod:`engine.analysis.score`). Where the score weighs none of them that the run has, the usual metrics of the run
    count equally.

    Args:
        purpose: what for.
        metrics: keys that the run has.
        weights: of the composite score.
        catalogue: groups and directions.

    Returns:
        Metric key -> weight; empty where the run has nothing to judge the purpose by.
    """
    owned = set(metrics)
    if purpose not in _PARTS:
        return dict(weights) if all(key in owned for key in weights) else {}
    groups, names = _PARTS[purpose]
    part = {key: weight for key, weight in weights.items() if key in owned and catalogue.get(key).group in groups}
    if not part:
        found = [key for name in names if (key := owned_key(name, owned)) is not None]
        part = {key: 1.0 for key in found if catalogue.get(key).direction is not Direction.NONE}
    total = sum(part.values())
    return {key: weight / total for key, weight in part.items()}


def owned_key(name: str, metrics: Iterable[str]) -> str | None:
    """The metric of a run that a key or a short name means; ``None`` where the run has none."""
    owned = set(metrics)
    if name in owned:
        return name
    alias = ALIASES.get(name.lower())
    return next((key for key in alias.keys if key in owned), None) if alias else None
