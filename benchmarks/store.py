"""A big store opened, summarised, compared and ranked, beside the same question in DuckDB::

    python -m benchmarks.store [--checkpoints 1000] [--frames 12240] [--regions 3] [--folder DIR [--keep]]

Every measurement is a process of its own, from its start to the answer, the files in the page cache; the peak is that
of its physical memory. Both answers are compared: the order, and every mean, standard deviation and median.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.store_data import REGIONS, StoreData, is_written, write_store
from benchmarks.store_sql import STATISTICS, columns, narrow_query, whole_query
from engine.results.shards import shard_folders
from engine.results.summary_cache import SETTLED_SECONDS

_ROOT = Path(__file__).resolve().parents[1]
_TOLERANCE = 1e-9
_REPEATS = 5  # of what takes a moment


@dataclass(frozen=True)
class Measured:
    """One kind of run.

    Attributes:
        seconds: from the start of the process to the answer; the median of several.
        cpu: seconds of all its threads together, which a busy machine changes less; the median of several.
        peak_mb: physical memory, MB; the largest of several.
        answer: what the last one gave.
    """

    seconds: float
    cpu: float
    peak_mb: float
    answer: Mapping[str, Any]


class Bench:
    """Runs tasks with a cache folder of their own.

    Args:
        scratch: a folder for caches and for what DuckDB spills.
        threads: of either program.
    """

    def __init__(self, scratch: Path, threads: int) -> None:
        self._scratch = scratch
        self._threads = threads

    def lorascope(self, store: Path, cache: str, *, whole: bool, repeats: int = 1) -> Measured:
        """lorascope's own code; ``whole`` compares, too. The cache of that name is kept between calls."""
        task = {"program": "lorascope", "store": str(store), "whole": whole}
        return self._measure(task, self._scratch / cache, repeats)

    def duckdb(self, statements: list[str], tables: Sequence[str] = (), repeats: int = 1) -> Measured:
        """Statements in DuckDB, the last of which gives the ranking; the contents of ``tables`` are for the check."""
        task = {"program": "duckdb", "statements": statements, "tables": list(tables), "threads": self._threads}
        return self._measure({**task, "scratch": str(self._scratch / "spilled")}, self._scratch / "none", repeats)

    def _measure(self, task: Mapping[str, Any], cache: Path, repeats: int) -> Measured:
        environment = {
            **os.environ,
            "XDG_CACHE_HOME": str(cache),
            "POLARS_MAX_THREADS": str(self._threads),
            "OMP_NUM_THREADS": str(self._threads),
        }
        seconds, cpu, peaks, answer = [], [], [], {}
        for _ in range(repeats):
            begin = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.store_work"],
                cwd=_ROOT,
                env=environment,
                input=json.dumps(task),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise SystemExit(f"{task['program']} failed:\n{done.stderr}")
            answer = json.loads(done.stdout)
            seconds.append(answer["ended"] - begin)
            cpu.append(answer["cpu"])
            peaks.append(answer["peak_mb"])
        return Measured(statistics.median(seconds), statistics.median(cpu), max(peaks), answer)


def prepare(folder: Path, checkpoints: int, frames: int, regions: int, threads: int) -> Path:
    """The store in ``folder``, written where it is not there."""
    if is_written(folder):
        print(f"{folder}: used as it is")
    else:
        begin = time.monotonic()
        for done in write_store(folder, StoreData(checkpoints, frames, regions), threads=threads):
            if sys.stderr.isatty():
                print(f"\rwriting {done}/{checkpoints}", end="", file=sys.stderr, flush=True)
        print(f"\r{folder}: written in {time.monotonic() - begin:.0f} s")
    stamps = [stamp for found in shard_folders(folder) for stamp in found.stamps]
    rows = checkpoints * frames * regions
    print(
        f"  {checkpoints} checkpoints x {frames} frames x {regions} regions = {rows / 1e6:.1f} M rows, one alignment; "
        f"{sum(stamp.size for stamp in stamps) / 1e9:.2f} GB in {len(stamps)} files"
    )
    newest = max(max(stamp.modified, stamp.changed or 0) for stamp in stamps) / 1e9
    # What was written just now is not kept in a cache.
    time.sleep(max(0.0, newest + SETTLED_SECONDS + 0.5 - time.time()))
    return folder


def warm(store: Path) -> None:
    """Read every file once, so that all find them in the page cache."""
    for folder in shard_folders(store):
        for file in folder.files:
            with file.open("rb") as content:
                while content.read(1 << 24):
                    pass


def differences(ours: Measured, theirs: Measured) -> list[str]:
    """What the two answers do not agree on, in words."""
    found = []
    mine, other = ours.answer["ranking"], theirs.answer["ranking"]
    if [name for name, _ in mine] != [name for name, _ in other]:
        found.append("the rankings are in another order")
    found += [
        f"{name}: score {a!r} is {b!r}"
        for (name, a), (_, b) in zip(mine, other, strict=False)
        if not math.isclose(a, b, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    ]
    if ours.answer["problems"]:
        found.append(f"problems with the store: {ours.answer['problems'][:3]}")
    if theirs.answer["tables"]:
        expected = dict(_flattened(theirs.answer["tables"]))
        got = {(name, key): tuple(values) for name, key, *values in ours.answer["statistics"]}
        if got.keys() != expected.keys():
            found.append(f"{len(got)} and {len(expected)} summaries, not of the same")
        found += [
            f"{key}: {got[key]} is {expected[key]}"
            for key in got.keys() & expected.keys()
            if not all(
                math.isclose(a, b, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
                for a, b in zip(got[key], expected[key], strict=True)
            )
        ]
    return found


def _flattened(tables: Mapping[str, list[list[Any]]]) -> Iterable[tuple[tuple[str, str], tuple[float, ...]]]:
    """(checkpoint, metric) -> mean, standard deviation, median."""
    of_frames, of_windows = columns()
    each = len(STATISTICS)
    for checkpoint, region, *values in tables["of_frames"]:
        for index, name in enumerate(of_frames):
            group, _, metric = name.partition(".") if "." in name else ("depth", "", name)
            yield (checkpoint, f"{group}.{region}.{metric}"), tuple(values[index * each : index * each + 3])
    for checkpoint, *values in tables["of_windows"]:
        for index, name in enumerate(of_windows):
            yield (checkpoint, name), tuple(values[index * each : index * each + 3])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code is 1 where the answers differ or ``--max-ratio`` is exceeded."""
    options = _options(argv)
    with tempfile.TemporaryDirectory(prefix="lorascope-store-", dir=options.folder) as scratch:
        folder = options.folder or Path(scratch)
        name = f"store-{options.checkpoints}x{options.frames}x{options.regions}"
        quarter = max(1, options.frames // 4)
        try:
            return _run(
                Bench(Path(scratch), options.threads), folder / name, folder / f"{name}-quarter", quarter, options
            )
        finally:
            if not options.keep:
                shutil.rmtree(folder / name, ignore_errors=True)
                shutil.rmtree(folder / f"{name}-quarter", ignore_errors=True)


def _run(bench: Bench, store: Path, small: Path, quarter: int, options: argparse.Namespace) -> int:
    prepare(small, options.checkpoints, quarter, options.regions, options.threads)
    prepare(store, options.checkpoints, options.frames, options.regions, options.threads)
    print(f"{options.threads} threads each\n")
    results: dict[str, Measured] = {}
    warm(store)
    results["cold"] = bench.lorascope(store, "full", whole=True)
    results["cached"] = bench.lorascope(store, "full", whole=True, repeats=_REPEATS)
    results["ranking"] = bench.lorascope(store, "full", whole=False, repeats=_REPEATS)
    warm(store)
    results["narrow"] = bench.duckdb(narrow_query(store), repeats=_REPEATS)
    results["duckdb"] = bench.duckdb(whole_query(store), ["of_frames", "of_windows"])
    warm(small)
    results["cold, quarter"] = bench.lorascope(small, "quarter", whole=True)
    results["duckdb, quarter"] = bench.duckdb(whole_query(small))
    return _report(results, quarter, options.max_ratio)


def _report(results: Mapping[str, Measured], quarter: int, max_ratio: float | None) -> int:
    rows = [
        ("open, summarise, compare, rank", "", ""),
        ("  lorascope, no cache", "cold", "duckdb"),
        ("  lorascope, cached", "cached", "duckdb"),
        ("  DuckDB", "duckdb", "duckdb"),
        ("rank by the score", "", ""),
        ("  lorascope, cached", "ranking", "narrow"),
        ("  DuckDB, five means alone", "narrow", "narrow"),
        (f"all with {quarter} frames", "", ""),
        ("  lorascope, no cache", "cold, quarter", "duckdb, quarter"),
        ("  DuckDB", "duckdb, quarter", "duckdb, quarter"),
    ]
    print(f"{'':<34}{'seconds':>10}{'/ DuckDB':>10}{'CPU s':>10}{'/ DuckDB':>10}{'peak MB':>10}")
    for label, key, beside in rows:
        if not key:
            print(label)
            continue
        one, other = results[key], results[beside]
        wall, cpu = one.seconds / other.seconds, one.cpu / other.cpu
        print(f"{label:<34}{one.seconds:>10.2f}{wall:>10.3f}{one.cpu:>10.2f}{cpu:>10.3f}{one.peak_mb:>10.0f}")
    growth = {
        name: results[full].peak_mb - results[part].peak_mb
        for name, full, part in (("lorascope", "cold", "cold, quarter"), ("DuckDB", "duckdb", "duckdb, quarter"))
    }
    print("\nmemory for four times the frames: " + ", ".join(f"{name} {mb:+.0f} MB" for name, mb in growth.items()))
    wrong = differences(results["cold"], results["duckdb"])
    wrong += differences(results["cached"], results["duckdb"]) + differences(results["ranking"], results["narrow"])
    if wrong:
        print(f"the answers differ in {len(wrong)} places:", *wrong[:5], sep="\n  ")
        return 1
    print(f"the same ranking, and the same means, standard deviations and medians within {_TOLERANCE:g}")
    slowest = max(
        results["cold"].seconds / results["duckdb"].seconds, results["ranking"].seconds / results["narrow"].seconds
    )
    return 1 if max_ratio is not None and slowest > max_ratio else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--checkpoints", type=int, default=1000, help="the baseline among them")
    parser.add_argument("--frames", type=int, default=12_240, help="per checkpoint and region")
    parser.add_argument("--regions", type=int, default=3, choices=range(1, len(REGIONS) + 1))
    parser.add_argument("--folder", type=Path, help="where the stores are; a temporary folder if none is given")
    parser.add_argument("--keep", action="store_true", help="leave the stores in --folder, to be used again")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of either program")
    parser.add_argument(
        "--max-ratio", type=float, help="exit code 1 where lorascope takes more than this of DuckDB's time"
    )
    options = parser.parse_args(argv)
    if options.keep and options.folder is None:
        parser.error("--keep needs --folder")
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    sys.exit(main())
