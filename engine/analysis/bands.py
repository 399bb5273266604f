"""The band of a curve: how far each value may be from the baseline, or without one how well it is known."""

from __future__ import annotations

from collections.abc import Sequence

from engine.analysis.differences import SIGNIFICANCE
from engine.analysis.evidence import Evidence
from engine.analysis.paired import levels_frame
from engine.analysis.student import quantile
from engine.analysis.unpaired import FRAMES_PER_WINDOW, estimates
from engine.catalogue import SCORE_KEY


def change_bands(evidence: Evidence, key: str, baseline: float) -> dict[str, tuple[float, float]]:
    """95 % intervals of the change against the baseline, laid about the baseline's value.

    They hold for all checkpoints at once: the baseline's value is outside of one exactly if the verdict is better or
    worse. So a plot of them says what the verdicts say, which a band of the values themselves would not: both sides saw
    the same windows, and what those have in common does not matter to the difference.

    Args:
        evidence: of the run, with this metric.
        key: the metric, or ``score``.
        baseline: its value, as the plot shows it.

    Returns:
        Checkpoint -> interval; those of which it is not known are left out.
    """
    rows = evidence.differences([key]).drop_nulls(["joint_low", "joint_high"])
    return {
        name: (baseline + low, baseline + high)
        for name, low, high in rows.select("checkpoint", "joint_low", "joint_high").iter_rows()
    }


def level_bands(evidence: Evidence, key: str, checkpoints: Sequence[str]) -> dict[str, tuple[float, float]]:
    """95 % intervals of the values themselves, from per-frame rows where there are any, else from the summary.

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
