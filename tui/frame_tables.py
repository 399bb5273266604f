"""The rows of Checkpoint's further pages: frames, alignments, slices. Textual-free."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

import polars as pl

from engine.catalogue import Catalogue, Metric
from engine.i18n import gettext as _
from engine.i18n import mark, pgettext
from tui.format import (
    MISSING,
    change_mark,
    metric_number,
    percent,
    plain_text,
    signed,
)
from tui.plots.panels import heading
from tui.text import cell_width
from tui.widgets.grid_model import Cell, Column

# What each alignment fits before depths are compared.
FITS = {
    "none": mark("nothing"),
    "scale": mark("factor, least sq."),
    "median": mark("factor of medians"),
    "scale_shift": mark("factor and offset"),
}


class Rows:
    """Rows that were made beforehand; headings are strings."""

    columns: Sequence[Column] = ()

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain
        self._rows: list[tuple[str, Sequence[Cell] | str]] = []

    def sign(self, text: str) -> str:
        """The app's own text, in ASCII where that is wanted."""
        return plain_text(text) if self._plain else text

    @property
    def row_count(self) -> int:
        """Rows and headings."""
        return len(self._rows)

    def row_key(self, row: int) -> str:
        """What identifies a row."""
        return self._rows[row][0]

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """Whether a row is a heading."""
        return "heading" if isinstance(self._rows[row][1], str) else "row"

    def cells(self, row: int) -> Sequence[Cell]:
        """The cells of a row."""
        cells = self._rows[row][1]
        if isinstance(cells, str):
            return (Cell(self.sign(cells), "heading"),)
        return [Cell(self.sign(cell.text), cell.role) for cell in cells]

    @staticmethod
    def _changed(row: dict[str, Any]) -> list[Cell]:
        # A change of means that was not judged has no colour.
        return [Cell(percent(row["delta_pct"])), Cell(change_mark(row["change"]))]


def short_drives(names: Sequence[str]) -> list[str]:
    """Names of drives without the words that all begin and end with.

    ``2013_05_28_drive_0003_sync`` and ``2013_05_28_drive_0004_sync`` become ``0003`` and ``0004``; a single name stays.
    """
    words = [name.split("_") for name in names]
    if len(set(names)) < 2:
        return list(names)
    least = min(map(len, words)) - 1
    first = next((at for at in range(least) if len({parts[at] for parts in words}) > 1), least)
    rest = least - first
    last = next((at for at in range(rest) if len({parts[-1 - at] for parts in words}) > 1), rest)
    return ["_".join(parts[first : len(parts) - last]) for parts in words]


def frame_key(drive: str, window: int, frame: int | None) -> str:
    """What identifies a frame among the rows."""
    return f"{drive}/{window}/{'' if frame is None else frame}"


class FramesSource:
    """Frames in order.

    Args:
        ranked: rows of :func:`engine.analysis.worst_frames.rank_frames`.
        metric: which one the values are of.
        against: heading of the other checkpoint's values; empty where there is none.
        pictured: (window, frame) of which there are pictures.
        plain: ASCII alone.
    """

    def __init__(
        self,
        ranked: pl.DataFrame,
        metric: Metric,
        against: str,
        pictured: Collection[tuple[int, int | None]],
        *,
        plain: bool,
    ) -> None:
        self._plain = plain
        self.metric = metric
        self._pictured = pictured
        self._ranked = {name: ranked[name].to_list() for name in ranked.columns}
        drives = list(dict.fromkeys(self._ranked["drive"]))
        self._short = dict(zip(drives, short_drives(drives), strict=True))
        title, delta = (plain_text(heading(metric)), "D") if plain else (heading(metric), "Δ")
        width = max([5, *(cell_width(name) for name in self._short.values())])
        self.columns: Sequence[Column] = [
            Column("rank", "#", 5, "right", min_width=4),
            Column("window", _("window"), 6, "right"),
            Column("drive", _("drive"), min(width, 28), min_width=min(width, 8), ellipsis="middle"),
            Column("frame", _("frame"), 6, "right"),
            Column("stratum", _("stratum"), 7),
            Column(
                "value",
                _("value"),
                9 if against else max(9, cell_width(title)),
                "right",
                rule=True,
                min_width=7,
                group=title,
            ),
            *([Column("against", against, 9, "right", min_width=7, group=title)] if against else []),
            *([Column("difference", delta, 9, "right", min_width=7, group=title)] if against else []),
            *([Column("mark", "", 1, group=title)] if against else []),
            Column("picture", _("picture"), 7),
        ]

    @property
    def row_count(self) -> int:
        """Frames."""
        return len(self._ranked["rank"])

    def row_key(self, row: int) -> str:
        """Drive, window and frame."""
        return frame_key(*self.place(row))

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """No headings."""
        return "row"

    def place(self, row: int) -> tuple[str, int, int | None]:
        """Drive, window and frame of a row; the frame is ``None`` for figures of whole windows."""
        return self._ranked["drive"][row], self._ranked["window"][row], self._ranked["frame"][row]

    def has_picture(self, row: int) -> bool:
        """Whether there is a picture of the frame of a row."""
        return self.place(row)[1:] in self._pictured

    def figures(self, row: int) -> tuple[float | None, float | None]:
        """The values of both checkpoints."""
        return self._ranked["value"][row], self._ranked["against"][row]

    def cells(self, row: int) -> Sequence[Cell]:
        """The figures of one frame."""
        drive, window, frame = self.place(row)
        change = self._ranked["change"][row]
        role = change if change in ("better", "worse") else ""
        value, against = self.figures(row)
        difference = self._ranked["difference"][row]
        cells = [
            Cell(str(self._ranked["rank"][row]), "muted"),
            Cell(str(window)),
            Cell(self._short[drive], "muted"),
            Cell(MISSING if frame is None else str(frame)),
            Cell(self._ranked["stratum"][row] or MISSING, "muted"),
            Cell(metric_number(value, self.metric)),
        ]
        if len(self.columns) > 7:
            cells += [
                Cell(metric_number(against, self.metric), "muted"),
                Cell(signed(difference, self.metric.digits), role or "muted"),
                Cell(change_mark(change), role),
            ]
        cells.append(Cell("▣" if self.has_picture(row) else "", "accent"))
        return [Cell(plain_text(cell.text), cell.role) for cell in cells] if self._plain else cells


class AblationSource(Rows):
    """The depth metrics under every alignment.

    Args:
        rows: frame of schema :data:`engine.analysis.ablation.ABLATION`.
        own: the alignment of the run's summaries.
        against: heading of the other checkpoint's values; empty where there is none.
        catalogue: labels and digits.
        plain: ASCII alone.
    """

    def __init__(self, rows: pl.DataFrame, own: str, against: str, catalogue: Catalogue, *, plain: bool) -> None:
        super().__init__(plain=plain)
        self.columns = [
            Column("align", _("alignment"), 12),
            Column("value", _("value"), 9, "right", min_width=8),
            *([Column("against", against, 9, "right", min_width=8)] if against else []),
            *([Column("change", self.sign("Δ%"), 8, "right", min_width=6), Column("mark", "", 1)] if against else []),
            Column("frames", pgettext("how many", "frames"), 6, "right", rule=True),
            Column("failed", _("unfitted"), 8, "right"),
            Column("fits", _("what is fitted"), 17),
        ]
        key = ""
        for row in rows.iter_rows(named=True):
            metric = catalogue.get(row["metric"])
            if row["metric"] != key:
                key = row["metric"]
                self._rows.append((key, heading(metric)))
            align = row["align"]
            cells = [Cell(f"{align} ●" if align == own else align, "accent" if align == own else "")]
            cells.append(Cell(metric_number(row["value"], metric)))
            if against:
                cells.append(Cell(metric_number(row["against"], metric), "muted"))
                cells += self._changed(row)
            # Without an alignment there is nothing to fit.
            failed = "" if align == "none" else str(row["failed"])
            cells += [
                Cell(str(row["frames"]), "muted"),
                Cell(failed, "warning" if failed not in ("", "0") else "muted"),
                Cell(_(FITS.get(align, "")), "muted"),
            ]
            self._rows.append((f"{key}/{align}", cells))
