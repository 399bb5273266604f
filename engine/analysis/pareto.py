"""The Pareto front over any number of metrics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from engine.catalogue import Catalogue, Direction
from engine.errors import UnknownNameError, UsageError
from engine.i18n import gettext as _
from engine.schema import Role

# Points compared with the front at a time: bounds the memory of the comparison (front x block booleans).
_BLOCK = 256


def pareto_front(table: pl.DataFrame, keys: Sequence[str], catalogue: Catalogue) -> pl.Series:
    """Which rows no other row dominates.

    A row dominates another if it is at least as good in every metric and better in one. Rows that are equal to a row on
    the front are on it too. A row that lacks one of the metrics is not on the front and dominates nothing; nor do
    oracle and chance, where the table has a ``role`` column (they are no choices). All other rows compete: leave out
    the baseline beforehand where it should not.

    Args:
        table: one row per checkpoint, one column per metric.
        keys: at least one metric, each with a direction.
        catalogue: directions.

    Returns:
        Boolean series ``on_front``, one entry per row of ``table``, in its order.

    Raises:
        UsageError: no metric was given, or one has no direction.
        UnknownNameError: a metric is not in the table.
    """
    if not keys:
        raise UsageError("a Pareto front needs at least one metric")
    columns = []
    for key in keys:
        if key not in table.columns:
            raise UnknownNameError("metric", key, table.columns)
        direction = catalogue.get(key).direction
        if direction is Direction.NONE:
            said = _("{metric} has no direction, so nothing is better or worse in it").format(metric=repr(key))
            raise UsageError(said, _("choose another metric"))
        values = table.get_column(key).cast(pl.Float64).fill_null(float("nan")).to_numpy()
        columns.append(direction.sign * values + 0.0)  # no negative zero beside a zero
    points = np.column_stack(columns)
    competing = ~np.isnan(points).any(axis=1)
    if "role" in table.columns:
        reference = table.get_column("role").is_in([Role.ORACLE.value, Role.CHANCE.value]).fill_null(False)
        competing &= ~reference.to_numpy()
    on_front = np.zeros(len(points), dtype=bool)
    on_front[competing] = _front(points[competing])
    return pl.Series("on_front", on_front, dtype=pl.Boolean)


def _front(points: np.ndarray) -> np.ndarray:
    """Front of ``points`` (n, k), more is better, no NaN: boolean (n,).

    Distinct points in descending lexicographic order: a point can only be dominated by an earlier one, and if by any,
    then by one on the front. So each block is compared with the front so far and with itself.
    """
    if not len(points):
        return np.zeros(0, dtype=bool)
    distinct, inverse = np.unique(points, axis=0, return_inverse=True)
    ordered = distinct[::-1]
    kept = np.zeros(len(ordered), dtype=bool)
    front = ordered[:0]
    for start in range(0, len(ordered), _BLOCK):
        block = ordered[start : start + _BLOCK]
        alive = ~_covered(block, front)
        rivals = block[alive]
        # Distinct points: whoever covers another one dominates it. Everyone covers himself, hence the count.
        alive[alive] = _covering(rivals, rivals).sum(axis=0) == 1
        kept[start : start + _BLOCK] = alive
        front = np.concatenate([front, block[alive]])
    return kept[::-1][inverse.reshape(-1)]


def _covering(rivals: np.ndarray, block: np.ndarray) -> np.ndarray:
    """(rivals, block) booleans: the rival is at least as good in every metric."""
    covering = np.ones((len(rivals), len(block)), dtype=bool)
    for metric in range(block.shape[1]):
        covering &= rivals[:, None, metric] >= block[None, :, metric]
    return covering


def _covered(block: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Which points of the block some point of the front covers."""
    return np.asarray(_covering(front, block).any(axis=0))
