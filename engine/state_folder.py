"""Where lorascope keeps what it remembers of a user. Imports nothing heavy."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """Views, preferences and known jobs: ``lorascope`` in ``$XDG_STATE_HOME`` (default ``~/.local/state``)."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "lorascope"
