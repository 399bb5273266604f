"""Advice: the next fine-tuning, as ``lorascope next`` would write it."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from engine.analysis.deltas import Verdict
from engine.analysis.purposes import Purpose
from engine.followup.wish import ALPHA_FACTOR, EPOCHS, LR_FACTOR
from engine.report.document import Block, Bullets, Claim, Heading, Item, Line, Paragraph, code, fill, plain
from engine.report.facts import RunFacts
from engine.report.telling import Teller
from engine.text import visible


def following(teller: Teller) -> Iterator[Block]:
    """The part on the next training."""
    _ = teller.gettext
    yield Heading(3, plain(_("The next fine-tuning")))
    if not teller.runs:
        yield Paragraph(plain(_("There is no checkpoint to go on from.")))
        return
    yield Paragraph(
        fill(
            _(
                "{command} writes a starting configuration for a gentle follow-up: every learning rate times {rate}, "
                "LoRA alpha times {alpha}, {epochs} epochs, and the rest as the training had it. {option} leaves "
                "branches out of LoRA. What either does to quality is not known from these data: evaluate the result "
                "on the same sample and compare."
            ),
            denies=True,
            command=code("lorascope next"),
            option=code("--freeze proj,mlp"),
            rate=f"{LR_FACTOR:g}",
            alpha=f"{ALPHA_FACTOR:g}",
            epochs=EPOCHS,
        )
    )
    yield Bullets(tuple(_run(teller, run) for run in teller.runs))


def _run(teller: Teller, run: RunFacts) -> Item:
    _, words = teller.gettext, teller.words
    balanced = run.advice.pick(Purpose.BALANCED)
    name = balanced.checkpoint if balanced is not None else run.best or ""
    command = f"lorascope next {quote(visible(run.material.path))} {quote(visible(name))} --to next.yaml"
    below: list[Line] = []
    lora = run.material.metadata.lora
    known = []
    if lora.learning_rate is not None:
        old, new = f"{lora.learning_rate:g}", f"{lora.learning_rate * LR_FACTOR:g}"
        known.append(_("learning rate {old} to {new}").format(old=old, new=new))
    if lora.alpha is not None:
        old, new = f"{lora.alpha:g}", f"{lora.alpha * ALPHA_FACTOR:g}"
        known.append(_("alpha {old} to {new}").format(old=old, new=new))
    if known:
        below.append(fill(_("By what the run records: {changes}."), changes=words.listing(known)))
    if run.payment is not None and run.payment.lost:
        lost = [loss.cell.key for loss in run.payment.lost]
        claims = [Claim(run.label, key, run.payment.checkpoint, "", Verdict.WORSE) for key in lost]
        metrics = words.listing([teller.metric(key, [run]) for key in lost])
        text = _("What to watch, as it is worse than the baseline so far: {metrics}.")
        below.append(fill(text, claims=claims, metrics=metrics))
    head = fill(_("From {checkpoint} of {run}: {command}"), checkpoint=name, run=run.label, command=code(command))
    return Item(head, tuple(below))
