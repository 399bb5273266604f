"""What a gentle follow-up changes in a training's configuration, and what is left to be set by hand.

Keys are those of the training code: ``max_epochs``, the ``lora`` section, and whatever is called ``lr`` or
``learning_rate``, schedules below such a key included. No key is made up: what is not found is said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.errors import DataError
from engine.followup.branches import is_frozen, narrow, uncovered
from engine.followup.wish import Origin, Wish
from engine.followup.yaml_text import Place, Scalar, YamlText, dotted, number_text, quoted
from engine.text import listed, visible

EPOCHS = "max_epochs"
_RATES = ("lr", "learning_rate")
# Of schedules below such a key, in the words of fvcore, which the training code takes them from.
_RATE_VALUES = ("value", "values", "start_value", "end_value", "base_value")
# What schedules hold beside rates, in the same words.
_NO_RATES = ("lengths", "milestones", "num_updates", "num_epochs")
_RATE_LIKE = re.compile(r"(?:^|_)(?:lr|learning_rate)(?:_|$)", re.IGNORECASE)
_STARTS = (
    "resume_checkpoint_path", "resume_from_checkpoint", "resume_from", "resume_path", "init_checkpoint_path",
    "init_checkpoint", "init_from", "pretrained_checkpoint", "pretrained_path", "load_from", "checkpoint_path",
    "ckpt_path",
)  # fmt: skip
_OUTPUTS = ("exp_name", "run_name", "save_dir", "log_dir", "output_dir", "work_dir")
_FREQUENCIES = ("save_freq", "save_every", "val_epoch_freq")


@dataclass(frozen=True, slots=True)
class Change:
    """A value that was changed.

    Attributes:
        key: where it is.
        old: what it was; ``None`` where it was not there.
        new: what it is.
        why: in a few words.
    """

    key: str
    old: str | None
    new: str
    why: str


@dataclass
class Outcome:
    """What was done, and what is left to do by hand, in sentences."""

    changes: list[Change] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)


def change_all(document: YamlText, wish: Wish, origin: Origin) -> Outcome:
    """Make the changes in a training's configuration.

    Args:
        document: the configuration; it has a ``lora`` section.
        wish: what is wanted.
        origin: the checkpoint.

    Raises:
        UsageError: the branches cannot be left out.
        DataError: a value is not what it should be.
    """
    outcome = Outcome()
    _epochs(document, wish, outcome)
    _alpha(document, wish, origin, outcome)
    _rates(document, wish, origin, outcome)
    _targets(document, wish, origin, outcome)
    _start(document, wish, origin, outcome)
    _outputs(document, wish, outcome)
    return outcome


def _epochs(document: YamlText, wish: Wish, outcome: Outcome) -> None:
    why = "a few epochs to settle, not a new training"
    found = [scalar for scalar in document.scalars if scalar.path[-1] == EPOCHS]
    top = [scalar for scalar in found if len(scalar.path) == 1]
    chosen = (top or found)[:1] if top or len(found) == 1 else []
    new = str(wish.epochs)
    if chosen:
        document.replace(chosen[0].path, new)
        _note(outcome, chosen[0].name, chosen[0].value, new, why)
    elif found:
        names = listed(scalar.name for scalar in found)
        outcome.by_hand.append(f"{EPOCHS} is there more than once ({names}): set the right one to {new}.")
    else:
        document.append(EPOCHS, new)
        outcome.changes.append(Change(EPOCHS, None, new, why))


def _alpha(document: YamlText, wish: Wish, origin: Origin, outcome: Outcome) -> None:
    place: Place = ("lora", "alpha")
    written = document.get(place)
    if written is None or written.number is None:
        raise DataError("lora.alpha is no number", "write it out in the training's configuration")
    old = written.number
    if origin.alpha is not None and not math.isclose(old, origin.alpha):
        outcome.by_hand.append(
            f"lora.alpha was {written.value} in the configuration, but the checkpoint has {origin.alpha:g}: "
            f"the new value is {wish.alpha_factor:g} times the checkpoint's."
        )
        old = origin.alpha
    rank = document.get(("lora", "rank"))
    if rank is not None and origin.rank is not None and rank.number != origin.rank:
        outcome.by_hand.append(
            f"lora.rank is {visible(rank.value)} in the configuration, but the checkpoint has {origin.rank}: its LoRA "
            "tensors do not fit until both are the same."
        )
    new = number_text(old * wish.alpha_factor)
    if new != written.value:
        document.replace(place, new)
        _note(outcome, "lora.alpha", written.value, new, f"x {wish.alpha_factor:g}: smaller updates")
    if wish.alpha_factor != 1:
        outcome.by_hand.append(
            "LoRA's update is scaled by alpha / rank. A training that goes on from the checkpoint's own LoRA tensors "
            f"begins with {wish.alpha_factor:g} times the checkpoint's update, which is another model. To begin where "
            "the checkpoint is, begin from merged weights with new LoRA tensors, or multiply the checkpoint's lora_B "
            f"tensors by {1 / wish.alpha_factor:.6g}."
        )


def _rates(document: YamlText, wish: Wish, origin: Origin, outcome: Outcome) -> None:
    found = list(_learning_rates(document))
    for scalar in found:
        number = scalar.number or 0.0
        new = number_text(number * wish.lr_factor)
        if number_text(number) != new:
            document.replace(scalar.path, new)
            _note(outcome, scalar.name, scalar.value, new, f"x {wish.lr_factor:g}: small steps")
    known, left = {scalar.path for scalar in found}, []
    for scalar in document.scalars:
        named = scalar.key.casefold() in _RATES
        if scalar.path in known or not (named or _is_below_rate(scalar) or _RATE_LIKE.search(scalar.key)):
            continue
        if scalar.is_reference or (scalar.quoted and named):
            outcome.by_hand.append(
                f"{scalar.name} is {visible(scalar.value)}: see that it becomes {wish.lr_factor:g} times what it was."
            )
        elif scalar.number is not None and scalar.key not in _NO_RATES:
            left.append(f"{scalar.name} ({scalar.value})")
    if left:
        outcome.by_hand.append(f"Left as they are, though they may belong to a learning rate: {', '.join(left)}.")
    if not found:
        outcome.by_hand.append(_no_rate(wish, origin, any(s.path[0] == "defaults" for s in document.scalars)))


def _no_rate(wish: Wish, origin: Origin, composed: bool) -> str:
    known = ""
    if origin.learning_rate is not None:
        new = number_text(origin.learning_rate * wish.lr_factor)
        known = f" The run records {origin.learning_rate:g}: make it {new}."
    other = " It may be in a file that defaults names." if composed else ""
    return (
        f"No learning rate was found (no number called {' or '.join(_RATES)}): where the training has it, make it "
        f"{wish.lr_factor:g} times what it was.{known}{other}"
    )


def _learning_rates(document: YamlText) -> Iterator[Scalar]:
    for scalar in document.scalars:
        # A number of that name, in a list of that name, or a value of a schedule below it.
        if scalar.number is not None and (
            scalar.key.casefold() in _RATES or (_is_below_rate(scalar) and scalar.key in _RATE_VALUES)
        ):
            yield scalar


def _is_below_rate(scalar: Scalar) -> bool:
    """Whether a value is inside something that is called a learning rate."""
    return any(isinstance(step, str) and step.casefold() in _RATES for step in scalar.path[:-1])


def _targets(document: YamlText, wish: Wish, origin: Origin, outcome: Outcome) -> None:
    place: Place = ("lora", "target_modules")
    single = document.get(place)
    items = [single] if single else [s for s in document.scalars if s.path[:-1] == place]
    patterns = [scalar.value for scalar in items]
    without = uncovered(patterns, origin.modules)
    if without:
        outcome.by_hand.append(
            f"The checkpoint has LoRA on layers that no target means ({without}): is this its training's configuration?"
        )
    if not wish.freeze:
        return
    new = narrow(patterns, wish.freeze, origin.modules)
    document.replace_items(place, new)
    frozen = " and ".join(wish.freeze)
    for pattern, group in zip(patterns, new, strict=True):
        if group != [pattern]:
            shown = ", ".join(map(visible, group)) or "(left out)"
            _note(outcome, dotted(place), pattern, shown, f"without {frozen}")
    count = sum(is_frozen(module, wish.freeze) for module in origin.modules)
    of = f"{count} of the checkpoint's {len(origin.modules)} layers" if origin.modules else f"The layers of {frozen}"
    outcome.by_hand.append(
        f"{of} are left out of LoRA, and so frozen as the starting weights have them: what the checkpoint learned "
        "there is kept only where the training begins from merged weights."
    )


def _start(document: YamlText, wish: Wish, origin: Origin, outcome: Outcome) -> None:
    found = [s for s in document.scalars if s.path[-1] == s.key and s.key.casefold() in _STARTS]
    start = wish.start
    if start is None and not wish.freeze:
        start = origin.weights
    shown = visible(str(start)) if start is not None else "the starting weights"
    if len(found) == 1 and start is not None:
        document.replace(found[0].path, quoted(str(start)))
        _note(outcome, found[0].name, found[0].value, shown, "where it begins")
    elif found:
        names = ", ".join(f"{s.name} ({visible(s.value)})" for s in found)
        outcome.by_hand.append(f"{names}: left as it is; name {shown} where the training is to begin from.")
    else:
        outcome.by_hand.append(
            f"No key was found that names where the training begins (such as {_STARTS[0]}): give it {shown}."
        )
    if wish.freeze or wish.alpha_factor != 1:
        outcome.by_hand.append(
            f"Merged weights are written by: {origin.merge_command}. A trainer that reads .pt files wants them as "
            "torch.save({'model': safetensors.torch.load_file('model.safetensors')}, 'start.pt')."
        )
    outcome.by_hand.append(
        f"Where the trainer restores its optimizer from the checkpoint, the old learning rate may come back with it; "
        f"where it restores its epoch, {EPOCHS} counts from there."
    )


def _outputs(document: YamlText, wish: Wish, outcome: Outcome) -> None:
    named = [s for s in document.scalars if s.path[-1] == s.key and s.key.casefold() in _OUTPUTS]
    if named:
        shown = ", ".join(f"{s.name} ({visible(s.value)})" for s in named)
        outcome.by_hand.append(f"Names and folders are still those of the old training: {shown}.")
    for scalar in document.scalars:
        if scalar.key.casefold() in _FREQUENCIES and (scalar.number or 0) > wish.epochs:
            outcome.by_hand.append(f"{scalar.name} is {scalar.value}, more than there are epochs.")


def _note(outcome: Outcome, key: str, old: str, new: str, why: str) -> None:
    if old != new:
        outcome.changes.append(Change(visible(key), visible(old), new, why))
