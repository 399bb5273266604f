"""``lorascope compare``: baseline against checkpoint, run beside run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.analysis.compare import Comparison, Entry, compare, differing, match_metrics, to_document
from engine.analysis.evidence import Evidence
from engine.analysis.sliced import Sliced, sliced, sliced_document
from engine.catalogue import SCORE_KEY
from engine.errors import UnknownNameError
from engine.i18n import gettext as _
from engine.remote.url import shown
from tui.cli import compare_tables, slice_tables
from tui.cli.blocks import Block, choose_blocks
from tui.cli.gather import find_runs, load_readable, open_library
from tui.cli.output import Answer, Destination, FlatTable
from tui.evidence import gather_evidence
from tui.guarding import guard_words, shown_view
from tui.library import Library
from tui.state import View

if TYPE_CHECKING:
    from tui.cli.screen import Screen


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
        by: the kind of parts to show every metric in, or none.
        anyway: show values of runs that may not be compared side by side, too.
    """

    checkpoints: tuple[str, ...]
    objective: str
    where: str | None
    metrics: tuple[str, ...]
    different: bool
    view: View
    baseline: str | None
    by: str | None = None
    anyway: bool = False


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
    entries, comparison = _compare(library, blocks, question)
    parts = None if question.by is None else sliced(comparison, entries, question.by)
    # Parts have no scale of their own.
    wanted: View = "percent" if parts is not None and question.view == "scale" else question.view
    view = shown_view(comparison, wanted, anyway=question.anyway)
    warning = guard_words(comparison, wanted, anyway=question.anyway, remedy="--anyway")
    if wanted == "scale" != view and comparison.comparable:
        more = [*more, _("no run was scored by chance and oracle: changes in percent are shown")]
    comparison = replace(comparison, notes=tuple(dict.fromkeys([*notes, *more, *left_out, *comparison.notes])))
    return destination.deliver(
        Answer(
            document=lambda: {**_document(comparison, parts), "anyway": question.anyway},
            draw=lambda screen: _draw(screen, comparison, parts, view, warning),
            table=lambda: _long_table(comparison, parts),
            readable=lambda: _report_table(comparison, parts, view, anyway=question.anyway),
            notes=comparison.notes,
            in_document=True,
        )
    )


def _document(comparison: Comparison, parts: Sliced | None) -> dict[str, Any]:
    document = to_document(comparison)
    if parts is not None:
        for run, found in zip(document["runs"], sliced_document(parts), strict=True):
            run["slices"] = found.get(SCORE_KEY, [])
            for metric in run["metrics"]:
                metric["slices"] = found.get(metric["key"], [])
    return document


def _draw(screen: Screen, comparison: Comparison, parts: Sliced | None, view: View, warning: str) -> None:
    if parts is None:
        compare_tables.draw(screen, comparison, view, warning=warning)
    else:
        slice_tables.draw(screen, comparison, parts, view, warning=warning)


def _long_table(comparison: Comparison, parts: Sliced | None) -> FlatTable:
    return compare_tables.long_table(comparison) if parts is None else slice_tables.long_table(comparison, parts)


def _report_table(comparison: Comparison, parts: Sliced | None, view: View, *, anyway: bool) -> FlatTable:
    if parts is None:
        return compare_tables.report_table(comparison, view, anyway=anyway)
    return slice_tables.report_table(comparison, parts, view)


def _compare(library: Library, blocks: Sequence[Block], question: Question) -> tuple[list[Entry], Comparison]:
    """The runs with what tells their changes from chance, and their comparison."""
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
    return judged, compare(judged, catalogue=catalogue, metrics=keys, objective=question.objective)


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
        path=shown(loaded.run.path),
        protocol=loaded.run.metadata.protocol.name,
        provenance=loaded.run.metadata.provenance.value,
        analysis=loaded.analysis,
        facts=loaded.facts,
        checkpoint=block.checkpoint,
    )
