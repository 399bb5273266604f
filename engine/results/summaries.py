"""A run's summary from its per-frame rows: cached where nothing changed since, else derived folder by folder."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import polars as pl

from engine.i18n import gettext as _
from engine.results.distributions import DISTRIBUTIONS, WRONG
from engine.results.folder_summary import FolderSummary, alignments_in, summarise_folders
from engine.results.layout import FRAMES, METADATA
from engine.results.problems import ProblemLog, shown, some
from engine.results.reading import why_unreadable
from engine.results.shards import ShardFolder, shard_folders
from engine.results.summary_cache import cached_summaries, keep_summaries
from engine.schema import SUMMARY, empty

DEFAULT_ALIGNMENT = "median"
_ALIGNMENTS = (DEFAULT_ALIGNMENT, "scale", "scale_shift", "none")  # what is taken where metadata.json is silent


def summarise(run: Path, stated: str | None, log: ProblemLog) -> tuple[pl.DataFrame, bool]:
    """The distribution of every metric over frames (pose: over windows), per checkpoint.

    ``std`` is the population standard deviation. Nothing is written into the run; what had to be derived is kept in the
    user's cache folder where that is possible.

    Args:
        run: the run's folder.
        stated: the alignment that the metadata names; ``None`` where it names none, then the rows' only alignment
            counts, else ``median``.
        log: where damaged files, wrong values and a doubtful alignment are reported.

    Returns:
        Frame of schema ``SUMMARY`` without metrics that have no value, and whether there are per-frame rows.
    """
    looked = time.time()
    try:
        folders = shard_folders(run)
    except OSError as error:
        log.error(FRAMES, why_unreadable(error))
        return empty(SUMMARY), False
    if not folders:
        return empty(SUMMARY), False
    known = cached_summaries(run, folders)
    alignment = _alignment(folders, known, stated, log)
    changed = [folder for folder in folders if not _is_known(folder, known, alignment)]
    fresh = derive(changed, alignment) if changed else {}
    if fresh:
        keep_summaries(run, (known | fresh).values(), looked)
    found = [fresh.get(folder.name) or known[folder.name] for folder in folders]
    for summary in found:
        log.take(summary.problems)
    return _joined([summary.table for summary in found], log), any(summary.usable for summary in found)


def derive(folders: Sequence[ShardFolder], alignment: str) -> dict[str, FolderSummary]:
    """Folder name -> its summary from its rows."""
    return {summary.name: summary for summary in summarise_folders(folders, alignment)}


def _is_known(folder: ShardFolder, known: dict[str, FolderSummary], alignment: str) -> bool:
    return folder.name in known and known[folder.name].alignment == alignment


def _joined(tables: Iterable[pl.DataFrame], log: ProblemLog) -> pl.DataFrame:
    table = pl.concat([empty(DISTRIBUTIONS), *tables])
    for checkpoint, metric, wrong in table.filter(pl.col(WRONG) > 0).select("checkpoint", "metric", WRONG).iter_rows():
        log.wrong_value(FRAMES, checkpoint, metric, _("NaN or infinity in {count} rows").format(count=wrong))
    table = table.filter(pl.col("count") > 0).select(list(SUMMARY))
    once = table.unique(["checkpoint", "metric"], keep="first", maintain_order=True)
    if once.height < table.height:
        repeated = table.filter(table.select("checkpoint", "metric").is_duplicated())["checkpoint"]
        names = some(repeated.unique(maintain_order=True))
        log.error(FRAMES, _("more than one folder holds rows of {names}: the first counts").format(names=names))
    return once


def _alignment(
    folders: Sequence[ShardFolder], known: dict[str, FolderSummary], stated: str | None, log: ProblemLog
) -> str:
    present: set[str] = set()
    for folder in folders:
        if folder.name in known:
            present.update(known[folder.name].alignments)
    for folder in folders:
        if stated in present:
            break
        if folder.name not in known:
            present.update(alignments_in(folder))
    return chosen_alignment(present, stated, log)


def chosen_alignment(present: Collection[str], stated: str | None, log: ProblemLog) -> str:
    """The alignment that summaries show.

    Args:
        present: those that the rows have, or some of them where the stated one is among these.
        stated: see :func:`summarise`.
        log: where a doubtful one is reported.
    """
    if stated in present or not present:
        return stated or DEFAULT_ALIGNMENT
    chosen = next((name for name in _ALIGNMENTS if name in present), min(present))
    if stated is not None:
        said = _("it names the alignment {stated}, the rows hold {present}: {chosen} is shown")
        log.warning(METADATA, said.format(stated=shown(stated), present=some(sorted(present)), chosen=chosen))
    elif len(present) > 1:
        said = _("it names no alignment: of {present}, {chosen} is shown")
        log.warning(METADATA, said.format(present=some(sorted(present)), chosen=chosen))
    return chosen
