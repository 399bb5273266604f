"""From a loaded run to what tells its changes from chance. Reads per-frame rows: for commands and worker threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from engine.analysis.evidence import Evidence
from engine.analysis.weighing import weigh
from engine.catalogue import SCORE_KEY
from engine.errors import DataError
from engine.i18n import gettext as _
from engine.results.costs import read_costs
from engine.results.model import RunKind
from engine.results.native import read_windows
from engine.results.problems import ProblemLog
from engine.results.slices import slice_kinds, slice_sums
from engine.results.sums import window_sums
from tui.frame_reading import pseudo_checkpoints
from tui.library import Library, Loaded
from tui.loader import Judging


def gather_evidence(library: Library, loaded: Loaded, metrics: Iterable[str]) -> Evidence:
    """Read what is needed to judge a run in some metrics.

    Per-frame rows that cannot be used (a file became unreadable, checkpoints disagree on a window's frames) leave the
    summary, and the evidence says why.

    Args:
        library: directions and the score's weights.
        loaded: the run.
        metrics: keys, ``score`` among them; nothing else is read.
    """
    analysis, run = loaded.analysis, loaded.run
    weights = library.config.score.weights
    wanted = set(metrics)
    wanted |= set(weights) if SCORE_KEY in wanted else set()
    # What is better in one region may be worse in another one; the rows are the same.
    places = set(map(_elsewhere, wanted))
    keys = sorted(wanted | {key for key in analysis.metrics if _elsewhere(key) in places})
    names = {*analysis.trained.get_column("checkpoint"), *([run.baseline] if run.baseline else [])}
    catalogue = library.catalogue
    timings = single_passes(loaded)
    missing = ""
    if run.has_frames:
        try:
            everyone = {*names, *pseudo_checkpoints(loaded)}
            sums = window_sums(run, metrics=keys, checkpoints=everyone)
            parts = {kind: slice_sums(run, kind, metrics=keys, checkpoints=everyone) for kind in slice_kinds(run)}
            windows = read_windows(run)
            return weigh(
                analysis,
                run.summary,
                sums,
                catalogue=catalogue,
                weights=weights,
                windows=windows,
                timings=timings,
                parts=parts,
            )
        except DataError as error:
            missing = _("per-frame rows are not used: {reason}").format(reason=error)
    return weigh(analysis, run.summary, None, catalogue=catalogue, weights=weights, missing=missing, timings=timings)


def single_passes(loaded: Loaded) -> dict[str, list[float]]:
    """Seconds of single passes of every checkpoint that was timed alone, unmerged."""
    run = loaded.run
    if run.ref.kind is not RunKind.NATIVE:
        return {}
    costs = read_costs(run.path, ProblemLog()).filter(~pl.col("merged"))  # the loader has told what is wrong with it
    return {name: times for name, times in costs.select("checkpoint", "times_sec").iter_rows() if name and times}


def _elsewhere(key: str) -> tuple[str, str]:
    """Group and name of a metric, whatever its region."""
    group, _, rest = key.partition(".")
    return group, rest.rpartition(".")[2]


def judge(library: Library, judging: Judging, urgent: Callable[[], bool] = lambda: False) -> Evidence:
    """Judge a run in all its metrics, and find out what else is asked for: its tie group, its parts.

    Args:
        library: directions and the score's weights.
        judging: what is asked.
        urgent: whether something is waiting that should not wait for all parts; the rest is left to be asked again.

    Returns:
        The evidence with its answers, so that asking it again costs nothing.

    Raises:
        LorascopeError: the tie group is asked for a metric that has no direction.
    """
    loaded = judging.loaded
    # The score stands at the head of a comparison even where the run has none.
    metrics = (SCORE_KEY, *loaded.analysis.metrics)
    evidence = judging.evidence or gather_evidence(library, loaded, loaded.analysis.metrics)
    evidence.differences(metrics)
    if evidence.baseline is None:
        evidence.levels(metrics)
    if judging.objective:
        evidence.ties(judging.objective, judging.checkpoints)
    for family in _families(judging.parts):
        evidence.scale(family)
        evidence.lost(family)
        if urgent():
            break
    return evidence


def _families(keys: Iterable[str]) -> list[list[str]]:
    """Metrics that are one in several regions belong together: each is a part of the others."""
    found: dict[tuple[str, str], list[str]] = {}
    for key in keys:
        found.setdefault(_elsewhere(key), []).append(key)
    return list(found.values())
