"""File names of the store and of the forms that are imported, in one place. Imports nothing heavy."""

from __future__ import annotations

from engine.i18n import mark

# The native store: one folder is one run.
METADATA = "metadata.json"
SUMMARY = "summary.parquet"
WINDOWS = "windows.parquet"
COST = "cost.parquet"
CURVES = "curves.parquet"
JOURNAL = "journal.jsonl"
LOCK = ".lock"  # held while a process evaluates into the run
JOB = "job"  # job/: how it is computed and what it says meanwhile; nothing of the results
HEARTBEAT = "heartbeat.json"
FRAMES = "frames"  # frames/<checkpoint>/<shard>.parquet
SLICES = "slices"  # slices/<checkpoint>/<shard>.parquet
SUMMARY_CACHE = "summary.cache"  # what was derived from the frames; believed only where it matches them
PREVIEWS = "previews"  # previews/<checkpoint>/w<window>-<frame>.png
# A folder with metadata.json and one of these is a native run whatever metadata.json says.
NATIVE_SIGNS = frozenset({SUMMARY, WINDOWS, COST, CURVES, JOURNAL, FRAMES})

# Text of a preview's PNG: the titles of its panels, from the top, which are equally high.
PANELS_TEXT = "panels"
# The panels of pictures that do not say theirs.
UNNAMED_PANELS = (
    mark("image"),
    mark("inverse depth"),
    mark("depth error: AbsRel at the points, black 0 to bright 0.5 and more"),
)

# A legacy run: a file per checkpoint and/or one table.
LEGACY_JSON_ENDING = "_metrics.json"
LEGACY_TABLE = "metrics_overall.csv"

CSV_ENDINGS = (".csv", ".tsv")
PARQUET_ENDING = ".parquet"
TABLE_ENDINGS = (*CSV_ENDINGS, PARQUET_ENDING)

# Columns that name a checkpoint in a table with one row per checkpoint; the first that is there does.
NAME_COLUMNS = ("checkpoint", "ckpt", "name", "step", "epoch", "model")
STEP_COLUMNS = ("step", "epoch")
# What is known of a metric's distribution; ``<metric>.mean`` and so on in tables, keys of an object in JSON.
STATISTICS = ("mean", "std", "median", "min", "max", "count")

# A metrics file beyond this is not one; reading it whole would take the memory of the machine.
LARGEST_FILE = 64 * 1024 * 1024  # bytes


def preview_name(window: int, frame: int) -> str:
    """The file of the picture of one frame of a window."""
    return f"w{window}-{frame}.png"
