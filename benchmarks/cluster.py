"""Where many workers come to a limit: the scheduler, the journal, or the store::

    python -m benchmarks.cluster [--workers 10,100,1000] [--checkpoints 50] [--store-shards 40] [--json FILE]

Nothing is evaluated: shards take simulated times. The scheduler, TLS, the driver's loop and its journal are the real
ones, and so are the files that a shard writes. Workers are Dask's own, many in one process, and sleep instead of
computing; what is measured is therefore what stands between them, all on this one machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from engine.cluster import settings as _settings  # noqa: F401 - before distributed
from engine.cluster.hub import OF_PROCESS, Hub
from engine.cluster.keys import make_keys, security
from engine.cluster.spread import Spread
from engine.evaluation.executor import ShardDone, Work
from engine.evaluation.journal import Journal
from engine.jobs.presence import Presence
from engine.jobs.watch import JobWatch
from engine.results import layout
from engine.results.joining import join_shards
from engine.results.writer import write_frames, write_table
from engine.schema import CURVES, FRAMES

_IN_ONE_PROCESS = 125  # workers; more make their event loop the limit
_FRAMES, _REGIONS, _ALIGNMENTS, _WINDOWS = 8, 3, 4, 4  # of a shard: rows per checkpoint
_SHARD_SECONDS = (1.0, 10.0, 60.0, 600.0)


@dataclass(frozen=True)
class Nap:
    """A shard that takes a simulated time."""

    number: int
    seconds: float


async def nap(task: Nap) -> ShardDone:
    """Take that long."""
    await asyncio.sleep(task.seconds)
    return ShardDone(task.number, task.seconds, {}, {}, None, "simulated")


class Simulated(Spread):
    """The executor itself, with workers that sleep.

    Args:
        hub: the scheduler, with its workers.
        seconds: that a shard takes.
    """

    compute: ClassVar[Any] = staticmethod(nap)

    def __init__(self, presence: Presence, hub: Hub, seconds: float) -> None:
        super().__init__(presence)
        self._hub = hub
        self._seconds = seconds

    def _task(self, number: int, attempt: int, work: Work) -> Any:
        return Nap(number, self._seconds)


@dataclass(frozen=True)
class Rate:
    """What one set of workers came to.

    Attributes:
        workers: how many.
        joined_seconds: until all of them were there.
        shards_per_second: with shards that take no time: the most that scheduler and driver hand out and take back.
        busy: of shards that would take half of that rate, how much of their time the workers computed, 0 to 1.
        driver_mb: main memory of the driver with the scheduler.
    """

    workers: int
    joined_seconds: float
    shards_per_second: float
    busy: float
    driver_mb: float


def scheduler_rate(folder: Path, workers: int) -> Rate:
    """Hand shards out to so many workers."""
    run = folder / f"run-{workers}"
    make_keys(run)
    hub = Hub(run, everywhere=False, listen=None)
    begin = time.perf_counter()
    counts = [min(_IN_ONE_PROCESS, workers - start) for start in range(0, workers, _IN_ONE_PROCESS)]
    processes = [
        subprocess.Popen([sys.executable, "-m", "benchmarks.cluster", "--serve", hub.address, str(run), str(count)])
        for count in counts
    ]
    try:
        while len(hub.workers()) < workers:
            time.sleep(0.1)
            if any(process.poll() is not None for process in processes):
                raise SystemExit("a process with simulated workers has ended")
        joined = time.perf_counter() - begin
        with Presence(run) as presence:
            most = _shards_per_second(run, Simulated(presence, hub, 0.0), max(200, 3 * workers))
            seconds = 2 * workers / most
            shards = 4 * workers
            rate = _shards_per_second(run, Simulated(presence, hub, seconds), shards)
            presence.workers = None
        return Rate(workers, joined, most, rate * seconds / workers, _memory_mb())
    finally:
        hub.close()
        for process in processes:
            process.terminate()
            process.wait()


def _shards_per_second(run: Path, executor: Simulated, shards: int) -> float:
    """Of the driver's own loop: an event of the journal for every shard."""
    journal = Journal(run / layout.JOURNAL)
    begin = time.perf_counter()
    for outcome in executor.run(Work(tuple(range(shards)), 1.0)):
        if isinstance(outcome, ShardDone):
            journal.append("shard", shard=outcome.number, seconds=0.0, failed_windows={}, failed_checkpoints={})
    return shards / (time.perf_counter() - begin)


@dataclass(frozen=True)
class Store:
    """What the store takes.

    Attributes:
        files_per_shard: of frames and curves.
        seconds_per_shard: to write them, flushed to disk, by one worker.
        shards_per_second: of several processes at once on this disk.
        journal_per_second: events that one driver writes, flushed to disk.
        join_seconds_per_shard: at the end, to join the files.
        look_ms: a snapshot of a job with 10,000 shards, after the first one.
    """

    files_per_shard: int
    seconds_per_shard: float
    shards_per_second: float
    journal_per_second: float
    join_seconds_per_shard: float
    look_ms: float


def store_rate(folder: Path, checkpoints: int, shards: int, writers: int) -> Store:
    """Write shards of so many checkpoints, by one process and by several; join them."""
    alone = folder / "alone"
    begin = time.perf_counter()
    write_shards(alone, checkpoints, 0, max(2, shards // 4))
    one = (time.perf_counter() - begin) / max(2, shards // 4)
    run = folder / "several"
    each = max(1, shards // writers)
    begin = time.perf_counter()
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.cluster",
                "--write",
                str(run),
                str(checkpoints),
                str(place * each),
                str(each),
            ],
            stdout=subprocess.PIPE,
        )
        for place in range(writers)
    ]
    # Each says how long writing alone took: starting Python is no work of the store.
    several = max(float(process.communicate()[0]) for process in processes)
    begin = time.perf_counter()
    join_shards(run)
    joined = (time.perf_counter() - begin) / (each * writers)
    journal = Journal(folder / layout.JOURNAL)
    settings = {"shard": 1, "checkpoint_files": {f"checkpoint_{number}": 1 for number in range(checkpoints)}}
    journal.append("started", settings=settings, chance_depth=1.0, windows=10_000)
    begin = time.perf_counter()
    for number in range(200):
        journal.append("shard", shard=number, seconds=1.0, failed_windows={}, failed_checkpoints={})
    events = 200 / (time.perf_counter() - begin)
    watch = JobWatch(folder)
    watch.snapshot()
    begin = time.perf_counter()
    watch.snapshot()
    look = time.perf_counter() - begin
    return Store(checkpoints + 3 + 1, one, each * writers / several, events, joined, look * 1e3)


def write_shards(run: Path, checkpoints: int, first: int, count: int) -> None:
    """The files of ``count`` shards with plausible rows."""
    names = ["baseline", *(f"checkpoint_{number}" for number in range(checkpoints)), "oracle"]
    rows = _FRAMES * _REGIONS * _ALIGNMENTS * _WINDOWS
    for shard in range(first, first + count):
        for name in names:
            write_frames(run, name, _filled(FRAMES, rows, name, shard), f"{shard:06d}")
        write_table(run / "curve_shards" / f"{shard:06d}", layout.CURVES, _filled(CURVES, 64 * len(names), "", shard))


def _filled(schema: pl.Schema, rows: int, name: str, shard: int) -> pl.DataFrame:
    columns = []
    for place, (column, dtype) in enumerate(schema.items()):
        if dtype.is_float():
            values = ((pl.int_range(rows, eager=True) * 7919 + place * 104_729 + shard) % 100_003 / 100_003).cast(dtype)
        elif dtype.is_integer():
            values = pl.int_range(rows, eager=True).cast(dtype)
        elif dtype == pl.String:
            values = pl.Series([name or "x"] * rows, dtype=dtype)
        else:
            values = pl.Series([None] * rows, dtype=dtype)
        columns.append(values.alias(column))
    return pl.DataFrame(columns)


async def serve(address: str, run: Path, count: int) -> None:
    """So many workers in this process, until the scheduler ends."""
    from distributed import Worker

    with tempfile.TemporaryDirectory(prefix="simulated-", ignore_cleanup_errors=True) as scratch:
        workers = [
            Worker(
                address,
                name=f"s{os.getpid()}-{number}{OF_PROCESS}{number}",
                nthreads=1,
                memory_limit=0,
                security=security(run),
                local_directory=scratch,
                dashboard_address="127.0.0.1:0",
            )
            for number in range(count)
        ]
        for worker in workers:  # one after the other: a thousand handshakes at once time out on few cores
            await worker
        await asyncio.gather(*(worker.finished() for worker in workers))


def report(rates: Sequence[Rate], store: Store) -> str:
    """What it means: how many workers are kept busy by shards of some lengths."""
    lines = ["workers  joined in  shards/s  busy at half of that  driver and scheduler"]
    for rate in rates:
        facts = (f"{rate.workers:7}", f"{rate.joined_seconds:7.1f} s", f"{rate.shards_per_second:8.0f}")
        lines.append("  ".join([*facts, f"{rate.busy:19.0%}", f"{rate.driver_mb:14.0f} MB"]))
    write, join = store.seconds_per_shard * 1e3, store.join_seconds_per_shard * 1e3
    lines += [
        "",
        f"a shard is {store.files_per_shard} files, written in {write:.0f} ms by one worker;",
        f"this disk takes {store.shards_per_second:.1f} shards/s from several; joining takes {join:.0f} ms per shard;",
        f"the journal takes {store.journal_per_second:.0f} events/s; a look at a job of 10,000 shards",
        f"takes {store.look_ms:.0f} ms",
        "",
        "workers that are kept busy, by the length of a shard (scheduler with the most workers / store on this disk):",
    ]
    scheduler = min(rates[-1].shards_per_second, store.journal_per_second)
    for seconds in _SHARD_SECONDS:
        limits: Mapping[str, float] = {"scheduler": scheduler * seconds, "store": store.shards_per_second * seconds}
        first = min(limits, key=lambda name: limits[name])
        lines.append(
            f"  {seconds:5.0f} s  {limits['scheduler']:9.0f} / {limits['store']:9.0f}   first limit: the {first}"
        )
    return "\n".join(lines)


def _memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="10,100,1000", help="how many, with commas between")
    parser.add_argument("--checkpoints", type=int, default=50)
    parser.add_argument("--store-shards", type=int, default=40, help="that are written to measure the store")
    parser.add_argument("--writers", type=int, default=2, help="processes that write at once")
    parser.add_argument("--folder", type=Path, help="where to write; by default a temporary folder")
    parser.add_argument("--json", type=Path, help="write all figures")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--write", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.serve[0], Path(given.serve[1]), int(given.serve[2])))
        return
    if given.write:
        begin = time.perf_counter()
        write_shards(Path(given.write[0]), *map(int, given.write[1:]))
        print(time.perf_counter() - begin)
        return
    folder = Path(tempfile.mkdtemp(prefix="cluster-", dir=given.folder))
    try:
        store = store_rate(folder, given.checkpoints, given.store_shards, given.writers)
        print(store, file=sys.stderr)
        rates = []
        for count in given.workers.split(","):
            rates.append(scheduler_rate(folder, int(count)))
            print(rates[-1], file=sys.stderr)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report(rates, store))
    if given.json:
        figures = {"store": asdict(store), "rates": [asdict(rate) for rate in rates]}
        given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
