"""``lorascope compare``: baseline against checkpoint, run beside run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.analysis.compare import Comparison, Entry, compare, differing, match_metrics, to_document
from engine.catalogue import SCORE_KEY, Catalogue
from engine.errors import UnknownNameError
from tui.cli import compare_tables
from tui.cli.blocks import Block, choose_blocks
from tui.cli.gather import find_runs, load_readable, open_library
from tui.cli.output import Answer, Destination
from tui.state import View


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the runs.

    Attributes:
        checkpoints: ``best``, names, or ``RUN=NAME`` for one run; each makes a block of every run that it fits.
        objective: what chooses the best checkpoint.
        where: a condition that the best checkpoint must meet.
        metrics: globs; none means all metrics.
        different: only metrics that differ.
        view: how changes are shown to people.
        baseline: the checkpoint that changes are against, instead of the runs' own.
    """

    checkpoints: tuple[str, ...]
    objective: str
    where: str | None
    metrics: tuple[str, ...]
    different: bool
    view: View
    baseline: str | None


def compare_runs(paths: Sequence[Path], question: Question, *, config: Path | None, destination: Destination) -> int:
    """Compare the runs at or below ``paths``.

    Raises:
        LorascopeError: there is no run that can be read, or the question or the destination is wrong.
    """
    destination.check()
    library = open_library(config)
    refs, notes = find_runs(paths)
    runs, more = load_readable(library, refs, question.baseline)
    blocks, left_out = choose_blocks(library, runs, question.checkpoints, question.objective, question.where)
    entries = [_entry(block) for block in blocks]
    comparison = _compare(library.catalogue, entries, question)
    comparison = replace(comparison, notes=tuple(dict.fromkeys([*notes, *more, *left_out, *comparison.notes])))
    return destination.deliver(
        Answer(
            document=lambda: to_document(comparison),
            draw=lambda screen: compare_tables.draw(screen, comparison, question.view),
            table=lambda: compare_tables.long_table(comparison),
            readable=lambda: compare_tables.report_table(comparison, question.view),
            notes=comparison.notes,
            in_document=True,
        )
    )


def _compare(catalogue: Catalogue, entries: Sequence[Entry], question: Question) -> Comparison:
    available = catalogue.order(key for entry in entries for key in entry.analysis.metrics)
    keys = available
    if question.metrics:
        pattern = ",".join(question.metrics)
        keys = match_metrics(pattern, available, catalogue)
        if not keys:
            raise UnknownNameError("metric", pattern, available, "--metrics")
    # The score is the headline of every comparison, whatever else is shown.
    always = [SCORE_KEY] if SCORE_KEY in available else []
    comparison = compare(entries, catalogue=catalogue, metrics=[*always, *keys], objective=question.objective)
    if question.different:
        kept = [*always, *differing(comparison)]
        comparison = compare(entries, catalogue=catalogue, metrics=kept, objective=question.objective)
    return comparison


def _entry(block: Block) -> Entry:
    loaded = block.loaded
    return Entry(
        run=loaded.run.name,
        path=loaded.key,
        protocol=loaded.run.metadata.protocol.name,
        provenance=loaded.run.metadata.provenance.value,
        analysis=loaded.analysis,
        facts=loaded.facts,
        checkpoint=block.checkpoint,
    )
