"""Processes in which chosen shards go wrong, whoever computes them: through ``sitecustomize`` on their path."""

from __future__ import annotations

import os
from pathlib import Path

_SITE = """\
import importlib.abc, importlib.util, os, sys, time

FAILING, DEADLY, HANGING = {failing}, {deadly}, {hanging}
ONCE = {once!r}

def spoil(module):
    compute = module.ShardWorker.compute
    def spoiled(worker, windows, loads):
        number = windows[0].id
        if number == FAILING:
            raise RuntimeError("no kernel image")
        if number == DEADLY:
            os.kill(os.getpid(), 9)
        if number == HANGING and not os.path.exists(ONCE):
            open(ONCE, "w").close()
            time.sleep(600)
        return compute(worker, windows, loads)
    module.ShardWorker.compute = spoiled

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "engine.evaluation.shard":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module
        def loaded(module):
            load(module)
            spoil(module)
        spec.loader.exec_module = loaded
        return spec

sys.meta_path.insert(0, Finder())
"""


def spoil(folder: Path, *, failing: int, deadly: int, hanging: int) -> dict[str, str]:
    """Variables for processes in which the shard ``failing`` raises, ``deadly`` kills its process, ``hanging`` hangs.

    Shards have one window each.
    """
    folder.mkdir()
    text = _SITE.format(failing=failing, deadly=deadly, hanging=hanging, once=str(folder / "hung"))
    (folder / "sitecustomize.py").write_text(text, "utf-8")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))}
