"""One run as wide tables: a row per checkpoint, a column per metric, with the composite score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from engine.analysis.score import composite_score
from engine.catalogue import SCORE_KEY, Catalogue
from engine.errors import DataError, UnknownNameError
from engine.schema import Role

# The columns that the wide tables have of their own.
ID_COLUMNS = ("checkpoint", "role", "step")
_RESERVED = (*ID_COLUMNS, SCORE_KEY)
# A stored metric of one of these names (the empty one is no column name to Polars) is shown as `stored.<name>`.
_UNUSABLE = (*_RESERVED, "")


@dataclass(frozen=True, eq=False)
class RunAnalysis:
    """A run's summary, wide. Rows are in training order, the baseline's first; null means not measured.

    Attributes:
        table: ``checkpoint``, ``role``, ``step``, ``score``, then one column of means per metric, in catalogue order.
        stds: the same rows and metric columns with population standard deviations (no ``score``).
        counts: the same with the number of frames (or windows) that each mean is over.
        baseline: the checkpoint that changes are against, ``None`` where there is none. One that the user named stays
            at its place in training order.
        metrics: the keys that have at least one value, in catalogue order; ``score`` first if it could be computed.
        score_missing: weighted metrics that the run lacks altogether, because of which it has no score.
    """

    table: pl.DataFrame
    stds: pl.DataFrame
    counts: pl.DataFrame
    baseline: str | None
    metrics: tuple[str, ...]
    score_missing: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Every row's name, in table order."""
        return self.table.get_column("checkpoint").to_list()

    @property
    def trained(self) -> pl.DataFrame:
        """The rows of :attr:`table` that are checkpoints of the training (no baseline, oracle or chance)."""
        return self.table.filter(pl.col("role") == Role.CHECKPOINT)

    def of_role(self, role: Role) -> str | None:
        """The first row of that role, such as the oracle; ``None`` where there is none."""
        names = self.table.filter(pl.col("role") == role).get_column("checkpoint")
        return None if names.is_empty() else str(names[0])

    def require(self, checkpoint: str, where: str = "") -> str:
        """``checkpoint`` itself, if the run has it.

        Raises:
            UnknownNameError: it has not; suggests the near ones.
        """
        names = self.names
        if checkpoint not in names:
            raise UnknownNameError("checkpoint", checkpoint, names, where)
        return checkpoint

    def value(self, checkpoint: str | None, key: str) -> float | None:
        """The mean of one metric (or the score) of one checkpoint; ``None`` where it was not measured."""
        value: float | None = _row(self.table, checkpoint).get(key)
        return value

    def values(self, checkpoint: str | None) -> dict[str, float | None]:
        """Every metric (and the score) of one checkpoint; empty where there is no such checkpoint."""
        return _row(self.table, checkpoint)

    def frames(self, checkpoint: str | None) -> dict[str, int | None]:
        """How many frames (or windows) each mean of one checkpoint is over; empty where there is no such checkpoint."""
        return _row(self.counts, checkpoint)


def analyse(
    summary: pl.DataFrame,
    checkpoints: pl.DataFrame,
    *,
    baseline: str | None,
    catalogue: Catalogue,
    weights: Mapping[str, float],
) -> RunAnalysis:
    """Turn a run's long summary into wide tables and compute the composite score.

    Args:
        summary: frame of schema :data:`engine.schema.SUMMARY`; one row per (checkpoint, metric).
        checkpoints: frame of schema :data:`engine.schema.CHECKPOINTS`, in training order, baseline first.
        baseline: the checkpoint that changes are against, or ``None``.
        catalogue: the metric table (order, directions).
        weights: metric key -> weight of the composite score.

    Returns:
        The run's tables. Checkpoints without any value stay as rows of nulls.

    Raises:
        DataError: a (checkpoint, metric) pair occurs twice.
        UnknownNameError: ``baseline`` is not among the checkpoints.
        UsageError: a weighted metric that the run has has no direction.
    """
    measured = summary.select(
        "checkpoint",
        pl.when(pl.col("metric").is_in(_UNUSABLE))
        .then("stored." + pl.col("metric"))
        .otherwise("metric")
        .alias("metric"),
        "mean",
        "std",
        "count",
    ).filter(pl.col("mean").is_not_null())
    _refuse_duplicates(measured)

    keys = catalogue.order(measured.get_column("metric").unique().to_list())
    ids = checkpoints.select(ID_COLUMNS)
    means, stds, counts = (_widen(measured, ids, keys, column) for column in ("mean", "std", "count"))

    missing = tuple(key for key in weights if key not in keys)
    score = pl.lit(None, pl.Float64).alias(SCORE_KEY) if missing else composite_score(weights, catalogue)
    table = means.with_columns(score)
    table = table.select(*(table.get_column(name) for name in (*_RESERVED, *keys)))
    scored = table.get_column(SCORE_KEY).count() > 0

    analysis = RunAnalysis(
        table=table,
        stds=stds,
        counts=counts,
        baseline=baseline,
        metrics=(SCORE_KEY, *keys) if scored else tuple(keys),
        score_missing=missing,
    )
    if baseline is not None:
        analysis.require(baseline, "the choice of the baseline")
    return analysis


def _widen(measured: pl.DataFrame, ids: pl.DataFrame, keys: list[str], column: str) -> pl.DataFrame:
    wide = measured.pivot(on="metric", index="checkpoint", values=column)
    joined = ids.join(wide, on="checkpoint", how="left", maintain_order="left")
    # get_column, not select: outside names such as `*` or `^a$` would be taken for patterns.
    return pl.DataFrame([joined.get_column(name) for name in (*ID_COLUMNS, *keys)])


def _refuse_duplicates(measured: pl.DataFrame) -> None:
    twice = measured.filter(pl.struct("checkpoint", "metric").is_duplicated())
    if not twice.is_empty():
        name, metric = twice.row(0)[:2]
        raise DataError(f"{name}: the metric {metric!r} occurs twice", "remove one of the rows")


def _row(table: pl.DataFrame, checkpoint: str | None) -> dict[str, Any]:
    index = None if checkpoint is None else table.get_column("checkpoint").index_of(checkpoint)
    if index is None:
        return {}
    return {name: value for name, value in table.row(index, named=True).items() if name not in ID_COLUMNS}
