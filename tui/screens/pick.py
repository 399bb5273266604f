"""Pick: limits on quality and cost, what remains of a run, the Pareto front, a basket, export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from engine.errors import LorascopeError, UsageError
from tui.commands import Command, bindings
from tui.screens.base import LorascopeScreen
from tui.state import BasketItem, Limit
from tui.widgets.grid import Grid
from tui.widgets.limits import LimitLine, Limits
from tui.widgets.plot import PlotView

if TYPE_CHECKING:
    from tui.library import Library, Loaded
    from tui.picking import Picked


class PickScreen(LorascopeScreen):
    """Choose what to ship."""

    NAME = "pick"
    HELP = """Set limits on quality, speed and memory on the left (arrows move the knob, enter types a value, delete
    switches it off); what remains is ranked by the objective on the right. ◆ marks the Pareto front over the
    two metrics of the scatter: no other checkpoint that remains is better in both. Put candidates into the
    basket with b, then e exports them with their files verified and the choice written down."""
    ACTIONS: ClassVar[tuple[Command, ...]] = (
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
        Command(
            "table", "E", "write table", "Write the ranking to CSV, Parquet, JSON, Markdown or LaTeX.", footer=False
        ),
    )
    BINDINGS = bindings(ACTIONS)

    def __init__(self) -> None:
        super().__init__()
        self._picked: Picked | None = None
        self._loaded: Loaded | None = None

    def body(self) -> Iterator[Widget]:
        """Limits, ranking, scatter."""
        with Horizontal(classes="body", id="pick"):
            yield Limits(id="pick-limits")
            with Vertical(id="pick-right"):
                yield Grid(frozen=2, empty="reading …", id="pick-grid")
                yield PlotView(id="pick-plot")

    @property
    def grid(self) -> Grid:
        """The ranking."""
        return self.query_one("#pick-grid", Grid)

    @property
    def limits(self) -> Limits:
        """The limits."""
        return self.query_one(Limits)

    def on_mount(self) -> None:
        """The ranking has the keyboard at first."""
        super().on_mount()
        self.grid.focus()

    def _run(self) -> str | None:
        key = self.state.pick_run
        if self.session.usable(key):
            return key
        active = self.session.active_runs()
        return active[0] if active else None

    def refresh_view(self) -> None:
        """Filter and rank the chosen run."""
        key = self._run()
        if key is None:
            self.grid.empty = "looking for runs …" if self.session.discovering else "no run to pick from: see 1 Runs"
            return
        loaded = self.need([key])
        library = self.library
        if not loaded or library is None:
            return
        from tui.pick_table import PickSource
        from tui.picking import limit_rows, pick

        self._loaded = loaded[0]
        metrics = self._loaded.analysis.metrics
        try:
            self._picked = pick(
                library,
                self._loaded,
                objective=self._objective(library, self._loaded),
                limits=self.state.limits,
                extra=self.state.where,
                axes=self.state.pareto,
            )
        except LorascopeError as error:
            self.grid.empty = str(error)
            self.show_status("", str(error))
            return
        rows = limit_rows(self.state.limits, metrics, library.catalogue)
        self._show_limits(library)
        terms = [entry for entry, _ in rows]
        self.grid.empty = "nothing remains: loosen a limit"
        self.grid.set_source(
            PickSource(self._picked, self._loaded.analysis, terms, library.catalogue, plain=self.lorascope.plain_mode)
        )
        inside = {item.checkpoint for item in self.state.basket if item.run == key}
        self.grid.set_marked(inside)
        self._show_scatter(library)
        self._say()

    def _objective(self, library: Library, loaded: Loaded) -> str:
        from tui.picking import default_terms

        if self.state.objective in loaded.analysis.metrics:
            return self.state.objective
        # A run without a score is ranked by what it has.
        terms = default_terms(loaded.analysis.metrics, library.catalogue)
        return terms[0].key if terms else self.state.objective

    def _show_limits(self, library: Library) -> None:
        from tui.picking import limit_rows, value_range

        loaded = self._loaded
        if loaded is None:
            return
        lines = []
        for entry, limit in limit_rows(self.state.limits, loaded.analysis.metrics, library.catalogue):
            span = value_range(loaded, entry)
            if span is None:
                continue
            operator = limit.operator if limit else entry.operator
            value = limit.value if limit else None
            lines.append(LimitLine(entry.name, entry.label, operator, value, entry.digits, *span))
        self.limits.show(lines)

    def _show_scatter(self, library: Library) -> None:
        from tui.plots.presets import pareto_figure
        from tui.plots.spec import Figure

        picked, loaded = self._picked, self._loaded
        plot = self.query_one(PlotView)
        if picked is None or loaded is None or picked.axes is None or not plot.display:
            return
        kept = picked.ranking.rows["checkpoint"].to_list()
        points = loaded.analysis.table.filter(loaded.analysis.table["checkpoint"].is_in(kept))
        front = [name in picked.front for name in points["checkpoint"].to_list()]
        x_key, y_key = picked.axes
        spec = pareto_figure(points, x_key, y_key, front, self.grid.cursor_key, library.catalogue)
        plot.show(Figure("", (spec,)))

    def _say(self) -> None:
        picked = self._picked
        if picked is None or self._loaded is None:
            return
        ranking = picked.ranking
        parts = [f"{self.session.name(self._loaded.key)}", f"{ranking.kept} of {ranking.total} remain"]
        parts.append(f"objective {ranking.objective}")
        if ranking.unranked:
            parts.append(f"{len(ranking.unranked)} without a value")
        if picked.where:
            parts.append(picked.where)
        basket = len(self.state.basket)
        if basket:
            parts.append(f"basket {basket}")
        self.show_status("  ·  ".join(parts), picked.error)

    @on(Grid.Highlighted)
    def _moved(self) -> None:
        self._say()

    @on(Grid.Selected)
    def _selected(self) -> None:
        key = self.grid.cursor_key
        if key and self._loaded:
            self.state.checkpoint_run, self.state.checkpoint = self._loaded.key, key
            self.lorascope.action_show("checkpoint")

    @on(Limits.Slid)
    def _slid(self, event: Limits.Slid) -> None:
        from tui.picking import moved, term, value_range

        library, loaded = self.library, self._loaded
        if library is None or loaded is None:
            return
        entry = term(event.name, library.catalogue)
        span = value_range(loaded, entry)
        if span:
            self._set(event.name, moved(self._limit(event.name), entry, *span, event.by))

    def _limit(self, name: str) -> Limit | None:
        return next((limit for limit in self.state.limits if limit.metric == name), None)

    def _set(self, name: str, limit: Limit | None) -> None:
        others = [entry for entry in self.state.limits if entry.metric != name]
        self.state.limits = [*others, limit] if limit else others
        self.refresh_view()

    @on(Limits.Edit)
    def _edit(self, event: Limits.Edit) -> None:
        from tui.picking import term
        from tui.screens.dialogs import LineDialog

        library = self.library
        if library is None:
            return
        entry = term(event.name, library.catalogue)
        present = self._limit(event.name)

        def parse(text: str) -> Limit | None:
            return parse_limit(text, event.name, present.operator if present else entry.operator)

        def done(text: str | None) -> None:
            if text is not None:
                self._set(event.name, parse(text))

        value = f"{present.operator} {present.value:g}" if present else f"{entry.operator} "
        hint = "a number, or >= or <= and a number; empty switches the limit off"
        self.app.push_screen(LineDialog(f"Limit on {entry.label}", value, check=parse, hint=hint), done)

    @on(Limits.Cleared)
    def _cleared(self, event: Limits.Cleared) -> None:
        self._set(event.name, None)

    def action_switch(self) -> None:
        """From the limits to the ranking and back."""
        (self.grid if self.limits.has_focus else self.limits).focus()

    def action_add_limit(self) -> None:
        """One more metric."""
        from engine.catalogue import Direction
        from tui.picking import term, value_range
        from tui.screens.choosing import ask
        from tui.screens.dialogs import Choice

        library, loaded = self.library, self._loaded
        if library is None or loaded is None:
            return
        choices = [
            Choice(key, metric.title, f"{metric.direction.arrow} {key}")
            for key in loaded.analysis.metrics
            if (metric := library.catalogue.get(key)).direction is not Direction.NONE
        ]

        def done(key: str) -> None:
            entry = term(key, library.catalogue)
            span = value_range(loaded, entry)
            if span:
                loosest = span[0] if entry.operator == ">=" else span[1]
                self._set(key, Limit(key, entry.operator, loosest))
                self.limits.focus()

        ask(self, "Limit on", choices, None, done)

    def action_objective(self) -> None:
        """What to rank by."""
        from tui.screens.choosing import choose_objective

        def done(key: str) -> None:
            self.state.objective = key
            self.refresh_view()

        if self._loaded:
            choose_objective(self, [self._loaded], done)

    def action_where(self) -> None:
        """A further condition."""
        from engine.analysis.where import parse_where
        from tui.screens.dialogs import LineDialog

        loaded = self._loaded
        if loaded is None:
            return
        columns = loaded.analysis.table.columns

        def check(text: str) -> None:
            if text.strip():
                parse_where(text, columns)

        def done(text: str | None) -> None:
            if text is not None:
                self.state.where = text.strip()
                self.refresh_view()

        hint = "e.g. planarity > 0.19 AND vram_gb <= 24   (empty: none)"
        self.app.push_screen(LineDialog("Only checkpoints where", self.state.where, check=check, hint=hint), done)

    def action_run(self) -> None:
        """Another run."""
        from tui.screens.choosing import choose_run

        def done(key: str) -> None:
            self.state.pick_run = key
            self.refresh_view()

        choose_run(self, "Pick from", done)

    def action_scatter(self) -> None:
        """The two metrics of the front."""
        from engine.catalogue import Direction
        from tui.screens.choosing import ask
        from tui.screens.dialogs import Choice

        library, loaded, picked = self.library, self._loaded, self._picked
        if library is None or loaded is None or picked is None:
            return
        choices = [
            Choice(key, metric.title, f"{metric.direction.arrow} {key}")
            for key in loaded.analysis.metrics
            if (metric := library.catalogue.get(key)).direction is not Direction.NONE
        ]
        axes = picked.axes or ("", "")

        def second(x_key: str, y_key: str) -> None:
            self.state.pareto = [x_key, y_key]
            self.refresh_view()

        def first(x_key: str) -> None:
            others = [choice for choice in choices if choice.value != x_key]
            ask(self, "Pareto front: against", others, axes[1], lambda y_key: second(x_key, y_key))

        ask(self, "Pareto front: of", choices, axes[0], first)

    def action_plot(self) -> None:
        """The scatter, or more room for the ranking."""
        plot = self.query_one(PlotView)
        plot.display = not plot.display
        self.refresh_view()

    def action_clear(self) -> None:
        """All limits off."""
        self.state.limits = []
        self.state.where = ""
        self.refresh_view()

    def _item(self) -> BasketItem | None:
        key, picked, loaded = self.grid.cursor_key, self._picked, self._loaded
        if not key or picked is None or loaded is None:
            return None
        ranking = picked.ranking
        return BasketItem(loaded.key, key, ranking.objective, picked.where or None, ranking.total, ranking.rejected)

    def action_basket(self) -> None:
        """In or out."""
        item = self._item()
        if item:
            self.state.toggle_basket(item)
            self.refresh_view()

    def action_export(self) -> None:
        """The basket, else the checkpoint under the cursor."""
        from tui.screens.exporting import export_checkpoints

        item = self._item()
        basket = [entry for entry in self.state.basket if self.session.usable(entry.run)]
        export_checkpoints(self, basket or ([item] if item else []))

    def action_table(self) -> None:
        """The ranking as a file."""
        from tui.screens.exporting import export_table

        if self._picked and self._loaded:
            export_table(self, self._picked.ranking.rows, f"{self.session.name(self._loaded.key)}-ranking.csv")

    def action_copy(self) -> None:
        """The same filter as a command."""
        import shlex

        if self._picked and self._loaded:
            command = ["lorascope", "rank", self._loaded.key, "--objective", self._picked.ranking.objective]
            if self._picked.where:
                command += ["--where", self._picked.where]
            self.app.copy_to_clipboard(shlex.join(command))
            self.notify("command copied", timeout=1.5)

    def on_resize(self, event: events.Resize) -> None:
        """The scatter needs room."""
        super().on_resize(event)
        self.set_class(event.size.height < 30, "-no-plot")


def parse_limit(text: str, name: str, operator: str) -> Limit | None:
    """A typed limit: a number, or ``>=`` or ``<=`` and a number; None where nothing was typed.

    Raises:
        UsageError: it is neither.
    """
    stripped = text.strip()
    for sign in (">=", "<=", "≥", "≤", ">", "<"):
        if stripped.startswith(sign):
            operator = ">=" if sign[0] in ">≥" else "<="
            stripped = stripped[len(sign) :].strip()
            break
    if not stripped:
        return None
    try:
        value = float(stripped.replace(",", "."))
    except ValueError:
        raise UsageError(f"{stripped!r} is not a number") from None
    if value != value or value in (float("inf"), float("-inf")):
        raise UsageError(f"{stripped!r} is not a finite number")
    return Limit(name, ">=" if operator == ">=" else "<=", value)
