"""One measured piece of :mod:`benchmarks.store`, in a process of its own; reads a task in JSON, prints JSON.

Imports nothing that the task does not need: what a program imports is part of its time and memory.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Answer = Callable[[], dict[str, Any]]


def main() -> None:
    """Do the task on standard input."""
    task: dict[str, Any] = json.load(sys.stdin)
    answer = {"lorascope": _lorascope, "duckdb": _duckdb}[task["program"]](task)
    # One clock for all processes of the machine. What follows is for the check, not part of the measurement.
    measured = {"ended": time.monotonic(), "cpu": time.process_time(), "peak_mb": peak_mb()}
    print(json.dumps({**measured, **answer()}))


def peak_mb() -> float:
    """The most physical memory that this process has had, in MB (10^6 bytes)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError("/proc/self/status tells no VmHWM")


def _lorascope(task: dict[str, Any]) -> Answer:
    from engine.analysis.compare import Entry, compare
    from engine.analysis.ranking import rank
    from engine.config import Config
    from engine.results.load import found_runs
    from tui.library import Library

    library = Library(Config())
    (ref,) = found_runs([Path(task["store"])])
    loaded = library.load(ref)
    ranking = rank(loaded.analysis, catalogue=library.catalogue)
    if task["whole"]:
        run = loaded.run
        entry = Entry(
            run=run.name,
            path=loaded.key,
            protocol=run.metadata.protocol.name,
            provenance=run.metadata.provenance.value,
            analysis=loaded.analysis,
            facts=loaded.facts,
            checkpoint=ranking.best,
        )
        compare([entry], catalogue=library.catalogue)
    rows = ranking.rows.select("checkpoint", "value").rows()

    def answer() -> dict[str, Any]:
        summary = loaded.run.summary
        means = summary.select("checkpoint", "metric", "mean", "std", "median").rows() if task["whole"] else []
        problems = [str(problem) for problem in loaded.run.problems]
        return {"ranking": rows, "statistics": means, "problems": problems}

    return answer


def _duckdb(task: dict[str, Any]) -> Answer:
    import duckdb

    connection = duckdb.connect(config={"threads": task["threads"], "temp_directory": task["scratch"]})
    rows: list[tuple[Any, ...]] = []
    for statement in task["statements"]:
        rows = connection.execute(statement).fetchall()

    def answer() -> dict[str, Any]:
        tables = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in task["tables"]}
        return {"ranking": rows, "tables": tables}

    return answer


if __name__ == "__main__":
    main()
