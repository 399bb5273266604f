"""The shell command that does what a configuration says."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

# Of settings that are yes or no: the options for both; None where leaving it out says so.
_SWITCHES: dict[str, tuple[str | None, str | None]] = {
    "sharing": (None, "--no-sharing"),
    "cluster": ("--cluster", None),
}


def evaluate_command(
    config: Mapping[str, Any], *, cost: bool = False, detach: bool = False, queue: bool = False
) -> str:
    """``lorascope evaluate`` with the options that ``config`` holds, quoted for a shell.

    Args:
        config: fields of :class:`engine.evaluation.config.EvaluationConfig`; ``None`` means not given.
        cost: measure costs afterwards.
        detach: as a job that outlives the terminal.
        queue: after the jobs on the same devices that were started before.
    """
    words = ["lorascope", "evaluate"]
    for field, value in config.items():
        if value is None:
            continue
        if field in _SWITCHES:
            option = _SWITCHES[field][0 if value else 1]
            words += [option] if option else []
        else:
            words += [f"--{field.replace('_', '-')}", str(value)]
    words += ["--cost"] if cost else []
    words += ["--detach"] if detach else []
    words += ["--queue"] if queue else []
    return shlex.join(words)
