"""Summaries that were derived before: beside the run, where ``lorascope evaluate`` left them, and in the user's cache.

An entry is believed only where its folder holds the same files as then: equal names, sizes and times of writing. A copy
that keeps the times is the same; one that does not keep them costs deriving once more, never a wrong number. In the
user's cache, which belongs to this machine alone, the times of change must be equal, too: nobody can set those, so that
files with made-up times (from an archive, an image) cannot be taken for each other. A cache that is damaged, of another
version or not a cache at all is as good as none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from engine.atomic import atomic_write_bytes
from engine.results.folder_summary import FolderSummary
from engine.results.layout import SUMMARY_CACHE
from engine.results.shards import ShardFolder, Stamp
from engine.results.summary_file import LARGEST, decode, encode
from engine.results.user_cache import UserCache

# A file that was written just now may be written again within one tick of its file system's clock (up to 2 s), and be
# as long as before: what was derived from it is not kept. The rest allows for a server's clock.
SETTLED_SECONDS = 10.0
LIMIT = 256 * 2**20  # bytes of all runs together in the user's cache

_NS = 1_000_000_000

Known = dict[str, FolderSummary]


def cached_summaries(run: Path, folders: Sequence[ShardFolder]) -> Known:
    """Folder name -> its summary, of those folders that hold the files it was derived from."""
    known = _matching(_beside(run), folders)
    missing = [folder for folder in folders if folder.name not in known]
    if missing:
        known |= _matching(_of_user().read(_key(run)), missing)
    return known


def keep_summaries(run: Path, summaries: Iterable[FolderSummary], looked: float) -> None:
    """Keep what was derived in the user's cache folder; does nothing where that cannot be written.

    Args:
        run: the run's folder.
        summaries: one per folder.
        looked: when the folders were listed, seconds since the epoch.
    """
    latest = int((looked - SETTLED_SECONDS) * _NS)
    kept = [summary for summary in summaries if summary.lasting and _is_settled(summary.stamps, latest)]
    if kept:
        _of_user().write(_key(run), encode(kept))


def write_beside(run: Path, summaries: Iterable[FolderSummary]) -> None:
    """Write the cache into the run. Only for the process that wrote the run's frames and holds its lock.

    Raises:
        OSError: the folder cannot be written to.
    """
    travelling = [
        replace(summary, stamps=tuple(stamp._replace(changed=None) for stamp in summary.stamps))
        for summary in summaries
        if summary.lasting
    ]
    atomic_write_bytes(run / SUMMARY_CACHE, encode(travelling))


def _matching(data: bytes | None, folders: Sequence[ShardFolder]) -> Known:
    if data is None:
        return {}
    held = decode(data)
    return {
        folder.name: replace(held[folder.name], stamps=folder.stamps)
        for folder in folders
        if folder.name in held and _are_same(held[folder.name].stamps, folder.stamps)
    }


def _are_same(then: Sequence[Stamp], now: Sequence[Stamp]) -> bool:
    return len(then) == len(now) and all(
        before[:3] == after[:3] and before.changed in (None, after.changed)
        for before, after in zip(then, now, strict=True)
    )


def _is_settled(stamps: Sequence[Stamp], latest: int) -> bool:
    return all(max(stamp.modified, stamp.changed or 0) < latest for stamp in stamps)


def _beside(run: Path) -> bytes | None:
    try:
        with (run / SUMMARY_CACHE).open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError:
        return None
    return data if len(data) <= LARGEST else None


def _of_user() -> UserCache:
    return UserCache("summaries", limit=LIMIT, largest=LARGEST)


def _key(run: Path) -> str:
    """The name under which a run's summaries are kept: a hash of its path, links followed."""
    return hashlib.sha256(str(run.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
