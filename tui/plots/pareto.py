"""The scatter of Pick: quality against cost, with the front."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from engine.catalogue import Catalogue, Direction
from engine.i18n import gettext as _
from engine.i18n import mark, ngettext
from engine.text import visible
from tui.plots.panels import heading
from tui.plots.spec import Marker, PlotSpec, Series

if TYPE_CHECKING:
    import polars as pl


# By whether more is better, of y and of x.
_CORNERS = {
    (True, True): mark("best: upper right"),
    (True, False): mark("best: upper left"),
    (False, True): mark("best: lower right"),
    (False, False): mark("best: lower left"),
}


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
    edge = sorted((x, y) for _name, x, y, on in rows if on)
    rest = [(x, y) for _name, x, y, on in rows if not on]
    x_metric, y_metric = catalogue.get(x_key), catalogue.get(y_key)
    hidden = points.height - len(rows)
    corner = _corner(x_metric.direction, y_metric.direction)
    return PlotSpec(
        title=_("{y} against {x}").format(y=heading(y_metric), x=heading(x_metric, region=False)),
        x_label=heading(x_metric),
        series=(
            Series(_("others"), tuple(x for x, _ in rest), tuple(y for _, y in rest), "series-1", "scatter"),
            Series("", tuple(x for x, _ in edge), tuple(y for _, y in edge), "series-2"),
        ),
        markers=tuple(
            [Marker(x, y, "", "series-2", _("front")) for x, y in edge]
            + [Marker(x, y, visible(name), "best", _("selected")) for name, x, y, _on in rows if name in selected]
        ),
        note=" · ".join(part for part in (corner, _unmeasured(hidden)) if part),
        digits=y_metric.digits,
    )


def _corner(x: Direction, y: Direction) -> str:
    return "" if Direction.NONE in (x, y) else _(_CORNERS[y is Direction.HIGHER, x is Direction.HIGHER])


def _unmeasured(count: int) -> str:
    return ngettext("{count} not measured", "{count} not measured", count).format(count=count) if count else ""
