"""The text of a model card. Names and figures from outside are shown literally: they are never markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine import __version__
from engine.export.card_code import again, loading, loading_merged
from engine.export.card_facts import CardFacts
from engine.export.card_limits import limits
from engine.export.card_tables import cost_table, metric_table
from engine.export.escape import code_block, code_span, markdown_line
from engine.schema import Provenance

_ORIGINS = {
    Provenance.EVALUATED: "evaluated by lorascope",
    Provenance.IMPORTED: "imported from another system's results",
    Provenance.PUBLISHED: "as published",
    Provenance.SYNTHETIC: "evaluated by lorascope on synthetic data",
}
_LISTED = 24


def body(facts: CardFacts) -> str:
    """The card's Markdown, without the header.

    Args:
        facts: what is known of the checkpoint.
    """
    sections = (_opening, _model, _choice, _results, _evaluation, _limits, _cost, _loading, _reproducing)
    lines = [line for section in sections for line in section(facts)]
    lines += ["", f"This card was written by lorascope {__version__}; `selection.json` holds the same facts as data."]
    return "\n".join(lines) + "\n"


def _opening(facts: CardFacts) -> Iterator[str]:
    selection, about = facts.selection, facts.about
    model = f"the 3D geometry model {_line(about.model.name)}" if about.model.name else "a 3D geometry model"
    yield f"# Checkpoint {_line(selection.checkpoint)} of {_line(selection.run)}"
    yield ""
    yield f"A LoRA adapter for {model}: one checkpoint of a fine-tuning, its evaluation, and why it was chosen."


def _model(facts: CardFacts) -> Iterator[str]:
    about = facts.about
    yield from _title("Model")
    weights = f", weights {code_span(about.model.weights)}" if about.model.weights else ""
    yield f"- Base model: {_line(about.model.name) if about.model.name else 'not recorded'}{weights}"
    if about.model.weights_sha256:
        yield f"- SHA-256 of the base's tensors: {code_span(about.model.weights_sha256)}"
    yield f"- LoRA: {_recipe(facts)}"
    if facts.target_modules:
        shown = ", ".join(code_span(name) for name in facts.target_modules[:_LISTED])
        more = len(facts.target_modules) - _LISTED
        yield f"- LoRA on: {shown}{f' and {more} more' if more > 0 else ''}"
    if about.lora.learning_rate is not None:
        yield f"- Learning rate of the training: {about.lora.learning_rate:g}"
    for file in facts.files:
        yield f"- File {code_span(file.name)}: {file.bytes:,} bytes, SHA-256 `{file.sha256}`"
    if facts.kept is not None:
        yield f"- The README that lay beside the weights is {code_span(facts.kept)}."
    yield "- Licence: none is recorded. Those of the base model and of the training data may bind the adapter, too."


def _recipe(facts: CardFacts) -> str:
    said = [
        f"{word} {value:g}"
        for word, value in (("rank", facts.rank), ("alpha", facts.alpha), ("dropout", facts.dropout))
        if value is not None
    ]
    return ", ".join(said) or "its settings are not recorded"


def _choice(facts: CardFacts) -> Iterator[str]:
    selection = facts.selection
    yield from _title("Why this checkpoint")
    if selection.objective is None:
        yield "It was chosen by hand, by no ranking."
    else:
        yield f"The checkpoints were ranked by {code_span(selection.objective)}."
    if selection.where is not None:
        yield f"Only checkpoints for which {code_span(selection.where)} holds were considered:"
        yield f"{selection.rejected} of {selection.considered} were rejected."
    else:
        count = "One checkpoint was" if selection.considered == 1 else f"{selection.considered} checkpoints were"
        yield f"{count} considered, without a filter."


def _results(facts: CardFacts) -> Iterator[str]:
    yield from _title("Results")
    yield from metric_table(facts)


def _evaluation(facts: CardFacts) -> Iterator[str]:
    about = facts.about
    data, protocol, device = about.dataset, about.protocol, about.device
    yield from _title("Evaluation")
    yield f"- Figures: {_ORIGINS[about.provenance]}{f' ({_line(about.source)})' if about.source else ''}"
    yield from _facts(
        {
            "Dataset": data.name,
            "Split": data.split,
            "Sampling": data.sampling,
            "Windows at most": data.max_seqs,
            "Seed": data.seed,
            "Sample fingerprint": data.sample_fingerprint,
            "Protocol": protocol.name,
            "Alignment": protocol.align,
            "One alignment for each": protocol.align_scope,
            "Frames in a window": protocol.seq_len,
            "Frames from window to window": protocol.stride,
            "Images": protocol.prepare,
            "Image width in pixels": about.model.image_size,
            "Precision": device.dtype,
            "Device": device.name,
        }
    )
    if data.sample_fingerprint is None:
        yield "- Which frames were drawn is not recorded."
    for why, count in sorted(about.left_out.items()):
        yield f"- Left out: {count} ({_line(why)})"
    yield from (f"- Note of the run: {_line(note)}" for note in about.notes)


def _facts(values: Mapping[str, object]) -> Iterator[str]:
    for name, value in values.items():
        if value is not None:
            yield f"- {name}: {_line(str(value))}"


def _limits(facts: CardFacts) -> Iterator[str]:
    yield from _title("What the numbers do not say")
    yield from (f"- {sentence}" for sentence in limits(facts))


def _cost(facts: CardFacts) -> Iterator[str]:
    table = list(cost_table(facts))
    if not table:
        return
    cost, device = facts.about.cost, facts.about.device.name
    yield from _title("Cost")
    yield from table
    if cost is None or not facts.selection.costs:
        yield ""
        yield f"Recorded with the evaluation, not measured apart from it; device: {_line(device) or 'not recorded'}."
        return
    size = f"{cost.image_width} x {cost.image_height}" if cost.image_width and cost.image_height else "unknown size"
    yield ""
    where = f"{_line(cost.device or 'an unknown device')}, {_line(cost.dtype or '?')}"
    yield (
        f"Measured apart from the evaluation on {where}, {cost.frames} frames of {size} pixels, "
        f"{cost.repeats} passes after {cost.warmup} to warm up."
    )
    if cost.vram_note:
        yield f"No memory: {_line(cost.vram_note)}."


def _loading(facts: CardFacts) -> Iterator[str]:
    yield from _title("How to load it")
    code = loading(facts)
    if code is None:
        yield (
            "PEFT needs the LoRA rank, alpha and target layers that the training was configured with; neither the run "
            "nor the file records them."
        )
    else:
        yield "In the folder of this card, beside the base model's weights:"
        yield ""
        yield from code_block("python", code)
    if facts.merged is not None:
        yield ""
        yield (
            f"{code_span(facts.merged.file.name)} holds the base with this checkpoint merged into it, under the "
            f"base's own names ({facts.merged.file.bytes:,} bytes, SHA-256 `{facts.merged.file.sha256}`). "
            f"{_proof(facts.merged.facts)}"
        )
        yield ""
        yield from code_block("python", loading_merged(facts))


def _proof(merged: Mapping[str, object]) -> str:
    check = merged.get("check")
    if not isinstance(check, Mapping):
        return "It was not compared with the unmerged model."
    return (
        f"Read back from the disk, it gave the unmerged model's outputs within {check['max_difference']:.1e} of their "
        f"largest value ({check['tolerance']:g} is allowed), on {_line(str(check['input']))}, {check['precision']}, "
        f"{check['device']}; the checkpoint itself changes them by {check['effect']:.1e}."
    )


def _reproducing(facts: CardFacts) -> Iterator[str]:
    yield from _title("How to reproduce the numbers")
    commands = again(facts)
    if commands is None:
        yield "The figures were not computed by lorascope, which therefore knows no command that gives them again."
        return
    yield "With the data, the base weights and the checkpoints in the current folder:"
    yield ""
    yield from code_block("sh", commands)


def _title(text: str) -> Iterable[str]:
    return ("", f"## {text}", "")


def _line(text: str | None) -> str:
    return markdown_line(text or "")
