"""Gets a run ready to be judged: resamples are drawn where there are sums over windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

from engine.analysis.evidence import Evidence
from engine.analysis.overview import RunAnalysis
from engine.analysis.resampling.judging import plan
from engine.analysis.resampling.sample import tabulate
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.slices import slice_statistics
from engine.catalogue import Catalogue
from engine.schema import WINDOWS, Role, SliceKind, empty


def weigh(
    analysis: RunAnalysis,
    summary: pl.DataFrame,
    sums: pl.DataFrame | None,
    *,
    catalogue: Catalogue,
    weights: Mapping[str, float],
    missing: str = "",
    windows: pl.DataFrame | None = None,
    timings: Mapping[str, Sequence[float]] | None = None,
    parts: Mapping[SliceKind, pl.DataFrame] = MappingProxyType({}),
) -> Evidence:
    """Get a run ready to be judged: resamples are drawn where there are sums over windows.

    Args:
        analysis: the run.
        summary: frame of schema :data:`engine.schema.SUMMARY`.
        sums: frame of schema :data:`engine.schema.WINDOW_SUMS` of the baseline and all checkpoints, and of oracle and
            chance where values are to be read on their scale, or ``None``.
        catalogue: directions.
        weights: of the composite score.
        missing: why there are no sums although there should be.
        windows: frame of schema :data:`engine.schema.WINDOWS`, for the strata.
        timings: seconds of single passes by checkpoint.
        parts: the same sums of slices by distance and by label class, by kind.

    Raises:
        DataError: checkpoints disagree on the frames of a window, or slices hold windows that the sums do not.
    """
    names = [str(name) for name in analysis.trained.get_column("checkpoint") if name != analysis.baseline]
    compared = names if analysis.baseline is None else [analysis.baseline, *names]
    own = summary.filter(pl.col("checkpoint").is_in(compared))
    statistics, points = None, {}
    if sums is not None and not sums.is_empty():
        sample = tabulate(sums)
        baseline = analysis.baseline if analysis.baseline in sample.checkpoints else None
        # How alike neighbours are is asked of those that are judged: oracle and chance are not.
        blocks = plan(sample, baseline=baseline, checkpoints=[name for name in compared if name in sample])
        statistics = Statistics(sample, blocks, weights=weights, catalogue=catalogue)
        found = {kind: slice_statistics(statistics, own, catalogue) for kind, own in parts.items()}
        points = {kind: own for kind, own in found.items() if own is not None}
    return Evidence(
        analysis.baseline,
        tuple(names),
        own,
        statistics,
        weights,
        catalogue,
        missing,
        empty(WINDOWS) if windows is None else windows,
        analysis.of_role(Role.CHANCE),
        analysis.of_role(Role.ORACLE),
        timings or {},
        points,
    )
