"""``lorascope cost``: what the checkpoints of a run cost, measured apart from their quality."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import DataError, UsageError
from engine.i18n import gettext as _
from engine.remote.url import origin_of, shown
from engine.results.costs import baseline_of, missing_costs, read_costs, subjects
from engine.results.model import RunKind
from engine.results.native import read_metadata
from engine.results.problems import ProblemLog
from tui.cli import cost_tables
from tui.cli.cost_display import open_cost_display
from tui.cli.cost_tables import Costs
from tui.cli.entry import INTERRUPTED
from tui.cli.extra import in_english, needs_eval
from tui.cli.gather import find_runs, one_of, open_library
from tui.cli.output import Answer, Destination
from tui.cli.sizes import read_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.evaluation.journal import Event
    from engine.evaluation.plan import Plan


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for; ``None`` means what the run says, or the default.

    Attributes:
        data, checkpoints, base, base_seed, training, model, dtype, device, seq_len: as options of ``evaluate``.
        size: ``WIDTHxHEIGHT`` of synthetic images.
        repeats, warmup: timed passes, and those before them.
        merged: whether checkpoints are measured merged, too.
        again: measure anew what was measured before.
    """

    data: Path | None = None
    checkpoints: Path | None = None
    base: Path | None = None
    base_seed: int | None = None
    training: Path | None = None
    model: str | None = None
    dtype: str | None = None
    device: str | None = None
    size: str | None = None
    seq_len: int | None = None
    repeats: int | None = None
    warmup: int | None = None
    merged: bool = True
    again: bool = False

    @property
    def only_shows(self) -> bool:
        """Whether nothing is said of how to measure, so that what is there is shown."""
        return replace(self, merged=True) == Question()


def cost_run(path: Path, name: str | None, question: Question, destination: Destination) -> int:
    """Measure what is missing of the costs of the run at or below ``path``, and tell them all.

    Where the question says nothing of how to measure, nothing is, and what is there is told.

    Returns:
        0 where it is measured, with what failed named; 130 where the user stopped it.

    Raises:
        LorascopeError: there is no such run, or nothing could be measured.
    """
    destination.check()
    refs, notes = find_runs([path])
    ref = one_of(open_library(None), refs, name)
    if ref.kind is not RunKind.NATIVE:
        said = _("{path} was not made by evaluate").format(path=ref.path)
        raise UsageError(said, _("evaluate its checkpoints to measure their cost"))
    failed: Mapping[str, str] = {}
    if not question.only_shows:
        if origin_of(ref.path):
            said = _("{url} is opened as a copy, and costs are measured into the run itself").format(
                url=shown(ref.path)
            )
            raise UsageError(said, _("measure where it was evaluated"))
        try:
            failed = _measure(ref.path, question, destination.plain)
        except KeyboardInterrupt:
            print(_("stopped; the same command goes on"), file=sys.stderr)
            return INTERRUPTED
    costs = read_run_costs(ref.path, failed, merged=question.merged)
    if costs.table.is_empty():
        raise UsageError(
            _("no cost of {run} is measured yet").format(run=costs.run),
            _("name the base weights with --base, and the run's data with --data or a size with --size"),
        )
    return destination.deliver(
        Answer(
            document=lambda: cost_tables.document(costs),
            draw=lambda screen: cost_tables.draw(screen, costs),
            table=lambda: cost_tables.full_table(costs),
            readable=lambda: cost_tables.report_table(costs),
            notes=notes,
            in_document=not notes,
            drawn=[
                *cost_tables.remarks(costs),
                *cost_tables.failures(costs),
            ],
        )
    )


def cost_of_plan(plan: Plan, *, plain: bool | None, watch: Callable[[Event], None] | None) -> Costs:
    """Measure what is missing of the costs of a finished evaluation.

    Args:
        plan: of the evaluation.
        plain: ASCII alone.
        watch: called with every event; ``None`` shows them on stderr.

    Raises:
        LorascopeError: nothing could be measured.
    """
    with needs_eval():
        from engine.evaluation.cost import measure_costs
        from engine.evaluation.cost_request import Passes, request_from_plan
    run = plan.config.to
    failed: Mapping[str, str] = {}
    if read_run_costs(run, {}, merged=True).missing:
        display = nullcontext(watch) if watch is not None else open_cost_display(plain=plain)
        with display as show, in_english() as spoken:
            failed = measure_costs(request_from_plan(plan, Passes()), watch=spoken(show)).failed
    return read_run_costs(run, failed, merged=True)


def read_run_costs(run: Path, failed: Mapping[str, str], *, merged: bool) -> Costs:
    """The costs that a native run holds.

    Args:
        run: its folder.
        failed: what could not be measured just now.
        merged: whether checkpoints are wanted merged, too.

    Raises:
        DataError: its metadata or its costs cannot be read.
    """
    log = ProblemLog()
    metadata = read_metadata(run, log)
    table = read_costs(run, log)
    if metadata is None or log.result():
        raise DataError(f"{run}: {log.result()[0]}")
    names = list(dict.fromkeys([*subjects(metadata), *table["checkpoint"].drop_nulls()]))
    missing = missing_costs(table, names, baseline_of(metadata), merged=merged)
    return Costs(
        metadata.run,
        run,
        metadata.cost,
        table,
        names,
        list(dict.fromkeys(name for name, _ in missing)),
        failed,
    )


def _measure(run: Path, question: Question, plain: bool | None) -> Mapping[str, str]:
    size = read_size(question.size, "518x154") if question.size is not None else None
    with needs_eval():
        from engine.evaluation.cost import measure_costs
        from engine.evaluation.cost_request import REPEATS, WARMUP, Given, Passes, request_from_run
    log = ProblemLog()
    metadata = read_metadata(run, log)
    if metadata is None:
        raise DataError(f"{run}: {log.result()[0]}")
    given = Given(
        base=question.base,
        base_seed=question.base_seed,
        training=question.training,
        model=question.model,
        dtype=question.dtype,
        device=question.device,
        checkpoints=question.checkpoints,
        data=question.data,
        size=size,
        seq_len=question.seq_len,
    )
    passes = Passes(
        warmup=WARMUP if question.warmup is None else question.warmup,
        repeats=question.repeats or REPEATS,
        merged=question.merged,
        again=question.again,
    )
    request = request_from_run(run, metadata, given, passes)
    with open_cost_display(plain=plain) as show, in_english() as spoken:
        return measure_costs(request, watch=spoken(show)).failed
