"""The scatter of Pick: quality against cost, with the front."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from engine.catalogue import Catalogue, Direction
from engine.text import visible
from tui.plots.panels import heading
from tui.plots.spec import Marker, PlotSpec, Series

if TYPE_CHECKING:
    import polars as pl


def pareto_figure(
    points: pl.DataFrame,
    x_key: str,
    y_key: str,
    front: Sequence[bool] | pl.Series,
    selected: Collection[str],
    catalogue: Catalogue,
) -> PlotSpec:
    """Checkpoints by two metrics: the front as diamonds joined by a line, the others as dots.

    Args:
        points: one row per checkpoint: ``checkpoint`` and a column per metric; null where not measured.
        x_key: the metric along x.
        y_key: the metric along y.
        front: for each row whether it is on the front.
        selected: names of checkpoints to mark and name.
        catalogue: labels, units, directions.

    Returns:
        The plot. Its axes say which way is better, its note where the best corner is.
    """
    rows = [
        (str(name), float(x), float(y), bool(on))
        for name, x, y, on in zip(
            points.get_column("checkpoint"), points.get_column(x_key), points.get_column(y_key), front, strict=True
        )
        if x is not None and y is not None
    ]
    edge = sorted((x, y) for _, x, y, on in rows if on)
    rest = [(x, y) for _, x, y, on in rows if not on]
    x_metric, y_metric = catalogue.get(x_key), catalogue.get(y_key)
    hidden = points.height - len(rows)
    corner = _corner(x_metric.direction, y_metric.direction)
    return PlotSpec(
        title=f"{heading(y_metric)} against {heading(x_metric, region=False)}",
        x_label=heading(x_metric),
        series=(
            Series("others", tuple(x for x, _ in rest), tuple(y for _, y in rest), "series-1", "scatter"),
            Series("", tuple(x for x, _ in edge), tuple(y for _, y in edge), "series-2"),
        ),
        markers=tuple(
            [Marker(x, y, "", "series-2", "front") for x, y in edge]
            + [Marker(x, y, visible(name), "best", "selected") for name, x, y, _ in rows if name in selected]
        ),
        note=" · ".join(part for part in (corner, f"{hidden} not measured" if hidden else "") if part),
        digits=y_metric.digits,
    )


def _corner(x: Direction, y: Direction) -> str:
    if Direction.NONE in (x, y):
        return ""
    return f"best: {'upper' if y is Direction.HIGHER else 'lower'} {'right' if x is Direction.HIGHER else 'left'}"
