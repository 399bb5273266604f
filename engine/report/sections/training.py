"""The training: curves, jumps, and until when gains are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.analysis.deltas import Verdict
from engine.analysis.dynamics import Course, JudgedJump
from engine.report.document import Block, Bullets, Claim, Figure, Heading, Item, Line, Paragraph, fill, plain
from engine.report.facts import RunFacts
from engine.report.plot import Curve, LinePlot
from engine.report.telling import Teller

# More jumps of one metric are counted, not told.
_TOLD = 5
# More stretches of checkpoints than these are counted, not named.
_STRETCHES = 3


def training(teller: Teller) -> Iterator[Block]:
    """The section."""
    _ = teller.gettext
    yield Heading(2, plain(_("Training")))
    courses = [run for run in teller.runs if run.courses]
    if not courses:
        yield Paragraph(plain(_("Every run has a single checkpoint: there is no course to show.")))
        return
    yield Paragraph(
        fill(
            _(
                "A jump is a change between neighbouring checkpoints of at least {least} % that lies far outside the "
                "curve's own scatter; whether it is more than noise of the evaluation is tested as one of all pairs of "
                "neighbours. Gains end at the first checkpoint that no later one is shown to be better than, tested in "
                "the order of the training; smaller gains may go on after it. In the figures, a checkpoint is "
                "told from the baseline where its band leaves the dashed line."
            ),
            legend=True,
            least=f"{teller.facts.material.config.trends.jump_pct:g}",
        )
    )
    for run in courses:
        items = [item for key in run.courses for item in _told(teller, run, run.courses[key])]
        yield Heading(3, plain(run.label))
        yield Bullets(tuple(items) or (Item(plain(_("Nothing of its course can be told from noise."))),))
    keys = list(dict.fromkeys(key for run in courses for key in run.courses))
    for key in keys:
        yield _figure(teller, courses, key)


def _told(teller: Teller, run: RunFacts, course: Course) -> Iterator[Item]:
    lines = [*standing(teller, run, course), *told_jumps(teller, run, course), *untold_jumps(teller, run, course)]
    settled = until(teller, run, course)
    lines += [] if settled is None else [settled]
    if lines:
        yield Item(teller.metric(course.trend.key, [run]), tuple(lines))


def told_jumps(teller: Teller, run: RunFacts, course: Course) -> Iterator[Line]:
    """Jumps that are more than noise."""
    _, words = teller.gettext, teller.words
    told = [one for one in course.jumps if one.verdict in (Verdict.BETTER, Verdict.WORSE)]
    for one in told[:_TOLD]:
        jump, key = one.jump, course.trend.key
        template = (
            _("A jump from {before} ({first}) to {after} ({second}), {change}: for the better, told from noise.")
            if one.verdict is Verdict.BETTER
            else _("A jump from {before} ({first}) to {after} ({second}), {change}: for the worse, told from noise.")
        )
        yield fill(
            template,
            claims=[Claim(run.label, key, jump.to_checkpoint, jump.from_checkpoint, one.verdict or Verdict.TIED)],
            before=words.value(key, jump.before),
            first=jump.from_checkpoint,
            after=words.value(key, jump.after),
            second=jump.to_checkpoint,
            change=_by(teller, one),
        )
    if len(told) > _TOLD:
        text = words.ngettext(
            "{count} more jump is told from noise.", "{count} more jumps are told from noise.", len(told) - _TOLD
        )
        yield fill(text, count=len(told) - _TOLD)


def untold_jumps(teller: Teller, run: RunFacts, course: Course) -> Iterator[Line]:
    """Jumps of the curve that may be noise."""
    _, words = teller.gettext, teller.words
    key = course.trend.key
    for one in [one for one in course.jumps if one.verdict in (Verdict.TIED, None)][:_TOLD]:
        jump = one.jump
        reach = "" if one.ci95 is None else words.interval(key, *one.ci95)
        template = (
            _(
                "The step from {first} to {second} ({change}, 95 % interval by itself {reach}) is not told from "
                "noise among {count} steps."
            )
            if reach
            else _("Whether the step from {first} to {second} ({change}) is more than noise is not known.")
        )
        yield fill(
            template,
            denies=True,
            first=jump.from_checkpoint,
            second=jump.to_checkpoint,
            change=_by(teller, one),
            reach=reach,
            count=max(1, sum(value is not None for value in course.trend.values) - 1),
        )


def _by(teller: Teller, one: JudgedJump) -> str:
    return "" if one.jump.change_pct is None else teller.words.percent(one.jump.change_pct)


def until(teller: Teller, run: RunFacts, course: Course) -> Line | None:
    """Up to where gains of a metric are shown."""
    _, words = teller.gettext, teller.words
    found = course.settling
    if found is None or (found.later == 0 and found.index == 0):
        return None
    key = course.trend.key
    claims = [Claim(run.label, key, name, found.checkpoint, Verdict.WORSE) for name in found.worse]
    if found.later == 0:
        return fill(
            _("Gains are shown up to the last checkpoint, {checkpoint}: no plateau is shown."),
            denies=True,
            checkpoint=found.checkpoint,
        )
    if found.index == 0:
        text = words.ngettext(
            "The later checkpoint is not shown to be better than the first, {checkpoint}.",
            "None of the {later} later checkpoints is shown to be better than the first, {checkpoint}.",
            found.later,
        )
    else:
        text = words.ngettext(
            "Gains are shown up to {checkpoint}; the later checkpoint is not shown to be better than it.",
            "Gains are shown up to {checkpoint}; none of the {later} later checkpoints is shown to be better than it.",
            found.later,
        )
    first = fill(text, denies=True, later=found.later, checkpoint=found.checkpoint)
    if not found.worse:
        return first
    text = words.ngettext(
        "{count} of them is shown to be worse.", "{count} of them are shown to be worse.", len(found.worse)
    )
    return teller.sentences([first, fill(text, claims=claims, count=len(found.worse))])


def standing(teller: Teller, run: RunFacts, course: Course) -> Iterator[Line]:
    """How many checkpoints are told from the baseline, and which."""
    _, words = teller.gettext, teller.words
    found, key = course.standing, course.trend.key
    if not found.judged or run.material.analysis.baseline is None:
        return
    trained = [
        name for name, value in zip(course.trend.checkpoints, course.trend.values, strict=True) if value is not None
    ]
    parts = [
        fill(
            template,
            claims=[Claim(run.label, key, name, "", verdict) for name in names],
            count=len(names),
            names=stretches(teller, names, trained),
        )
        for names, verdict, template in (
            (found.worse, Verdict.WORSE, _("{count} worse ({names})")),
            (found.better, Verdict.BETTER, _("{count} better ({names})")),
        )
        if names
    ]
    left = found.judged - len(found.worse) - len(found.better)
    if left:
        parts.append(fill(_("{count} without a difference shown"), denies=True, count=left))
    yield fill(
        _("Of {judged} checkpoints against the baseline: {parts}."),
        judged=found.judged,
        parts=words.listing(parts),
    )


def stretches(teller: Teller, names: Sequence[str], trained: Sequence[str]) -> str:
    """Checkpoints by their stretches: ``checkpoint_0 to checkpoint_19, checkpoint_31``."""
    _, words = teller.gettext, teller.words
    wanted = set(names)
    found: list[list[str]] = []
    open_ = False
    for name in trained:
        if name in wanted:
            if open_:
                found[-1].append(name)
            else:
                found.append([name])
        open_ = name in wanted
    texts = [
        group[0] if len(group) == 1 else _("{first} to {last}").format(first=group[0], last=group[-1])
        for group in found
    ]
    if len(texts) <= _STRETCHES:
        return words.listing(texts).text
    rest = sum(map(len, found[_STRETCHES:]))
    return _("{names} and {count} more").format(names=_(", ").join(texts[:_STRETCHES]), count=rest)


def _figure(teller: Teller, runs: Sequence[RunFacts], key: str) -> Figure:
    _, words = teller.gettext, teller.words
    shown = [run for run in runs if key in run.courses]
    curves, said = [], []
    for run in shown:
        course = run.courses[key]
        found = course.trend
        told = tuple(one.jump.index for one in course.jumps if one.verdict in (Verdict.BETTER, Verdict.WORSE))
        curves.append(
            Curve(
                name=run.label,
                x=tuple(map(float, found.positions)),
                y=found.values,
                band=course.band,
                level=found.baseline,
                best=found.best,
                jumps=told,
            )
        )
        if found.best is not None:
            said.append(
                fill(
                    _("{run}: best value {value} at {checkpoint}, baseline {baseline}"),
                    run=run.label,
                    value=words.value(key, found.values[found.best]),
                    checkpoint=found.checkpoints[found.best],
                    baseline=words.value(key, found.baseline),
                )
            )
    metric = words.catalogue.get(key)
    name = words.metric(key, unit=True)
    plot = LinePlot(
        title=name,
        x_label=_("checkpoint"),
        y_label=f"{name} {metric.direction.arrow}",
        curves=tuple(curves),
        words=(_("baseline"), _("best value"), _("jump told from noise"), _("95 % interval of the change")),
    )
    caption = fill(_("{metric} over the training."), metric=teller.metric(key, shown))
    return Figure(plot, caption, fill("{said}.", said=words.items(said)) if said else caption)
