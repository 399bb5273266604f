"""The installed program, started from outside as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

LORASCOPE = Path(sys.executable).with_name("lorascope")


def run_lorascope(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``lorascope`` with these arguments and no standard input; collects what it prints."""
    return subprocess.run(
        [LORASCOPE, *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,  # a hang, not a slow machine
        check=False,
    )
