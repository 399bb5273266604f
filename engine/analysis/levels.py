"""How well a value is known by itself, from a summary alone: for runs that have no baseline to be compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from engine.analysis.differences import SIGNIFICANCE, Kind
from engine.analysis.paired import LEVELS
from engine.analysis.student import quantile
from engine.analysis.unpaired import FRAMES_PER_WINDOW, estimates
from engine.catalogue import Catalogue

# :data:`engine.analysis.paired.LEVELS` with what the intervals were computed from.
_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {**LEVELS, "kind": pl.String}
KNOWN_LEVELS = pl.Schema(_COLUMNS)


def summary_levels(
    summary: pl.DataFrame,
    *,
    checkpoints: Iterable[str],
    metrics: Iterable[str],
    catalogue: Catalogue,
    weights: Mapping[str, float],
    frames_per_window: int = FRAMES_PER_WINDOW,
) -> pl.DataFrame:
    """Means with Student's 95 % interval, from mean, spread and count.

    A window counts as one observation, whatever its frames add; the errors of the score's metrics are presumed to add
    up (see :mod:`engine.analysis.unpaired`).

    Args:
        summary: frame of schema :data:`engine.schema.SUMMARY`.
        checkpoints: names; those without a value are left out.
        metrics: keys, ``score`` among them.
        catalogue: directions, and which metrics windows have.
        weights: of the composite score.
        frames_per_window: frames that count as one observation.

    Returns:
        Frame of schema :data:`KNOWN_LEVELS`, by metric, then in the order given. Intervals are null without a spread or
        over fewer than 2 observations.
    """
    table = estimates(summary, catalogue, weights, frames_per_window, 1.0)
    rows = []
    for key in dict.fromkeys(metrics):
        for name in dict.fromkeys(checkpoints):
            own = table.get(name, {}).get(key)
            if own is None:
                continue
            reach = None if own.error is None else own.error * quantile(SIGNIFICANCE, own.freedom)
            rows.append(
                {
                    "checkpoint": name,
                    "metric": key,
                    "value": own.mean,
                    "ci95_low": None if reach is None else own.mean - reach,
                    "ci95_high": None if reach is None else own.mean + reach,
                    "error": own.error,
                    "windows": None,
                    "frames": own.count,
                    "kind": Kind.UNPAIRED.value,
                }
            )
    return pl.DataFrame(rows, schema=KNOWN_LEVELS)
