"""``lorascope rank``: the checkpoints of one run, best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.analysis.documents import rank_document
from engine.analysis.pareto import pareto_front
from engine.analysis.ranking import Ranking, rank, resolve_objective
from engine.catalogue import ALIASES, SCORE_KEY, Catalogue, Metric
from engine.errors import UsageError
from engine.i18n import gettext as _
from tui.cli import rank_tables
from tui.cli.gather import choose_run, open_library, some
from tui.cli.output import Answer, Destination
from tui.evidence import gather_evidence
from tui.library import Library, Loaded

# What stands beside the objective, as far as the run has it: the same in every ranking, so that two can be compared.
_CONTEXT = (SCORE_KEY, "delta1", "abs_rel", "fps", "vram_mb", "planarity")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the run.

    Attributes:
        objective: ``score``, a metric's key or an alias.
        where: a condition that checkpoints must meet.
        top: how many to show, or all.
        pareto: metrics of a front, with commas between, or ``None``.
        baseline: the checkpoint that changes are against, instead of the run's own.
    """

    objective: str
    where: str | None
    top: int | None
    pareto: str | None
    baseline: str | None


@dataclass(frozen=True, slots=True)
class RankedRow:
    """One checkpoint: its row of :data:`engine.analysis.ranking.RANKED`, whether it is on the front (``None``: no front
    was asked for), and the metrics beside the objective by key."""

    ranked: dict[str, Any]
    on_front: bool | None
    context: dict[str, float | None]


@dataclass(frozen=True)
class Ranked:
    """A ranking with what is shown beside it.

    Attributes:
        loaded: the run.
        ranking: all of it, whatever ``top`` says.
        objective: the metric that was ranked by.
        axes: the metrics of the Pareto front; none where no front was asked for.
        context: the metrics that are shown beside the objective; the axes first.
        rows: the rows to show, best first.
    """

    loaded: Loaded
    ranking: Ranking
    objective: Metric
    axes: tuple[Metric, ...]
    context: tuple[Metric, ...]
    rows: tuple[RankedRow, ...]


def rank_run(path: Path, name: str | None, question: Question, *, config: Path | None, destination: Destination) -> int:
    """Rank the checkpoints of the run at or below ``path``, or of the one called ``name`` there.

    Raises:
        LorascopeError: there is no such run or several, or the question or the destination is wrong.
    """
    destination.check()
    library = open_library(config)
    loaded, notes = choose_run(library, path, name, question.baseline)
    ranked = _rank(library, loaded, question)
    return destination.deliver(
        Answer(
            document=lambda: _document(ranked, question.top),
            draw=lambda screen: rank_tables.draw(screen, ranked),
            table=lambda: rank_tables.full_table(ranked),
            readable=lambda: rank_tables.report_table(ranked),
            notes=[*notes, *_remarks(ranked)],
            drawn=_counts(ranked),
        )
    )


def _rank(library: Library, loaded: Loaded, question: Question) -> Ranked:
    analysis, catalogue = loaded.analysis, library.catalogue
    axes = _axes(loaded, question.pareto, catalogue)
    key = resolve_objective(analysis, question.objective, catalogue)
    evidence = gather_evidence(library, loaded, [key])
    ranking = rank(analysis, objective=key, catalogue=catalogue, where=question.where, evidence=evidence, parts=True)
    context = _context(loaded, [*axes, *_CONTEXT], ranking.objective, catalogue)
    wide = ranking.wide(analysis)
    front = pareto_front(wide, axes, catalogue).to_list() if axes else [None] * wide.height
    rows = [
        RankedRow(ranked, on_front, {key: values[key] for key in context})
        for ranked, on_front, values in zip(
            ranking.rows.iter_rows(named=True), front, wide.iter_rows(named=True), strict=True
        )
    ]
    return Ranked(
        loaded,
        ranking,
        catalogue.get(ranking.objective),
        tuple(map(catalogue.get, axes)),
        tuple(map(catalogue.get, context)),
        tuple(rows[: question.top]),
    )


def _axes(loaded: Loaded, text: str | None, catalogue: Catalogue) -> list[str]:
    """The keys that ``--pareto`` names.

    Raises:
        UnknownNameError: the run lacks one of them.
        UsageError: fewer than two were named.
    """
    if text is None:
        return []
    metrics = loaded.analysis.metrics
    names = [name for part in text.split(",") if (name := part.strip())]
    keys = [_owned(name, metrics) or catalogue.resolve(name, metrics, "--pareto") for name in names]
    if len(set(keys)) < 2:
        raise UsageError(
            _("--pareto needs two metrics or more"),
            _("write for example {example}").format(example="--pareto abs_rel,fps"),
        )
    return list(dict.fromkeys(keys))


def _context(loaded: Loaded, names: Sequence[str], objective: str, catalogue: Catalogue) -> list[str]:
    metrics = loaded.analysis.metrics
    keys = [key for name in names if (key := _owned(name, metrics))]
    return [key for key in dict.fromkeys(keys) if key != objective]


def _owned(name: str, metrics: Sequence[str]) -> str | None:
    """The metric of the run that a key or an alias means. A factor changes the unit, not the order."""
    if name in metrics:
        return name
    alias = ALIASES.get(name.lower())
    return next((key for key in alias.keys if key in metrics), None) if alias else None


def _document(ranked: Ranked, top: int | None) -> dict[str, Any]:
    """The JSON of the analysis, with ``on_front`` in every row where a front was asked for."""
    document = rank_document(ranked.ranking, ranked.loaded.run.name)
    front = {row.ranked["checkpoint"] for row in ranked.rows if row.on_front}
    rows = [{**row, "on_front": row["checkpoint"] in front} if ranked.axes else row for row in document["rows"][:top]]
    return {**document, "rows": rows}


def _remarks(ranked: Ranked) -> list[str]:
    """What the table does not say."""
    notes = []
    if ranked.ranking.unranked:
        said = _("not ranked, for want of a value of {metric}: {names}")
        notes.append(said.format(metric=ranked.objective.key, names=some(ranked.ranking.unranked)))
    if ranked.loaded.run.baseline is None:
        notes.append(_("the run has no baseline, so no changes: name a checkpoint with --baseline NAME"))
    return notes


def _counts(ranked: Ranked) -> list[str]:
    ranking = ranked.ranking
    said = _("{count} of {total} checkpoints do not meet --where").format(count=ranking.rejected, total=ranking.total)
    return [said] if ranking.where else []
