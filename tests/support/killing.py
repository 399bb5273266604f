"""Kills an evaluation at random moments and starts it again, until it ends. Run as a process of its own::

    python -m support.killing CONFIG.json FOLDER KILLS SEED

Children are forked from a process that has imported everything and computed nothing: a library's threads would not
survive a fork. Prints the finished run folders, one per line.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path


def main(config_file: str, folder: str, kills: str, seed: str) -> None:
    import torch

    from engine.evaluation.config import EvaluationConfig
    from engine.evaluation.runner import evaluate

    torch.set_num_threads(1)
    values = json.loads(Path(config_file).read_text("utf-8"))
    chance = random.Random(int(seed))

    def start(run: Path) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                evaluate(EvaluationConfig.model_validate({**values, "to": run}))
                os._exit(0)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
        return pid

    begin = time.monotonic()
    runs = [Path(folder) / "undisturbed"]
    _ended(start(runs[0]), 600.0)
    whole = time.monotonic() - begin
    killed = 0
    while killed < int(kills):
        runs.append(Path(folder) / f"killed{len(runs)}")
        while True:
            pid = start(runs[-1])
            # Early and late moments alike; once enough were killed the last one may end.
            if _ended(pid, chance.uniform(0, whole) if killed < int(kills) else 600.0):
                break
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            killed += 1
    print("\n".join(map(str, runs)))


def _ended(pid: int, seconds: float) -> bool:
    """Whether the child ended well within that time.

    Raises:
        RuntimeError: it failed.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            if status:
                raise RuntimeError(f"an evaluation failed with status {status}")
            return True
        time.sleep(0.002)
    return False


if __name__ == "__main__":
    main(*sys.argv[1:])
