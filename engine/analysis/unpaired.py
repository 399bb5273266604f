"""Intervals from summaries alone: mean, spread and count, as imported runs have them. Honest, and much wider.

Two things are not known of a summary. Frames of one window are alike, so a count of frames overstates what was seen;
how much is not recorded. So a window counts as one observation, whatever its frames add: that is the widest interval
that any likeness within windows can ask for, and the verdict goes by it. With ``frames_per_window=1`` the interval is
the narrowest one, of frames that know nothing of each other. And whether two checkpoints saw the same frames is not
known, so what pairing would gain is lost; in the existing system they did not, as it draws its windows anew each time.
Likeness of neighbouring windows is not covered.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from engine.analysis.differences import DIFFERENCES, SIGNIFICANCE, Kind, Spread, with_verdicts
from engine.analysis.student import quantile, two_sided_p
from engine.analysis.ties import TIES
from engine.catalogue import SCORE_KEY, Catalogue, Direction, Group
from engine.errors import UsageError
from engine.i18n import gettext as _
from engine.schema import empty

FRAMES_PER_WINDOW = 8

# Beyond so many standard errors above 1, a metric of which less is better cannot come back below it (see the score).
_KINK = 3.0
# Degrees of freedom are rounded down above this; the quantile changes by less than 0.2 %.
_ROUNDED = 30.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its standard error.

    Attributes:
        mean: in the metric's unit.
        error: its standard error; ``None`` where the summary does not tell.
        freedom: degrees of freedom of the error.
        count: frames (or windows) behind the mean.
    """

    mean: float
    error: float | None
    freedom: float
    count: int | None


def unpaired_differences(
    summary: pl.DataFrame,
    *,
    baseline: str,
    checkpoints: Iterable[str],
    catalogue: Catalogue,
    weights: Mapping[str, float] | None = None,
    frames_per_window: int = FRAMES_PER_WINDOW,
    correlation: float = 1.0,
) -> pl.DataFrame:
    """Every checkpoint against one other in every metric, by Welch's interval; corrected by Bonferroni.

    How the metrics of the score go together is not known. By default the worst is presumed, that their errors add up;
    with ``correlation=0`` they are independent. The two are the bounds, as long as no metric makes up for another.

    Args:
        summary: frame of schema :data:`engine.schema.SUMMARY`.
        baseline: what the others are compared with.
        checkpoints: all that are looked at.
        catalogue: directions, and which metrics windows have (pose: one count is one window).
        weights: metric key -> weight of the composite score; without them there is no score.
        frames_per_window: frames that count as one observation; 1 takes all frames for independent.
        correlation: of the errors of the score's metrics, in [0, 1].

    Returns:
        Frame of schema :data:`engine.analysis.differences.DIFFERENCES`, by metric (the score first), then in the order
        given. Without a spread, or over fewer than 2 observations, intervals, p-values and verdicts are null (unless
        the values are equal): costs are single measurements, and so are the poses of the existing system.

    Raises:
        UsageError: ``frames_per_window`` is below 1, or ``correlation`` is not in [0, 1].
    """
    names = [name for name in dict.fromkeys(checkpoints) if name != baseline]
    table = estimates(summary, catalogue, weights or {}, frames_per_window, correlation)
    keys = catalogue.order({key for name in (baseline, *names) for key in table.get(name, {})})
    rows = []
    for key in keys:
        before = table.get(baseline, {}).get(key)
        pairs = [(name, after) for name in names if (after := table.get(name, {}).get(key)) is not None]
        if before is not None:
            rows += _compare(key, before, pairs)
    if not rows:
        return empty(DIFFERENCES)
    fixed = {"statistic": Spread.MEAN.value, "kind": Kind.UNPAIRED.value, "windows": None, "unmatched": None}
    frame = pl.DataFrame([row | fixed for row in rows], schema_overrides=dict(DIFFERENCES), infer_schema_length=None)
    return with_verdicts(frame, catalogue)


def unpaired_ties(
    summary: pl.DataFrame,
    *,
    objective: str,
    checkpoints: Iterable[str],
    catalogue: Catalogue,
    weights: Mapping[str, float] | None = None,
    frames_per_window: int = FRAMES_PER_WINDOW,
    correlation: float = 1.0,
) -> pl.DataFrame:
    """The checkpoints that summaries cannot tell from the best: corrected for all pairs, step by step (Holm).

    Args:
        summary: frame of schema :data:`engine.schema.SUMMARY`.
        objective: a metric key, or ``score``.
        checkpoints: all that stand for choice; those without a value are left out.
        catalogue: directions.
        weights: of the composite score.
        frames_per_window, correlation: as of :func:`unpaired_differences`.

    Returns:
        Frame of schema :data:`engine.analysis.ties.TIES`, best first; ``best_share`` is null. Those of which the
        summary tells no spread count as tied: nothing speaks against them but the value.

    Raises:
        UsageError: the objective has no direction, or as of :func:`unpaired_differences`.
    """
    direction = catalogue.get(objective).direction
    if direction is Direction.NONE:
        said = _("{metric} has no direction, so there is no best").format(metric=repr(objective))
        raise UsageError(said, _("choose another metric"))
    table = estimates(summary, catalogue, weights or {}, frames_per_window, correlation)
    found = [(name, table[name][objective]) for name in dict.fromkeys(checkpoints) if objective in table.get(name, {})]
    if not found:
        return empty(TIES)
    found.sort(key=lambda pair: -direction.sign * pair[1].mean)
    best = found[0][1]
    judged = [(name, own, *_judge(direction.sign * (best.mean - own.mean), best, own)) for name, own in found]
    adjusted: dict[str, float] = {}
    left, largest = len(found), 0.0
    for name, _value, _delta, p, _error in sorted(judged[1:], key=lambda row: math.inf if row[3] is None else row[3]):
        if p is not None:
            largest = max(largest, min(1.0, p * left * (left - 1) / 2.0))
            adjusted[name] = largest
        left -= 1
    rows = []
    for place, (name, own, error, p, freedom) in enumerate(judged):
        behind = direction.sign * (best.mean - own.mean) + 0.0  # no negative zero
        reach = None if error is None or place == 0 else error * _quantile(SIGNIFICANCE, freedom)
        rows.append(
            {
                "checkpoint": name,
                "value": own.mean,
                "behind": behind,
                "ci95_low": 0.0 if place == 0 else None if reach is None else behind - reach,
                "ci95_high": 0.0 if place == 0 else None if reach is None else behind + reach,
                "p": 1.0 if place == 0 else p,
                "p_adjusted": 1.0 if place == 0 else adjusted.get(name),
                "tied_with_best": place == 0 or adjusted.get(name, 1.0) > SIGNIFICANCE,
                "best_share": None,
            }
        )
    return pl.DataFrame(rows, schema=TIES)


def estimates(
    summary: pl.DataFrame,
    catalogue: Catalogue,
    weights: Mapping[str, float],
    frames_per_window: int,
    correlation: float,
) -> dict[str, dict[str, Estimate]]:
    """Checkpoint -> metric key -> mean with its standard error; ``score`` among them where all that it weighs is there.

    Raises:
        UsageError: as of :func:`unpaired_differences`.
    """
    if not 0.0 <= correlation <= 1.0:
        raise UsageError(f"a correlation of {correlation:g} is not between 0 and 1", "give 0 for independent metrics")
    if frames_per_window < 1:
        raise UsageError(f"{frames_per_window} frames in a window are not possible", "give at least 1")
    table: dict[str, dict[str, Estimate]] = {}
    for name, key, mean, std, count in summary.select("checkpoint", "metric", "mean", "std", "count").iter_rows():
        if mean is not None:
            group = 1 if catalogue.get(key).group is Group.POSE else frames_per_window
            table.setdefault(name, {})[key] = _estimate(mean, std, count, group)
    for metrics in table.values():
        if weights and all(key in metrics for key in weights):
            metrics[SCORE_KEY] = _score({key: metrics[key] for key in weights}, weights, catalogue, correlation)
    return table


def _estimate(mean: float, std: float | None, count: int | None, group: int) -> Estimate:
    observations = (count or 0) / group
    if std is None or count is None or observations < 2:
        return Estimate(mean, None, 0.0, count)
    # The summary's is the population standard deviation.
    return Estimate(mean, std * math.sqrt(count / (count - 1) / observations), observations - 1.0, count)


def _score(
    metrics: Mapping[str, Estimate], weights: Mapping[str, float], catalogue: Catalogue, correlation: float
) -> Estimate:
    total, freedom, count = 0.0, math.inf, None
    errors: list[float] = []
    for key, own in metrics.items():
        weight, higher = weights[key], catalogue.get(key).direction is Direction.HIGHER
        total += weight * (own.mean if higher else 1.0 - min(own.mean, 1.0))
        if own.error is None:
            errors.append(math.nan)
        elif higher or own.mean - _KINK * own.error < 1.0:
            errors.append(weight * own.error)
            freedom = min(freedom, own.freedom)
        if own.count is not None:
            count = own.count if count is None else min(count, own.count)
    # sum over i, j of rho_ij e_i e_j with one rho for all pairs
    variance = (1.0 - correlation) * sum(error**2 for error in errors) + correlation * sum(errors) ** 2
    error = None if math.isnan(variance) else math.sqrt(variance)
    return Estimate(total, error, freedom if math.isfinite(freedom) else 1.0, count)


def _compare(key: str, before: Estimate, pairs: Sequence[tuple[str, Estimate]]) -> list[dict[str, object]]:
    judged = [(name, after, *_judge(after.mean - before.mean, before, after)) for name, after in pairs]
    looks = sum(error is not None for _, _, error, _, _ in judged)
    rows: list[dict[str, object]] = []
    for name, after, error, p, freedom in judged:
        delta = after.mean - before.mean
        single = None if error is None else error * _quantile(SIGNIFICANCE, freedom)
        joint = None if error is None else error * _quantile(SIGNIFICANCE / looks, freedom)
        rows.append(
            {
                "checkpoint": name,
                "metric": key,
                "value": after.mean,
                "baseline": before.mean,
                "delta": delta,
                "ci95_low": None if single is None else delta - single,
                "ci95_high": None if single is None else delta + single,
                "joint_low": None if joint is None else delta - joint,
                "joint_high": None if joint is None else delta + joint,
                "error": error,
                "p": p,
                "p_adjusted": None if p is None else min(1.0, p * looks),
                "looks": looks,
                "frames": after.count,
            }
        )
    return rows


def _judge(delta: float, first: Estimate, second: Estimate) -> tuple[float | None, float | None, float]:
    """Standard error of a difference, its p-value and degrees of freedom (Welch 1947)."""
    if first.error is None or second.error is None:
        return None, None, 0.0
    variances = (first.error**2, second.error**2)
    error = math.sqrt(sum(variances))
    if error == 0.0:
        return 0.0, 1.0 if delta == 0.0 else 0.0, 1.0
    # Shares of the variance, as squares of variances of tiny values would vanish.
    shares = [variance / sum(variances) for variance in variances]
    freedom = 1.0 / sum(s * s / own.freedom for s, own in zip(shares, (first, second), strict=True) if s > 0.0)
    freedom = math.floor(freedom) if freedom > _ROUNDED else freedom
    return error, two_sided_p(delta / error, freedom), freedom


@lru_cache(maxsize=4096)
def _quantile(p: float, freedom: float) -> float:
    return quantile(p, freedom)
