"""Phrases about the facts that several sections use. A verdict is stated nowhere without its claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from engine.analysis.advice import Decided, Pick
from engine.analysis.calibration import Reading
from engine.analysis.comparison import Cell
from engine.analysis.deltas import Verdict
from engine.analysis.differences import Kind
from engine.analysis.known_limits import Limit
from engine.report.document import Line, fill, joined, plain, strong
from engine.report.facts import ReportFacts, RunFacts
from engine.report.names import DOUBTFUL, PURPOSES
from engine.report.words import Words, claim

_NOTHING = (Reading.NEAR_CHANCE, Reading.BELOW_CHANCE, Reading.NO_SCALE)


@dataclass(frozen=True)
class Teller:
    """The facts with the words for them."""

    facts: ReportFacts
    words: Words

    @property
    def gettext(self) -> Callable[[str], str]:
        """Translates."""
        return self.words.gettext

    @cached_property
    def runs(self) -> tuple[RunFacts, ...]:
        """The runs that have a checkpoint to talk about."""
        return tuple(run for run in self.facts.runs if run.best is not None)

    # What metrics can tell

    def doubtful(self, run: RunFacts, key: str) -> bool:
        """Whether a metric is marked: it is near chance by construction, or not told from chance."""
        return self.by_construction(run, key) or self.not_told(run, key)

    def by_construction(self, run: RunFacts, key: str) -> bool:
        """Whether a metric of the existing system is about the same whatever is predicted."""
        limit = run.limits.get(key)
        return limit is not None and limit.limit is Limit.NEAR_CHANCE

    def not_told(self, run: RunFacts, key: str) -> bool:
        """Whether the best checkpoint was scored beside chance and is not shown to be better than it."""
        rows = run.readings.filter((pl.col("metric") == key) & (pl.col("checkpoint") == (run.best or "")))
        return not rows.is_empty() and rows.get_column("reading")[0] in _NOTHING

    def metric(self, key: str, runs: Sequence[RunFacts], *, unit: bool = False) -> Line:
        """A metric's name, with a sign where it carries no information in one of the runs."""
        doubtful = any(self.doubtful(run, key) for run in runs)
        return plain(self.words.metric(key, unit=unit) + (DOUBTFUL if doubtful else ""))

    @cached_property
    def has_doubtful(self) -> bool:
        """Whether any metric carries that sign."""
        return any(self.doubtful(run, key) for run in self.facts.runs for key in run.changes)

    # Changes

    def basis(self, run: RunFacts) -> str:
        """What a run's verdicts are based on."""
        _ = self.gettext
        kinds = {cell.kind for cell in run.changes.values() if cell.kind}
        parts = []
        if Kind.PAIRED in kinds and run.extent is not None:
            windows, drives = run.extent
            said = self.words.ngettext("{count} window", "{count} windows", windows).format(count=windows)
            where = self.words.ngettext("{count} drive", "{count} drives", drives).format(count=drives)
            parts.append(_("paired on {windows} of {drives}").format(windows=said, drives=where))
        if Kind.UNPAIRED in kinds:
            parts.append(_("unpaired, from means, spreads and counts"))
        return _("; ").join(parts) or _("none: no spreads are recorded")

    def change(self, run: RunFacts, cell: Cell, *, interval: bool) -> Line:
        """A metric with its change: ``AbsRel -64.5 %``, with an interval where it is wanted and known."""
        _ = self.gettext
        reach = self.words.relative(cell) if interval else ""
        template = _("{metric} ({change}, 95 % interval {reach})") if reach else _("{metric} ({change})")
        return fill(
            template,
            metric=self.metric(cell.key, [run]),
            change=self.words.change(cell),
            reach=reach,
        )

    def verdicts(self, run: RunFacts, cells: Sequence[Cell]) -> list[Line]:
        """What is better, what is worse, what is neither and what cannot be said, a phrase each."""
        _ = self.gettext
        best = run.best or ""
        groups = (
            (Verdict.BETTER, _("better in {changes}"), False),
            (Verdict.WORSE, _("worse in {changes}"), False),
            (Verdict.TIED, _("no difference is shown in {changes}"), True),
            (None, _("not to be judged, direction only: {changes}"), False),
        )
        found = []
        for verdict, template, interval in groups:
            some = [cell for cell in cells if cell.verdict is verdict and cell.delta is not None]
            if some:
                changes = self.words.listing([self.change(run, cell, interval=interval) for cell in some])
                claims = [one for cell in some for one in claim(run.label, best, cell)]
                found.append(fill(template, claims=claims, denies=verdict in (Verdict.TIED, None), changes=changes))
        return found

    def score_phrase(self, run: RunFacts, cell: Cell, checkpoint: str) -> Line:
        """A value beside the baseline's with its change and verdict: ``0.3455 (baseline 0.2640, +30.9 %, better)``."""
        _ = self.gettext
        value = self.words.value(cell.key, cell.value)
        if cell.baseline is None or cell.delta is None:
            return plain(value)
        reach = self.words.relative(cell)
        template = (
            _("{value} (baseline {before}, {change}, 95 % interval {reach}: {verdict})")
            if reach
            else _("{value} (baseline {before}, {change}: {verdict})")
        )
        return fill(
            template,
            claims=claim(run.label, checkpoint, cell),
            denies=cell.verdict in (Verdict.TIED, None),
            value=value,
            before=self.words.value(cell.key, cell.baseline),
            change=self.words.change(cell),
            reach=reach,
            verdict=self.words.verdict(cell.verdict),
        )

    # Choices

    def tie(self, pick: Pick, name: Callable[[str], str] = str) -> Line:
        """Which checkpoints cannot be told from the leader of a purpose."""
        _ = self.gettext
        others = [name(one) for one in pick.group if one != pick.leader]
        if pick.decided is Decided.ONLY:
            return plain(_("It is the only checkpoint."))
        if pick.decided is Decided.UNJUDGED:
            return fill(_("Whether it can be told from the others is not known: no spreads are recorded."), denies=True)
        if not others:
            count = pick.total - 1
            text = self.words.ngettext(
                "The other checkpoint is told from it.", "All {count} other checkpoints are told from it.", count
            )
            return fill(text, count=count)
        if len(others) == pick.total - 1 > 1:
            text = _("None of the {total} other checkpoints can be told from it; next come {names}.")
            return fill(text, denies=True, total=pick.total - 1, names=self.words.names(others, 3))
        text = self.words.ngettext(
            "{count} of the {total} other checkpoints cannot be told from it: {names}.",
            "{count} of the {total} other checkpoints cannot be told from it: {names}.",
            len(others),
        )
        return fill(text, denies=True, count=len(others), total=pick.total - 1, names=self.words.names(others))

    def why(self, pick: Pick) -> Line:
        """What singled a checkpoint out."""
        _ = self.gettext
        best = pick.checkpoint == pick.leader
        match pick.decided:
            case Decided.ONLY:
                text = _("the only one")
            case Decided.VALUE:
                text = _("told from all others")
            case Decided.COST:
                text = _("the cheapest of {count} that are tied")
            case Decided.SPREAD if best:
                text = _("the best value, and the steadiest over frames of {count} that are tied")
            case Decided.SPREAD:
                text = _("the steadiest over frames of {count} that are tied; the best value is that of {leader}")
            case Decided.ORDER:
                text = _("the best value of {count} that are tied; nothing else tells them apart")
            case Decided.UNJUDGED:
                text = _("the best value; whether it can be told from the others is not known")
        tied = pick.decided in (Decided.COST, Decided.SPREAD, Decided.ORDER)
        return fill(text, denies=tied or pick.decided is Decided.UNJUDGED, count=len(pick.group), leader=pick.leader)

    def purpose(self, pick: Pick) -> str:
        """What a checkpoint is for, with a sign where most of what it is ranked by carries no information."""
        name = self.gettext(PURPOSES[pick.purpose])
        doubtful = sum(
            weight for key, weight in pick.objective.items() if any(self.doubtful(run, key) for run in self.facts.runs)
        )
        return f"{name}{DOUBTFUL}" if doubtful > sum(pick.objective.values()) / 2 else name

    def sentences(self, lines: Sequence[Line]) -> Line:
        """Whole sentences one after the other."""
        return joined(lines, "" if self.words.language == "zh" else " ")

    def strong(self, text: str) -> Line:
        """An emphasised line."""
        return Line((strong(text),))
