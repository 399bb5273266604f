"""``lorascope jobs``: evaluations as jobs, without the app."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import UsageError
from engine.i18n import activate
from engine.i18n import gettext as _
from engine.jobs.listing import choose_job, find_jobs, look_at_all
from engine.jobs.snapshot import JobSnapshot, JobState
from engine.jobs.start import Started, resume, start
from engine.jobs.stop import kill, stop, wait
from engine.jobs.watch import JobWatch
from tui.cli.entry import INTERRUPTED
from tui.cli.jobs_display import draw_job, draw_list, follow_on_screen
from tui.cli.output import print_json
from tui.cli.screen import Screen

if TYPE_CHECKING:
    from engine.evaluation.config import EvaluationConfig

_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for.

    Attributes:
        action: ``list``, ``show``, ``follow``, ``stop`` or ``resume``.
        targets: the jobs; for ``list`` folders.
        firmly: stop at once.
        wait: seconds to wait for a stop.
        kill: end a process that has not stopped by then.
        queue: resume after earlier jobs.
    """

    action: str
    targets: tuple[str, ...] = ()
    firmly: bool = False
    wait: float = 60.0
    kill: bool = False
    queue: bool = False


def run_jobs(question: Question, *, as_json: bool, plain: bool | None) -> int:
    """Do it, for people or programs.

    Returns:
        0; for ``follow`` 1 where the job ended otherwise than finished, 130 where the user left.

    Raises:
        LorascopeError: there is no such job, or it cannot be done.
    """
    if as_json:
        activate("en")
    if question.action == "list":
        return _list(question.targets, as_json=as_json, plain=plain)
    if not question.targets:
        said = _("jobs {action} needs a job").format(action=question.action)
        raise UsageError(said, _("name a run's folder, or an id that lorascope jobs shows"))
    runs = [choose_job(word, [Path()]) for word in question.targets]
    if question.action == "show":
        return _show(runs, as_json=as_json, plain=plain)
    if question.action == "follow":
        if len(runs) > 1:
            raise UsageError(_("jobs follow takes one job"), _("name one of them"))
        return _follow(runs[0], as_json=as_json, plain=plain)
    if question.action == "stop":
        return _stop(runs, question, as_json=as_json, plain=plain)
    return _resume(runs, queue=question.queue, as_json=as_json, plain=plain)


def start_job(config: EvaluationConfig, *, cost: bool, queue: bool, as_json: bool, plain: bool | None) -> int:
    """``evaluate --detach``: start a job and say how to look at it.

    Raises:
        LorascopeError: it cannot be started.
    """
    return _tell_started([start(config, cost=cost, queue=queue)], as_json=as_json, plain=plain)


def document(snapshot: JobSnapshot) -> dict[str, object]:
    """A job as plain data."""
    return {
        **asdict(snapshot),
        "run": str(snapshot.run),
        "shards_done": snapshot.shards_done,
        "set_aside": [shard.number for shard in snapshot.set_aside],
    }


def _list(targets: Sequence[str], *, as_json: bool, plain: bool | None) -> int:
    # Whoever names folders asks for what is there; else what was started elsewhere is named, too.
    runs = find_jobs([Path(word) for word in targets] or [Path()], known=not targets)
    found = look_at_all(runs)
    if as_json:
        print_json({"jobs": [_short(document(snapshot)) for snapshot in found]})
    else:
        draw_list(Screen(plain=plain), found)
    return 0


def _short(full: Mapping[str, object]) -> dict[str, object]:
    left_out = ("shards", "log", "checkpoints", "workers")
    return {name: value for name, value in full.items() if name not in left_out}


def _show(runs: Sequence[Path], *, as_json: bool, plain: bool | None) -> int:
    found = [JobWatch(run).snapshot() for run in runs]
    if as_json:
        print_json({"jobs": [document(snapshot) for snapshot in found]})
    else:
        screen = Screen(plain=plain)
        for place, snapshot in enumerate(found):
            if place:
                screen.line()
            draw_job(screen, snapshot)
    return 0


def _follow(run: Path, *, as_json: bool, plain: bool | None) -> int:
    snapshots = JobWatch(run).follow(every=_EVERY_SECONDS)
    try:
        if as_json:
            last = None
            for last in snapshots:
                sys.stdout.write(json.dumps(_short(document(last)), ensure_ascii=True) + "\n")
                sys.stdout.flush()
        else:
            last = follow_on_screen(snapshots, plain=plain)
    except KeyboardInterrupt:
        print(_("the job goes on"), file=sys.stderr)
        return INTERRUPTED
    if last is not None and not as_json:
        draw_job(Screen(plain=plain), last)
    return 0 if last is not None and last.state is JobState.FINISHED else 1


def _stop(runs: Sequence[Path], question: Question, *, as_json: bool, plain: bool | None) -> int:
    for run in runs:
        stop(run, firmly=question.firmly)
    until = time.monotonic() + question.wait
    for run in runs:
        if not wait(run, max(0.0, until - time.monotonic())) and question.kill:
            kill(run)
            wait(run, question.wait)
    found = look_at_all(runs)
    if as_json:
        print_json({"jobs": [_short(document(snapshot)) for snapshot in found]})
    else:
        draw_list(Screen(plain=plain), found)
    return 0 if not any(snapshot.state.alive for snapshot in found) or question.wait == 0 else 1


def _resume(runs: Sequence[Path], *, queue: bool, as_json: bool, plain: bool | None) -> int:
    return _tell_started([resume(run, queue=queue) for run in runs], as_json=as_json, plain=plain)


def _tell_started(every: Sequence[Started], *, as_json: bool, plain: bool | None) -> int:
    if as_json:
        print_json({"jobs": [{"id": one.id, "run": str(one.run), "joined": one.joined} for one in every]})
        return 0
    screen = Screen(plain=plain)
    for one in every:
        said = _("job {id} is under way, and goes on without this terminal: {run}")
        if one.joined:
            said = _("job {id} was under way already: {run}")
        screen.outside(said.format(id=one.id, run=one.run))
        screen.line("  " + _("look at it: {command}").format(command=f"lorascope jobs follow {one.id}"))
    return 0
