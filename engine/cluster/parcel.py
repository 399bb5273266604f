"""The files of a shard that was computed where the run's folder is not seen: sent along with the answer.

They go to the driver through the connection that the worker has anyway. Beside a detour through an object store that
needs no right to write there, no clearing away and no names that keep attempts apart: what a worker that was given up
still says is not listened to, so none of its files get in. They are some MB.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.atomic import atomic_write_bytes
from engine.errors import DataError
from engine.evaluation.executor import ShardDone
from engine.evaluation.record import CURVE_SHARDS
from engine.results import layout
from engine.results.writing import not_written

_TABLES = (layout.FRAMES, layout.SLICES, CURVE_SHARDS)
_AT_ONCE = 8  # a disk flushes several files in little more time than one


@dataclass(frozen=True, slots=True)
class Parcel:
    """A shard that is done, with its files.

    Attributes:
        outcome: what became of it.
        files: name relative to the run's folder -> contents.
    """

    outcome: ShardDone
    files: Mapping[str, bytes]


def pack(outcome: ShardDone, folder: Path) -> Parcel:
    """Take the files of a shard out of the folder that it alone was written to."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}
    shutil.rmtree(folder, ignore_errors=True)
    return Parcel(outcome, files)


def unpack(parcel: Parcel, run: Path) -> ShardDone:
    """Write the files into the run's folder, each in one step, as a worker does that sees it.

    Raises:
        StorageError: nothing can be written there.
        DataError: a file cannot be written, or is none of this shard.
    """
    for name in parcel.files:
        if not _belongs(name, parcel.outcome.number):
            raise DataError(f"a worker sent a file that is none of shard {parcel.outcome.number}: {name!r}")

    def write(item: tuple[str, bytes]) -> None:
        path = run / item[0]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write_bytes(path, item[1])
        except OSError as error:
            raise not_written(path, error) from error

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for _written in threads.map(write, parcel.files.items()):
            pass  # raises what a thread raised
    return parcel.outcome


def _belongs(name: str, number: int) -> bool:
    """Whether this is a file of a shard: ``frames/<checkpoint>/<shard>.parquet`` and so on."""
    path = PurePosixPath(name)
    if len(path.parts) != 3 or path.parts[0] not in _TABLES or ".." in path.parts:
        return False
    shard = f"{number:06d}"
    if path.parts[0] == CURVE_SHARDS:
        return path.parts[1:] == (shard, layout.CURVES)
    return path.parts[2] == f"{shard}{layout.PARQUET_ENDING}"
