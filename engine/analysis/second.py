"""What to take among checkpoints that cannot be told apart: the second objective decides, since the first does not."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from engine.analysis.overview import RunAnalysis
from engine.analysis.ranking import Ranking
from engine.catalogue import SCORE_KEY
from engine.i18n import gettext as _

LATENCY = "performance.latency_sec"

# Checkpoints of one architecture cost the same: latencies that differ by less are the clock's.
_SAME_COST = 0.02


def recommendation(ranking: Ranking, analysis: RunAnalysis, weights: Mapping[str, float]) -> str:
    """Which of the checkpoints that are tied with the best to take, and why: one sentence without a full stop.

    The cheapest, where latencies were measured of all of them and differ by more than 2 %; else the steadiest, the one
    with the smallest standard deviation over frames (of the score: the weighted sum of its metrics' deviations).

    Args:
        ranking: all rows, with a tie group.
        analysis: the run.
        weights: of the composite score.

    Returns:
        Empty where nothing is tied with the best, or nothing tells the tied ones apart.
    """
    rows = ranking.rows
    group = rows.filter("tied_with_best").get_column("checkpoint").to_list()
    if len(group) < 2:
        return ""
    count = _("{count} of {total} tied").format(count=len(group), total=rows.height)
    costs = _values(analysis.table, group, LATENCY)
    if costs and max(costs.values()) > (1.0 + _SAME_COST) * min(costs.values()):
        name = min(group, key=costs.__getitem__)
        said = _("{tied}; take {checkpoint}, the cheapest ({seconds} s)")
        return said.format(tied=count, checkpoint=name, seconds=f"{costs[name]:.3g}")
    keys = dict(weights) if ranking.objective == SCORE_KEY else {ranking.objective: 1.0}
    parts = [
        {name: weight * value for name, value in _values(analysis.stds, group, key).items()}
        for key, weight in keys.items()
    ]
    if not all(parts):
        return count
    spread = {name: sum(part[name] for part in parts) for name in group}
    name = min(group, key=spread.__getitem__)
    said = _("{tied}; take {checkpoint}, the steadiest (std {deviation})")
    return said.format(tied=count, checkpoint=name, deviation=f"{spread[name]:.3g}")


def _values(table: pl.DataFrame, names: list[str], key: str) -> dict[str, float]:
    """One metric of the checkpoints; empty where one of them lacks it."""
    if key not in table.columns:
        return {}
    found = dict(zip(table.get_column("checkpoint").to_list(), table.get_column(key).to_list(), strict=True))
    values = {name: found[name] for name in names if found.get(name) is not None}
    return values if len(values) == len(names) else {}
