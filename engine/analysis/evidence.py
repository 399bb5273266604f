"""What a run holds to tell change from chance: its per-frame rows where it has them, else its summary.

One object answers for both, so that commands and screens judge alike: paired where frames allow it, else from means,
spreads and counts, and always with a sentence that says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from engine.analysis.answers import Answers
from engine.analysis.calibration import CALIBRATION, calibrate
from engine.analysis.differences import DIFFERENCES, Kind
from engine.analysis.levels import KNOWN_LEVELS, summary_levels
from engine.analysis.losses import every_slice, winning
from engine.analysis.paired import levels_frame, paired_differences
from engine.analysis.resampling.judging import LEAST_WINDOWS
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.slices import SLICES
from engine.analysis.ties import tie_group
from engine.analysis.unpaired import FRAMES_PER_WINDOW, unpaired_differences, unpaired_ties
from engine.catalogue import SCORE_KEY, Catalogue
from engine.i18n import gettext as _
from engine.i18n import ngettext, pgettext
from engine.schema import WINDOWS, SliceKind, empty
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
        windows: frame of schema :data:`engine.schema.WINDOWS`, for the strata; may be empty.
        chance, oracle: the pseudo-checkpoints that are the ends of the scale; ``None`` where there is none.
        timings: seconds of single passes by checkpoint, where each was timed alone (unmerged).
        points: of parts that divide the points of a frame, by kind.
    """

    baseline: str | None
    checkpoints: tuple[str, ...]
    summary: pl.DataFrame
    statistics: Statistics | None
    weights: Mapping[str, float]
    catalogue: Catalogue
    missing: str = ""
    windows: pl.DataFrame = field(default_factory=lambda: empty(WINDOWS), repr=False)
    chance: str | None = None
    oracle: str | None = None
    timings: Mapping[str, Sequence[float]] = field(default_factory=dict, repr=False)
    points: Mapping[SliceKind, Statistics] = field(default_factory=dict, repr=False)
    _told: Answers = field(default_factory=lambda: Answers(DIFFERENCES), init=False, repr=False)
    _levels: Answers = field(default_factory=lambda: Answers(KNOWN_LEVELS), init=False, repr=False)
    _slices: Answers = field(default_factory=lambda: Answers(SLICES, "of"), init=False, repr=False)
    _scale: Answers = field(default_factory=lambda: Answers(CALIBRATION), init=False, repr=False)
    _ties: dict[tuple[str, tuple[str, ...]], pl.DataFrame] = field(default_factory=dict, init=False, repr=False)

    def differences(self, metrics: Iterable[str]) -> pl.DataFrame:
        """Every checkpoint against the baseline.

        Args:
            metrics: keys, ``score`` among them; those that the run lacks are left out.

        Returns:
            Frame of schema :data:`engine.analysis.differences.DIFFERENCES`, in no particular order: paired rows, and
            unpaired ones for what per-frame rows do not hold (costs, checkpoints with a summary only).
        """
        return self._told.get(metrics, self._differences)

    def levels(self, metrics: Iterable[str]) -> pl.DataFrame:
        """Every checkpoint's own values with their intervals: for runs without a baseline.

        Returns:
            Frame of schema :data:`engine.analysis.levels.KNOWN_LEVELS`, in no particular order.
        """
        return self._levels.get(metrics, self._find_levels)

    def slices(self, metrics: Iterable[str]) -> pl.DataFrame:
        """Every checkpoint against the baseline in every part of the sample. Takes several times as long as the whole.

        Returns:
            Frame of schema :data:`engine.analysis.slices.SLICES`, a metric's rows in the order of the parts; none where
            the run has no per-frame rows.
        """
        return self._slices.get(metrics, self._find_slices)

    def lost(self, metrics: Iterable[str]) -> pl.DataFrame:
        """:meth:`slices` of those metrics in which a checkpoint is better as a whole: no other win can hide a loss."""
        return self.slices(winning(self.differences(metrics)))

    def knows_parts(self, metrics: Sequence[str]) -> bool:
        """Whether :meth:`lost` and :meth:`scale` were asked for these before, so that their answers are at hand."""
        return self._scale.has(metrics) and self._slices.has(winning(self.differences(metrics)))

    def scale(self, metrics: Iterable[str]) -> pl.DataFrame:
        """Every checkpoint and the baseline on the scale from chance to the truth.

        Returns:
            Frame of schema :data:`engine.analysis.calibration.CALIBRATION`; no rows where the run lacks chance or
            oracle, or per-frame rows of them.
        """
        return self._scale.get(metrics, self._find_scale)

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

    def _find_levels(self, keys: Sequence[str]) -> pl.DataFrame:
        paired = empty(KNOWN_LEVELS)
        if self.statistics is not None:
            found = levels_frame(self.statistics, checkpoints=self.checkpoints, metrics=keys)
            paired = found.filter(pl.col("value").is_not_null()).with_columns(kind=pl.lit(Kind.PAIRED.value))
        unpaired = summary_levels(
            self.summary, checkpoints=self.checkpoints, metrics=keys, catalogue=self.catalogue, weights=self.weights
        )
        return pl.concat([paired, unpaired.join(paired, on=["checkpoint", "metric"], how="anti")])

    def _find_slices(self, keys: Sequence[str]) -> pl.DataFrame:
        whole = self.differences(keys).filter(pl.col("kind") == Kind.PAIRED)
        if self.statistics is None or self.baseline is None or whole.is_empty():
            return empty(SLICES)
        return every_slice(
            self.statistics,
            whole,
            self.windows,
            baseline=self.baseline,
            checkpoints=self.checkpoints,
            catalogue=self.catalogue,
            points=self.points,
        )

    def _find_scale(self, keys: Sequence[str]) -> pl.DataFrame:
        if self.statistics is None or self.chance is None or self.oracle is None:
            return empty(CALIBRATION)
        names = [*([self.baseline] if self.baseline is not None else []), *self.checkpoints]
        return calibrate(
            self.statistics,
            chance=self.chance,
            oracle=self.oracle,
            checkpoints=names,
            catalogue=self.catalogue,
            metrics=keys,
        )

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
