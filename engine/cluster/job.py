"""The process of a job::

    python -m engine.cluster.job RUN

It is started by :mod:`engine.jobs.start`, prints into the job's log, and says what it does by heartbeat and journal.
"""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from datetime import datetime
from pathlib import Path

from engine.errors import DataError, LorascopeError
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.journal import Event
from engine.jobs import registry
from engine.jobs.presence import Presence
from engine.jobs.queue import wait_for_turn
from engine.jobs.record import JobRecord, read_record
from engine.jobs.slurm import cancel_workers

INTERRUPTED = 130


def main(run: Path) -> int:
    """Carry out the job of a run's folder; returns the exit code."""
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("engine").setLevel(logging.DEBUG)
    try:
        record = read_record(run)
        if record is None:
            raise DataError(f"{run}: there is no job", "start it with lorascope evaluate --detach")
        with Presence(run, sorted(record.devices)) as presence:
            _listen(presence)
            try:
                return _work(record, presence)
            finally:
                _send_home(run)
    except LorascopeError as error:
        return _ended(run, str(error), error.exit_code)
    except KeyboardInterrupt:
        say("stopped at once")
        return INTERRUPTED
    except Exception as error:
        traceback.print_exc(file=sys.stdout)
        return _ended(run, f"{type(error).__name__}: {error}", 1)


def say(text: str) -> None:
    """A line of the log."""
    print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {text}", flush=True)  # noqa: DTZ005 - read on that machine


def _listen(presence: Presence) -> None:
    def terminate(_signal: int, _frame: object) -> None:
        if presence.stopping():
            raise KeyboardInterrupt
        say("asked to stop: when the shards that are under way are done")
        presence.ask_to_stop()

    signal.signal(signal.SIGTERM, terminate)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # A shell that started this in the background may have had it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _work(record: JobRecord, presence: Presence) -> int:
    say(f"job {record.id} on {record.host}: {record.run}")
    if record.queue:
        presence.enter("queued")
        if not wait_for_turn(record, presence.stopping):
            say("stopped before its turn came")
            return 0
    presence.enter("loading")
    config = EvaluationConfig.model_validate(record.config)
    # Nothing heavy before this job's turn has come.
    from engine.cluster.execute import execute, publish_again
    from engine.evaluation.plan import make_plan, prior_state

    plan = make_plan(config)
    execute(plan, presence, watch=_tell)
    if record.cost and prior_state(plan).finished and not presence.stopping():
        from engine.evaluation.cost import measure_costs
        from engine.evaluation.cost_request import Passes, request_from_plan

        presence.enter("cost")
        measure_costs(request_from_plan(plan, Passes()), watch=_tell)
        publish_again(plan.config)
    return 0


def _send_home(run: Path) -> None:
    """Workers that Slurm was asked for have nothing to do any more."""
    try:
        for number in cancel_workers(run):
            say(f"cancelled the workers of Slurm's job {number}")
    except LorascopeError as error:
        say(f"workers that Slurm placed may still wait: {error}")


def _tell(event: Event) -> None:
    shown = {name: value for name, value in event.data.items() if name != "settings" and value not in ({}, [], "", ())}
    say(f"{event.kind}{': ' if shown else ''}{', '.join(f'{name} {value}' for name, value in shown.items())}")


def _ended(run: Path, why: str, code: int) -> int:
    say(f"ended: {why}")
    registry.leave_words(run, why)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
