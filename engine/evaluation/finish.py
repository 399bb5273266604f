"""What an evaluation does when its last shard is computed: fewer files, and the summary that whoever opens it needs."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from engine.atomic import flush_folder
from engine.evaluation.record import CURVE_SHARDS, finish_curves
from engine.results import layout
from engine.results.joining import join_shards
from engine.results.shards import shard_folders
from engine.results.summaries import derive
from engine.results.summary_cache import write_beside

# The curves of single shards on their way out: they are in curves.parquet, and must not be merged into it again.
_MERGED_CURVES = f".{CURVE_SHARDS}-merged"


def finish_store(run: Path, alignment: str) -> dict[str, str]:
    """Merge the curves, join every checkpoint's shards into one file of each kind, write the cache of summaries.

    For the process that holds the run's lock, when every shard is computed. It may be killed at any moment, and this be
    called again.

    Args:
        run: the run's folder.
        alignment: the one that summaries show.

    Returns:
        Folder below ``frames/``, or ``slices/`` and the folder below that -> why its shards were not joined; they are
        read as well, more slowly.

    Raises:
        DataError: the table of curves cannot be written.
    """
    finish_curves(run)
    _remove_curve_shards(run)
    kept = join_shards(run)
    kept |= {f"{layout.SLICES}/{name}": why for name, why in join_shards(run, layout.SLICES).items()}
    # Both only save time: a disk without space for them must not fail an evaluation that is done.
    with contextlib.suppress(OSError):
        write_beside(run, derive(shard_folders(run), alignment).values())
    return kept


def merge_unfinished(run: Path) -> None:
    """Merge the curves of what is computed so far; the files of single shards stay, as others are still to come.

    Raises:
        DataError: the table of curves cannot be written.
    """
    finish_curves(run)


def _remove_curve_shards(run: Path) -> None:
    merged = run / _MERGED_CURVES
    with contextlib.suppress(OSError):
        shutil.rmtree(merged, ignore_errors=True)  # what a killed process had not removed
        (run / CURVE_SHARDS).rename(merged)
        flush_folder(run)
        shutil.rmtree(merged, ignore_errors=True)
