"""From a loaded run to what tells its changes from chance. Reads per-frame rows: for commands and worker threads."""

from __future__ import annotations

from collections.abc import Iterable

from engine.analysis.evidence import Evidence, weigh
from engine.catalogue import SCORE_KEY
from engine.errors import DataError
from engine.i18n import gettext as _
from engine.results.sums import window_sums
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
    keys = sorted(wanted | (set(weights) if SCORE_KEY in wanted else set()))
    names = {*analysis.trained.get_column("checkpoint"), *([run.baseline] if run.baseline else [])}
    catalogue = library.catalogue
    missing = ""
    if run.has_frames:
        try:
            sums = window_sums(run, metrics=keys, checkpoints=names)
            return weigh(analysis, run.summary, sums, catalogue=catalogue, weights=weights)
        except DataError as error:
            missing = _("per-frame rows are not used: {reason}").format(reason=error)
    return weigh(analysis, run.summary, None, catalogue=catalogue, weights=weights, missing=missing)


def judge(library: Library, judging: Judging) -> Evidence:
    """Judge a run in all its metrics, and its tie group where one is asked for.

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
    if judging.objective:
        evidence.ties(judging.objective, judging.checkpoints)
    return evidence
