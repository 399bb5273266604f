"""Parts of a sample in words and rows: drives, strata, regions, and whatever else slices are of. Textual-free."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.i18n import mark
from engine.metric import region_shown
from engine.text import visible
from tui.format import percent

if TYPE_CHECKING:
    from engine.analysis.losses import Loss

# Better as a whole, and worse in a part; a value that says nothing. Both are ASCII.
LOSES_MARK, NOTHING_MARK = "!", "?"
# What parts are of; any other kind is called by its own name.
KINDS = {
    "drive": mark("drive"),
    "stratum": mark("stratum"),
    "region": mark("region"),
    "distance": mark("distance"),
    "class": mark("class"),
}
# KITTI-360's names: the number tells drives apart.
_DRIVE = re.compile(r"\d{4}_\d{2}_\d{2}_drive_(\d+)_sync")


def part_name(by: str, name: str) -> str:
    """A part as words: ``drive 0004``, ``stratum road``."""
    found = _DRIVE.fullmatch(name) if by == "drive" else None
    return f"{kind_name(by)} {found[1] if found else own_name(by, name)}"


def own_name(by: str, name: str) -> str:
    """A part without what it is a part of."""
    return region_shown(name) if by == "region" else visible(name)


def kind_name(by: str) -> str:
    """What parts are of, in words."""
    return _(KINDS.get(by, by))


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


def lost_codes(losses: Sequence[Loss]) -> str:
    """The same for programs, whatever language is spoken: ``drive=2013_05_28_drive_0004_sync; stratum=road``."""
    return "; ".join(f"{loss.by}={visible(loss.slice)}" for loss in losses)
