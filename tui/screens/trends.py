"""Trends: how metrics moved over training, one or several runs in one picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from engine.catalogue import region_shown
from engine.errors import LorascopeError
from engine.i18n import gettext as _
from engine.i18n import listing, mark
from engine.text import visible
from tui.commands import Command, bindings
from tui.format import plain_text
from tui.screens.base import LorascopeScreen
from tui.state import NO_BAND
from tui.widgets.plot import PlotView

if TYPE_CHECKING:
    from tui.library import Library, Loaded

# The figures in the order of their keys, with the short words of the bar.
PRESETS = (
    ("score", mark("score")),
    ("depth", mark("depth")),
    ("regions", mark("building/rest")),
    ("geometry", mark("geometry")),
    ("pose", mark("pose")),
    ("profile", mark("profile")),
    ("stability", mark("stability")),
)
CUSTOM = "custom"


class PresetBar(Static):
    """The figures, the current one marked."""

    def show(self, current: str, *, custom: str, plain: bool) -> None:
        """Mark one.

        Args:
            current: the figure that is shown.
            custom: what the figure of one's own shows; empty if there is none.
            plain: ASCII alone.
        """
        parts: list[Content | str | tuple[str, str]] = []
        presets = ((name, _(title)) for name, title in PRESETS)
        for name, title in (*presets, *(((CUSTOM, custom),) if custom else ())):
            shown = plain_text(title) if plain else title
            parts.append((f" {shown} ", "bold reverse" if name == current else "$foreground 60%"))
        self.update(Content.assemble(*parts), layout=False)


class TrendsScreen(LorascopeScreen):
    """Metrics over training."""

    NAME = "trends"
    HELP = """Metrics over the checkpoints of the active runs (those marked in Runs). The dashed line is the run's own
    baseline, the gold diamond its best checkpoint by the objective; with several runs every run has its colour. The
    shaded band is the 95 % interval of the change against the baseline, for all checkpoints at once: where the dashed
    line is outside of it, the change was told from chance. The legend says whether it is paired (per-frame rows) or
    unpaired (means, spreads, counts); of several runs one has its band, b chooses which. A run without a baseline has
    the interval of each value instead.
    Left and right move a cursor that reads values; stability shows the rolling variation with its threshold,
    and jumps."""
    ACTIONS: ClassVar[tuple[Command, ...]] = (
        Command("preset(1)", "right_square_bracket,n", "next figure", "The next figure.", label="]"),
        Command(
            "preset(-1)", "left_square_bracket,N", "previous figure", "The figure before.", footer=False, label="["
        ),
        Command("cursor(1)", "right,l", "read", "Move the cursor to the next checkpoint.", label="←→"),
        Command("cursor(-1)", "left,h", "cursor back", "Move the cursor to the checkpoint before.", footer=False),
        Command("cursor(10)", "shift+right,L", "cursor +10", "Move the cursor by ten checkpoints.", footer=False),
        Command("cursor(-10)", "shift+left,H", "cursor -10", "Move it back by ten checkpoints.", footer=False),
        Command("panel(1)", "down,pagedown,j", "panel", "The next plot, where not all fit.", label="↓"),
        Command("panel(-1)", "up,pageup,k", "panel back", "The plot before.", footer=False),
        Command("metric", "m", "metric", "Draw any metric."),
        Command("more", "plus,a", "add metric", "Add one more metric to the figure of your own."),
        Command("region", "g", "region", "Go through the regions: building, full, non_building."),
        Command("band", "b", "band", "Show the band of the next run, or none."),
        Command("runs", "r", "runs", "Choose which runs are drawn: mark them in Runs.", footer=False),
        Command("open", "enter", "open", "Open the checkpoint under the cursor.", footer=False),
        Command("copy", "y", "copy", "Copy the line under the cursor to the clipboard."),
    )
    BINDINGS = bindings(ACTIONS)

    def __init__(self) -> None:
        super().__init__()
        self._loaded: list[Loaded] = []

    def body(self) -> Iterator[Widget]:
        """The figures' names, the plot."""
        yield PresetBar(id="trend-presets")
        yield PlotView(id="trend-plot", classes="body")

    @property
    def plot(self) -> PlotView:
        """The plot."""
        return self.query_one(PlotView)

    def refresh_view(self) -> None:
        """The chosen figure of the active runs."""
        active = self.session.active_runs()
        custom = self._custom_title()
        self.query_one(PresetBar).show(self._preset(), custom=custom, plain=self.lorascope.plain_mode)
        if not active:
            self.show_status(self.without_runs(_("no run to draw: see 1 Runs")))
            return
        loaded = self.need(active)
        library = self.library
        if loaded is None or library is None:
            return
        self._loaded = loaded
        self._draw(library, loaded)

    def _preset(self) -> str:
        preset = self.state.preset
        if preset == CUSTOM and not self.state.trend_metrics:
            return PRESETS[0][0]
        return preset if preset in {name for name, _title in PRESETS} or preset == CUSTOM else PRESETS[0][0]

    def _custom_title(self) -> str:
        if not self.state.trend_metrics:
            return ""
        first = self.state.trend_metrics[0]
        name = self.library.catalogue.get(first).title if self.library else first
        more = len(self.state.trend_metrics) - 1
        return f"{visible(name)} +{more}" if more else visible(name)

    def _draw(self, library: Library, loaded: list[Loaded]) -> None:
        from tui.plots.panels import RunSeries
        from tui.plots.presets import build, custom
        from tui.plots.spec import series_role

        banded = self._banded()
        evidence = {entry.key: self.evidence(entry) for entry in loaded if entry.key == banded}
        self.judging = any(not self.session.judged(entry)[0] for entry in loaded if entry.key == banded)
        names = self.session.names([entry.key for entry in loaded])
        runs = [
            RunSeries(name, series_role(index), entry.analysis, evidence.get(entry.key))
            for index, (name, entry) in enumerate(zip(names, loaded, strict=True))
        ]
        try:
            if self._preset() == CUSTOM:
                figure = custom(self.state.trend_metrics, runs, library.catalogue, library.config.trends)
            else:
                figure = build(self._preset(), runs, library.catalogue, library.config.trends, region=self.state.region)
        except LorascopeError as error:
            self.show_status("", str(error))
            return
        self.plot.plain = self.lorascope.plain_mode
        self.plot.show(figure)
        self._say()

    def _banded(self) -> str:
        """The key of the run that has its band; empty where none has."""
        keys = [entry.key for entry in self._loaded]
        wanted = self.state.trend_band
        if wanted == NO_BAND or wanted in keys:
            return "" if wanted == NO_BAND else wanted
        # By itself that of the run under the cursor of Runs.
        current = self.session.current_run()
        return current if current is not None and current in keys else keys[0]

    def _say(self) -> None:
        parts = [listing(self.session.names([entry.key for entry in self._loaded]))]
        if self._preset() not in (CUSTOM, "regions", "score", "pose"):
            parts.append(_("region {region}").format(region=region_shown(self.state.region)))
        if self.plot.pages > 1:
            parts.append(_("plot {number} of {total}: ↓").format(number=self.plot.page + 1, total=self.plot.pages))
        if self.judging:
            parts.append(_("judging…"))
        warnings = (self._warning(), self.plot.figure.note)
        self.show_status("  ·  ".join(parts), "; ".join(warning for warning in warnings if warning))

    def _warning(self) -> str:
        """Why the heights of several runs may not be compared."""
        from engine.analysis.comparability import comparability

        return comparability([entry.facts for entry in self._loaded]).headline if len(self._loaded) > 1 else ""

    @on(PlotView.Drawn)
    def _drawn(self) -> None:
        self._say()

    def action_preset(self, by: int) -> None:
        """Another figure."""
        names = [name for name, _title in PRESETS] + ([CUSTOM] if self.state.trend_metrics else [])
        self.state.preset = names[(names.index(self._preset()) + by) % len(names)]
        self.refresh_view()

    def action_cursor(self, by: int) -> None:
        """Read the values of another checkpoint."""
        self.plot.move_cursor(by)

    def action_panel(self, by: int) -> None:
        """Another page of plots."""
        if by > 0:
            self.plot.next_panel()
        else:
            self.plot.previous_panel()
        self._say()

    def action_region(self) -> None:
        """Another region, among those that the runs have."""
        present = {key.split(".")[1] for entry in self._loaded for key in entry.analysis.metrics if key.count(".") == 2}
        regions: list[str] = [name for name in ("building", "full", "non_building") if name in present]
        regions += sorted(present - set(regions))
        if regions:
            at = regions.index(self.state.region) if self.state.region in regions else -1
            self.state.region = regions[(at + 1) % len(regions)]
            self.refresh_view()

    def action_metric(self) -> None:
        """A figure of one's own."""
        self._choose(lambda key: [key])

    def action_more(self) -> None:
        """One more metric."""
        present = self.state.trend_metrics if self._preset() == CUSTOM else []
        self._choose(lambda key: [*[k for k in present if k != key], key])

    def _choose(self, combine: Callable[[str], list[str]]) -> None:
        from tui.screens.choosing import ask
        from tui.screens.dialogs import Choice

        library = self.library
        if library is None:
            return
        keys = library.catalogue.order(key for entry in self._loaded for key in entry.analysis.metrics)
        choices = [
            Choice(key, (metric := library.catalogue.get(key)).title, f"{metric.direction.arrow} {key}") for key in keys
        ]

        def done(key: str) -> None:
            self.state.trend_metrics = combine(key)
            self.state.preset = CUSTOM
            self.refresh_view()

        ask(self, _("Metric to draw"), choices, next(iter(self.state.trend_metrics), None), done)

    def action_band(self) -> None:
        """The band of the next run; after the last one none."""
        choices = [*(entry.key for entry in self._loaded), NO_BAND]
        at = choices.index(self._banded() or NO_BAND) if self._loaded else 0
        self.state.trend_band = choices[(at + 1) % len(choices)]
        self.refresh_view()

    def action_runs(self) -> None:
        """Mark other runs."""
        self.lorascope.action_show("runs")

    def action_open(self) -> None:
        """The checkpoint under the cursor, of the first run."""
        plot = self.plot
        if plot.cursor_index is None or not self._loaded:
            return
        step = plot.figure.positions()[plot.cursor_index]
        table = self._loaded[0].analysis.table
        rows = table.filter((table["role"] == "checkpoint") & (table["step"] == int(step)))
        if not rows.is_empty():
            self.state.checkpoint_run = self._loaded[0].key
            self.state.checkpoint = rows["checkpoint"][0]
            self.lorascope.action_show("checkpoint")

    def action_copy(self) -> None:
        """The readout as text."""
        plot = self.plot
        if plot.cursor_index is None:
            self.notify(_("move the cursor first: ← or →"), timeout=2)
            return
        from tui.plots.readout import readout

        self.app.copy_to_clipboard(readout(plot.figure, plot.cursor_index))
        self.notify(_("values copied"), timeout=1.5)
