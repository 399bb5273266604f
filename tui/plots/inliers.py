"""The photometric inlier curve: which share of the points agrees in colour within a threshold, over the threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.catalogue import region_shown
from engine.i18n import gettext as _
from engine.text import visible
from tui.plots.spec import THRESHOLD, Figure, Marker, PlotSpec, Series, VLine, series_role

if TYPE_CHECKING:
    import polars as pl


def inlier_curves(names: Sequence[str], curves: pl.DataFrame, region: str, threshold: float, said: str) -> Figure:
    """One curve per checkpoint.

    Args:
        names: the checkpoints, in the order of their colours; those without a curve are left out.
        curves: frame of schema :data:`engine.schema.CURVES` of one kind and region.
        region: which one.
        threshold: the one at which the inlier ratio is taken.
        said: what stands beside it.

    Returns:
        One panel, without any where no checkpoint has a curve.
    """
    parts = curves.sort("x").partition_by("checkpoint", as_dict=True)
    series = [
        Series(visible(name), tuple(own["x"]), tuple(own["y"]), series_role(index))
        for index, name in enumerate(names)
        if (own := parts.get((name,))) is not None
    ]
    if not series:
        return Figure("photometric")
    at = {one.role: (one.name, value) for one in series for x, value in one.points() if math.isclose(x, threshold)}
    main = at.get(series_role(0))
    panel = PlotSpec(
        title=_("photometric inliers · {region} ↑").format(region=visible(region_shown(region))),
        x_label=_("difference of colour below"),
        series=tuple(reversed(series)),  # the checkpoint's own last, above the others
        markers=(Marker(threshold, main[1], f"{main[1]:.4f}", series_role(0), ""),) if main else (),
        vlines=(VLine(threshold, said, THRESHOLD),),
        y_limits=(0.0, 1.0),
        digits=4,
        changes=False,
    )
    values = " │ ".join(f"{name} {value:.4f}" for name, value in at.values())
    said = _("at {threshold}: {values}").format(threshold=f"{threshold:g}", values=values)
    return Figure("photometric", (panel,), said if at else "")
