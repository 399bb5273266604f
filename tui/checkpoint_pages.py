"""What the pages of Checkpoint show, made in a thread: a figure, rows of a table, or a sentence. Textual-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.analysis.spread import histogram, spread
from engine.analysis.worst_frames import FrameOrder, rank_frames
from engine.catalogue import Catalogue, Group, Metric, region_shown
from engine.config import Config
from engine.errors import LorascopeError, NoFramesError
from engine.i18n import gettext as _
from engine.i18n import listing, mark
from engine.results.pictures import PictureRef, find_pictures
from engine.text import visible
from tui.format import metric_number
from tui.frame_reading import FrameReader, Subject, default_key, inlier_curves, other_of, pseudo_checkpoints, regions_of
from tui.frame_tables import AblationSource, FramesSource, frame_key
from tui.library import Library, Loaded
from tui.parts import lost_parts
from tui.plots import inliers
from tui.plots.distribution import distribution, summary_boxes
from tui.plots.spec import Figure
from tui.slice_reading import SliceReader
from tui.slice_table import SlicesSource
from tui.state import ViewState
from tui.widgets.grid_model import GridSource

# To how many frames "the next where the two differ most" leads.
JUMPS = 500


@dataclass(frozen=True)
class Wish:
    """What a page is to show.

    Attributes:
        page: its name.
        subject: of what.
        region: of the pages that show several metrics.
        order: of the frames.
        plain: ASCII alone.
    """

    page: str
    subject: Subject
    region: str
    order: FrameOrder = FrameOrder.WORST
    plain: bool = False


@dataclass(frozen=True, eq=False)
class Content:
    """What a page shows: one of figure, rows and sentence.

    Attributes:
        figure: the plot.
        rows: the table.
        sentence: why there is nothing to show.
        about: what is shown, for the status line.
        note: what to mind.
        jumps: keys of the frames in which the two checkpoints differ most, the most first.
        pictures: those of the checkpoint.
    """

    figure: Figure | None = None
    rows: GridSource | None = None
    sentence: str = ""
    about: str = ""
    note: str = ""
    jumps: tuple[str, ...] = ()
    pictures: tuple[PictureRef, ...] = ()


class Pages:
    """Makes the contents of pages. May be called from several threads.

    Args:
        library: the analysis.
    """

    def __init__(self, library: Library) -> None:
        self._catalogue: Catalogue = library.catalogue
        self._config: Config = library.config
        self._reader = FrameReader(library.catalogue)
        self._slice_reader = SliceReader(library, self._reader)
        self._makers: dict[str, Callable[[Wish], Content]] = {
            "distribution": self._distribution,
            "frames": self._frames,
            "alignments": self._alignments,
            "photometric": self._photometric,
            "slices": self._slices,
        }

    def make(self, wish: Wish) -> Content:
        """What the page shows; whatever cannot be shown is said in a sentence.

        Raises:
            KeyError: there is no page of that name.
        """
        try:
            return self._makers[wish.page](wish)
        except LorascopeError as error:
            return Content(sentence=str(error))

    def _distribution(self, wish: Wish) -> Content:
        subject = wish.subject
        metric = self._catalogue.get(subject.key)
        try:
            found = self._reader.pairs(subject)
        except NoFramesError as error:
            figure = summary_boxes(metric, subject.names, subject.loaded.run.summary)
            if figure.panels:
                return Content(
                    figure, about=visible(metric.title), note=_("no per-frame rows: this is what the summary tells")
                )
            means = (
                f"{name} {metric_number(subject.loaded.analysis.value(name, metric.key), metric)}"
                for name in subject.names
            )
            sentence = _("{reason}. How {metric} spreads is not known; its means: {means}.")
            return Content(sentence=sentence.format(reason=error.message, metric=metric.title, means=listing(means)))
        if found.values.is_empty():
            return Content(sentence=_("{metric} was measured in no frame.").format(metric=metric.title))
        figure = distribution(metric, subject.names, histogram(found.values), spread(found.values))
        return Content(figure, about=_about(found.metric, found.alignment), note=found.note)

    def _frames(self, wish: Wish) -> Content:
        subject = wish.subject
        found = self._reader.pairs(subject)
        order = wish.order
        if subject.against is None or (order is FrameOrder.LOST and not found.metric.direction.sign):
            order = FrameOrder.WORST if subject.against is None else FrameOrder.DIFFERENCE
        ranked = rank_frames(found.pairs, order, found.metric)
        if ranked.is_empty():
            sentence = _("{metric} was measured in no frame of {checkpoint}.")
            return Content(sentence=sentence.format(metric=found.metric.title, checkpoint=subject.checkpoint))
        apart = rank_frames(found.pairs, FrameOrder.DIFFERENCE, found.metric, top=JUMPS)
        pictures = tuple(find_pictures(subject.loaded.run.path, subject.checkpoint))
        pictured = {(picture.window, picture.frame) for picture in pictures}
        rows = FramesSource(ranked, found.metric, _heading(subject), pictured, plain=wish.plain)
        jumps = tuple(frame_key(*place) for place in apart.select("drive", "window", "frame").iter_rows())
        about = f"{_(_ORDERS[order])} · {_about(found.metric, found.alignment)}"
        return Content(rows=rows, about=about, note=found.note, jumps=jumps, pictures=pictures)

    def _alignments(self, wish: Wish) -> Content:
        found = self._reader.ablation(wish.subject, wish.region)
        if found.rows.is_empty():
            sentence = _("{checkpoint} has no depth metrics of the region {region}.")
            return Content(
                sentence=sentence.format(checkpoint=wish.subject.checkpoint, region=region_shown(wish.region))
            )
        rows = AblationSource(found.rows, found.own, _heading(wish.subject), self._catalogue, plain=wish.plain)
        about = [_("region {region}").format(region=region_shown(wish.region)), _("● this run's"), _(_UNTESTED)]
        return Content(rows=rows, about=" · ".join(about))

    def _photometric(self, wish: Wish) -> Content:
        subject = wish.subject
        curves, threshold = inlier_curves(subject.loaded, wish.region)
        baseline = subject.loaded.run.baseline
        names = [*subject.names, *([baseline] if baseline else []), *pseudo_checkpoints(subject.loaded)]
        scored = f"{Group.PHOTOMETRIC}.{wish.region}.inlier_ratio" in self._config.score.weights
        said = f"{threshold:g}: {_('the score uses this') if scored else _('the inlier ratio uses this')}"
        figure = inliers.inlier_curves(list(dict.fromkeys(names)), curves, wish.region, threshold, said)
        if not figure.panels:
            sentence = _(
                "{run} has no photometric curve of the region {region}: an evaluation by lorascope writes them."
            )
            return Content(sentence=sentence.format(run=subject.loaded.run.name, region=region_shown(wish.region)))
        return Content(figure, about=_("region {region}").format(region=region_shown(wish.region)))

    def _slices(self, wish: Wish) -> Content:
        found = self._slice_reader.parts(wish.subject)
        if found.rows.is_empty():
            return Content(sentence=_("{metric} was measured in no frame.").format(metric=found.metric.title))
        rows = SlicesSource(found, _heading(wish.subject), plain=wish.plain)
        alignment = self._reader.pairs(wish.subject).alignment
        told = _(_UNTESTED)
        if found.judged:
            told = _("95 %: for all parts at once") if found.alone else _("95 %: for all checkpoints and parts at once")
        lost = lost_parts(found.loses, changes=True)
        note = _("better as a whole, but worse in {parts}").format(parts=lost) if lost else ""
        return Content(
            rows=rows,
            about=f"{_about(found.metric, alignment)} · {told}",
            note="; ".join(part for part in (note, found.note) if part),
        )

    def pictures(self, wish: Wish) -> tuple[PictureRef, ...]:
        """The pictures of the other checkpoint."""
        against = wish.subject.against
        return tuple(find_pictures(wish.subject.loaded.run.path, against)) if against else ()


def wish_of(state: ViewState, page: str, library: Library, loaded: Loaded, checkpoint: str, *, plain: bool) -> Wish:
    """What a page is to show by what the user has chosen; what the run lacks gives way to what it has."""
    regions = regions_of(loaded)
    subject = Subject(
        loaded,
        checkpoint,
        other_of(loaded, checkpoint, state.checkpoint_against),
        default_key(loaded, library.catalogue, [state.checkpoint_metric, state.objective]),
    )
    orders = {order.value: order for order in FrameOrder}
    return Wish(
        page,
        subject,
        state.region if state.region in regions or not regions else regions[0],
        orders.get(state.frames_order, FrameOrder.WORST),
        plain,
    )


# A verdict (▲, ▼) is told from chance; these are not.
_UNTESTED = mark("△▽: means, untested")
_ORDERS = {
    FrameOrder.WORST: mark("worst first"),
    FrameOrder.LOST: mark("most lost first"),
    FrameOrder.DIFFERENCE: mark("most different first"),
}


def _heading(subject: Subject) -> str:
    """The heading of the other checkpoint's values."""
    if subject.against is None:
        return ""
    return _("baseline") if subject.against == subject.loaded.run.baseline else subject.against


def _about(metric: Metric, alignment: str) -> str:
    """The metric, and the alignment where it changes the values."""
    title = f"{visible(metric.title)} {metric.direction.arrow}"
    return f"{title} · {alignment}" if metric.group in (Group.DEPTH, Group.PLANARITY) else title
