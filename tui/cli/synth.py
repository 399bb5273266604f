"""``lorascope synth``: a street to try things on."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from engine.errors import UsageError
from engine.text import visible
from tui.cli.extra import needs_eval
from tui.cli.sizes import read_size


def write(folder: Path, *, seed: int, frames: int, size: str, drives: str) -> int:
    """Write a street.

    Args:
        folder: it must not exist, or be empty.
        seed: same arguments and seed, same street.
        frames: of each drive.
        size: ``WxH`` in pixels.
        drives: ``NUMBER=SPLIT``, comma-separated.

    Raises:
        UsageError: an argument cannot be read, or is out of its range.
        DataError: the folder holds something, or cannot be written.
    """
    width, height = read_size(size, "352x94")
    splits = _drives(drives)
    with needs_eval():
        from engine.dataset.street_writer import write_street
    write_street(folder, seed=seed, drives=splits, frames=frames, size=(width, height))
    print(f"wrote {visible(str(folder))}: {len(splits)} drives of {frames} frames, {width}x{height} pixels")
    print(f"evaluate it: lorascope evaluate --data {visible(shlex.quote(str(folder)))} ...")
    return 0


def _drives(text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})\s*=\s*(\w+)\s*", part)
        if match is None:
            raise UsageError(
                f"--drives: {part.strip()!r} is no drive with its split", "write for example 0=train,3=val"
            )
        number = int(match[1])
        if number in found:
            raise UsageError(f"--drives names drive {number} twice", "name every drive once")
        found[number] = match[2]
    return found
