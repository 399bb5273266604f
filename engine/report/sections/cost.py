"""What the checkpoints cost: speed and memory, never judged by chance, and only compared where that means something."""

from __future__ import annotations

from collections.abc import Iterator

from engine.report.document import Block, Bullets, Heading, Item, Line, Note, Paragraph, Table, fill, heads, plain
from engine.report.facts import RunFacts
from engine.report.telling import Teller


def cost(teller: Teller) -> Iterator[Block]:
    """The section."""
    _ = teller.gettext
    yield Heading(2, plain(_("Cost")))
    runs = [run for run in teller.runs if any(cell.value is not None for cell in run.costs.values())]
    if not runs:
        yield Paragraph(plain(_("No speed or memory is recorded for these runs.")))
        return
    yield _table(teller, runs)
    items = [*map(Item, _distorted(teller, runs)), *(Item(line) for run in runs for line in _remarks(teller, run))]
    if items:
        yield Bullets(tuple(items))
    if len(runs) > 1 and not teller.facts.comparability.costs_comparable:
        yield Note(
            plain(
                _(
                    "Speed and memory are not compared between the runs: device, precision or other settings "
                    "differ, or "
                    "are not recorded."
                )
            )
        )


def _table(teller: Teller, runs: list[RunFacts]) -> Table:
    _, words = teller.gettext, teller.words
    head = [_("run"), _("figure"), _("baseline"), _("best checkpoint"), _("change")]
    rows = [
        (
            fill(_("{run}: {checkpoint}"), run=run.label, checkpoint=run.best or ""),
            plain(words.metric(key, unit=True)),
            plain(words.value(key, cell.baseline, unit=False)),
            plain(words.value(key, cell.value, unit=False)),
            plain(words.change(cell) if cell.delta is not None else ""),
        )
        for run in runs
        for key, cell in run.costs.items()
        if cell.value is not None
    ]
    caption = plain(_("Single measurements: nothing tells their changes from chance."))
    return Table(caption, heads(head), tuple(rows), frozenset({2, 3, 4}))


def _distorted(teller: Teller, runs: list[RunFacts]) -> Iterator[Line]:
    """Why figures of the existing system are not a model's own."""
    _, words = teller.gettext, teller.words
    found: dict[str, list[str]] = {}
    for run in runs:
        for key in run.costs:
            if key in run.limits:
                found.setdefault(run.limits[key].reason, []).append(run.label)
    labels = list(dict.fromkeys(label for owners in found.values() for label in owners))
    if labels:
        yield fill(
            _("The figures of {runs} do not measure a model alone: {reasons}."),
            runs=words.listing(labels),
            reasons=words.items([words.app_text(reason) for reason in found]),
        )


def _remarks(teller: Teller, run: RunFacts) -> Iterator[Line]:
    _ = teller.gettext
    material = run.material
    yield from _uneven(teller, run)
    info = material.metadata.cost
    if info is not None and info.device:
        yield fill(
            _("{run}: measured apart from the evaluation on {device}, {dtype}, {repeats} passes."),
            run=run.label,
            device=info.device,
            dtype=info.dtype or _("not recorded"),
            repeats=info.repeats if info.repeats is not None else _("not recorded"),
        )
    effect = run.merging
    if effect is not None:
        yield fill(
            _(
                "{run}: of {count} checkpoints timed with LoRA merged and unmerged, merging is faster for {faster} and "
                "slower for {slower} by more than the repetitions scatter; the median ratio of latencies is {ratio}."
            ),
            run=run.label,
            count=effect.checkpoints,
            faster=effect.faster,
            slower=effect.slower,
            ratio=f"{effect.ratio:.3f}",
        )


def _uneven(teller: Teller, run: RunFacts) -> Iterator[Line]:
    """The range of latencies and memory over checkpoints that are alike."""
    _, words = teller.gettext, teller.words
    trained = run.material.analysis.trained
    for key in run.costs:
        values = trained[key].drop_nulls()
        least, most = values.min(), values.max()
        if (
            isinstance(least, float)
            and isinstance(most, float)
            and len(values) > 1
            and least > 0
            and most > 1.1 * least
        ):
            yield fill(
                _("{run}: over the {count} checkpoints, {metric} ranges from {least} to {most}."),
                run=run.label,
                count=len(values),
                metric=words.metric(key),
                least=words.value(key, least),
                most=words.value(key, most),
            )
