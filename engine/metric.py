"""What a metric is: its direction, its group, and what people are shown of it in their language."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.i18n import gettext as _
from engine.i18n import mark

REGIONS = (mark("full"), mark("building"), mark("non_building"))


class Direction(StrEnum):
    """Which way a metric gets better."""

    HIGHER = "higher"
    LOWER = "lower"
    NONE = "none"

    @property
    def sign(self) -> int:
        """+1 where more is better, -1 where less is better, 0 where neither."""
        return {"higher": 1, "lower": -1, "none": 0}[self.value]

    @property
    def arrow(self) -> str:
        """The direction of better as one character: ``↑``, ``↓`` or ``·``."""
        return {"higher": "↑", "lower": "↓", "none": "·"}[self.value]


class Group(StrEnum):
    """The families of metrics, in the order in which tables show them."""

    SCORE = mark("score")
    DEPTH = mark("depth")
    SCALE = mark("scale")
    NORMALS = mark("normals")
    PLANARITY = mark("planarity")
    PHOTOMETRIC = mark("photometric")
    POSE = mark("pose")
    PERFORMANCE = mark("performance")
    OTHER = mark("other")

    @property
    def shown(self) -> str:
        """Its name in the user's language."""
        return _(self.value)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        key: the dotted key, unique.
        label: what a person calls it, short enough for a table row, without region (``AbsRel``, ``δ<1.25``). English:
            what programs read. People are shown ``shown``, ``heading`` and ``title``.
        group: the family.
        region: ``building`` and so on; empty for metrics that have none (pose, performance, score).
        unit: SI or field unit as printed (``m``, ``°``, ``s``); empty for ratios.
        direction: which way it gets better.
        digits: decimals in tables.
        bounds: closed range of possible values, ``None`` where open.
        description: one sentence.
        known: whether the table (or ``lorascope.toml``) knows this metric.
    """

    key: str
    label: str
    group: Group
    region: str
    unit: str
    direction: Direction
    digits: int
    bounds: tuple[float | None, float | None]
    description: str
    known: bool = True

    @property
    def shown(self) -> str:
        """The label in the user's language."""
        return _(self.label)

    @property
    def heading(self) -> str:
        """Label and unit in the user's language: ``RMSE m``."""
        return f"{self.shown} {self.unit}" if self.unit else self.shown

    @property
    def family(self) -> str:
        """Group and region in the user's language: ``depth · building``."""
        return f"{self.group.shown} · {region_shown(self.region)}" if self.region else self.group.shown

    @property
    def title(self) -> str:
        """Label, unit and region in the user's language, for a plot or a flat list: ``AbsRel · building``."""
        return f"{self.heading} · {region_shown(self.region)}" if self.region else self.heading


def region_shown(region: str) -> str:
    """A region in the user's language: those of every evaluation have names, label classes are data."""
    return _(region) if region in REGIONS else region
