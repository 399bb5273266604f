"""What Pick draws around its ranking: the lines of the limits, the count, the basket, the scatter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
from textual.content import Content

from engine.i18n import gettext as _
from engine.i18n import ngettext
from engine.text import visible
from tui.format import plain_text
from tui.library import Library, Loaded
from tui.parts import LOSES_MARK, lost_parts
from tui.picking import Picked, limit_rows, value_range
from tui.plots.pareto import pareto_figure
from tui.plots.spec import Figure
from tui.state import BasketItem, Limit
from tui.widgets.limits import LimitLine

_STRONG, _WEAK = "bold $accent", "$foreground 60%"


def limit_lines(library: Library, loaded: Loaded, limits: Sequence[Limit]) -> list[LimitLine]:
    """A line for every quantity that can be limited and that the run has values of."""
    lines = []
    for entry, limit in limit_rows(limits, loaded.analysis.metrics, library.catalogue):
        span = value_range(loaded, entry)
        if span is not None:
            operator, value = (limit.operator, limit.value) if limit else (entry.operator, None)
            lines.append(LimitLine(entry.name, entry.label, operator, value, entry.digits, *span))
    return lines


def count_text(library: Library, picked: Picked, *, plain: bool) -> Content:
    """How many remain, and what they are ranked by."""
    ranking = picked.ranking
    metric = library.catalogue.get(ranking.objective)
    objective = _("by {metric} {arrow}").format(metric=visible(metric.title), arrow=metric.direction.arrow)
    return Content.assemble(
        (_("{count} of {total} remain").format(count=ranking.kept, total=ranking.total), _STRONG),
        "\n",
        (plain_text(objective) if plain else objective, _WEAK),
    )


def status_text(run: str, picked: Picked, checkpoint: str, *, judging: bool) -> str:
    """The status line: what the checkpoint under the cursor loses, what to take of the tied ones, the run, the filter.

    Args:
        run: the run's name.
        picked: what remains.
        checkpoint: the one under the cursor.
        judging: whether something is still to come.
    """
    loses = picked.ranking.loses.get(checkpoint, ())
    parts = []
    if loses:
        said = _("{mark} {checkpoint}: worse in {parts}")
        where = lost_parts(loses, changes=True)
        parts.append(said.format(mark=LOSES_MARK, checkpoint=visible(checkpoint), parts=where))
    parts += [_("judging…") if judging else picked.advice, run]
    without = len(picked.ranking.unranked)
    if without:
        text = ngettext("{count} without a value of {metric}", "{count} without a value of {metric}", without)
        parts.append(text.format(count=without, metric=picked.ranking.objective))
    parts.append(picked.where or _("no limits: tab goes to them, arrows move the knobs"))
    return "  ·  ".join(part for part in parts if part)


def basket_text(basket: Sequence[BasketItem], names: Mapping[str, str]) -> Content:
    """What lies in the basket.

    Args:
        basket: the checkpoints.
        names: short names of the runs by key; checkpoints of other runs are left out.
    """
    lines = [(_("basket"), _STRONG)] if basket else [(_("basket is empty: b"), _WEAK)]
    lines += [(f"\n{visible(names[item.run])}/{visible(item.checkpoint)}", "") for item in basket if item.run in names]
    return Content.assemble(*lines)


def scatter(library: Library, loaded: Loaded, picked: Picked, selected: set[str]) -> Figure | None:
    """What remains by the two metrics of the front; None where the run has no two such metrics.

    Args:
        library: the analysis.
        loaded: the run.
        picked: what remains.
        selected: the checkpoints to name.
    """
    if picked.axes is None:
        return None
    kept = picked.ranking.rows["checkpoint"].to_list()
    points = loaded.analysis.table.filter(pl.col("checkpoint").is_in(kept))
    front = [name in picked.front for name in points["checkpoint"].to_list()]
    return Figure("", (pareto_figure(points, *picked.axes, front, selected, library.catalogue),))
