"""``lorascope trend``: a metric over the checkpoints of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.analysis.bands import Intervals, intervals_of
from engine.analysis.comparability import comparability
from engine.analysis.evidence import Evidence
from engine.analysis.trends import Trend, trend
from engine.catalogue import SCORE_KEY, Metric
from engine.config import TrendConfig
from engine.errors import UnknownNameError, UsageError
from engine.i18n import gettext as _
from tui.cli import trend_tables
from tui.cli.gather import find_runs, load_readable, means, one_of, open_library
from tui.cli.output import Answer, Destination
from tui.evidence import gather_evidence
from tui.format import distinct, short_names
from tui.library import Library, Loaded
from tui.plots.panels import RunSeries
from tui.plots.presets import build, custom, preset_keys
from tui.plots.spec import Figure, series_role

if TYPE_CHECKING:
    from tui.cli.screen import Screen


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the runs.

    Attributes:
        metrics: keys or aliases; none means the preset's, and without one the score.
        preset: the name of a prepared figure.
        width, height: cells of a plot; by default what fits the terminal.
        baseline: the checkpoint that changes are against, instead of the runs' own.
        band: the run that has its band drawn; by default the only one, and none of several.
    """

    metrics: tuple[str, ...]
    preset: str | None
    width: int | None
    height: int | None
    baseline: str | None
    band: str | None = None


@dataclass(frozen=True)
class Course:
    """One metric of one run over the training.

    Attributes:
        loaded: the run.
        name: what to call it among the others.
        metric: the metric.
        trend: its values and what there is to say about them.
        intervals: what is known of its changes, or of its values; ``None`` where nothing is.
        basis: what verdicts on the changes are based on, one sentence.
    """

    loaded: Loaded
    name: str
    metric: Metric
    trend: Trend
    intervals: Intervals | None
    basis: str


def show_trend(
    paths: Sequence[Path], names: Sequence[str], question: Question, *, config: Path | None, destination: Destination
) -> int:
    """Show metrics of the runs at or below ``paths``, or of those called ``names`` there.

    Raises:
        LorascopeError: there is no such run, metric or preset, or the destination is wrong.
    """
    if question.metrics and question.preset:
        raise UsageError(_("--metric and --preset exclude one another"), _("leave one of them out"))
    destination.check()
    library = open_library(config)
    refs, notes = find_runs(paths)
    if names:
        refs = [one_of(library, refs, name) for name in dict.fromkeys(names)]
    runs, more = load_readable(library, refs, question.baseline)
    labels = distinct([(loaded.run.name, loaded.run.path) for loaded in runs])
    keys = _keys(library, runs, question)
    evidence = [gather_evidence(library, loaded, keys) for loaded in runs]
    banded = _banded(runs, question)
    series = [
        RunSeries(name, series_role(index), loaded.analysis, own if loaded is banded else None)
        for index, (name, loaded, own) in enumerate(zip(short_names(labels), runs, evidence, strict=True))
    ]
    figure = _figure(library, series, keys, question)
    courses = _courses(library, runs, labels, evidence, keys)
    notes = [*notes, *more, *_remarks(runs), *([figure.note] if figure.note else [])]
    settings = library.config.trends
    return destination.deliver(
        Answer(
            document=lambda: _document(runs, courses, settings, notes),
            draw=lambda screen: _draw(screen, figure, courses, question, settings),
            table=lambda: trend_tables.full_table(courses),
            readable=lambda: trend_tables.report_table(courses),
            notes=notes,
            in_document=True,
        )
    )


def _keys(library: Library, runs: Sequence[Loaded], question: Question) -> Sequence[str]:
    """The metrics that are meant."""
    if question.preset:
        return preset_keys(question.preset, [RunSeries("", "", loaded.analysis) for loaded in runs])
    measured = list(dict.fromkeys(key for loaded in runs for key in loaded.analysis.metrics))
    return [library.catalogue.resolve(name, measured, "--metric") for name in question.metrics or (SCORE_KEY,)]


def _banded(runs: Sequence[Loaded], question: Question) -> Loaded | None:
    """The run that has its band drawn."""
    if question.band is None:
        return runs[0] if len(runs) == 1 else None
    found = [loaded for loaded in runs if means(loaded, question.band)]
    if not found:
        raise UnknownNameError("run", question.band, [loaded.run.name for loaded in runs], "--band")
    return found[0]


def _remarks(runs: Sequence[Loaded]) -> list[str]:
    """Why the values of several runs may not be compared."""
    found = comparability([loaded.facts for loaded in runs])
    return list(found.notes) if len(runs) > 1 else []


def _figure(library: Library, series: Sequence[RunSeries], keys: Sequence[str], question: Question) -> Figure:
    catalogue, settings = library.catalogue, library.config.trends
    if question.preset:
        figure = build(question.preset, series, catalogue, settings)
    else:
        figure = custom(keys, series, catalogue, settings)
    if not figure.panels:
        said = _("nothing to draw: {reason}").format(reason=figure.note)
        raise UsageError(said, _("choose another figure or --metric KEY"))
    return figure


def _courses(
    library: Library, runs: Sequence[Loaded], names: Sequence[str], evidence: Sequence[Evidence], keys: Sequence[str]
) -> list[Course]:
    catalogue, settings = library.catalogue, library.config.trends
    return [
        Course(
            loaded,
            name,
            catalogue.get(key),
            trend(loaded.analysis, key, settings, catalogue=catalogue),
            intervals_of(own, key),
            own.basis(own.differences([key])),
        )
        for loaded, name, own in zip(runs, names, evidence, strict=True)
        for key in dict.fromkeys(keys)
        if key in loaded.analysis.metrics
    ]


def _draw(screen: Screen, figure: Figure, courses: Sequence[Course], question: Question, settings: TrendConfig) -> None:
    trend_tables.draw_figure(
        screen, figure, question.width, question.height, below=trend_tables.lines_of_words(courses)
    )
    screen.line()
    trend_tables.draw_words(screen, courses, settings)
    trend_tables.draw_basis(screen, courses)


def _document(
    runs: Sequence[Loaded], courses: Sequence[Course], settings: TrendConfig, notes: Sequence[str]
) -> dict[str, Any]:
    return {
        "runs": [
            {
                "run": loaded.run.name,
                "path": loaded.key,
                "baseline": loaded.run.baseline,
                "metrics": [_course_document(course) for course in courses if course.loaded is loaded],
            }
            for loaded in runs
        ],
        "window": settings.window,
        "threshold_pct": settings.threshold_pct,
        "jump_pct": settings.jump_pct,
        "notes": list(notes),
    }


def _course_document(course: Course) -> dict[str, Any]:
    metric, found = course.metric, course.trend
    best = found.best
    return {
        "key": metric.key,
        "label": metric.label,
        "unit": metric.unit,
        "direction": metric.direction.value,
        "baseline": found.baseline,
        "interval_of": None if course.intervals is None else course.intervals.of.value,
        "basis": course.basis,
        "best": None if best is None else {"checkpoint": found.checkpoints[best], "value": found.values[best]},
        "values": [
            {
                "checkpoint": name,
                "step": step,
                "value": value,
                "variation_pct": variation,
                **interval_figures(course, name),
            }
            for name, step, value, variation in zip(
                found.checkpoints, found.steps, found.values, found.variation, strict=True
            )
        ],
        "jumps": [
            {
                "from": jump.from_checkpoint,
                "to": jump.to_checkpoint,
                "before": jump.before,
                "after": jump.after,
                "change_pct": jump.change_pct,
            }
            for jump in found.jumps
        ],
        "plateau": None if found.plateau_from is None else {"from": found.plateau_from, "value": found.settled},
    }


def interval_figures(course: Course, checkpoint: str) -> dict[str, Any]:
    """What is known of one checkpoint's change (of its value, in a run without a baseline), as JSON values."""
    row = course.intervals.rows.get(checkpoint) if course.intervals is not None else None
    if row is None:
        return dict.fromkeys(("delta", "ci95", "joint95", "verdict", "kind"))
    joint = None if row["joint_low"] is None or row["joint_high"] is None else [row["joint_low"], row["joint_high"]]
    return {
        "delta": row["delta"],
        "ci95": [row["ci95_low"], row["ci95_high"]],
        "joint95": joint,
        "verdict": row["verdict"],
        "kind": row["kind"],
    }
