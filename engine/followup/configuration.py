"""The starting configuration of a follow-up training, as the text of a YAML file with a header that accounts for it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine import __version__
from engine.errors import DataError
from engine.export.adapter import AdapterFacts, lora_modules, read_adapter
from engine.export.locate import ADAPTER_CONFIG, CheckpointFiles, CheckpointKind
from engine.followup.changes import Change, change_all
from engine.followup.wish import Origin, Wish
from engine.followup.yaml_text import YamlText, number_text, quoted
from engine.schema import LoraInfo
from engine.text import visible
from engine.training_config import find_training, read_training

_WIDTH = 110


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A starting configuration.

    Attributes:
        text: of the file.
        based_on: the configuration that it was made from; ``None`` where none was found.
        changes: what was changed in it; empty where there was none.
        by_hand: what is left to do, in sentences.
    """

    text: str
    based_on: Path | None
    changes: tuple[Change, ...]
    by_hand: tuple[str, ...]


def origin_of(
    run: str, checkpoint: str, files: CheckpointFiles | None, recorded: LoraInfo, evidence: Sequence[str] = ()
) -> Origin:
    """What is known of a checkpoint: what its own folder says, else what its run recorded.

    Args:
        run, checkpoint: their names.
        files: where it is, if that is known.
        recorded: what the run says of its LoRA.
        evidence: what speaks for the checkpoint.
    """
    is_adapter = files is not None and files.kind is CheckpointKind.ADAPTER
    weights = files.files[0] if files is not None else None
    said = read_adapter(weights.parent / ADAPTER_CONFIG) if is_adapter and weights else AdapterFacts()
    return Origin(
        run=run,
        checkpoint=checkpoint,
        evidence=tuple(evidence),
        weights=None if is_adapter or weights is None else weights.absolute(),
        modules=lora_modules(weights) if weights is not None else (),
        rank=said.rank if said.rank is not None else recorded.rank,
        # A file of weights does not say its alpha, and the trainings of one run may differ in it: the configuration
        # that lies with it decides.
        alpha=said.alpha if said.alpha is not None else (None if weights and not is_adapter else recorded.alpha),
        dropout=said.dropout if said.dropout is not None else recorded.dropout,
        target_modules=said.target_modules or tuple(recorded.target_modules or ()),
        learning_rate=recorded.learning_rate,
    )


def configuration(origin: Origin, wish: Wish, files: CheckpointFiles | None, training: Path | None) -> FollowUp:
    """The configuration that goes on gently from a checkpoint.

    Args:
        origin: the checkpoint.
        wish: what is wanted.
        files: where the checkpoint is, if that is known: the training's configuration is looked for there.
        training: the training's configuration, if it is named.

    Returns:
        Where there is a configuration, that one with nothing but the changes; else a short one of the keys that are
        known.

    Raises:
        DataError: the configuration cannot be read or has no ``lora`` section, or there are several; without one,
            neither the checkpoint nor its run says its LoRA settings.
        UsageError: the branches cannot be left out.
    """
    found = training if training is not None or files is None else find_training(files.files[0])
    if found is not None:
        read_training(found)  # the lora section is what the training takes it for, or that is said
        document = YamlText.read(found)
        outcome = change_all(document, wish, origin)
        body = document.render()
    else:
        document = YamlText(_short(origin), "the checkpoint's own settings")
        outcome = change_all(document, wish, origin)
        body = document.render()
    lines = _header(origin, found, outcome.changes, outcome.by_hand)
    header = "".join(line + document.line_end for line in lines)
    return FollowUp(header + body, found, tuple(outcome.changes), tuple(outcome.by_hand))


def _short(origin: Origin) -> str:
    """A configuration of the keys that are known, with the checkpoint's own settings.

    Raises:
        DataError: they are not known.
    """
    patterns = _patterns(origin)
    if origin.rank is None or origin.alpha is None or not patterns:
        raise DataError(
            f"neither {visible(origin.checkpoint)} nor its run says its LoRA settings, and no training configuration "
            "lies with it",
            "name the training's YAML with --training FILE, or the checkpoint's folder with --checkpoints DIR",
        )
    lines = ["lora:", "  enabled: true", f"  rank: {origin.rank}", f"  alpha: {number_text(origin.alpha)}"]
    lines += [f"  dropout: {number_text(origin.dropout)}"] if origin.dropout is not None else []
    lines += ["  target_modules:", *(f"    - {quoted(pattern)}" for pattern in patterns)]
    return "\n".join(lines) + "\n"


def _patterns(origin: Origin) -> tuple[str, ...]:
    """Patterns over full module names that mean the checkpoint's layers."""
    if origin.modules:
        return origin.modules
    # What has a wildcard, or only names a whole path, is one already; PEFT's ends of names are not.
    known = [name for name in origin.target_modules if name]
    if any(character in name for name in known for character in "*?["):
        return tuple(known)
    return tuple(f"*.{name}" for name in known)


def _header(origin: Origin, based_on: Path | None, changes: Sequence[Change], by_hand: Sequence[str]) -> Iterator[str]:
    yield f"# A starting configuration for a gentle follow-up training, written by lorascope {__version__}."
    yield f"# It goes on from {visible(origin.checkpoint)} of {visible(origin.run)}."
    for sentence in origin.evidence:
        yield from _wrapped(sentence, "# ")
    if based_on is not None:
        yield f"# Made from {visible(based_on.name)}, of which everything else is as it was."
    else:
        yield "# No configuration of the training was at hand: these are the checkpoint's own settings and no more."
    yield "#"
    yield "# Changed:"
    for change in changes:
        old = "(not there)" if change.old is None else change.old
        yield from _wrapped(f"{change.key}: {old} -> {change.new}  ({change.why})", "#   ")
    if not changes:
        yield "#   nothing"
    yield "#"
    yield "# To do by hand:"
    for sentence in by_hand:
        yield from _wrapped(sentence, "#   - ")
    yield "#"


def _wrapped(text: str, start: str) -> list[str]:
    return textwrap.wrap(
        visible(text),
        _WIDTH,
        initial_indent=start,
        subsequent_indent="#" + " " * (len(start) - 1),
        break_long_words=False,
        break_on_hyphens=False,
    )
