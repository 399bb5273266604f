"""What a run holds to tell change from chance: its per-frame rows where it has them, else its summary.

One object answers for both, so that commands and screens judge alike: paired where frames allow it, else from means,
spreads and counts, and always with a sentence that says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from engine.analysis.differences import DIFFERENCES, Kind
from engine.analysis.overview import RunAnalysis
from engine.analysis.paired import paired_differences
from engine.analysis.resampling.judging import LEAST_WINDOWS, plan
from engine.analysis.resampling.sample import tabulate
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.ties import tie_group
from engine.analysis.unpaired import FRAMES_PER_WINDOW, unpaired_differences, unpaired_ties
from engine.catalogue import SCORE_KEY, Catalogue
from engine.i18n import gettext as _
from engine.i18n import ngettext, pgettext
from engine.schema import empty
from engine.text import counted


@dataclass(frozen=True, eq=False)
class Evidence:
    """What verdicts about one run go by. Answers are kept: asked again, they cost nothing.

    Attributes:
        baseline: what checkpoints are compared with; ``None`` where there is none.
        checkpoints: all checkpoints of the training but the baseline. Verdicts are corrected for having looked at
            every one of them, whichever are shown.
        summary: frame of schema :data:`engine.schema.SUMMARY`.
        statistics: of the per-frame rows; ``None`` where there are none.
        weights: of the composite score.
        catalogue: directions.
        missing: why there are no per-frame rows although the run has some, or empty.
    """

    baseline: str | None
    checkpoints: tuple[str, ...]
    summary: pl.DataFrame
    statistics: Statistics | None
    weights: Mapping[str, float]
    catalogue: Catalogue
    missing: str = ""
    _told: dict[str, pl.DataFrame] = field(default_factory=dict, init=False, repr=False)
    _ties: dict[tuple[str, tuple[str, ...]], pl.DataFrame] = field(default_factory=dict, init=False, repr=False)

    def differences(self, metrics: Iterable[str]) -> pl.DataFrame:
        """Every checkpoint against the baseline.

        Args:
            metrics: keys, ``score`` among them; those that the run lacks are left out.

        Returns:
            Frame of schema :data:`engine.analysis.differences.DIFFERENCES`, in no particular order: paired rows, and
            unpaired ones for what per-frame rows do not hold (costs, checkpoints with a summary only).
        """
        keys = list(dict.fromkeys(metrics))
        new = [key for key in keys if key not in self._told]
        if new:
            rows = self._differences(new)
            self._told.update({key: rows.filter(pl.col("metric") == key) for key in new})
        return pl.concat([empty(DIFFERENCES), *(self._told[key] for key in keys)])

    def knows_ties(self, objective: str, checkpoints: Sequence[str]) -> bool:
        """Whether :meth:`ties` was asked this before, so that its answer is at hand."""
        return (objective, tuple(checkpoints)) in self._ties

    def _differences(self, keys: Sequence[str]) -> pl.DataFrame:
        if self.baseline is None:
            return empty(DIFFERENCES)
        paired = self._paired(self.baseline, keys)
        # What a paired row answers is not asked again: only metrics that some checkpoint lacks.
        complete = paired.group_by("metric").len().filter(pl.col("len") == len(self.checkpoints))
        left = set(keys) - set(complete.get_column("metric"))
        if not left:
            return paired
        parts = {*left, *(self.weights if SCORE_KEY in left else ())}
        unpaired = unpaired_differences(
            self.summary.filter(pl.col("metric").is_in(list(parts))),
            baseline=self.baseline,
            checkpoints=self.checkpoints,
            catalogue=self.catalogue,
            weights=self.weights if SCORE_KEY in left else None,
        ).filter(pl.col("metric").is_in(list(left)))
        return pl.concat([paired, unpaired.join(paired, on=["checkpoint", "metric"], how="anti")])

    def ties(self, objective: str, checkpoints: Sequence[str]) -> pl.DataFrame:
        """Which checkpoints cannot be told from the best of them.

        Args:
            objective: a metric with a direction, or ``score``.
            checkpoints: all that stand for choice, best first.

        Returns:
            Frame of schema :data:`engine.analysis.ties.TIES`, best first. ``tied_with_best`` is null where it cannot be
            said; of equal values it is true.
        """
        question = (objective, tuple(checkpoints))
        if question not in self._ties:
            self._ties[question] = self._tie_group(objective, checkpoints)
        return self._ties[question]

    def _tie_group(self, objective: str, checkpoints: Sequence[str]) -> pl.DataFrame:
        statistics = self.statistics
        if statistics and objective in statistics.keys and all(name in statistics.sample for name in checkpoints):
            rows = tie_group(statistics, objective=objective, checkpoints=checkpoints, catalogue=self.catalogue).rows
        else:
            rows = unpaired_ties(
                self.summary,
                objective=objective,
                checkpoints=checkpoints,
                catalogue=self.catalogue,
                weights=self.weights,
            )
        known = pl.col("p_adjusted").is_not_null()
        equal = pl.when(pl.col("value") == pl.col("value").first()).then(True)
        return rows.with_columns(tied_with_best=pl.when(known).then("tied_with_best").otherwise(equal))

    def basis(self, differences: pl.DataFrame) -> str:
        """What the verdicts among ``differences`` are based on, as a sentence without a full stop."""
        judged = differences.filter(pl.col("p_adjusted").is_not_null())
        kinds = set(judged.get_column("kind"))
        parts = []
        if Kind.PAIRED in kinds and self.statistics is not None:
            windows, drives = self._extent(judged)
            said = _("paired over {windows} in {drives}")
            parts.append(said.format(windows=counted(windows, "window"), drives=counted(drives, "drive")))
        if Kind.UNPAIRED in kinds:
            said = _("unpaired, from means, spreads and counts (a window of {frames} frames counts as one observation)")
            parts.append(said.format(frames=FRAMES_PER_WINDOW))
        if not parts:
            return self._nothing()
        looks = judged.get_column("looks").max()
        evidence = pgettext("between things that go together", " and ").join(parts)
        said = _("{evidence}; corrected for looking at {checkpoints}")
        return said.format(evidence=evidence, checkpoints=counted(looks, "checkpoint")) + self._aside()

    def _paired(self, baseline: str, keys: Sequence[str]) -> pl.DataFrame:
        if self.statistics is None or baseline not in self.statistics.sample:
            return empty(DIFFERENCES)
        rows = paired_differences(
            self.statistics,
            baseline=baseline,
            checkpoints=self.checkpoints,
            catalogue=self.catalogue,
            metrics=keys,
        )
        return rows.filter(pl.col("delta").is_not_null())

    def _extent(self, judged: pl.DataFrame) -> tuple[object, int]:
        assert self.statistics is not None  # noqa: S101 (paired rows come from it)
        return judged.get_column("windows").max(), len(set(self.statistics.sample.drives))

    def _nothing(self) -> str:
        if self.baseline is None:
            return _("no verdicts: there is no baseline")
        if self.statistics is not None and len(self.statistics.sample.windows) < LEAST_WINDOWS:
            said = ngettext(
                "no verdicts: fewer than {count} window", "no verdicts: fewer than {count} windows", LEAST_WINDOWS
            )
            return said.format(count=LEAST_WINDOWS)
        return _("no verdicts: neither per-frame rows nor spreads and counts are known") + self._aside()

    def _aside(self) -> str:
        return _(" ({aside})").format(aside=self.missing) if self.missing else ""


def weigh(
    analysis: RunAnalysis,
    summary: pl.DataFrame,
    sums: pl.DataFrame | None,
    *,
    catalogue: Catalogue,
    weights: Mapping[str, float],
    missing: str = "",
) -> Evidence:
    """Get a run ready to be judged: resamples are drawn where there are sums over windows.

    Args:
        analysis: the run.
        summary: frame of schema :data:`engine.schema.SUMMARY`.
        sums: frame of schema :data:`engine.schema.WINDOW_SUMS` of the baseline and all checkpoints (no oracle, no
            chance), or ``None``.
        catalogue: directions.
        weights: of the composite score.
        missing: why there are no sums although there should be.

    Raises:
        DataError: checkpoints disagree on the frames of a window.
    """
    names = [str(name) for name in analysis.trained.get_column("checkpoint") if name != analysis.baseline]
    compared = names if analysis.baseline is None else [analysis.baseline, *names]
    own = summary.filter(pl.col("checkpoint").is_in(compared))
    statistics = None
    if sums is not None and not sums.is_empty():
        sample = tabulate(sums)
        baseline = analysis.baseline if analysis.baseline in sample.checkpoints else None
        blocks = plan(sample, baseline=baseline)
        statistics = Statistics(sample, blocks, weights=weights, catalogue=catalogue)
    return Evidence(analysis.baseline, tuple(names), own, statistics, weights, catalogue, missing)
