"""The small pictures that an evaluation keeps of a few frames: which there are, and what they show."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import DataError
from engine.i18n import gettext as _
from engine.i18n import mark
from engine.results.layout import PANELS_TEXT, PREVIEWS, UNNAMED_PANELS
from engine.text import safe_name, visible

if TYPE_CHECKING:
    from PIL.Image import Image

_NAME = re.compile(r"w(\d{1,18})-(\d{1,18})\.png")
# Far beyond what is ever written; a file that claims more would fill the memory.
_LARGEST_SIDE = 4096
_REMEDY = mark("evaluate the checkpoint again to have it drawn anew")

Rgb = tuple[int, int, int]


@dataclass(frozen=True, order=True, slots=True)
class PictureRef:
    """A picture that is there: of which frame of which window."""

    window: int
    frame: int
    path: Path


@dataclass(frozen=True, eq=False)
class Panel:
    """One of the images that a picture is made of.

    Attributes:
        title: what it shows; outside text.
        image: RGB, 8 bits.
    """

    title: str
    image: Image

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = self.image.size
        return width, height

    def scaled(self, width: int, height: int) -> list[list[Rgb]]:
        """The image at another size, each pixel the mean of those that it stands for: ``height`` rows of ``width``."""
        from PIL.Image import Resampling

        data = self.image.resize((width, height), Resampling.BOX).tobytes()
        pixels = [(data[at], data[at + 1], data[at + 2]) for at in range(0, len(data), 3)]
        return [pixels[row * width : (row + 1) * width] for row in range(height)]


def find_pictures(run: Path, checkpoint: str) -> list[PictureRef]:
    """The pictures of a checkpoint, by window and frame; none where there are none."""
    folder = run / PREVIEWS / safe_name(checkpoint)
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return []
    matches = [found for name in names if (found := _NAME.fullmatch(name))]
    return sorted(PictureRef(int(found[1]), int(found[2]), folder / found[0]) for found in matches)


def read_picture(path: Path) -> tuple[Panel, ...]:
    """The panels of a picture, from the top.

    Raises:
        DataError: it is no PNG, damaged, or larger than any that is written.
    """
    from PIL import Image

    name = visible("/".join(path.parts[-3:]))
    try:
        with path.open("rb") as file:
            # The header says the size before anything is unpacked.
            width, height = struct.unpack(">II", file.read(24)[16:])
        if max(width, height) > _LARGEST_SIDE:
            said = _("{file}: {width} x {height} pixels is no small picture")
            raise DataError(said.format(file=name, width=width, height=height), _(_REMEDY))
        if min(width, height) < 1:
            raise ValueError("no pixels")
        with Image.open(path, formats=["PNG"]) as picture:
            titles = _titles(picture.info.get(PANELS_TEXT), height)
            whole = picture.convert("RGB")
    except FileNotFoundError as error:
        raise DataError(_("{file}: is gone").format(file=name), _(_REMEDY)) from error
    # Pillow raises SyntaxError for broken chunks and ValueError for wrong headers.
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise DataError(_("{file}: is no readable PNG").format(file=name), _(_REMEDY)) from error
    each = height // len(titles)
    return tuple(
        Panel(title, whole.crop((0, index * each, width, (index + 1) * each))) for index, title in enumerate(titles)
    )


def _titles(text: object, height: int) -> Sequence[str]:
    """What the panels are, by the picture's own word where that can be."""
    if isinstance(text, str) and text:
        titles = text.split("\n")
        if height % len(titles) == 0:
            return titles
    return UNNAMED_PANELS if height % len(UNNAMED_PANELS) == 0 else (mark("picture"),)
