"""``lorascope compare``: baseline against checkpoint, run beside run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.analysis.compare import Comparison, Entry, compare, differing, match_metrics, to_document
from engine.analysis.evidence import Evidence
from engine.catalogue import SCORE_KEY
from engine.errors import UnknownNameError
from tui.cli import compare_tables
from tui.cli.blocks import Block, choose_blocks
from tui.cli.gather import find_runs, load_readable, open_library
from tui.cli.output import Answer, Destination
from tui.evidence import gather_evidence
from tui.library import Library
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
    comparison = _compare(library, blocks, question)
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


def _compare(library: Library, blocks: Sequence[Block], question: Question) -> Comparison:
    catalogue = library.catalogue
    entries = [_entry(block) for block in blocks]
    available = catalogue.order(key for entry in entries for key in entry.analysis.metrics)
    keys = available
    if question.metrics:
        pattern = ",".join(question.metrics)
        keys = match_metrics(pattern, available, catalogue)
        if not keys:
            raise UnknownNameError("metric", pattern, available, "--metrics")
    # The score is the headline of every comparison, whatever else is shown.
    always = [SCORE_KEY] if SCORE_KEY in available else []
    keys = [*always, *keys]
    if question.different:
        plain = compare(entries, catalogue=catalogue, metrics=keys, objective=question.objective)
        keys = [*always, *differing(plain)]
    # Only what is shown is judged.
    judged = _with_evidence(library, blocks, keys)
    return compare(judged, catalogue=catalogue, metrics=keys, objective=question.objective)


def _with_evidence(library: Library, blocks: Sequence[Block], keys: Sequence[str]) -> list[Entry]:
    found: dict[str, Evidence] = {}
    for loaded in (block.loaded for block in blocks):
        if loaded.key not in found:
            found[loaded.key] = gather_evidence(library, loaded, keys)
    return [replace(_entry(block), evidence=found[block.loaded.key]) for block in blocks]


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
