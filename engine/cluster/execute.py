"""Carries out an evaluation where its settings say: in this process, or by workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from engine.errors import DataError
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.executor import Executor
from engine.evaluation.in_process import InProcess
from engine.evaluation.journal import Event
from engine.evaluation.plan import Plan
from engine.evaluation.runner import evaluate
from engine.i18n import gettext as _
from engine.jobs.presence import Presence

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
        LorascopeError: as :func:`engine.evaluation.runner.evaluate`.
    """

    def saw(event: Event) -> None:
        if event.kind in _PHASES:
            presence.enter(_PHASES[event.kind])
        elif event.kind in ("shard", "shard_failed"):
            presence.ended(int(event.data["shard"]))
        watch(event)

    return evaluate(
        plan.config,
        plan=plan,
        watch=saw,
        executor=_executor(plan.config, presence),
        stopping=presence.stopping,
        began=presence.began,
    )


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
