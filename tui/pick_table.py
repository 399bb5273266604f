"""The rows of Pick: what remains of a run, best first. Textual-free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from engine.analysis.overview import RunAnalysis
from engine.catalogue import Catalogue
from engine.i18n import gettext as _
from tui.format import number, percent, plain_text, verdict_mark
from tui.parts import LOSES_MARK
from tui.picking import Picked, Term, term
from tui.text import cell_width
from tui.widgets.grid_model import Cell, Column


class PickSource:
    """The grid's rows.

    Args:
        picked: what remains.
        analysis: the run.
        terms: further columns.
        catalogue: labels and digits.
        plain: ASCII alone.
    """

    def __init__(
        self,
        picked: Picked,
        analysis: RunAnalysis,
        terms: Sequence[Term],
        catalogue: Catalogue,
        *,
        plain: bool = False,
    ) -> None:
        self._plain = plain
        self._front = picked.front
        self._loses = picked.ranking.loses
        objective = term(picked.ranking.objective, catalogue)
        self._objective = objective
        self._terms = [entry for entry in terms if entry.key != objective.key]
        self._rows = picked.ranking.rows.to_dicts()
        self._values = picked.ranking.wide(analysis).to_dicts()
        width = max((cell_width(str(row["checkpoint"])) for row in self._rows), default=10)
        self.columns: Sequence[Column] = [
            Column("rank", _("rank"), 4, "right"),
            Column("checkpoint", _("checkpoint"), max(10, min(width, 28)), min_width=10, ellipsis="middle"),
            Column("value", objective.label, max(7, cell_width(objective.label)), "right"),
            Column("delta", self._sign("Δ%"), 7, "right"),
            Column("mark", "", 2 if picked.ranking.loses else 1),
            Column("front", _("front"), 5, "center"),
            *(
                Column(entry.name, self._sign(entry.label), max(7, cell_width(entry.label)), "right", min_width=7)
                for entry in self._terms
            ),
        ]

    def _sign(self, text: str) -> str:
        return plain_text(text) if self._plain else text

    @property
    def row_count(self) -> int:
        """The checkpoints that remain."""
        return len(self._rows)

    def row_key(self, row: int) -> str:
        """The checkpoint's name."""
        return str(self._rows[row]["checkpoint"])

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """There are no headings."""
        return "row"

    def cells(self, row: int) -> Sequence[Cell]:
        """Rank, name, the objective with its change, the limited quantities, and whether it is on the front."""
        entry = self._rows[row]
        change, verdict = entry["delta_pct"], entry["verdict"]
        tied = row > 0 and entry["tied_with_best"]
        cells = [
            Cell("=" if tied else str(entry["rank"]), "muted"),
            Cell(str(entry["checkpoint"]), "best" if entry["rank"] == 1 else ""),
            Cell(self._number(entry["value"], self._objective)),
            Cell(percent(change), verdict or "muted"),
            Cell(f"{verdict_mark(verdict)}{LOSES_MARK if entry['checkpoint'] in self._loses else ''}", verdict or ""),
            Cell("◆" if entry["checkpoint"] in self._front else "", "accent"),
            *(Cell(self._number(self._values[row].get(item.key), item)) for item in self._terms),
        ]
        return [Cell(self._sign(cell.text), cell.role) if index != 1 else cell for index, cell in enumerate(cells)]

    @staticmethod
    def _number(value: float | None, entry: Term) -> str:
        return number(None if value is None else value * entry.factor, entry.digits)
