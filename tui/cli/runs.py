"""``lorascope runs``: what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from engine.analysis.comparability import comparability
from engine.analysis.documents import RunRow, runs_document
from engine.catalogue import SCORE_KEY, Catalogue
from engine.i18n import gettext as _
from engine.remote.url import shown
from tui.cli.cells import Cell, Column
from tui.cli.gather import find_runs, open_library
from tui.cli.output import Answer, Destination, FlatTable
from tui.format import MISSING, distinct, metric_number, percent
from tui.plots.sparkline import sparkline
from tui.session import Overview

if TYPE_CHECKING:
    from tui.cli.screen import Screen

# An overview, and the fingerprint of the run's sample where it is known.
Found = tuple[Overview, str | None]

_WIDE, _SPARKLINE = 100, 16
_HASH_DIGITS = 8
_STYLES = {"broken": "red", "partial": "yellow", "stopped": "yellow", "running": "cyan", "ok": "green"}


def list_runs(paths: Sequence[Path], *, config: Path | None, destination: Destination) -> int:
    """List the runs at or below ``paths``; 1 where nothing could be read of any.

    Raises:
        LorascopeError: a path does not exist, there is no run, the settings or the destination are wrong.
    """
    destination.check()
    library = open_library(config)
    refs, notes = find_runs(paths)
    runs = [library.load(ref) for ref in refs]
    found = [(library.overview(loaded), loaded.run.metadata.dataset.sample_fingerprint) for loaded in runs]
    overviews = [overview for overview, _ in found]
    readable = any(overview.status != "broken" for overview in overviews)
    scored = [loaded.facts for loaded, own in zip(runs, overviews, strict=True) if own.score is not None]
    reasons = comparability(scored).reasons
    if reasons:
        notes = [*notes, _("scores of these runs may not be compared: {reasons}").format(reasons=", ".join(reasons))]
    return destination.deliver(
        Answer(
            document=lambda: {**runs_document([_row(overview) for overview in overviews]), "notes": list(notes)},
            draw=lambda screen: _draw(screen, found, library.catalogue),
            table=lambda: FlatTable(_frame(overviews)),
            readable=lambda: _readable(overviews, library.catalogue),
            notes=notes,
            in_document=True,
            code=0 if readable else 1,
        )
    )


def _row(overview: Overview) -> RunRow:
    return RunRow(
        run=overview.name,
        path=shown(Path(overview.key)),
        checkpoints=overview.checkpoints,
        protocol=overview.protocol,
        provenance=overview.provenance,
        best=overview.best,
        score=overview.score,
        status=overview.status,
        problems=overview.problems,
    )


def _frame(overviews: Sequence[Overview]) -> pl.DataFrame:
    rows = [{**asdict(_row(overview)), "problems": "; ".join(overview.problems) or None} for overview in overviews]
    text, whole = pl.String, pl.Int64
    return pl.DataFrame(
        rows,
        schema={
            **{"run": text, "path": text, "checkpoints": whole, "protocol": text, "provenance": text, "best": text},
            **{"score": pl.Float64, "status": text, "problems": text},
        },
    )


def _readable(overviews: Sequence[Overview], catalogue: Catalogue) -> FlatTable:
    frame = _frame(overviews).select("run", "checkpoints", "protocol", "provenance", "best", "score", "status")
    changes = [None if (change := overview.delta_pct) is None else percent(change) for overview in overviews]
    return FlatTable(
        frame.insert_column(6, pl.Series("change", changes, pl.String)),
        headers={"change": _("Δ% on the baseline")},
        digits={"score": catalogue.get(SCORE_KEY).digits},
        right=("change",),
    )


def _draw(screen: Screen, found: Sequence[Found], catalogue: Catalogue) -> None:
    score = catalogue.get(SCORE_KEY)
    names = distinct([(overview.name, Path(overview.key)) for overview, _ in found])
    cells = _SPARKLINE if screen.width >= _WIDE else _SPARKLINE // 2
    columns = [
        Column(_("run"), outside=True, least=24),
        Column(_("ckpts"), "right", rank=3),
        Column(_("protocol"), outside=True, least=6, rank=4),
        Column(_("provenance"), rank=6),
        Column(_("sample"), rank=5),
        Column(_("best"), outside=True, least=14),
        Column(_("score"), "right"),
        Column("Δ%", "right", rank=1),
        Column(_("course"), rank=2),
        Column(_("status")),
    ]
    rows = [
        (
            Cell(name, "bold"),
            str(overview.checkpoints),
            overview.protocol,
            _(overview.provenance),
            Cell(sample[:_HASH_DIGITS] if sample else _("unknown"), "" if sample else "dim"),
            Cell(overview.best or MISSING, "yellow" if overview.best else "dim"),
            metric_number(overview.score, score),
            percent(overview.delta_pct),
            Cell(sparkline(overview.curve, cells, plain=screen.plain), "cyan"),
            Cell(_(overview.status), _STYLES.get(overview.status, "")),
        )
        for name, (overview, sample) in zip(names, found, strict=True)
    ]
    screen.table(columns, rows)
    for name, (overview, _sample) in zip(names, found, strict=True):
        if overview.problems:
            screen.line()
            screen.outside(name, "bold")
            for problem in overview.problems:
                screen.paragraph(problem.removeprefix(f"{overview.name}: "), indent="  ")
