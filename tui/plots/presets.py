"""The figures of Trends: seven presets, and any metrics of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.catalogue import SCORE_KEY, Catalogue, region_shown
from engine.errors import UnknownNameError
from engine.i18n import gettext as _
from engine.i18n import listing, sentences
from engine.text import visible
from tui.plots.panels import RunSeries, value_panel, variation_panel
from tui.plots.profile import profile_keys, profile_panel
from tui.plots.spec import Figure, PlotSpec

if TYPE_CHECKING:
    from engine.config import TrendConfig

_REGIONAL_GROUPS = ("depth", "normals", "planarity", "photometric")
_NAMED_MISSING = 4


@dataclass(frozen=True, slots=True)
class Preset:
    """One of the standard figures.

    Attributes:
        key: its name in commands and in the saved view.
        title: its tab.
        help: what it answers, one sentence.
    """

    key: str
    title: str
    help: str


PRESETS = (
    Preset("depth", "depth", "AbsRel, δ<1.25 and RMSE over the training."),
    Preset("regions", "regions", "Whether what buildings gain is paid for by the rest."),
    Preset("geometry", "geometry", "Normals and planes."),
    Preset("pose", "pose", "Trajectory errors: translation and rotation."),
    Preset("profile", "profile", "The best checkpoint against its own baseline, metric by metric."),
    Preset("stability", "stability", "Rolling variation against the threshold, with the jumps."),
    Preset("score", "score", "The composite score, its baseline and its best checkpoint."),
)


def build(
    preset: str,
    runs: Sequence[RunSeries],
    catalogue: Catalogue,
    config: TrendConfig,
    *,
    region: str = "building",
) -> Figure:
    """One of the standard figures.

    Args:
        preset: the key of one of :data:`PRESETS`.
        runs: what to draw; several are overlaid, a colour each.
        catalogue: labels, units, directions.
        config: window and thresholds.
        region: the region that counts; where no run has it, the first one that there is, and the figure's note says so.

    Returns:
        The figure. Panels whose metrics no run has are left out, and the note names them.

    Raises:
        UnknownNameError: there is no such preset.
    """
    found = next((entry for entry in PRESETS if entry.key == preset), None)
    if found is None:
        raise UnknownNameError("preset", preset, [entry.key for entry in PRESETS])
    shown = _region(runs, region)
    notes = []
    if shown != region:
        said = _("no {wanted} metrics: {shown} is shown")
        notes = [said.format(wanted=visible(region_shown(region)), shown=visible(region_shown(shown)))]
    if preset == "profile":
        panel, missing = profile_panel(runs, catalogue, shown)
        return Figure(found.title, (panel,) if panel else (), _note(notes, missing, catalogue))
    make: Callable[..., PlotSpec] = variation_panel if preset == "stability" else value_panel
    return _figure(found.title, _KEYS[preset](shown), runs, catalogue, config, make, notes)


def preset_keys(preset: str, runs: Sequence[RunSeries], *, region: str = "building") -> tuple[str, ...]:
    """The metrics that a standard figure draws, whether or not a run has them, each once.

    Args:
        preset: the key of one of :data:`PRESETS`.
        runs: what would be drawn.
        region: as in :func:`build`.

    Raises:
        UnknownNameError: there is no such preset.
    """
    if preset not in {entry.key for entry in PRESETS}:
        raise UnknownNameError("preset", preset, [entry.key for entry in PRESETS])
    shown = _region(runs, region)
    panels = [profile_keys(shown)] if preset == "profile" else _KEYS[preset](shown)
    return tuple(dict.fromkeys(key for keys in panels for key in keys))


def custom(keys: Sequence[str], runs: Sequence[RunSeries], catalogue: Catalogue, config: TrendConfig) -> Figure:
    """One panel per metric.

    Args:
        keys: metric keys; those that no run has are named in the figure's note.
        runs: what to draw; several are overlaid, a colour each.
        catalogue: labels, units, directions.
        config: window and thresholds.
    """
    return _figure("metrics", [(key,) for key in dict.fromkeys(keys)], runs, catalogue, config, value_panel, [])


def _figure(
    title: str,
    panels: Sequence[tuple[str, ...]],
    runs: Sequence[RunSeries],
    catalogue: Catalogue,
    config: TrendConfig,
    make: Callable[..., PlotSpec],
    notes: list[str],
) -> Figure:
    measured = {key for run in runs for key in run.analysis.metrics}
    missing = [key for keys in panels for key in keys if key not in measured]
    drawn = [tuple(key for key in keys if key in measured) for keys in panels]
    specs = tuple(make(keys, runs, catalogue, config) for keys in drawn if keys)
    if SCORE_KEY in missing:
        lacking = dict.fromkeys(key for run in runs for key in run.analysis.score_missing)
        missing = [key for key in missing if key != SCORE_KEY]
        needs = _("no score: it needs {metrics}").format(metrics=_titles(lacking, catalogue))
        notes = [*notes, needs if lacking else _("no score")]
    return Figure(title, specs, _note(notes, missing, catalogue))


def _note(notes: Sequence[str], missing: Sequence[str], catalogue: Catalogue) -> str:
    said = list(notes)
    if missing:
        said.append(_("not measured: {metrics}").format(metrics=_titles(missing, catalogue)))
    return sentences(said)


def _titles(keys: Sequence[str] | dict[str, None], catalogue: Catalogue) -> str:
    names = [visible(catalogue.get(key).title) for key in dict.fromkeys(keys)]
    rest = len(names) - _NAMED_MISSING
    shown = listing(names[:_NAMED_MISSING])
    return _("{names} and {count} more").format(names=shown, count=rest) if rest > 0 else shown


def _region(runs: Sequence[RunSeries], wanted: str) -> str:
    """``wanted`` if any run has a metric of it; else the first region that one has; else ``wanted``."""
    regions = [
        parts[1]
        for run in runs
        for key in run.analysis.metrics
        if len(parts := key.split(".")) == 3 and parts[0] in _REGIONAL_GROUPS
    ]
    return wanted if wanted in regions or not regions else regions[0]


def _depth(region: str) -> list[tuple[str, ...]]:
    both = tuple(dict.fromkeys((f"depth.{region}.delta1", "depth.full.delta1")))
    return [(f"depth.{region}.abs_rel",), both, (f"depth.{region}.rmse",)]


def _regions(region: str) -> list[tuple[str, ...]]:
    other = "non_building" if region == "building" else "full"
    return [(f"depth.{region}.{name}", f"depth.{other}.{name}") for name in ("abs_rel", "delta1", "rmse", "mae")]


def _geometry(region: str) -> list[tuple[str, ...]]:
    return [
        (f"normals.{region}.inlier_30",),
        (f"normals.{region}.angular_mean",),
        (f"planarity.{region}.inlier_ratio",),
        (f"planarity.{region}.residual_mean",),
    ]


def _pose(_region: str) -> list[tuple[str, ...]]:
    return [("pose.ate_trans",), ("pose.rpe_trans",), ("pose.ate_rot_deg",), ("pose.rpe_rot_deg",)]


def _stability(region: str) -> list[tuple[str, ...]]:
    return [
        (f"depth.{region}.abs_rel",),
        (f"depth.{region}.delta1",),
        (f"depth.{region}.rmse",),
        (f"normals.{region}.inlier_30",),
    ]


def _score(_region: str) -> list[tuple[str, ...]]:
    return [(SCORE_KEY,)]


_KEYS: dict[str, Callable[[str], list[tuple[str, ...]]]] = {
    "depth": _depth,
    "regions": _regions,
    "geometry": _geometry,
    "pose": _pose,
    "stability": _stability,
    "score": _score,
}
