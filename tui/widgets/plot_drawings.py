"""Drawings that are kept, and those that a thread makes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.errors import LorascopeError
from tui.plots.drawing import Drawing
from tui.plots.layout import Box
from tui.plots.spec import PlotSpec

_KEPT = 48


@dataclass(frozen=True, slots=True)
class Look:
    """How plots are drawn: in ASCII alone or not, and whether curves must differ by their line."""

    plain: bool = False
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One drawing: everything that it depends on, and where it goes. Colours are not among it."""

    spec: PlotSpec
    box: Box
    look: Look


class DrawingCache:
    """The last drawings, by what they depend on."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Job, Drawing] = OrderedDict()

    def find(self, jobs: Sequence[Job]) -> tuple[Drawing | None, ...]:
        """The drawings of these jobs, as far as they are known."""
        return tuple(self._kept.get(job) for job in jobs)

    def keep(self, jobs: Sequence[Job], drawings: Sequence[Drawing]) -> None:
        """Keep drawings; the oldest make room."""
        self._kept.update(zip(jobs, drawings, strict=True))
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def draw_missing(
    jobs: Sequence[Job], known: Sequence[Drawing | None], cancelled: Callable[[], bool]
) -> tuple[tuple[Drawing, ...], str] | None:
    """Draw what is not known yet.

    Args:
        jobs: what is wanted.
        known: for each whether it is there already.
        cancelled: asked before each drawing.

    Returns:
        All drawings and an empty text, or none and the reason; ``None`` where nobody wants them any more.
    """
    drawings = []
    for job, drawing in zip(jobs, known, strict=True):
        if cancelled():
            return None
        try:
            drawings.append(drawing or _draw(job))
        except LorascopeError as error:
            return (), str(error)
    return tuple(drawings), ""


def _draw(job: Job) -> Drawing:
    from tui.plots.render import draw

    return draw(job.spec, job.box.width, job.box.height, distinct=job.look.distinct, plain=job.look.plain)
