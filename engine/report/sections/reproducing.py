"""How to get the numbers again."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from engine import __version__
from engine.analysis.resampling.blocks import RESAMPLES, SEED
from engine.export.command import evaluate_command
from engine.report.document import Block, Bullets, Code, Heading, Item, Line, Paragraph, code, fill, plain
from engine.report.facts import RunFacts
from engine.report.telling import Teller
from engine.text import visible


def reproducing(teller: Teller) -> Iterator[Block]:
    """The section."""
    _ = teller.gettext
    yield Heading(2, plain(_("How to reproduce it")))
    yield Bullets(tuple(Item(fact) for run in teller.facts.runs for fact in _facts(teller, run)))
    for run in teller.facts.runs:
        lines = evaluate_command(run.material.metadata)
        if lines is not None:
            yield Paragraph(
                fill(_("{run}, with data, base weights and checkpoints in the current folder:"), run=run.label)
            )
            yield Code("sh", tuple(lines))
    paths = " ".join(quote(visible(run.material.path)) for run in teller.facts.runs)
    first = quote(visible(teller.facts.runs[0].material.path))
    where = teller.facts.material.limits
    limits = f" --where {quote(visible(where))}" if where else ""
    yield Paragraph(plain(_("The tables and this report:")))
    yield Code(
        "sh",
        (
            f"lorascope compare {paths}",
            f"lorascope rank {first}",
            f"lorascope trend {first} --preset stability",
            f"lorascope report {paths} --lang {teller.words.language}{limits} --to report.html",
        ),
    )
    yield Paragraph(
        fill(
            _(
                "Paired intervals come from {resamples} resamples of blocks of windows within drives, seed {seed}; "
                "unpaired ones from means, spreads and counts, a window of 8 frames as one observation."
            ),
            legend=True,
            resamples=f"{RESAMPLES:,}",
            seed=SEED,
        )
    )


def _facts(teller: Teller, run: RunFacts) -> Iterator[Line]:
    _ = teller.gettext
    about = run.material.metadata
    data, device = about.dataset, about.device
    known = {
        _("dataset"): data.name,
        _("split"): data.split,
        _("sampling"): data.sampling,
        _("windows at most"): data.max_seqs,
        _("seed"): data.seed,
        _("frames in a window"): about.protocol.seq_len,
        _("model"): about.model.name,
        _("weights"): about.model.weights,
        _("precision"): device.dtype,
        _("device"): device.name,
        _("lorascope"): about.lorascope_version,
        **device.libraries,
    }
    said = [f"{name} {value}" for name, value in known.items() if value is not None]
    yield fill(
        _("{run}: protocol {protocol}, {facts}.")
        if said
        else _("{run}: protocol {protocol}; nothing else is recorded."),
        run=teller.strong(run.label),
        protocol=code(about.protocol.name),
        facts=teller.words.listing(said),
    )
    if data.sample_fingerprint is not None:
        yield fill(
            _("{run}: sample fingerprint {fingerprint}."), run=run.label, fingerprint=code(data.sample_fingerprint)
        )
    if about.model.weights_sha256 is not None:
        yield fill(
            _("{run}: SHA-256 of the base's tensors {sha}."), run=run.label, sha=code(about.model.weights_sha256)
        )


def generator(teller: Teller) -> Line:
    """Who wrote the report."""
    return fill(
        teller.gettext("Written by lorascope {version}. Every figure in it is computed from the runs named above."),
        version=__version__,
    )
