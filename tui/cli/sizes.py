"""Sizes of images as they are written in options."""

from __future__ import annotations

import re

from engine.errors import UsageError


def read_size(text: str, example: str) -> tuple[int, int]:
    """Width and height of ``WxH``.

    Raises:
        UsageError: it is nothing like that.
    """
    match = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", text.strip())
    if match is None:
        raise UsageError(f"--size {text!r} is no size", f"write for example {example}")
    return int(match[1]), int(match[2])
