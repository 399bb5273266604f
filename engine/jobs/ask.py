"""Asks for an evaluation's plan without computing anything in this process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import DataError, UsageError

if TYPE_CHECKING:
    from engine.evaluation.config import EvaluationConfig

_PROCESS = "engine.cluster.planning"


def ask_plan(config: EvaluationConfig, *, timed: bool = True, timeout: float = 600.0) -> Mapping[str, Any]:
    """What an evaluation would do, from a process of its own: it reads data and weights, and writes nothing.

    Args:
        config: the settings.
        timed: also measure how long the first window takes, which loads the model.
        timeout: seconds after which it is given up.

    Returns:
        The document of ``lorascope evaluate --dry-run --format json``: ``windows``, ``strata``, ``checkpoints``,
        ``shards``, ``seconds`` and so on; where it was timed also ``memory_mb`` and ``gpu_memory_mb``, the most
        that the process held.

    Raises:
        UsageError: a setting is wrong.
        DataError: data, checkpoints or weights cannot be read, a package is missing, or it took too long.
    """
    asked = json.dumps({"config": config.model_dump(mode="json", exclude_unset=True), "timed": timed})
    try:
        done = subprocess.run(  # noqa: S603 - this very program
            [sys.executable, "-P", "-m", _PROCESS],
            input=asked,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DataError(
            f"the plan was not made within {timeout:g} s", "look at it with lorascope evaluate --dry-run"
        ) from None
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = next(
            (line for line in reversed(done.stderr.splitlines()) if line.strip()), f"exit code {done.returncode}"
        )
        raise DataError(f"the plan could not be made: {last}") from None
    if "error" in answer:
        kind = UsageError if answer["code"] == UsageError.exit_code else DataError
        raise kind(str(answer["error"]), str(answer["remedy"]))
    return answer
