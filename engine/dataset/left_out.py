"""What a dataset left out, and why: counted and named, each thing once however often it is met."""

from __future__ import annotations

import threading
from collections import Counter


class LeftOut:
    """A thread-safe record of frames that were left out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: dict[str, set[tuple[str, int]]] = {}

    def add(self, reason: str, drive: str, *frames: int) -> None:
        """Record that frames of a drive were left out. Said twice, it counts once."""
        with self._lock:
            self._frames.setdefault(reason, set()).update((drive, frame) for frame in frames)

    def counts(self) -> Counter[str]:
        """Reason -> how many frames, a snapshot."""
        with self._lock:
            return Counter({reason: len(frames) for reason, frames in self._frames.items() if frames})

    def named(self) -> dict[str, list[tuple[str, int]]]:
        """Reason -> the frames (drive, frame number) in order, a snapshot."""
        with self._lock:
            return {reason: sorted(frames) for reason, frames in self._frames.items() if frames}

    def summary(self) -> str:
        """One line for people: ``frame without scan: 3, frame without pose: 1``; ``nothing`` where that is so."""
        return ", ".join(f"{reason}: {count}" for reason, count in self.counts().most_common()) or "nothing"
