"""``lorascope synth``: a street to try things on."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from engine.errors import UsageError
from engine.i18n import gettext as _
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
    said = _("wrote {folder}: {drives} drives of {frames} frames, {width}x{height} pixels")
    shown = visible(str(folder))
    print(said.format(folder=shown, drives=len(splits), frames=frames, width=width, height=height))
    command = f"lorascope evaluate --data {visible(shlex.quote(str(folder)))} ..."
    print(_("evaluate it: {command}").format(command=command))
    return 0


def _drives(text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})\s*=\s*(\w+)\s*", part)
        if match is None:
            said = _("--drives: {text} is no drive with its split").format(text=repr(part.strip()))
            raise UsageError(said, _("write for example {example}").format(example="0=train,3=val"))
        number = int(match[1])
        if number in found:
            said = _("--drives names drive {number} twice").format(number=number)
            raise UsageError(said, _("name every drive once"))
        found[number] = match[2]
    return found
