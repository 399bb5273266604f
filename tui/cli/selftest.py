"""``lorascope selftest``: what a perfect and a blind prediction score here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.catalogue import Catalogue, Direction, region_shown
from engine.i18n import activate, listing
from engine.i18n import gettext as _
from tui.cli.cells import Cell, Column
from tui.cli.extra import needs_eval
from tui.cli.output import print_json, tell
from tui.format import MISSING
from tui.text import fit

if TYPE_CHECKING:
    from engine.evaluation.selftest import MetricCheck, SelftestReport
    from tui.cli.screen import Screen

_LINE = 40  # cells of progress
_STYLES = {"ok": "green", "failed": "bold red"}


def run_selftest(
    data: Path | None, max_seqs: int, size: int | None, seed: int, *, as_json: bool, plain: bool | None
) -> int:
    """Run the self-test on ``data``, or on a street of its own; 1 where a metric failed.

    Raises:
        LorascopeError: the data cannot be read, or a package is missing.
    """
    if as_json:
        activate("en")
    with needs_eval():
        from engine.evaluation.selftest import selftest
    progress = _progress()
    try:
        report = selftest(data, max_seqs=max_seqs, size=size, seed=seed, tell=progress)
    finally:
        progress("")
    failed = 1 if report.failed else 0
    if as_json:
        print_json({"metrics": [_entry(check) for check in report.checks]})
        tell([scale_line(report), *(f"{check.key}: {check.why}" for check in report.failed)])
        return failed
    from tui.cli.screen import Screen

    _draw(Screen(plain=plain), report)
    return failed


def _entry(check: MetricCheck) -> dict[str, object]:
    return {"key": check.key, "oracle": check.oracle, "chance": check.chance, "verdict": check.verdict.value}


def scale_line(report: SelftestReport) -> str:
    """What another unit of length did, in a sentence."""
    from engine.evaluation.selftest import FACTOR

    changed, all_ = report.scale_matters, report.scale_free
    if not all_:
        return _("scale: nothing was measured that a scale must not change")
    if changed:
        names = listing(check.key for check in changed)
        return _("scale: the oracle times {factor} scores differently in {metrics}").format(
            factor=FACTOR, metrics=names
        )
    said = _("scale: the oracle times {factor} scores the same in all {count} metrics that promise it")
    return said.format(factor=FACTOR, count=len(all_))


def _draw(screen: Screen, report: SelftestReport) -> None:
    where = report.root_name or _("a fresh synthetic street")
    said = _("self-test on {data}: {windows} windows, {frames} frames")
    screen.outside(said.format(data=where, windows=report.windows, frames=report.frames), "bold")
    screen.line()
    catalogue = Catalogue()
    columns = [
        Column(_("metric")),
        Column(_("region"), outside=True, rank=1),
        Column(_("oracle"), "right"),
        Column(_("limit"), "right", rank=2),
        Column(_("chance"), "right"),
        Column(_("verdict")),
    ]
    rows = []
    for check in report.checks:
        metric = catalogue.get(check.key)
        sign = "≥ " if metric.direction is Direction.HIGHER else "≤ "
        rows.append(
            (
                metric.heading,
                region_shown(metric.region),
                _figure(check.oracle),
                MISSING if check.limit is None else f"{sign}{check.limit:g}",
                _figure(check.chance),
                Cell(_(check.verdict.value), _STYLES.get(check.verdict.value, "dim")),
            )
        )
    screen.table(columns, rows)
    screen.line()
    screen.paragraph(screen.words(scale_line(report)))
    for check in report.failed:
        screen.paragraph(screen.words(_("failed: {what}").format(what=f"{check.key}: {check.why}")))
    verdicts = [check.verdict.value for check in report.checks]
    counts = listing(f"{verdicts.count(verdict)} {_(verdict)}" for verdict in dict.fromkeys(verdicts))
    screen.paragraph(f"{counts}; {report.seconds:.0f} s")


def _figure(value: float | None) -> str:
    return MISSING if value is None else f"{value:.4g}"


def _progress() -> Callable[[str], None]:
    """Says on a line of stderr what is being done, and wipes it; nothing in a pipe."""
    if not sys.stderr.isatty():
        return lambda _words: None

    def show(words: str) -> None:
        print(f"\r{fit(words, _LINE)}\r", end="", file=sys.stderr, flush=True)

    return show
