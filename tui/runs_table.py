"""The rows of Runs: name, best checkpoint, score and its change, state. Textual-free."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from engine.i18n import gettext as _
from engine.i18n import pgettext
from engine.jobs.snapshot import JobState
from engine.results.names import natural_key
from tui.evaluations.job_rows import percent_done
from tui.format import MISSING, number, percent, plain_text
from tui.plots.sparkline import sparkline
from tui.session import Overview, Session
from tui.text import cell_width
from tui.widgets.grid_model import Cell, Column

_SPARK = 11
_STATUS_ROLES = {"ok": "", "partial": "warning", "stopped": "warning", "running": "accent", "broken": "error"}
# What `s` sorts by, in its order: column key and whether the greatest comes first.
SORTS = (("", False), ("score", True), ("delta", True), ("name", False), ("status", False))


def visible_runs(session: Session, words: str, sort: str) -> list[str]:
    """The keys of the runs whose name or folder holds every word, in the order asked for.

    Args:
        session: what the app knows.
        words: separated by blanks, in any case; empty means all runs.
        sort: the key of a column of :data:`SORTS`; empty keeps the order in which runs were found.
            Runs without a value come last.
    """
    wanted = words.lower().split()
    keys = [key for key in session.refs if all(word in f"{session.name(key)} {key}".lower() for word in wanted)]
    if sort == "name":
        return sorted(keys, key=lambda key: natural_key(session.name(key)))
    if sort == "status":
        order = ("broken", "partial", "stopped", "running", "ok")
        states = {key: session.overviews[key].status for key in keys if key in session.overviews}
        return sorted(keys, key=lambda key: order.index(states[key]) if key in states else len(order))
    if sort in ("score", "delta"):
        values = {key: _value(session.overviews.get(key), sort) for key in keys}
        return sorted(keys, key=lambda key: -values[key] if values[key] is not None else float("inf"))  # type: ignore[operator]
    return keys


def _value(overview: Overview | None, column: str) -> float | None:
    if overview is None:
        return None
    return overview.score if column == "score" else overview.delta_pct


class RunsSource:
    """The runs as rows of a grid.

    Args:
        session: what the app knows.
        keys: the runs to show, in their order.
        plain: ASCII alone.
    """

    def __init__(self, session: Session, keys: Sequence[str], *, plain: bool) -> None:
        self._session = session
        self._keys = keys
        self._plain = plain
        names = max((cell_width(session.name(key)) for key in self._keys), default=0)
        folders = max((cell_width(self._folder(session.refs[key].path)) for key in self._keys), default=0)
        self.columns: Sequence[Column] = (
            Column("name", _("run"), min(max(names, 12), 44), min_width=min(max(names, 12), 22), ellipsis="middle"),
            Column("checkpoints", _("ckpts"), 5, "right"),
            Column("best", _("best"), 16, min_width=13, ellipsis="middle"),
            Column("score", pgettext("heading of a narrow column", "score"), 7, "right"),
            Column("delta", "D%" if plain else "Δ%", 6, "right"),
            Column("curve", _("score curve"), _SPARK),
            Column("status", _("status"), 8),
            Column("protocol", _("protocol"), 9, min_width=6),
            Column("provenance", pgettext("where a run comes from", "from"), 10, min_width=6),
            Column("folder", _("folder"), min(max(folders, 6), 40), min_width=6, ellipsis="middle"),
        )

    @property
    def row_count(self) -> int:
        """One row for every run."""
        return len(self._keys)

    def row_key(self, row: int) -> str:
        """The run's path."""
        return self._keys[row]

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """Runs have no headings."""
        return "row"

    def cells(self, row: int) -> Sequence[Cell]:
        """The run's name and, once it was read, its figures."""
        key = self._keys[row]
        ref = self._session.refs[key]
        folder = self._folder(ref.path)
        overview = self._session.overviews.get(key)
        if overview is None:
            count = "" if ref.checkpoints is None else str(ref.checkpoints)
            waiting = "..." if self._plain else "…"
            blank = Cell("")
            return (
                Cell(ref.name), Cell(count), blank, blank, blank, blank,
                Cell(waiting, "muted"), blank, blank, Cell(folder, "muted"),
            )  # fmt: skip
        delta = overview.delta_pct
        problems = len(overview.problems)
        status, role = self._status(overview)
        curve = sparkline(overview.curve, _SPARK, plain=self._plain) if overview.curve else ""
        missing = plain_text(MISSING) if self._plain else MISSING
        return (
            Cell(overview.name, "error" if overview.status == "broken" else ""),
            Cell(str(overview.checkpoints)),
            Cell(overview.best or missing, "best" if overview.best else "muted"),
            Cell(number(overview.score, 4) if overview.score is not None else missing),
            Cell(percent(delta) if delta is not None else missing, _delta_role(delta)),
            Cell(curve, "accent"),
            Cell(status, role or ("warning" if problems else "muted")),
            Cell(overview.protocol, "muted"),
            Cell(_(overview.provenance), "muted"),
            Cell(folder, "muted"),
        )

    def _status(self, overview: Overview) -> tuple[str, str]:
        """A run's status and its role; of one that is computed now how far it is."""
        job = self._session.job(overview.key)
        if job is not None and job.state.alive and job.windows:
            return _("live {share}").format(share=percent_done(job).replace(" ", "")), "accent"
        if job is not None and job.state is JobState.DEAD:
            return _(job.state.value), "error"
        if overview.status == "ok" and overview.problems:
            return f"{_(overview.status)} !", "warning"
        return _(overview.status), _STATUS_ROLES.get(overview.status, "")

    def _folder(self, path: Path) -> str:
        if self._session.samples:
            return _("samples")
        for root in self._session.roots or [Path.cwd()]:
            if path == root:
                return "."
            if root in path.parents:
                return str(path.parent.relative_to(root))
        return str(path.parent)


def _delta_role(delta: float | None) -> str:
    if delta is None:
        return "muted"
    return "better" if delta > 0 else "worse" if delta < 0 else "tied"
