"""Tables that are asked for metric by metric, each metric once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import polars as pl

from engine.schema import empty


class Answers:
    """What was found out so far.

    Args:
        schema: of the tables.
        column: the one that holds the metric.
    """

    def __init__(self, schema: pl.Schema, column: str = "metric") -> None:
        self._schema = schema
        self._column = column
        self._known: dict[str, pl.DataFrame] = {}

    def get(self, metrics: Iterable[str], find: Callable[[Sequence[str]], pl.DataFrame]) -> pl.DataFrame:
        """The rows of some metrics, metric by metric.

        Args:
            metrics: keys.
            find: gives the rows of those that are not known yet.
        """
        keys = list(dict.fromkeys(metrics))
        new = [key for key in keys if key not in self._known]
        if new:
            parts = find(new).partition_by(self._column, as_dict=True)
            nothing = empty(self._schema)
            self._known.update({key: parts.get((key,), nothing) for key in new})
        return pl.concat([empty(self._schema), *(self._known[key] for key in keys)])

    def has(self, metrics: Iterable[str]) -> bool:
        """Whether nothing has to be found out for these."""
        return all(key in self._known for key in metrics)
