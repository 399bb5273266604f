"""Parts of a sample in words and rows: drives, strata, regions, and whatever else slices are of. Textual-free."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.text import visible
from tui.format import percent

if TYPE_CHECKING:
    from engine.analysis.losses import Loss

# Better as a whole, and worse in a part; a value that says nothing. Both are ASCII.
LOSES_MARK, NOTHING_MARK = "!", "?"
# KITTI-360's names: the number tells drives apart.
_DRIVE = re.compile(r"\d{4}_\d{2}_\d{2}_drive_(\d+)_sync")


def part_name(by: str, name: str) -> str:
    """A part as words: ``drive 0004``, ``stratum road``."""
    found = _DRIVE.fullmatch(name) if by == "drive" else None
    return f"{by} {found[1] if found else visible(name)}"


def lost_parts(losses: Sequence[Loss], *, changes: bool = False) -> str:
    """The parts that are lost: ``drive 0004, stratum road``.

    Args:
        losses: any number; none give nothing.
        changes: with the change in each, in percent of the baseline there.
    """
    return ", ".join(
        f"{part_name(loss.by, loss.slice)} ({percent(loss.delta_pct)} %)"
        if changes and loss.delta_pct is not None
        else part_name(loss.by, loss.slice)
        for loss in losses
    )
