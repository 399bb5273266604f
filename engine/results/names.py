"""Checkpoint names: their natural order, the step they tell, whether they mean the baseline, how to store them."""

from __future__ import annotations

import re

# Best first: where a run has several of them, the first is the baseline.
BASELINE_NAMES = ("baseline", "base", "pretrained")

_DIGITS = re.compile(r"([0-9]+)")
_FILE_ENDING = re.compile(r"\.(?:pt|pth|ckpt|bin|safetensors|json|tar)$")
# "k" after a number means thousands: step_500 comes before step_2k.
_NUMBER = r"[ _\-=]*([0-9]+)(k?)(?![0-9]|\.[0-9]|[a-z])"
# The finest counter first: in epoch=3-step=1200 the step orders the checkpoints, the epoch repeats.
_LABELLED = tuple(
    re.compile(rf"(?<![a-z]){label}{_NUMBER}")
    for label in ("(?:global[_-]?)?steps?", "iter(?:ation)?s?", "(?:checkpoint|ckpt)s?", "epochs?")
)
# A bare number counts at the end only, set off from what is before it: lora_34, but neither r16 nor 1e-05 nor 0.5.
_LAST = re.compile(r"(?:^|(?<![0-9]e)[_\-= ]|(?<![0-9])\.)([0-9]+)(k?)$")
_INT64_MAX = 2**63 - 1


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """A sort key under which numbers inside a text compare as numbers: ``run_2`` before ``run_10``.

    Letters compare without case; texts that differ in case or in leading zeros only keep one stable order.

    Args:
        text: any text, of any length.
    """
    parts = _DIGITS.split(text.casefold())
    key = [
        (len(part.lstrip("0")), part.lstrip("0")) if index % 2 else (0, part)  # odd places are the digits
        for index, part in enumerate(parts)
    ]
    return (*key, (0, text))


def step_of(name: str) -> int | None:
    """The number that a checkpoint's name tells, to order checkpoints in training order.

    A number with a label wins, the finest counter first: step, iteration, checkpoint, epoch
    (``epoch=3-step=1200`` -> 1200). Otherwise a number at the end counts if something sets it off (``lora_34`` -> 34).
    A trailing ``k`` means thousands. ``lora_final``, ``checkpoint.pt``, ``lora_r16`` and ``lr_1e-05`` tell none.

    Returns:
        0 to 2**63 - 1, or ``None``.
    """
    stem = _FILE_ENDING.sub("", name.lower())
    match = next((found for pattern in _LABELLED if (found := pattern.search(stem))), None) or _LAST.search(stem)
    if match is None or len(match[1]) > 19:
        return None
    step = int(match[1]) * (1000 if match[2] else 1)
    return step if step <= _INT64_MAX else None


def baseline_among(names: list[str]) -> str | None:
    """The name among ``names`` that means the model before fine-tuning, or ``None``.

    Known are :data:`BASELINE_NAMES`, in any case and with or without a checkpoint's file ending.
    """
    plain = {_FILE_ENDING.sub("", name.lower()): name for name in reversed(names)}
    return next((plain[known] for known in BASELINE_NAMES if known in plain), None)


def storable(text: str) -> str:
    """``text`` as valid Unicode: what came from undecodable bytes or lone surrogates is written as an escape.

    Tables hold UTF-8; a file name or a JSON string can hold more than that. Everything else stays as it is.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        pass
    else:
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()


def unique_name(name: str, taken: set[str]) -> str:
    """``name``, or ``name #2``, ``name #3`` and so on where it is taken; the result is added to ``taken``."""
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name} #{number}"
    taken.add(unique)
    return unique
