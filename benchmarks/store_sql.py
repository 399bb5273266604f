"""The question of :mod:`benchmarks.store` in DuckDB's SQL: the same statistics, the same rows, the score, the order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.generate_runs import BASELINE
from benchmarks.store_data import ALIGN, REGIONS
from engine.catalogue import Catalogue, Direction, Group, frame_metric_names
from engine.config import DEFAULT_WEIGHTS
from engine.results.layout import FRAMES

STATISTICS = {
    "mean": "avg({0})",
    "std": "stddev_pop({0})",
    "median": "median({0})",
    "min": "min({0})",
    "max": "max({0})",
    "count": "count({0})",
}
_ORDER = "ORDER BY score DESC, checkpoint"


def whole_query(store: Path) -> list[str]:
    """Every statistic of every metric; then the score, the best against the baseline, and the ranking, which is last.

    Of each window there is one pose row in this store, so that none has to be chosen, as lorascope does.
    """
    of_frames, of_windows = columns()
    statistics = list(STATISTICS)
    best = f"(SELECT checkpoint FROM ranking {_ORDER} LIMIT 1)"
    pair = f"a.checkpoint = '{BASELINE}' AND b.checkpoint = {best}"
    return [
        f"CREATE TEMP TABLE of_frames AS SELECT checkpoint, region, {_aggregates(of_frames, statistics)} "
        f"FROM {_rows(store)} WHERE region <> '' AND align = '{ALIGN}' GROUP BY ALL",
        f"CREATE TEMP TABLE of_windows AS SELECT checkpoint, {_aggregates(of_windows, statistics)} "
        f"FROM {_rows(store)} WHERE region = '' GROUP BY ALL",
        f"CREATE TEMP TABLE ranking AS SELECT checkpoint, {_score()} AS score FROM of_frames "
        f"WHERE region = '{REGIONS[0]}' AND checkpoint <> '{BASELINE}'",
        f"SELECT region, {_changes(of_frames)} FROM of_frames a JOIN of_frames b USING (region) WHERE {pair}",
        f"SELECT {_changes(of_windows)} FROM of_windows a, of_windows b WHERE {pair}",
        f"SELECT checkpoint, score FROM ranking {_ORDER}",
    ]


def narrow_query(store: Path) -> list[str]:
    """The ranking by the score, from the means that it needs and nothing else."""
    needed = [_column(key) for key in DEFAULT_WEIGHTS]
    return [
        f"WITH means AS (SELECT checkpoint, {_aggregates(needed, ['mean'])} FROM {_rows(store)} "
        f"WHERE region = '{REGIONS[0]}' AND align = '{ALIGN}' AND checkpoint <> '{BASELINE}' GROUP BY ALL) "
        f"SELECT checkpoint, {_score()} AS score FROM means {_ORDER}"
    ]


def columns() -> tuple[list[str], list[str]]:
    """The columns that are summarised: those of frames, and those of windows."""
    names = {group: [f"{group}.{name}" for name in found] for group, found in frame_metric_names().items()}
    of_windows = names.pop(Group.POSE)
    pixels = f"{Group.DEPTH}.pixels"
    return ["pixels" if name == pixels else name for found in names.values() for name in found], of_windows


def mean_of(column: str) -> str:
    """The name of the column that holds a column's mean."""
    return f"{column}.mean"


def _rows(store: Path) -> str:
    pattern = str(store.absolute() / FRAMES / "*" / "*.parquet").replace("'", "''")
    return f"read_parquet('{pattern}')"


def _aggregates(names: Sequence[str], statistics: Sequence[str]) -> str:
    return ", ".join(
        f'{STATISTICS[statistic].format(_quoted(name))} AS "{name}.{statistic}"'
        for name in names
        for statistic in statistics
    )


def _changes(names: Sequence[str]) -> str:
    means = [_quoted(mean_of(name)) for name in names]
    return ", ".join(f"b.{mean} - a.{mean}, 100 * (b.{mean} - a.{mean}) / abs(a.{mean})" for mean in means)


def _score() -> str:
    catalogue = Catalogue()
    terms = []
    for key, weight in DEFAULT_WEIGHTS.items():
        mean = _quoted(mean_of(_column(key)))
        higher = catalogue.get(key).direction is Direction.HIGHER
        terms.append(f"{weight}::DOUBLE * {mean if higher else f'(1 - least({mean}, 1))'}")
    return " + ".join(terms)


def _column(key: str) -> str:
    group, _, name = key.split(".")
    return f"{group}.{name}"


def _quoted(name: str) -> str:
    return f'"{name}"'
