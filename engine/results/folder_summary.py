"""The summary of one checkpoint's folder: what was derived, from which files, and what was wrong with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from engine.i18n import mark
from engine.results.distributions import DISTRIBUTIONS, alignments, distributions
from engine.results.model import Problem
from engine.results.parquet import HEADER
from engine.results.problems import ProblemLog
from engine.results.reading import PARQUET_ERRORS, why_unreadable
from engine.results.shards import DAMAGED_ROWS, ShardFolder, Stamp, label, shard_folder, usable_files
from engine.schema import empty

_ATTEMPTS = 3  # at a folder whose files are joined while it is read
_MOST_WORKERS = 8


@dataclass(frozen=True, eq=False)
class FolderSummary:
    """What one folder's rows say.

    Attributes:
        name: the folder's.
        stamps: of the files that were read, as they were before.
        alignment: whose rows count.
        alignments: all that per-frame rows have, in alphabetical order.
        usable: how many of the files have the columns of per-frame rows.
        problems: what was wrong with the files.
        table: frame of schema :data:`engine.results.distributions.DISTRIBUTIONS`.
        lasting: whether the same files would give the same again; not so where one could not be read, or changed.
    """

    name: str
    stamps: tuple[Stamp, ...]
    alignment: str
    alignments: tuple[str, ...]
    usable: int
    problems: tuple[Problem, ...]
    table: pl.DataFrame
    lasting: bool = True


def summarise_folders(folders: Sequence[ShardFolder], alignment: str) -> Iterator[FolderSummary]:
    """Summarise folders side by side, one per worker; yields in their order.

    Only a few are begun ahead of the one that is yielded, so that whoever stops taking them waits for few.
    """
    workers = min(pl.thread_pool_size(), _MOST_WORKERS, len(folders))
    if workers < 2:
        yield from (summarise_folder(folder, alignment) for folder in folders)
        return
    begun: deque[Future[FolderSummary]] = deque()
    with ThreadPoolExecutor(workers, "lorascope-summary") as pool:
        for folder in folders:
            begun.append(pool.submit(summarise_folder, folder, alignment))
            if len(begun) > workers:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def summarise_folder(folder: ShardFolder, alignment: str) -> FolderSummary:
    """Summarise one folder.

    An evaluation that ends meanwhile joins the files and removes the single ones; then it is read again.
    """
    for _ in range(_ATTEMPTS):
        found = _summarise(folder, alignment)
        try:
            now = shard_folder(folder.path)
        except OSError:
            return replace(found, lasting=False)
        if {stamp.name for stamp in folder.stamps} <= {stamp.name for stamp in now.stamps}:
            return replace(found, lasting=found.lasting and now.stamps == folder.stamps)
        folder = now
    return replace(found, lasting=False)


def alignments_in(folder: ShardFolder) -> tuple[str, ...]:
    """The alignments of a folder's per-frame rows; none where a file cannot be read, which summarising reports."""
    return alignments_of(usable_files(folder, ProblemLog()))


def alignments_of(files: Sequence[Path]) -> tuple[str, ...]:
    """:func:`alignments_in` of usable shards."""
    try:
        return alignments(files) if files else ()
    except PARQUET_ERRORS:
        return ()


def _summarise(folder: ShardFolder, alignment: str) -> FolderSummary:
    log = ProblemLog()
    files = usable_files(folder, log)
    lasting = all(problem.place == HEADER for problem in log.result())
    present: tuple[str, ...] = ()
    table = empty(DISTRIBUTIONS)
    if files:
        try:
            table, present = distributions(files, alignment)
        except PARQUET_ERRORS:
            lasting = False
            table = _of_whole_files(files, alignment, log)
    return FolderSummary(
        folder.name, folder.stamps, alignment, present, len(files), log.result(), table, lasting=lasting
    )


def _of_whole_files(files: Sequence[Path], alignment: str, log: ProblemLog) -> pl.DataFrame:
    """The distributions over the files whose rows can be read; the others are reported."""
    whole = []
    for file in files:
        try:
            distributions([file], alignment)
        except PARQUET_ERRORS as error:
            log.error(
                label(file), why_unreadable(error), place=DAMAGED_ROWS, remedy=mark("evaluate the checkpoint again")
            )
        else:
            whole.append(file)
    try:
        return distributions(whole, alignment)[0] if whole else empty(DISTRIBUTIONS)
    except PARQUET_ERRORS as error:
        log.error(label(whole[0].parent), why_unreadable(error))
        return empty(DISTRIBUTIONS)
