"""Sizes of images as they are written in options."""

from __future__ import annotations

import re

from engine.errors import UsageError
from engine.i18n import gettext as _


def read_size(text: str, example: str) -> tuple[int, int]:
    """Width and height of ``WxH``.

    Raises:
        UsageError: it is nothing like that.
    """
    match = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", text.strip())
    if match is None:
        said = _("--size {text} is no size").format(text=repr(text))
        raise UsageError(said, _("write for example {example}").format(example=example))
    return int(match[1]), int(match[2])
