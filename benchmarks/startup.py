"""First paint and the answer to a cursor key, as someone over SSH feels them, beside a bare Textual app.

Both programs run in turn on pseudo-terminals of this machine, so that the ratio is fair where the seconds are not::

    python -m benchmarks.startup PATH [--runs 7] [--size 120x40] [--keys 10] [--filled TEXT] [--max-ratio 1.5]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bare_app import SHOWN
from benchmarks.pty_session import Answer, PtySession

_DOWN, _UP = b"\x1b[B", b"\x1b[A"


@dataclass
class Measured:
    """What several starts of one program gave."""

    name: str
    command: Sequence[str | Path]
    shown: str
    filled: str = ""
    first_paint: list[float] = field(default_factory=list)
    start_bytes: list[float] = field(default_factory=list)
    filled_at: list[float] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def start_once(self, columns: int, rows: int, keys: int) -> None:
        """Start it, wait for its first screen, move the cursor ``keys`` times, end it."""
        with PtySession(self.command, columns, rows) as session:
            self.first_paint.append(session.wait_for(self.shown))
            if self.filled:
                self.filled_at.append(session.wait_for(self.filled))
            session.settle(quiet=0.5)
            self.start_bytes.append(len(session.received))
            for number in range(keys):
                session.write(_UP if number % 2 else _DOWN)
                self.answers.append(session.settle(quiet=0.2))


def median(values: Iterable[float | None]) -> float:
    """The median of what was measured; NaN where nothing was."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else float("nan")


def report(ours: Measured, bare: Measured) -> float:
    """Print both side by side; returns the ratio of the first paints."""
    rows = {
        "first paint s": [median(m.first_paint) for m in (ours, bare)],
        "start-up bytes": [median(m.start_bytes) for m in (ours, bare)],
        "key, first byte ms": [median(a.first for a in m.answers) * 1e3 for m in (ours, bare)],
        "key, last byte ms": [median(a.last for a in m.answers) * 1e3 for m in (ours, bare)],
        "key bytes": [median(a.size for a in m.answers) for m in (ours, bare)],
    }
    print(f"{'median':<20}{ours.name:>12}{bare.name:>12}{'ratio':>8}")
    for label, (mine, other) in rows.items():
        print(f"{label:<20}{mine:>12.3f}{other:>12.3f}{mine / other:>8.2f}")
    if ours.filled_at:
        print(f"{'filled s':<20}{median(ours.filled_at):>12.3f}")
    for measured in (ours, bare):
        silent = sum(answer.first is None for answer in measured.answers)
        if silent:
            print(f"{measured.name}: {silent} of {len(measured.answers)} keys had no answer")
    mine, other = rows["first paint s"]
    return mine / other


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code is 1 where ``--max-ratio`` is exceeded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__.split("\n", 1)[0])
    parser.add_argument("path", nargs="+", help="what lorascope opens")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--keys", type=int, default=10)
    parser.add_argument("--shown", default="Compare", help="text of the first paint (default: %(default)s)")
    parser.add_argument("--filled", default="", help="text that is there once the runs are, e.g. a run's name")
    parser.add_argument("--max-ratio", type=float, default=None)
    options = parser.parse_args(argv)
    columns, rows = map(int, options.size.split("x"))

    lorascope = Path(sys.executable).with_name("lorascope")
    ours = Measured("lorascope", [lorascope, *options.path], options.shown, options.filled)
    bare = Measured("bare app", [sys.executable, "-m", "benchmarks.bare_app"], SHOWN)
    for program in (ours, bare):  # once unmeasured: the file cache is warm for both
        with PtySession(program.command, columns, rows) as session:
            session.wait_for(program.shown)
    for _ in range(options.runs):
        ours.start_once(columns, rows, options.keys)
        bare.start_once(columns, rows, options.keys)
    ratio = report(ours, bare)
    return 1 if options.max_ratio is not None and ratio > options.max_ratio else 0


if __name__ == "__main__":
    sys.exit(main())
