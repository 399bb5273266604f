"""``lorascope report``: runs as a written report, in Markdown or HTML."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import DataError, ExportError, TargetExistsError, UsageError
from engine.export.copying import writing
from engine.i18n import Language, language_named, language_of
from engine.text import visible
from tui.cli.gather import find_runs, load_readable, one_of, open_library
from tui.cli.output import tell
from tui.format import distinct, short_names, short_path

if TYPE_CHECKING:
    import polars as pl

    from engine.report.material import Material, RunMaterial
    from tui.library import Library, Loaded

# Where the report is printed instead of written.
STDOUT = Path("-")


class ReportFormat(StrEnum):
    """The forms of a report."""

    MARKDOWN = "markdown"
    HTML = "html"


_ENDINGS = {
    ".md": ReportFormat.MARKDOWN,
    ".markdown": ReportFormat.MARKDOWN,
    ".html": ReportFormat.HTML,
    ".htm": ReportFormat.HTML,
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is wanted.

    Attributes:
        names: runs by name; none means all that are found.
        language: ``en`` or ``zh``; ``None`` asks the environment.
        where: the limits that the cheapest checkpoint must meet.
        baseline: the checkpoint that changes are against, instead of the runs' own.
        to: the file; ``None`` or ``-`` prints.
        format: the form; ``None`` goes by the file's ending.
        force: replace a file that is there.
    """

    names: tuple[str, ...]
    language: str | None
    where: str | None
    baseline: str | None
    to: Path | None
    format: ReportFormat | None
    force: bool


def write_report(paths: Sequence[Path], question: Question, *, config: Path | None) -> int:
    """Write the report on the runs at or below ``paths``, or on those called ``names`` there.

    Raises:
        LorascopeError: there is no such run, a name or the condition is wrong, or the file cannot be written.
        OSError: stdout cannot be written.
    """
    to = None if question.to is None or question.to == STDOUT else question.to
    form = _form(to, question.format)
    if to is not None:
        _check(to, question.force)
    language: Language = language_of() if question.language is None else language_named(question.language)
    library = open_library(config)
    refs, notes = find_runs(paths)
    if question.names:
        refs = [one_of(library, refs, name) for name in dict.fromkeys(question.names)]
    runs, more = load_readable(library, refs, question.baseline)
    material = gather(library, runs, where=question.where, notes=(*notes, *more))
    text = render(material, language, form)
    if to is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        from engine.atomic import atomic_write_bytes

        with writing(to):
            atomic_write_bytes(to, text.encode())
        print(f"wrote {visible(str(to))}", file=sys.stderr)
    tell([*notes, *more])
    return 0


def render(material: Material, language: Language, form: ReportFormat) -> str:
    """The report's text."""
    from engine.report.compose import compose
    from engine.report.facts import find_facts
    from engine.report.html import html
    from engine.report.markdown import markdown

    document = compose(find_facts(material), language)
    return html(document) if form is ReportFormat.HTML else markdown(document)


def _form(to: Path | None, wanted: ReportFormat | None) -> ReportFormat:
    """Raises UsageError where the file's ending names no form."""
    if wanted is not None:
        return wanted
    if to is None:
        return ReportFormat.MARKDOWN
    found = _ENDINGS.get(to.suffix.lower())
    if found is None:
        raise UsageError(
            f"{visible(str(to))}: a report is Markdown or HTML", "let the name end in .md or .html, or say --format"
        )
    return found


def _check(to: Path, force: bool) -> None:
    """Refuse a file that cannot or must not be written, before any work is done.

    Raises:
        ExportError: it is there already, is a folder, or its folder is not there.
    """
    shown = visible(str(to))
    if to.is_dir():
        raise ExportError(f"{shown}: is a folder", "name a file in it")
    if to.exists() and not force:
        raise TargetExistsError(f"{shown}: exists already", "choose another name or replace it with --force")
    if not to.absolute().parent.is_dir():
        raise ExportError(f"{shown}: its folder does not exist", "create it first")


def gather(
    library: Library, runs: Sequence[Loaded], *, where: str | None = None, notes: Sequence[str] = ()
) -> Material:
    """Read everything that a report is made of.

    Raises:
        LorascopeError: per-frame rows contradict each other.
    """
    from engine.report.material import Material

    labels = short_names(distinct([(loaded.run.name, loaded.run.path) for loaded in runs]))
    materials = [_material(library, loaded, label) for loaded, label in zip(runs, labels, strict=True)]
    return Material(
        runs=materials,
        config=library.config,
        catalogue=library.catalogue,
        joint_sums=_joint_sums(library, runs, labels),
        limits=where,
        notes=tuple(notes),
    )


def _material(library: Library, loaded: Loaded, label: str) -> RunMaterial:
    from engine.report.material import RunMaterial, wanted_keys
    from engine.results.costs import read_costs
    from engine.results.model import RunKind
    from engine.results.native import read_windows
    from engine.results.problems import ProblemLog
    from engine.results.sums import window_sums
    from tui.evidence import gather_evidence

    run, weights = loaded.run, library.config.score.weights
    keys = wanted_keys(loaded.analysis.metrics, weights, library.catalogue)
    evidence = gather_evidence(library, loaded, keys)
    timings = read_costs(run.path, ProblemLog()) if run.ref.kind is RunKind.NATIVE else None
    paired = evidence.statistics is not None
    return RunMaterial(
        label=label,
        path=short_path(run.path),
        metadata=run.metadata,
        analysis=loaded.analysis,
        facts=loaded.facts,
        summary=run.summary,
        evidence=evidence,
        # The evidence lacks oracle and chance, which are no choices.
        sums=window_sums(run, metrics=keys) if paired else None,
        windows=read_windows(run) if paired else None,
        timings=None if timings is None or timings.is_empty() else timings,
        problems=tuple(str(problem) for problem in run.errors),
    )


def _joint_sums(library: Library, runs: Sequence[Loaded], labels: Sequence[str]) -> pl.DataFrame | None:
    """The sums of all runs together, where they are of one sample and all have per-frame rows."""
    from engine.report.material import wanted_keys
    from engine.results.sums import joint_window_sums

    if len(runs) < 2 or not all(loaded.run.has_frames for loaded in runs):
        return None
    weights, catalogue = library.config.score.weights, library.catalogue
    keys = {key for loaded in runs for key in wanted_keys(loaded.analysis.metrics, weights, catalogue)}
    try:
        named = {label: loaded.run for label, loaded in zip(labels, runs, strict=True)}
        return joint_window_sums(named, metrics=keys)
    except DataError:
        return None  # other samples: they are compared by their changes, which the report says
