"""Names of files that hold several shards of a checkpoint, and which files each of them replaces.

``joined-000000-000382.parquet`` holds the rows of the shards 0 to 382. Files of single shards in that range may still
lie beside it, when a process was killed before it had removed them: their rows are in it already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.results.layout import PARQUET_ENDING
from engine.results.names import natural_key

_PREFIX = "joined-"
_JOINED = re.compile(rf"{_PREFIX}([0-9]+)-([0-9]+){re.escape(PARQUET_ENDING)}")
_SINGLE = re.compile(rf"([0-9]+){re.escape(PARQUET_ENDING)}")


def joined_name(first: int, last: int) -> str:
    """The name of the file that holds the shards ``first`` to ``last``, both included."""
    return f"{_PREFIX}{first:06d}-{last:06d}{PARQUET_ENDING}"


def shard_range(name: str) -> tuple[int, int] | None:
    """The first and the last shard that a file holds by its name; ``None`` where it is not called by numbers."""
    single = _SINGLE.fullmatch(name)
    if single:
        return int(single[1]), int(single[1])
    joined = _JOINED.fullmatch(name)
    if joined and int(joined[1]) <= int(joined[2]):
        return int(joined[1]), int(joined[2])
    return None


def without_replaced(names: Iterable[str]) -> list[str]:
    """``names`` without the files whose shards a joined file holds, in natural order of their first shards.

    Args:
        names: the Parquet files of one checkpoint's folder.
    """
    ranges = {name: found for name in names if (found := shard_range(name))}
    joined: list[str] = []
    # The widest first, so that of two that hold the same one is kept.
    for name in sorted(ranges, key=lambda name: (ranges[name][0] - ranges[name][1], name)):
        if _JOINED.fullmatch(name) and not _is_held(ranges[name], joined, ranges):
            joined.append(name)
    kept = [
        name for name in names if name not in ranges or name in joined or not _is_held(ranges[name], joined, ranges)
    ]
    return sorted(kept, key=lambda name: natural_key(name.removeprefix(_PREFIX)))


def _is_held(shards: tuple[int, int], joined: Iterable[str], ranges: dict[str, tuple[int, int]]) -> bool:
    return any(ranges[name][0] <= shards[0] and shards[1] <= ranges[name][1] for name in joined)
