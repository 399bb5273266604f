"""Asks for an evaluation's plan without computing anything in this process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import DataError, UsageError
from engine.i18n import active
from engine.i18n import gettext as _

if TYPE_CHECKING:
    from engine.evaluation.config import EvaluationConfig

_PROCESS = "engine.cluster.planning"
_ASK_AGAIN = 0.1  # seconds between two looks at whether it is still wanted


def ask_plan(
    config: EvaluationConfig,
    *,
    timed: bool = True,
    timeout: float = 600.0,
    given_up: Callable[[], bool] = lambda: False,
) -> Mapping[str, Any]:
    """What an evaluation would do, from a process of its own: it reads data and weights, and writes nothing.

    Args:
        config: the settings.
        timed: also measure how long the first window takes, which loads the model.
        timeout: seconds after which it is given up.
        given_up: asked again and again; once it is true, the process is ended.

    Returns:
        The document of ``lorascope evaluate --dry-run --format json``: ``windows``, ``strata``, ``checkpoints``,
        ``shards``, ``seconds`` and so on; where it was timed also ``memory_mb`` and ``gpu_memory_mb``, the most
        that the process held.

    Raises:
        UsageError: a setting is wrong.
        DataError: data, checkpoints or weights cannot be read, a package is missing, it took too long or was given up.
    """
    settings = config.model_dump(mode="json", exclude_unset=True)
    asked = json.dumps({"config": settings, "timed": timed, "language": active()})
    until = time.monotonic() + timeout
    process = subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-P", "-m", _PROCESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A ctrl+c that is meant for the asking program is not meant for this one, which ends with it.
        start_new_session=True,
    )
    with process:
        question: str | None = asked
        while True:
            try:
                said, complaint = process.communicate(question, timeout=_ASK_AGAIN)
                break
            except subprocess.TimeoutExpired:
                question = None
            if given_up() or time.monotonic() > until:
                process.kill()
                said = _("the plan was not made within {seconds} s").format(seconds=f"{timeout:g}")
                if given_up():
                    said = _("the plan was given up")
                raise DataError(said, _("look at it with lorascope evaluate --dry-run"))
    try:
        answer: dict[str, Any] = json.loads(said)
    except ValueError:
        code = _("exit code {code}").format(code=process.returncode)
        last = next((line for line in reversed(complaint.splitlines()) if line.strip()), code)
        raise DataError(_("the plan could not be made: {reason}").format(reason=last)) from None
    if "error" in answer:
        kind = UsageError if answer["code"] == UsageError.exit_code else DataError
        raise kind(str(answer["error"]), str(answer["remedy"]))
    return answer
