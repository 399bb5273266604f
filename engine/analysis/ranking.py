"""Ranking a run's checkpoints by the score or by any metric that has a direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from engine.analysis.deltas import JUDGED, Verdict, delta, delta_pct, judged_changes
from engine.analysis.overview import RunAnalysis
from engine.analysis.where import PLACE, apply_where
from engine.catalogue import ALIASES, SCORE_KEY, Catalogue, Direction
from engine.errors import UsageError
from engine.i18n import gettext as _
from engine.i18n import listing
from engine.schema import Role

if TYPE_CHECKING:  # a ranking that is not judged needs no NumPy
    from engine.analysis.evidence import Evidence
    from engine.analysis.losses import Loss

RANKED = pl.Schema(
    {
        "rank": pl.Int64,
        "checkpoint": pl.String,
        "step": pl.Int64,
        "value": pl.Float64,
        "delta": pl.Float64,
        "delta_pct": pl.Float64,
        "ci95_low": pl.Float64,
        "ci95_high": pl.Float64,
        "joint_low": pl.Float64,
        "joint_high": pl.Float64,
        "verdict": pl.String,
        "kind": pl.String,
        "tied_with_best": pl.Boolean,
    }
)


@dataclass(frozen=True, eq=False)
class Ranking:
    """Checkpoints in order of an objective, best first.

    Attributes:
        objective: the key that was ranked by.
        where: the condition, or ``None``.
        top: how many rows were asked for, or ``None`` for all.
        total: checkpoints that stood for choice.
        kept: those of them that met the condition, with a value or without.
        rows: frame of schema :data:`RANKED`. Equal values share the smallest rank (1, 1, 3). ``delta``, ``delta_pct``,
            ``verdict``, ``kind`` and the intervals are of the change against the baseline, as in
            :func:`engine.analysis.deltas.deltas`. ``tied_with_best``: cannot be told from the best of those that met
            the condition, corrected for the choice; null where that cannot be said, or without evidence, unless the
            values are equal.
        unranked: checkpoints that met the condition but have no value of the objective, in training order.
        basis: what its verdicts are based on, one sentence; ``None`` where nothing was judged.
        loses: checkpoint -> the parts of the sample in which it is worse than the baseline, although better as a whole;
            those that lose none are left out.
    """

    objective: str
    where: str | None
    top: int | None
    total: int
    kept: int
    rows: pl.DataFrame
    unranked: tuple[str, ...]
    basis: str | None = None
    loses: Mapping[str, tuple[Loss, ...]] = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        """How many checkpoints did not meet the condition."""
        return self.total - self.kept

    @property
    def best(self) -> str | None:
        """The first checkpoint, if any is ranked."""
        return None if self.rows.is_empty() else str(self.rows.get_column("checkpoint")[0])

    def wide(self, analysis: RunAnalysis) -> pl.DataFrame:
        """The run's table with the ranked rows only, in the ranking's order: row i belongs to row i of ``rows``."""
        return self.rows.select("checkpoint").join(analysis.table, on="checkpoint", how="left", maintain_order="left")


def resolve_objective(analysis: RunAnalysis, objective: str, catalogue: Catalogue) -> str:
    """The key that an objective (``score``, a key, or an alias in any case) means in this run.

    Raises:
        UnknownNameError: the run has no such metric.
        UsageError: the metric has no direction, or the run has no score (says which metrics are missing).
    """
    key = _find(analysis, objective)
    if key is None and objective.lower() == SCORE_KEY:
        lacking = listing(analysis.score_missing) or _("every checkpoint lacks one of its metrics")
        said = _("the run has no score (missing: {metrics})").format(metrics=lacking)
        raise UsageError(said, _("rank by a metric instead: --objective KEY"))
    if key is None:
        key = catalogue.resolve(objective, analysis.metrics, "--objective")
    if catalogue.get(key).direction is Direction.NONE:
        raise UsageError(
            _("{metric} has no direction, so there is no best").format(metric=repr(key)),
            _("give it one in lorascope.toml: {example}").format(example=f'[metrics."{key}"] direction = "higher"'),
        )
    return key


def rank(
    analysis: RunAnalysis,
    *,
    objective: str = SCORE_KEY,
    catalogue: Catalogue,
    where: str | None = None,
    top: int | None = None,
    include_baseline: bool = False,
    place: str = PLACE,
    evidence: Evidence | None = None,
    ties: bool = True,
    parts: bool = False,
) -> Ranking:
    """Rank the checkpoints of a run.

    Ties are listed by step, then by name, so that the order of the table does not matter. Oracle and chance never
    stand for choice; the baseline does with ``include_baseline``.

    Args:
        analysis: the run.
        objective: ``score``, a metric key or an alias.
        catalogue: directions.
        where: a condition that checkpoints must meet (see :func:`engine.analysis.where.parse_where`); blank is none.
        top: keep the first rows only, at least 1.
        include_baseline: rank the baseline too.
        place: where ``where`` was typed, for messages.
        evidence: what tells changes and places from chance; without it nothing is judged.
        ties: ask the evidence for the tie group too, which takes longer than all the rest.
        parts: ask it for the parts of the sample; what it knows of them already is shown in any case.

    Raises:
        UnknownNameError, UsageError, WhereError: the objective, ``top`` or the condition is wrong.
    """
    if top is not None and top < 1:
        raise UsageError(_("--top {count} leaves nothing").format(count=top), _("give a number from 1"))
    key = resolve_objective(analysis, objective, catalogue)
    candidates = _candidates(analysis, include_baseline)
    condition = where if where and where.strip() else None
    kept = apply_where(candidates, condition, place=place)[0] if condition else candidates

    measured = pl.DataFrame(
        [kept.get_column("checkpoint"), kept.get_column("step"), kept.get_column(key).alias("value")]
    )
    descending = catalogue.get(key).direction is Direction.HIGHER
    value = pl.col("value")
    baseline = pl.lit(analysis.value(analysis.baseline, key), pl.Float64)
    ranked = (
        measured.filter(value.is_not_null())
        .with_columns(
            value.rank(method="min", descending=descending).cast(pl.Int64).alias("rank"),
            delta(value, baseline).alias("delta"),
            delta_pct(value, baseline).alias("delta_pct"),
        )
        .sort("rank", "step", "checkpoint", nulls_last=True)
    )
    judged = None if evidence is None else evidence.differences([key])
    names = ranked.get_column("checkpoint").to_list()
    group = evidence.ties(key, names) if evidence is not None and ties else None
    rows = _with_judgement(ranked, judged, group)
    return Ranking(
        objective=key,
        where=condition,
        top=top,
        total=candidates.height,
        kept=kept.height,
        rows=rows if top is None else rows.head(top),
        unranked=tuple(measured.filter(value.is_null()).get_column("checkpoint")),
        basis=None if evidence is None or judged is None else evidence.basis(judged),
        loses=_losses(evidence, key, names) if evidence is not None and (parts or evidence.knows_parts([key])) else {},
    )


def best(
    analysis: RunAnalysis,
    *,
    objective: str = SCORE_KEY,
    catalogue: Catalogue,
    where: str | None = None,
) -> str | None:
    """The name of the best checkpoint, or ``None`` where no checkpoint has a value of the objective.

    A run that merely lacks the objective (no score, a metric that it did not measure) has no best checkpoint; a name
    that means nothing anywhere is an error.

    Raises:
        UnknownNameError: nobody knows an objective of that name.
        UsageError, WhereError: the objective has no direction, or the condition is wrong.
    """
    if _find(analysis, objective) is None and _is_known(objective, catalogue):
        return None
    return rank(analysis, objective=objective, catalogue=catalogue, where=where, top=1).best


def _with_judgement(ranked: pl.DataFrame, judged: pl.DataFrame | None, ties: pl.DataFrame | None) -> pl.DataFrame:
    told = judged_changes(judged).select("checkpoint", *JUDGED)
    columns = ("checkpoint", "tied_with_best")
    group = pl.DataFrame(schema={name: RANKED[name] for name in columns}) if ties is None else ties.select(columns)
    equal = pl.when(pl.col("delta") == 0.0).then(pl.lit(Verdict.TIED.value))
    first = pl.when(pl.col("rank") == 1).then(True)
    return (
        ranked.join(told, on="checkpoint", how="left", maintain_order="left")
        .join(group, on="checkpoint", how="left", maintain_order="left")
        .with_columns(verdict=pl.coalesce("verdict", equal), tied_with_best=pl.coalesce(first, "tied_with_best"))
        .select(RANKED.names())
    )


def _losses(evidence: Evidence, key: str, names: Sequence[str]) -> dict[str, tuple[Loss, ...]]:
    from engine.analysis.losses import losses

    slices = evidence.lost([key])
    return {name: found[key] for name in names if (found := losses(slices, name))}


def _find(analysis: RunAnalysis, objective: str) -> str | None:
    if objective in analysis.metrics:
        return objective
    alias = ALIASES.get(objective.lower())
    # A factor changes the unit, not the order.
    return next((key for key in alias.keys if key in analysis.metrics), None) if alias else None


def _is_known(objective: str, catalogue: Catalogue) -> bool:
    return objective.lower() == SCORE_KEY or objective.lower() in ALIASES or catalogue.get(objective).known


def _candidates(analysis: RunAnalysis, include_baseline: bool) -> pl.DataFrame:
    role, name = pl.col("role"), pl.col("checkpoint")
    is_baseline = (role == Role.BASELINE) | (name == pl.lit(analysis.baseline, pl.String)).fill_null(False)
    chosen = (role == Role.CHECKPOINT) & ~is_baseline
    return analysis.table.filter(chosen | is_baseline if include_baseline else chosen)
