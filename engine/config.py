"""``lorascope.toml``: score weights, trend thresholds, metrics of one's own.

Looked for in the folder one stands in and its parents, then in the user's configuration folder. Example::

    [score.weights]                       # any metric with a direction; higher: value, lower: 1 - min(value, 1)
    "depth.building.delta1" = 0.30
    "depth.building.abs_rel" = 0.20

    [trends]
    window = 5
    threshold_pct = 5.0

    [metrics."my.metric"]
    label = "my metric"
    direction = "lower"

``[evaluate]`` and ``[launch.presets.NAME]`` in the same file are settings of evaluations.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.catalogue import Catalogue, Direction
from engine.errors import ConfigError
from engine.i18n import gettext as _

FILE_NAME = "lorascope.toml"
# Tables that say how evaluations are started; whoever starts them reads them.
EVALUATE, LAUNCH = "evaluate", "launch"

# Composite score of the existing system (protocol, section 7), all on buildings.
DEFAULT_WEIGHTS = {
    "depth.building.delta1": 0.30,
    "depth.building.abs_rel": 0.20,
    "normals.building.inlier_30": 0.20,
    "planarity.building.inlier_ratio": 0.15,
    "photometric.building.inlier_ratio": 0.15,
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScoreConfig(_Strict):
    """Weights of the composite score, by metric key."""

    weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        default_factory=lambda: dict(DEFAULT_WEIGHTS), min_length=1
    )


class TrendConfig(_Strict):
    """Rolling variation, jumps and plateaus.

    Attributes:
        window: checkpoints in the rolling window.
        threshold_pct: rolling variation (std / |mean|, in percent) below which a run is called stable.
        jump_pct: least change between neighbours, in percent, that may be called a jump.
    """

    window: Annotated[int, Field(ge=2, le=1000)] = 5
    threshold_pct: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 5.0
    jump_pct: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10.0


class MetricConfig(_Strict):
    """What ``lorascope.toml`` says of one metric."""

    label: str | None = None
    unit: str | None = None
    direction: Direction | None = None
    digits: Annotated[int, Field(ge=0, le=12)] | None = None


class Config(_Strict):
    """All settings. The defaults are those of the protocol."""

    score: ScoreConfig = Field(default_factory=ScoreConfig)
    trends: TrendConfig = Field(default_factory=TrendConfig)
    metrics: dict[str, MetricConfig] = Field(default_factory=dict)

    def catalogue(self) -> Catalogue:
        """The metric table with this configuration's metrics.

        Raises:
            ConfigError: a weighted metric has no direction.
        """
        overrides = {key: entry.model_dump(exclude_none=True) for key, entry in self.metrics.items()}
        catalogue = Catalogue(overrides)
        for key in self.score.weights:
            if catalogue.get(key).direction is Direction.NONE:
                raise ConfigError(
                    f"{FILE_NAME}: score.weights: {key!r} has no direction",
                    f'give it one: [metrics."{key}"] direction = "higher"',
                )
        return catalogue


def find_config(start: Path) -> Path | None:
    """The ``lorascope.toml`` that applies to someone standing in ``start``, or ``None``."""
    return next((candidate for candidate in _candidates(start) if candidate.is_file()), None)


def _candidates(start: Path) -> Iterator[Path]:
    from platformdirs import user_config_path

    here = start.absolute()
    for folder in (here, *here.parents):
        yield folder / FILE_NAME
    yield user_config_path("lorascope") / FILE_NAME


def load_config(path: Path | None = None, *, start: Path | None = None) -> Config:
    """Read the configuration.

    Args:
        path: a file that was named; it must exist.
        start: where to look for one otherwise (default: the current folder).

    Returns:
        The configuration; the defaults where there is no file.

    Raises:
        ConfigError: the file is missing, unreadable, not TOML, or holds a wrong value; names the file and the field.
    """
    found = path or find_config(start or Path.cwd())
    if found is None:
        return Config()
    try:
        raw = tomllib.loads(found.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(_("{file}: no such file").format(file=found), _("check --config")) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(_("{file}: cannot be read ({reason})").format(file=found, reason=error)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_("{file}: not valid TOML: {reason}").format(file=found, reason=error)) from None
    try:
        config = Config.model_validate({name: table for name, table in raw.items() if name not in (EVALUATE, LAUNCH)})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{found}: {place}: {first['msg']}", _("see the example in the README")) from None
    config.catalogue()
    return config
