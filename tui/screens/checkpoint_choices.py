"""What a user can choose on Checkpoint's pages: a metric, another checkpoint beside this one, a region, an order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from tui.screens.choosing import ask, checkpoint_choices
from tui.screens.dialogs import Choice

if TYPE_CHECKING:
    from tui.library import Loaded
    from tui.screens.base import LorascopeScreen


def choose_metric(screen: LorascopeScreen, loaded: Loaded, current: str, done: Callable[[str], None]) -> None:
    """Ask for one of the metrics that are figures of single frames."""
    from tui.frame_reading import frame_keys

    library = screen.library
    if library is None:
        return
    choices = [
        Choice(key, (metric := library.catalogue.get(key)).title, f"{metric.direction.arrow} {key}")
        for key in frame_keys(loaded)
    ]
    ask(screen, _("Metric whose frames are looked at"), choices, current, done)


def choose_against(
    screen: LorascopeScreen, loaded: Loaded, checkpoint: str, current: str | None, done: Callable[[str], None]
) -> None:
    """Ask for the checkpoint that ``checkpoint`` is laid beside."""
    choices = [choice for choice in checkpoint_choices(screen, loaded, best=False) if choice.value != checkpoint]
    ask(screen, _("Lay {checkpoint} beside").format(checkpoint=checkpoint), choices, current, done)


def next_region(loaded: Loaded, current: str) -> str:
    """The region after ``current`` among those of the run; ``current`` where it has none."""
    from tui.frame_reading import regions_of

    regions = regions_of(loaded)
    at = regions.index(current) if current in regions else -1
    return regions[(at + 1) % len(regions)] if regions else current


def next_order(current: str) -> str:
    """The order of frames after ``current``."""
    from engine.analysis.worst_frames import FrameOrder

    orders = [order.value for order in FrameOrder]
    return orders[(orders.index(current) + 1) % len(orders) if current in orders else 0]
