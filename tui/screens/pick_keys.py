"""The keys of Pick, and what its help says."""

from __future__ import annotations

from tui.commands import Command

HELP = """Set limits on quality, speed and memory on the left (arrows move the knob, enter types a value, delete
    switches it off); what remains is ranked by the objective on the right. ◆ marks the Pareto front over the two
    metrics of the scatter: no other checkpoint that remains is better in both. = in place of a rank: it cannot be told
    from the best; the status line says which of those to take, by cost or steadiness. ▲ ▼ ≈ are the verdicts on the
    change against the baseline, as in Compare; a ! behind them: worse in a part of the sample, which the status line
    names. Put candidates into the basket with b, then e exports them with their files verified and the choice written
    down."""

ACTIONS: tuple[Command, ...] = (
    Command("switch", "tab,f", "limits/ranking", "Go from the limits to the ranking and back.", label="tab"),
    Command("basket", "b,space", "basket", "Put the checkpoint under the cursor into the basket, or take it out."),
    Command("export", "e", "export", "Copy the basket's checkpoints, else the one under the cursor, verified."),
    Command("objective", "o", "objective", "Choose what to rank by."),
    Command("where", "w,slash", "where", "Type a further condition over any metrics, as in --where."),
    Command("add_limit", "plus,a", "add limit", "Limit one more metric."),
    Command("run", "r", "run", "Choose the run."),
    Command("scatter", "p", "scatter", "Choose the two metrics of the Pareto front."),
    Command("plot", "s", "show plot", "Show or hide the scatter.", footer=False),
    Command("clear", "X", "clear", "Switch all limits off."),
    Command("copy", "y", "copy", "Copy the filter as a command to the clipboard."),
    Command("table", "E", "write table", "Write the ranking to CSV, Parquet, JSON, Markdown or LaTeX.", footer=False),
)
