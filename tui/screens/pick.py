"""Pick: limits on quality and cost, what remains of a run, the Pareto front, a basket, export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from engine.errors import LorascopeError
from engine.i18n import gettext as _
from tui.commands import Command, bindings
from tui.screens.base import LorascopeScreen
from tui.screens.pick_dialogs import add_limit, choose_axes, edit_limit, type_where
from tui.screens.pick_keys import ACTIONS, HELP
from tui.state import BasketItem, Limit
from tui.widgets.grid import Grid
from tui.widgets.limits import Limits
from tui.widgets.plot import PlotView

if TYPE_CHECKING:
    from tui.library import Loaded
    from tui.picking import Picked


# The cursor rests when no key came for this long.
_REST_SECONDS = 0.35


class PickScreen(LorascopeScreen):
    """Choose what to ship."""

    NAME = "pick"
    HELP = HELP
    ACTIONS: ClassVar[tuple[Command, ...]] = ACTIONS
    BINDINGS = bindings(ACTIONS)

    def __init__(self) -> None:
        super().__init__()
        self.picked: Picked | None = None
        self.loaded: Loaded | None = None
        self._rest: Timer | None = None

    def body(self) -> Iterator[Widget]:
        """Limits, ranking, scatter."""
        with Horizontal(classes="body", id="pick"):
            with Vertical(id="pick-left"):
                yield Static(id="pick-count")
                yield Limits(id="pick-limits")
                yield Static(id="pick-basket")
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
        return self.run_or_first(self.state.pick_run)

    def refresh_view(self) -> None:
        """Filter and rank the chosen run."""
        key = self._run()
        if key is None:
            self.grid.empty = self.without_runs(_("no run to pick from: see 1 Runs"))
            return
        loaded = self.need([key])
        library = self.library
        if not loaded or library is None:
            return
        from tui.pick_table import PickSource
        from tui.picking import limit_rows, pick, usable_objective
        from tui.screens.pick_view import basket_text, count_text, limit_lines

        self.loaded = loaded[0]
        metrics = self.loaded.analysis.metrics
        try:
            self.picked = pick(
                library,
                self.loaded,
                objective=usable_objective(self.state.objective, metrics, library.catalogue),
                limits=self.state.limits,
                extra=self.state.where,
                axes=self.state.pareto,
                evidence=self.evidence(self.loaded),
            )
        except LorascopeError as error:
            self.judging, self.grid.empty = False, str(error)
            self.show_status("", str(error))
            return
        ranking = self.picked.ranking
        # One question at a time: that about the parts of the sample takes longer.
        self.judging = self.need_ties(self.loaded, ranking.objective, ranking.rows["checkpoint"].to_list())
        self.judging = self.judging or self.need_parts(self.loaded, [ranking.objective])
        plain = self.lorascope.plain_mode
        self.limits.show(limit_lines(library, self.loaded, self.state.limits))
        terms = [entry for entry, _limit in limit_rows(self.state.limits, metrics, library.catalogue)]
        self.grid.empty = _("nothing remains: loosen a limit")
        self.grid.set_source(PickSource(self.picked, self.loaded.analysis, terms, library.catalogue, plain=plain))
        inside = {item.checkpoint for item in self.state.basket if item.run == key}
        self.grid.set_marked(inside)
        every = list(self.session.refs)
        names = dict(zip(every, self.session.names(every), strict=True))
        self.query_one("#pick-count", Static).update(count_text(library, self.picked, plain=plain))
        self.query_one("#pick-basket", Static).update(basket_text(self.state.basket, names))
        self._show_scatter()
        self._say()

    def _show_scatter(self) -> None:
        from tui.screens.pick_view import scatter

        picked, loaded, library = self.picked, self.loaded, self.library
        plot = self.query_one(PlotView)
        if picked is None or loaded is None or library is None or not plot.display:
            return
        selected = {item.checkpoint for item in self.state.basket if item.run == loaded.key}
        figure = scatter(library, loaded, picked, selected | {self.grid.cursor_key or ""})
        if figure:
            plot.plain = self.lorascope.plain_mode
            plot.show(figure)

    def _say(self) -> None:
        if self.picked and self.loaded:
            from tui.screens.pick_view import status_text

            name = self.session.name(self.loaded.key)
            key = self.grid.cursor_key or ""
            self.show_status(status_text(name, self.picked, key, judging=self.judging), self.picked.error)

    @on(Grid.Highlighted)
    def _moved(self) -> None:
        self._say()
        # The scatter follows when the cursor rests: drawing it for every key would hold up the table.
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST_SECONDS, self._show_scatter)

    @on(Grid.Selected)
    def _selected(self) -> None:
        key = self.grid.cursor_key
        if key and self.loaded:
            self.state.checkpoint_run, self.state.checkpoint = self.loaded.key, key
            self.lorascope.action_show("checkpoint")

    @on(Limits.Slid)
    def _slid(self, event: Limits.Slid) -> None:
        from tui.picking import moved, term, value_range

        library, loaded = self.library, self.loaded
        if library is None or loaded is None:
            return
        entry = term(event.name, library.catalogue)
        span = value_range(loaded, entry)
        if span:
            self.set_limit(event.name, moved(self.limit(event.name), entry, *span, event.by))

    def limit(self, name: str) -> Limit | None:
        """The limit of that name, if it is set."""
        return next((limit for limit in self.state.limits if limit.metric == name), None)

    def set_limit(self, name: str, limit: Limit | None) -> None:
        """Set a limit, or switch it off."""
        others = [entry for entry in self.state.limits if entry.metric != name]
        self.state.limits = [*others, limit] if limit else others
        self.refresh_view()

    @on(Limits.Edit)
    def _edit(self, event: Limits.Edit) -> None:
        edit_limit(self, event.name)

    @on(Limits.Cleared)
    def _cleared(self, event: Limits.Cleared) -> None:
        self.set_limit(event.name, None)

    def action_switch(self) -> None:
        """From the limits to the ranking and back."""
        (self.grid if self.limits.has_focus else self.limits).focus()

    def action_add_limit(self) -> None:
        """One more metric."""
        add_limit(self)

    def action_where(self) -> None:
        """A further condition."""
        type_where(self)

    def action_scatter(self) -> None:
        """The two metrics of the front."""
        choose_axes(self)

    def action_objective(self) -> None:
        """What to rank by."""
        from tui.screens.choosing import choose_objective

        def done(key: str) -> None:
            self.state.objective = key
            self.refresh_view()

        if self.loaded:
            choose_objective(self, [self.loaded], done)

    def action_run(self) -> None:
        """Another run."""
        from tui.screens.choosing import choose_run

        def done(key: str) -> None:
            self.state.pick_run = key
            self.refresh_view()

        choose_run(self, _("Pick from"), done)

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
        key, picked, loaded = self.grid.cursor_key, self.picked, self.loaded
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
        from tui.cli.output import FlatTable
        from tui.screens.exporting import export_table

        if self.picked and self.loaded:
            rows = self.picked.ranking.rows
            export_table(self, lambda _fmt: FlatTable(rows), f"{self.session.name(self.loaded.key)}-ranking.csv")

    def action_copy(self) -> None:
        """The same filter as a command."""
        from tui.picking import command_text

        if self.picked and self.loaded:
            self.app.copy_to_clipboard(command_text(self.loaded.key, self.picked))
            self.notify(_("command copied"), timeout=1.5)

    def on_resize(self, event: events.Resize) -> None:
        """The scatter needs room."""
        super().on_resize(event)
        self.set_class(event.size.height < 30, "-no-plot")
