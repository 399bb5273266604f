"""How well the values themselves are known: a 95 % interval of each, for the band of a curve."""

from __future__ import annotations

from collections.abc import Sequence

from engine.analysis.differences import SIGNIFICANCE
from engine.analysis.evidence import Evidence
from engine.analysis.paired import levels_frame
from engine.analysis.student import quantile
from engine.analysis.unpaired import FRAMES_PER_WINDOW, estimates
from engine.catalogue import SCORE_KEY


def bands(evidence: Evidence, key: str, checkpoints: Sequence[str]) -> dict[str, tuple[float, float]]:
    """95 % intervals of one metric's values, from per-frame rows where there are any, else from the summary.

    They are no verdicts: two values with overlapping intervals may differ for certain, as both saw the same windows.

    Args:
        evidence: of the run, with this metric.
        key: the metric, or ``score``.
        checkpoints: names.

    Returns:
        Checkpoint -> interval; those of which it is not known are left out.
    """
    found: dict[str, tuple[float, float]] = {}
    if evidence.statistics is not None and key in evidence.statistics.keys:
        rows = levels_frame(evidence.statistics, checkpoints=checkpoints, metrics=[key])
        found = {
            name: (low, high)
            for name, low, high in rows.select("checkpoint", "ci95_low", "ci95_high").iter_rows()
            if low is not None and high is not None
        }
    if len(found) == len(checkpoints):
        return found
    weights = evidence.weights if key == SCORE_KEY else {}
    table = estimates(evidence.summary, evidence.catalogue, weights, FRAMES_PER_WINDOW, 1.0)
    for name in checkpoints:
        own = table.get(name, {}).get(key)
        if name not in found and own is not None and own.error is not None:
            reach = own.error * quantile(SIGNIFICANCE, own.freedom)
            found[name] = (own.mean - reach, own.mean + reach)
    return found
