"""The table of a metric in the parts of the sample."""

from __future__ import annotations

from typing import Any

import polars as pl

from engine.catalogue import Metric
from engine.i18n import gettext as _
from engine.i18n import pgettext
from tui.format import change_mark, metric_number, percent, reach, signed, verdict_mark, verdict_role
from tui.frame_tables import Rows, short_drives
from tui.parts import LOSES_MARK, kind_name, own_name
from tui.plots.panels import heading
from tui.slice_reading import ALL, Parts
from tui.text import cell_width
from tui.widgets.grid_model import Cell, Column


class SlicesSource(Rows):
    """One metric in the parts of the sample.

    Args:
        found: the parts.
        against: heading of the other checkpoint's values; empty where there is none.
        plain: ASCII alone.
    """

    def __init__(self, found: Parts, against: str, *, plain: bool) -> None:
        super().__init__(plain=plain)
        metric = found.metric
        counted = pgettext("how many", "frames") if metric.region else pgettext("how many", "values")
        every = _("all frames") if metric.region else _("all values")
        title = self.sign(heading(metric))
        width = 9 if against else max(9, cell_width(title))
        self.columns = [
            Column("slice", _("slice"), 30, min_width=12, ellipsis="middle"),
            Column("windows", pgettext("how many", "windows"), 7, "right"),
            Column("count", counted, 7, "right"),
            Column("value", _("value"), width, "right", rule=True, group=title),
            *([Column("against", against, 9, "right", group=title)] if against else []),
            *([Column("change", self.sign("Δ%"), 8, "right", group=title)] if against else []),
            *([Column("reach", "95 %", 6, "right", group=title)] if against and found.judged else []),
            *([Column("mark", "", 2, group=title)] if against else []),
            # Last, as it is the first to be out of sight.
            *([Column("difference", self.sign("Δ"), 9, "right", group=title)] if against else []),
        ]
        rows = found.rows
        drives = rows.filter(pl.col("by") == "drive")["slice"].to_list()
        short = dict(zip(drives, short_drives(drives), strict=True))
        lost = {(loss.by, loss.slice) for loss in found.loses}
        part = ""
        for row in rows.iter_rows(named=True):
            if row["by"] != part:
                part = row["by"]
                if part != ALL:
                    self._rows.append((part, _("by {part}").format(part=kind_name(part))))
            name = short.get(row["slice"], row["slice"]) if part == "drive" else own_name(part, row["slice"])
            cells = [Cell(every if part == ALL else name)]
            cells += [Cell(str(row["windows"]), "muted"), Cell(str(row["frames"]), "muted")]
            cells.append(Cell(metric_number(row["value"], metric)))
            if against:
                cells.append(Cell(metric_number(row["baseline"], metric), "muted"))
                cells += self._judged(row, metric, found.judged, lost=(part, row["slice"]) in lost)
                cells.append(Cell(signed(row["delta"], metric.digits), "muted"))
            self._rows.append((f"{part}/{row['slice']}", cells))

    def _judged(self, row: dict[str, Any], metric: Metric, judged: bool, *, lost: bool) -> list[Cell]:
        """Change, interval and mark; what could not be told from chance is marked by its direction alone."""
        if not judged:
            return self._changed(row)
        verdict = row["verdict"]
        role = verdict_role(verdict)
        low, high = row["joint_low"], row["joint_high"]
        half = reach(None if low is None or high is None else (low, high), row["baseline"], metric.digits)
        mark = verdict_mark(verdict) if verdict else change_mark(row["change"])
        return [
            Cell(percent(row["delta_pct"]), role or "muted"),
            Cell(half, "muted"),
            Cell(f"{mark}{LOSES_MARK}" if lost else mark, role),
        ]
