"""What several dataset tests share: the names of the small street's drives, and replacing a file."""

from __future__ import annotations

from pathlib import Path

TRAIN_DRIVE = "2013_05_28_drive_0000_sync"
TEST_DRIVE = "2013_05_28_drive_0008_sync"
FRAMES = 12
SIZE = (176, 47)


def replace_file(path: Path, data: bytes) -> None:
    """Put another file in the place of one that may be a link to the original street's."""
    path.unlink()
    path.write_bytes(data)
