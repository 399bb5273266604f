"""What a report is made of: runs as they were read, with what tells their changes from chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from engine.analysis.comparability import Facts
from engine.analysis.evidence import Evidence
from engine.analysis.known_limits import COMPAT
from engine.analysis.overview import RunAnalysis
from engine.analysis.purposes import Purpose, objective_of, owned_key
from engine.catalogue import SCORE_KEY, Catalogue
from engine.config import Config
from engine.schema import RunMetadata

# The metrics of the tables, by key or short name: those that people put into such a table by hand.
HEADLINES = (
    *(SCORE_KEY, "abs_rel", "delta1", "rmse", "normal_mean", "normals"),
    *("planarity", "photometric", "ate", "ate_rot", "rpe", "rpe_rot"),
)
# Those of the curves.
CURVES = (SCORE_KEY, "abs_rel", "delta1", "rmse", "normals", "planarity", "photometric")
# Depth outside of buildings, where a run has both.
_REST = ("abs_rel", "delta1", "rmse", "mae")
COSTS = ("fps", "latency", "vram_mb")


@dataclass(frozen=True, eq=False)
class RunMaterial:
    """One run.

    Attributes:
        label: what to call it; unique in the report.
        path: as a person would type it in a command.
        metadata: what the run says of itself.
        analysis: its tables.
        facts: what decides whether it may be compared.
        summary: frame of schema :data:`engine.schema.SUMMARY`.
        evidence: what tells its changes from chance, with the metrics of :func:`wanted_keys`.
        sums: of all its rows over windows, oracle and chance among them; ``None`` without per-frame rows.
        windows: frame of schema :data:`engine.schema.WINDOWS`; empty where it is not known.
        timings: frame of schema :data:`engine.schema.MEASURED_COST`; ``None`` where costs were not measured apart.
        problems: what was wrong with its files, in words.
    """

    label: str
    path: str
    metadata: RunMetadata
    analysis: RunAnalysis
    facts: Facts
    summary: pl.DataFrame
    evidence: Evidence
    sums: pl.DataFrame | None = None
    windows: pl.DataFrame | None = None
    timings: pl.DataFrame | None = None
    problems: tuple[str, ...] = ()

    @property
    def usable_costs(self) -> bool:
        """Whether its costs can be compared between its checkpoints: the existing system's cannot."""
        return self.metadata.protocol.name != COMPAT


@dataclass(frozen=True, eq=False)
class Material:
    """Everything for one report.

    Attributes:
        runs: at least one.
        config: weights and thresholds.
        catalogue: the metric table.
        joint_sums: of all runs together, where they are of one sample and have per-frame rows.
        limits: the condition for the cheapest checkpoint, if one was given.
        notes: remarks on what was left out, in words.
    """

    runs: Sequence[RunMaterial]
    config: Config
    catalogue: Catalogue
    joint_sums: pl.DataFrame | None = None
    limits: str | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def weights(self) -> Mapping[str, float]:
        """Of the composite score."""
        return self.config.score.weights


def owned(names: Iterable[str], metrics: Iterable[str]) -> list[str]:
    """The metrics of a run that keys or short names mean, in that order, each once."""
    found = [key for name in names if (key := owned_key(name, metrics)) is not None]
    return list(dict.fromkeys(found))


def rest_keys(metrics: Iterable[str]) -> list[str]:
    """Depth metrics of what is not building, where a run has both regions."""
    measured = set(metrics)
    pairs = ((f"depth.building.{name}", f"depth.non_building.{name}") for name in _REST)
    return [rest for building, rest in pairs if building in measured and rest in measured]


def wanted_keys(metrics: Sequence[str], weights: Mapping[str, float], catalogue: Catalogue) -> list[str]:
    """The metrics of a run that a report asks about: all that its evidence has to hold."""
    keys = [*owned((*HEADLINES, *CURVES), metrics), *rest_keys(metrics)]
    keys += [key for key in weights if key in set(metrics)]
    for purpose in (Purpose.DEPTH, Purpose.GEOMETRY):
        keys += objective_of(purpose, metrics, weights, catalogue)
    return list(dict.fromkeys(keys))
