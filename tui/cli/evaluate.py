"""``lorascope evaluate``: from raw data and checkpoints to a run, with progress for people or events for programs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import DataError
from engine.i18n import activate
from engine.i18n import gettext as _
from engine.text import counted, visible
from tui.cli.entry import INTERRUPTED
from tui.cli.extra import check_eval, in_english, needs_eval

if TYPE_CHECKING:
    from engine.evaluation.journal import Event, State
    from engine.evaluation.plan import Plan


def evaluate_checkpoints(
    values: Mapping[str, object],
    *,
    file: Path | None,
    dry_run: bool,
    as_json: bool,
    plain: bool | None,
    cost: bool = False,
    detach: bool = False,
    queue: bool = False,
) -> int:
    """Evaluate, or go on where an evaluation stopped.

    Args:
        values: the options that were given; they win over ``file``.
        file: a TOML file with settings.
        dry_run: say what would be done, and write nothing.
        as_json: JSON on stdout instead of text.
        plain: ASCII alone.
        cost: afterwards measure what each checkpoint costs.
        detach: as a job that outlives the terminal.
        queue: after the jobs on the same devices that were started before; only with ``detach``.

    Returns:
        0 where the run is finished, with what failed named, or the job is under way; 1 where shards were set aside; 130
        where the user stopped it.

    Raises:
        LorascopeError: settings are wrong, a package is missing, or nothing could be evaluated.
    """
    if as_json:
        activate("en")
    with needs_eval():
        from engine.evaluation.config import make_config

        config = make_config(dict(values), file=file)  # wrong settings are told before anything slow is imported
        from engine.evaluation.plan import make_plan, prior_state
    check_eval()
    plan = make_plan(config)
    if dry_run:
        from tui.cli.evaluate_plan import tell_plan

        return tell_plan(plan, as_json=as_json, plain=plain)
    before = prior_state(plan)
    if detach:
        from tui.cli.jobs import start_job

        return start_job(config, cost=cost, queue=queue, as_json=as_json, plain=plain)
    with needs_eval():
        from engine.cluster.execute import execute
    try:
        from engine.jobs.presence import Presence
        from tui.cli.evaluate_display import open_display

        display = nullcontext(_print_event) if as_json else open_display(plan, before, plain=plain)
        with display as watch, Presence(config.to, config.devices) as presence, in_english() as spoken:
            execute(plan, presence, watch=spoken(watch))
    except KeyboardInterrupt:
        print(_("stopped; the same command goes on"), file=sys.stderr)
        return INTERRUPTED
    after = prior_state(plan)
    if len(after.failed_windows) == len(plan.windows):
        window, why = next(iter(sorted(after.failed_windows.items())))
        said = _("none of the {count} windows could be read; window {window}: {reason}")
        raise DataError(said.format(count=len(plan.windows), window=window, reason=why))
    if not as_json:
        _tell_end(plan, before, after, plain)
    if not after.finished:
        return 1 if after.set_aside else INTERRUPTED
    return _measure_costs(plan, as_json=as_json, plain=plain) if cost else 0


def _measure_costs(plan: Plan, *, as_json: bool, plain: bool | None) -> int:
    from engine.cluster.execute import publish_again
    from tui.cli.cost import cost_of_plan

    try:
        costs = cost_of_plan(plan, plain=plain, watch=_print_event if as_json else None)
        publish_again(plan.config)
    except KeyboardInterrupt:
        print(_("stopped; the same command goes on"), file=sys.stderr)
        return INTERRUPTED
    if not as_json:
        from tui.cli.cost_tables import draw
        from tui.cli.screen import Screen

        screen = Screen(plain=plain)
        screen.line()
        draw(screen, costs)
    return 0


def _print_event(event: Event) -> None:
    sys.stdout.write(event.line() + "\n")
    sys.stdout.flush()


def _tell_end(plan: Plan, before: State, after: State, plain: bool | None) -> None:
    from tui.cli.evaluate_display import failed_checkpoint, failed_window
    from tui.cli.screen import Screen
    from tui.format import duration

    screen = Screen(plain=plain)
    run = plan.config.to
    read = len(plan.windows) - len(after.failed_windows)
    good = len(plan.checkpoints) - len(after.failed_checkpoints)
    said = _("{run}: finished, {duration} of computing")
    if before.finished:
        said = _("{run}: was finished already")
    if not after.finished:
        said = _("{run}: not finished, {done} of {shards} are done")
    shards = counted(len(plan.shards), "shard")
    said = said.format(run=run, duration=duration(after.seconds), done=len(after.shards), shards=shards)
    screen.outside(said, "bold")
    said = _("{windows}, {checkpoints} and the baseline")
    screen.line("  " + said.format(windows=counted(read, "window"), checkpoints=counted(good, "checkpoint")))
    if after.sharing.get("modules") and not before.finished:
        modules, memory = counted(after.sharing["modules"], "module"), after.sharing["peak_mb"]
        said = _("shared between models: {modules}, with at most {memory} MB of kept outputs")
        screen.line("  " + said.format(modules=modules, memory=f"{memory:.0f}"))
    for name, why in after.failed_checkpoints.items():
        screen.paragraph(screen.words(_("failed: {what}").format(what=failed_checkpoint(name, why))), indent="  ")
    for window, why in sorted(after.failed_windows.items()):
        screen.paragraph(screen.words(_("failed: {what}").format(what=failed_window(window, why))), indent="  ")
    for shard, why in sorted(after.set_aside.items()):
        said = _("set aside: shard {shard}: {reason}").format(shard=shard, reason=why)
        screen.paragraph(screen.words(said), indent="  ")
    if not after.finished:
        screen.line("  " + _("the same command goes on"))
    command = f"lorascope {'rank' if good else 'runs'} {visible(shlex.quote(str(run)))}"
    screen.outside("  " + _("look at it: {command}").format(command=command))
