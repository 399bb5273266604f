"""``published.json`` beside a run in an object store: which files are the run's, and when they were written.

An object store keeps neither. By the times a copy of the run is as good as the run itself: a summary that was derived
from its files is believed. By the names only what was published is ever removed from the store again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

PUBLISHED = "published.json"


@dataclass(frozen=True, slots=True)
class Published:
    """What was published.

    Attributes:
        started: when the evaluation was started first, ISO 8601: tells it from others.
        files: name relative to the run -> bytes, and when it was written, ns.
    """

    started: str
    files: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def encode(self) -> bytes:
        """As JSON."""
        files = {name: list(stamp) for name, stamp in sorted(self.files.items())}
        return json.dumps({"started": self.started, "files": files}, indent=0).encode() + b"\n"


def decode(data: bytes) -> Published | None:
    """What :meth:`Published.encode` wrote; ``None`` for anything else."""
    try:
        raw = json.loads(data)
        files = {str(name): (int(size), int(modified)) for name, (size, modified) in raw["files"].items()}
        return Published(str(raw["started"]), files)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
