"""From the description of a plot to its drawing: limits, frame, ticks, layers and labels. plotext draws the curves."""

from __future__ import annotations

from rich.cells import cell_len

from engine.i18n import gettext as _
from tui.plots import scale
from tui.plots.axes import draw_axes
from tui.plots.boxes import draw_boxes
from tui.plots.drawing import Canvas, Drawing, cut
from tui.plots.labels import draw_labels
from tui.plots.layers import draw_layers
from tui.plots.palette import PlotPalette
from tui.plots.place import Place
from tui.plots.signs import signs_for
from tui.plots.sparkline import sparkline
from tui.plots.spec import PlotSpec, Series

MIN_WIDTH, MIN_HEIGHT = 20, 5


def render(spec: PlotSpec, width: int, height: int, palette: PlotPalette, *, plain: bool = False) -> str:
    """A plot as text.

    Args:
        spec: what to draw.
        width: cells per line at most.
        height: lines, exactly.
        palette: colours; one without colours makes curves differ by their line.
        plain: ASCII alone and no colour.

    Returns:
        ``height`` lines of at most ``width`` cells, with 24-bit SGR colours.

    Raises:
        LorascopeError: plotext cannot be loaded.
    """
    return draw(spec, width, height, distinct=palette.distinct_lines, plain=plain).ansi(palette)


def draw(spec: PlotSpec, width: int, height: int, *, distinct: bool = False, plain: bool = False) -> Drawing:
    """A plot as a grid of cells with roles, ready to be coloured.

    Args:
        spec: what to draw.
        width: columns.
        height: rows.
        distinct: whether curves must differ by their line rather than their colour.
        plain: ASCII alone.

    Returns:
        A drawing of exactly that size. Below 20 x 5 cells it is a sparkline of the first curve.

    Raises:
        LorascopeError: plotext cannot be loaded.
    """
    width, height = max(width, 0), max(height, 0)
    canvas = Canvas(width, height, plain=plain)
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        _tiny(canvas, spec)
        return _finish(canvas)
    if not any(scale.drawable(x) and scale.drawable(y) for series in spec.series for x, y in series.points()):
        _heading(canvas, spec, ())
        words = canvas.words(_("no values"))
        canvas.text(height // 2, (width - cell_len(words)) // 2, words, "note")
        return _finish(canvas)
    signs = signs_for(plain=plain, distinct=distinct)
    place = Place(spec, canvas)
    draw_axes(place, signs)
    notes = draw_layers(place, signs)
    draw_boxes(place, signs)
    notes += draw_labels(place, signs)
    _heading(canvas, spec, notes)
    return Drawing(*_cells(canvas), place.frame, place.left, place.top, notes, plain)


def _finish(canvas: Canvas) -> Drawing:
    return Drawing(*_cells(canvas), plain=canvas.plain)


def _cells(canvas: Canvas) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    return tuple(map(tuple, canvas.chars)), tuple(map(tuple, canvas.roles))


def _tiny(canvas: Canvas, spec: PlotSpec) -> None:
    first = spec.series[0] if spec.series else Series("", (), ())
    canvas.text(0, 0, sparkline(first.y, canvas.width, plain=canvas.plain) or canvas.words(_("no values")), first.role)


def _heading(canvas: Canvas, spec: PlotSpec, notes: tuple[str, ...]) -> None:
    title = canvas.words(" · ".join(part for part in (spec.title, spec.y_label) if part))
    canvas.text(0, 0, cut(title, canvas.width, plain=canvas.plain), "title")
    note = canvas.words(" · ".join(part for part in (spec.note, *notes) if part))
    room = canvas.width - cell_len(title) - 2
    if note and room >= 8:
        note = cut(note, room, plain=canvas.plain)
        canvas.text(0, canvas.width - cell_len(note), note, "note")
