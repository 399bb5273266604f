"""Carries out an evaluation where its settings say: in this process, or by workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import DataError
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.executor import Executor
from engine.evaluation.in_process import InProcess
from engine.evaluation.journal import Event
from engine.evaluation.plan import Plan
from engine.evaluation.runner import evaluate
from engine.i18n import gettext as _
from engine.jobs.presence import Presence

if TYPE_CHECKING:
    from engine.cluster.publishing import Publisher

_PACKAGES = ("dask", "distributed", "cryptography")
_PHASES: Mapping[str, str] = {"started": "running", "resumed": "running"}


def execute(plan: Plan, presence: Presence, *, watch: Callable[[Event], None] = lambda _: None) -> Path:
    """Evaluate, or go on with an evaluation, and keep those who look at it informed.

    Args:
        plan: the work.
        presence: of this process, entered.
        watch: called with every event.

    Returns:
        The run's folder; see :func:`engine.evaluation.runner.evaluate`.

    Raises:
        LorascopeError: as :func:`engine.evaluation.runner.evaluate`; the run's mirror cannot be written to.
    """

    config = plan.config
    publisher = _publisher(config, watch)

    def saw(event: Event) -> None:
        if event.kind in _PHASES:
            presence.enter(_PHASES[event.kind])
        elif event.kind in ("shard", "shard_failed"):
            presence.ended(int(event.data["shard"]))
        watch(event)
        if publisher is not None:
            publisher.saw(event)

    with publisher or nullcontext():
        run = evaluate(
            config,
            plan=plan,
            watch=saw,
            executor=_executor(config, presence),
            stopping=presence.stopping,
            began=presence.began,
        )
    if publisher is not None:
        publisher.finish()
    return run


def publish_again(config: EvaluationConfig) -> None:
    """Publish what was added to a run after it was evaluated, where it has a mirror.

    Raises:
        RemoteError: that is not possible.
    """
    if config.mirror is not None:
        from engine.cluster.publishing import publish

        publish(config.to.absolute(), config.mirror)


def _publisher(config: EvaluationConfig, tell: Callable[[Event], None]) -> Publisher | None:
    """What publishes the run, where it has a mirror that can be written to.

    Raises:
        RemoteError: it cannot be.
        UsageError: another run lies there.
    """
    if config.mirror is None:
        return None
    from engine.cluster.publishing import Publisher, check_mirror

    check_mirror(config.to.absolute(), config.mirror)
    return Publisher(config.to.absolute(), config.mirror, tell)


def _executor(config: EvaluationConfig, presence: Presence) -> Executor:
    if not config.spread:
        return InProcess()
    try:
        from engine.cluster.spread import Spread
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _PACKAGES:
            raise
        said = _("several workers need {package}, which is not installed").format(package=error.name)
        raise DataError(said, "pip install 'lorascope[cluster]'") from None
    return Spread(presence)
