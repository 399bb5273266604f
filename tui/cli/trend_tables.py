"""Trends as pictures, words and tables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from engine.analysis.trends import Jump, Trend
from engine.config import TrendConfig
from engine.i18n import gettext as _
from engine.i18n import sentences
from engine.remote.url import shown
from engine.results.names import storable
from tui.cli.output import FlatTable
from tui.cli.verdicts import write
from tui.format import MISSING, metric_number, percent, reach, verdict_mark
from tui.plots.palette import DARK, LIGHT, PlotPalette
from tui.plots.panels import heading
from tui.plots.render import render
from tui.plots.signs import legend
from tui.plots.spec import Figure

if TYPE_CHECKING:
    from tui.cli.screen import Screen
    from tui.cli.trend import Course

_WIDEST_WITHOUT_TERMINAL = 100
_LINES_FOR_ONE = 9
_HIGHEST, _LOWEST, _HEIGHT_OF_MANY = 24, 8, 14


def draw_figure(screen: Screen, figure: Figure, width: int | None, height: int | None, *, below: int) -> None:
    """The panels below one another, then the legend where several curves share them.

    Args:
        screen: where to.
        figure: what to draw.
        width, height: cells of each panel; by default what fits the screen.
        below: how many lines will follow.
    """
    palette = _palette(screen)
    high = height or _height(screen, figure, below)
    wide = width or (screen.width if screen.is_terminal else min(screen.width, _WIDEST_WITHOUT_TERMINAL))
    for panel in figure.panels:
        screen.ansi(render(panel, wide, high, palette, plain=screen.plain))
    if any(series.name or series.band_name for panel in figure.panels for series in panel.series):
        entries = legend(figure, plain=screen.plain, distinct=palette.distinct_lines)
        screen.legend([(entry.glyph, _style(palette, entry.role), entry.name) for entry in entries])


def _style(palette: PlotPalette, role: str) -> str:
    colour = palette.colour(role)
    return "rgb({},{},{})".format(*colour) if colour else ""


def _height(screen: Screen, figure: Figure, below: int) -> int:
    if len(figure.panels) > 1:
        return _HEIGHT_OF_MANY
    return max(_LOWEST, min(_HIGHEST, screen.height - below))


def lines_of_words(courses: Sequence[Course]) -> int:
    """About how many lines follow a plot: the legend, what :func:`draw_words` writes at 80 columns, and the prompt."""
    if len(courses) == 1:
        return _LINES_FOR_ONE
    return 3 + len({id(course.loaded) for course in courses}) + 2 * len(courses)


def _palette(screen: Screen) -> PlotPalette:
    if not screen.colour or screen.plain:
        return PlotPalette.monochrome()
    # Some terminals say their colours as "foreground;background"; 7 and 15 are white.
    return LIGHT if os.environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15") else DARK


def draw_words(screen: Screen, courses: Sequence[Course], settings: TrendConfig) -> None:
    """What each curve does: where it is best, its jumps, its plateau. A line each where there are several."""
    if len(courses) == 1:
        screen.outside(screen.words(_title(courses[0])), "bold")
        for sentence in _sentences(courses[0], settings):
            screen.paragraph(screen.words(sentence), indent="  ")
        return
    several_runs = len({id(course.loaded) for course in courses}) > 1
    run: object = None
    for course in courses:
        if several_runs and course.loaded is not run:
            run = course.loaded
            screen.outside(course.name, "bold")
        words = sentences(_sentences(course, settings))
        screen.paragraph(screen.words(f"{_title(course)}: {words}"), indent="  ")


def draw_basis(screen: Screen, courses: Sequence[Course]) -> None:
    """What verdicts and bands are based on: a line per sort of evidence."""
    several = len({id(course.loaded) for course in courses}) > 1
    known = [course for course in courses if course.intervals is not None] or courses
    told = dict.fromkeys(f"{course.name}: {course.basis}" if several else course.basis for course in known)
    for basis in told:
        write(screen, _("verdicts: {basis}").format(basis=basis))


def _title(course: Course) -> str:
    return heading(course.metric)


def _sentences(course: Course, settings: TrendConfig) -> list[str]:
    found, metric = course.trend, course.metric
    said = []
    best, baseline = _best(course, judged=True), metric_number(found.baseline, metric)
    if best and found.baseline is not None:
        said.append(_("best {best}, baseline {baseline}").format(best=best, baseline=baseline))
    elif best:
        said.append(_("best {best}").format(best=best))
    elif found.baseline is not None:
        said.append(_("baseline {baseline}").format(baseline=baseline))
    said += [_("jump {jump}").format(jump=_jump(found, jump)) for jump in found.jumps] or [_("no jump")]
    if found.plateau_index is None:
        text = _("no plateau: rolling variation not below {threshold} % to the end")
        said.append(text.format(threshold=f"{settings.threshold_pct:g}"))
    else:
        text = _("plateau from {checkpoint} around {value}")
        place = _place(found, found.plateau_index)
        said.append(text.format(checkpoint=place, value=metric_number(found.settled, metric)))
    return said


def _best(course: Course, *, judged: bool = False) -> str:
    """Value, place and change of the best checkpoint; with what was judged of the change where that is wanted."""
    found = course.trend
    if found.best is None:
        return ""
    value = found.values[found.best]
    change = ""
    if found.baseline and value is not None:
        half, sign = _verdict(course, found.checkpoints[found.best]) if judged else ("", "")
        told = percent(100.0 * (value - found.baseline) / abs(found.baseline))
        change = f" ({' '.join(part for part in (told, half, '%', sign) if part)})"
    text = _("{value} at {checkpoint}")
    return text.format(value=metric_number(value, course.metric), checkpoint=_place(found, found.best)) + change


def _verdict(course: Course, checkpoint: str) -> tuple[str, str]:
    """Half the interval of a change that holds for all checkpoints at once, in percent, and the sign of its verdict."""
    row = course.intervals.rows.get(checkpoint) if course.intervals is not None else None
    if row is None or row["joint_low"] is None or row["joint_high"] is None:
        return "", ""
    half = reach((row["joint_low"], row["joint_high"]), course.trend.baseline, course.metric.digits)
    return half, verdict_mark(row["verdict"]).strip()


def _jump(found: Trend, jump: Jump) -> str:
    before = next(index for index, name in enumerate(found.checkpoints) if name == jump.from_checkpoint)
    change = _("from 0")
    if jump.change_pct is not None:
        change = f"{jump.change_pct:+.{0 if abs(jump.change_pct) >= 100 else 1}f} %"
    return f"{_place(found, before)} → {_place(found, jump.index)}: {change}"


def _place(found: Trend, index: int) -> str:
    """A checkpoint in few words: its number where every checkpoint has one of its own, else its name."""
    return str(found.steps[index]) if found.positions == found.steps else found.checkpoints[index]


def full_table(courses: Sequence[Course]) -> FlatTable:
    """A row per run, metric and checkpoint."""
    rows = [
        (
            *(
                course.loaded.run.name,
                storable(shown(course.loaded.run.path)),
                course.metric.key,
                name,
                step,
                value,
                variation,
                jumped,
            ),
            *_interval_columns(course, name),
        )
        for course in courses
        for name, step, value, variation, jumped in zip(
            course.trend.checkpoints,
            course.trend.steps,
            course.trend.values,
            course.trend.variation,
            _jumped(course.trend),
            strict=True,
        )
    ]
    text, number = pl.String, pl.Float64
    schema = {
        **{"run": text, "path": text, "metric": text, "checkpoint": text, "step": pl.Int64},
        **{"value": number, "variation_pct": number, "jump": pl.Boolean, "interval_of": text, "delta": number},
        **dict.fromkeys(("ci95_low", "ci95_high", "joint_low", "joint_high"), number),
        **{"verdict": text, "kind": text},
    }
    return FlatTable(pl.DataFrame(rows, schema=schema, orient="row"))


def _interval_columns(course: Course, checkpoint: str) -> tuple[object, ...]:
    names = ("delta", "ci95_low", "ci95_high", "joint_low", "joint_high", "verdict", "kind")
    row = course.intervals.rows.get(checkpoint) if course.intervals is not None else None
    if course.intervals is None or row is None:
        return (None,) * (len(names) + 1)
    return (course.intervals.of.value, *(row[name] for name in names))


def _jumped(found: Trend) -> list[bool]:
    places = {jump.index for jump in found.jumps}
    return [index in places for index in range(len(found.values))]


def report_table(courses: Sequence[Course]) -> FlatTable:
    """A row per run and metric: what its course was like."""
    rows = [
        (
            course.name,
            _title(course),
            metric_number(course.trend.baseline, course.metric),
            _best(course) or MISSING,
            "; ".join(_jump(course.trend, jump) for jump in course.trend.jumps) or MISSING,
            MISSING if course.trend.plateau_index is None else _place(course.trend, course.trend.plateau_index),
        )
        for course in courses
    ]
    columns = ("run", "metric", "baseline", "best", "jumps", "plateau from")
    return FlatTable(pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row"), right=("baseline",))
