"""The pages of Checkpoint and its keys: which there are, and on which pages they do something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.i18n import mark
from tui.commands import Command

TABLE, FRAMES = "table", "frames"
# Name and title, in the order of the keys.
PAGES = (
    (TABLE, mark("table")),
    ("distribution", mark("distribution")),
    (FRAMES, mark("frames")),
    ("alignments", mark("alignments")),
    ("photometric", mark("photometric")),
    ("slices", mark("slices")),
)
# Commands that do something on these pages alone, and are in the footer there.
ONLY_ON = {
    "against": ("distribution", FRAMES, "alignments", "photometric", "slices"),
    "metric": ("distribution", FRAMES, "slices"),
    "region": ("alignments", "photometric"),
    "order": (FRAMES,),
    "apart(1)": (FRAMES,),
    "pictured": (FRAMES,),
    "cursor(1)": ("distribution", "photometric"),
    "open": (TABLE, FRAMES),
}

ACTIONS: tuple[Command, ...] = (
    Command("page(1)", "tab", "page", "The next page."),
    Command("page(-1)", "shift+tab", "page back", "The page before.", footer=False, label="shift+tab"),
    Command(
        "step(1)", "right_square_bracket", "step", "The checkpoint after this one; with [ the one before.", label="[ ]"
    ),
    Command("step(-1)", "left_square_bracket", "step back", "The checkpoint before this one.", footer=False),
    Command("order", "s", "sort", "Sort frames: the worst, what was lost, or the largest difference first."),
    Command("apart(1)", "n", "most apart", "Go to the frame in which the two differ most, then to the next."),
    Command("apart(-1)", "N", "apart back", "The frame before in that order.", footer=False),
    Command("pictured", "p", "pictured", "Go to the next frame that has a picture."),
    Command("open", "enter", "trend", "On frames the picture, if there is one; else the metric over training."),
    Command("cursor(1)", "right,l", "read", "Move the cursor of a plot, which reads its values.", label="←→"),
    Command("cursor(-1)", "left,h", "read back", "Move it back.", footer=False),
    Command("metric", "m", "metric", "Choose the metric whose frames are looked at."),
    Command("region", "R", "region", "Go through the regions (alignments, photometric)."),
    Command("against", "a", "against", "Choose the checkpoint that this one is laid beside."),
    Command("checkpoint", "c", "checkpoint", "Choose a checkpoint."),
    Command("run", "r", "run", "Choose a run."),
    Command("basket", "b", "basket", "Put this checkpoint into the basket, or take it out."),
    Command("trend", "t", "trend", "Draw the metric over training.", footer=False),
    Command("export", "e", "export", "Copy this checkpoint's files to a folder, verified and described."),
    Command("copy", "y", "copy", "Copy run and checkpoint (on frames: and the frame) to the clipboard."),
)


def commands_on(page: str) -> Iterator[Command]:
    """The commands that do something on a page, by the names that they have there."""
    for command in ACTIONS:
        if page in ONLY_ON.get(command.action, (page,)):
            yield replace(command, title=mark("picture")) if (command.action, page) == ("open", FRAMES) else command
