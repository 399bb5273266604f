"""A little space kept back in a run's folder, so that a full disk does not keep the journal from saying so."""

from __future__ import annotations

import contextlib
from pathlib import Path

FILE = ".reserve"
_BYTES = 64 * 1024


class Reserve:
    """A file without contents of use, which is removed when its space is needed.

    Args:
        run: the run's folder.
    """

    def __init__(self, run: Path) -> None:
        self._path = run / FILE

    def make(self) -> None:
        """Keep the space back, as far as there is some."""
        with contextlib.suppress(OSError):
            self._path.write_bytes(b"\0" * _BYTES)

    def give(self) -> None:
        """Give the space back."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
