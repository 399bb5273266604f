"""The keys of Compare, and what its help says."""

from __future__ import annotations

from tui.commands import Command

HELP = """One row for every metric, one block of columns for every run: the baseline, the checkpoint, and what
    changed. The arrow beside a metric is the direction of better; ▲ better and ▼ worse (B and W in plain text) mark a
    change that was told from chance, corrected for all checkpoints of the run; ≈ (=): no difference is shown; no mark:
    it cannot be judged, or is not yet. A ! behind the mark: better as a whole, but worse in a part of the sample (a
    drive, a stratum, a region), which the status line names; 5 shows all parts. A ?: the metric carries no information
    there, as its value is within noise of chance, or was near chance by construction where it was made. The status line
    has the interval, and whether it is paired (per-frame rows) or unpaired (means, spreads, counts). Runs on different
    samples or protocols are to be read by their changes, not their values: the warning below says so, and values alone
    are not shown unless A asks for it, for these runs and this session. The view "scale" puts every metric on the way
    from chance (0 %) to the truth (100 %), where the run was scored by both."""

ACTIONS: tuple[Command, ...] = (
    Command(
        "cycle_view",
        "v",
        "view",
        "Show changes in percent, as differences, on the scale from chance to truth, or values alone.",
    ),
    Command("filter", "slash", "filter", "Show only some metrics: words or globs, ! excludes, commas between."),
    Command("different", "d", "differ", "Show only metrics that differ, or all again."),
    Command("checkpoint", "c", "checkpoint", "Choose the checkpoint of the block under the cursor."),
    Command("objective", "o", "objective", "Choose what best means."),
    Command("add", "plus,a", "add", "Add a block: any run, any checkpoint."),
    Command("remove", "x,minus", "remove", "Take the block under the cursor away."),
    Command("reset", "R", "reset", "Forget the arrangement: the best checkpoint of every marked run.", footer=False),
    Command("anyway", "A", "anyway", "Show values of runs that may not be compared, for this view.", footer=False),
    Command("export", "e", "export", "Write the table to CSV, Parquet, JSON, Markdown or LaTeX."),
    Command("copy", "y", "copy", "Copy the table as Markdown to the clipboard."),
)
