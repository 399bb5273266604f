"""Answers :func:`engine.jobs.ask.ask_plan` in a process of its own: a question on stdin, a document on stdout."""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any

from engine.errors import DataError, LorascopeError
from engine.evaluation.config import make_config
from engine.i18n import activate
from engine.i18n import gettext as _


def main() -> int:
    """Read the question, write the answer; returns 0 where there is one, an error included."""
    question = json.loads(sys.stdin.read())
    activate(question["language"])  # of who reads the answer
    # What libraries print must not stand in the answer.
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        document = _plan(question["config"], timed=question["timed"])
    except LorascopeError as error:
        document = {"error": error.message, "remedy": error.remedy, "code": error.exit_code}
    except ImportError as error:
        document = _missing(error)
    with answer:
        json.dump(document, answer)
    return 0


def _plan(values: dict[str, Any], *, timed: bool) -> dict[str, Any]:
    config = make_config(values)
    from engine.evaluation.forecast import forecast, plan_document
    from engine.evaluation.plan import make_plan

    plan = make_plan(config)
    document = plan_document(plan, forecast(plan, timed=timed))
    if not timed:
        return {**document, "memory_mb": None, "gpu_memory_mb": None}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kB, bytes on macOS
    return {
        **document,
        "memory_mb": peak / (1e6 if sys.platform == "darwin" else 1e3),
        "gpu_memory_mb": _gpu_memory_mb(),
    }


def _gpu_memory_mb() -> float | None:
    """The most that PyTorch held of GPUs; ``None`` where it used none."""
    import torch

    peaks = [torch.cuda.max_memory_reserved(place) for place in range(torch.cuda.device_count())]
    return max(peaks) / 1e6 if any(peaks) else None


def _missing(error: ImportError) -> dict[str, Any]:
    said = _("evaluating needs {package}, which is not installed").format(package=error.name)
    told = DataError(said, "pip install 'lorascope[eval]'")
    return {"error": told.message, "remedy": told.remedy, "code": told.exit_code}


if __name__ == "__main__":
    sys.exit(main())
