"""``lorascope selftest``: what a perfect and a blind prediction score here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.catalogue import Catalogue, Direction
from tui.cli.cells import Cell, Column
from tui.cli.extra import needs_eval
from tui.cli.output import print_json, tell
from tui.format import MISSING

if TYPE_CHECKING:
    from engine.evaluation.selftest import MetricCheck, SelftestReport
    from tui.cli.screen import Screen

_STYLES = {"ok": "green", "failed": "bold red"}


def run_selftest(
    data: Path | None, max_seqs: int, size: int | None, seed: int, *, as_json: bool, plain: bool | None
) -> int:
    """Run the self-test on ``data``, or on a street of its own; 1 where a metric failed.

    Raises:
        LorascopeError: the data cannot be read, or a package is missing.
    """
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
        return "scale: nothing was measured that a scale must not change"
    if changed:
        names = ", ".join(check.key for check in changed)
        return f"scale: the oracle times {FACTOR} scores differently in {names}"
    return f"scale: the oracle times {FACTOR} scores the same in all {len(all_)} metrics that promise it"


def _draw(screen: Screen, report: SelftestReport) -> None:
    where = report.root_name or "a fresh synthetic street"
    screen.outside(f"self-test on {where}: {report.windows} windows, {report.frames} frames", "bold")
    screen.line()
    catalogue = Catalogue()
    columns = [
        Column("metric"),
        Column("region", outside=True, rank=1),
        Column("oracle", "right"),
        Column("limit", "right", rank=2),
        Column("chance", "right"),
        Column("verdict"),
    ]
    rows = []
    for check in report.checks:
        metric = catalogue.get(check.key)
        sign = "≥ " if metric.direction is Direction.HIGHER else "≤ "
        rows.append(
            (
                f"{metric.label} {metric.unit}".strip(),
                metric.region,
                _figure(check.oracle),
                MISSING if check.limit is None else f"{sign}{check.limit:g}",
                _figure(check.chance),
                Cell(check.verdict.value, _STYLES.get(check.verdict.value, "dim")),
            )
        )
    screen.table(columns, rows)
    screen.line()
    screen.paragraph(screen.words(scale_line(report)))
    for check in report.failed:
        screen.paragraph(screen.words(f"failed: {check.key}: {check.why}"))
    verdicts = [check.verdict.value for check in report.checks]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
    screen.paragraph(f"{counts}; {report.seconds:.0f} s")


def _figure(value: float | None) -> str:
    return MISSING if value is None else f"{value:.4g}"


def _progress() -> Callable[[str], None]:
    """Says on a line of stderr what is being done, and wipes it; nothing in a pipe."""
    if not sys.stderr.isatty():
        return lambda _: None

    def show(words: str) -> None:
        print(f"\r{words:<40}\r", end="", file=sys.stderr, flush=True)

    return show
