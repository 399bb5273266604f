"""Images in character cells: two pixels in each, one above the other, or a ramp of ASCII. Textual-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.results.pictures import Rgb

UPPER_HALF = "▀"
# From dark to bright, on a dark ground.
RAMP = " .:-=+*#%@"
_GAP = 2
# Pixels of 8 by 8 by 8 levels look the same in cells of this size; equal neighbours are sent once.
_STEP = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image goes: cells from the left and the top, its size in cells; a caption stands in the row above it."""

    left: int
    top: int
    width: int
    height: int


def arrange(sizes: Sequence[tuple[int, int]], width: int, height: int, *, together: bool) -> list[Place]:
    """Places for images, as large as they can be, never larger than one pixel to a cell's width.

    Args:
        sizes: width and height in pixels of each.
        width: cells in a row.
        height: rows in sight.
        together: whether all are in sight at once, side by side where that makes them larger; else each has the whole
            width, one below the other.

    Returns:
        A place for each, in order; none where there is no room at all.
    """
    if not sizes or width < 1 or height < 2:
        return []
    if not together:
        return _stack(sizes, [min(width, size[0]) for size in sizes], 1, width)
    found = [_columns(sizes, width, height, count) for count in range(1, len(sizes) + 1)]
    return max(found, key=lambda places: places[0].width)


def _columns(sizes: Sequence[tuple[int, int]], width: int, height: int, count: int) -> list[Place]:
    lines = -(-len(sizes) // count)
    room = max(1, (width - _GAP * (count - 1)) // count)
    rows = max(1, height // lines - 1)
    wide = [max(1, min(room, w, 2 * rows * w // h)) for w, h in sizes]
    return _stack(sizes, [min(wide)] * len(sizes), count, width)


def _stack(sizes: Sequence[tuple[int, int]], widths: Sequence[int], count: int, width: int) -> list[Place]:
    places: list[Place] = []
    top = 0
    for first in range(0, len(sizes), count):
        line = range(first, min(first + count, len(sizes)))
        heights = [max(1, (_pixels(sizes[index], widths[index]) + 1) // 2) for index in line]
        left = 0
        for index, rows in zip(line, heights, strict=True):
            places.append(Place(left, top + 1, widths[index], rows))
            left += max(widths[index], (width + _GAP) // count - _GAP) + _GAP
        top += 1 + max(heights)
    return places


def _pixels(size: tuple[int, int], width: int) -> int:
    return max(1, round(size[1] * width / size[0]))


def pixel_rows(place: Place, size: tuple[int, int]) -> int:
    """How many rows of pixels an image of that size has in its place: twice its cells, or one less."""
    return min(_pixels(size, place.width), 2 * place.height)


def halves(pixels: Sequence[Sequence[Rgb]], *, grey: bool = False) -> list[list[tuple[Rgb, Rgb | None]]]:
    """Rows of cells, each with the colours of its upper and its lower half; ``None`` below an odd last row.

    Args:
        pixels: rows of RGB, 0 to 255.
        grey: luminance alone.
    """
    shown = [[_grey(pixel) if grey else _level(pixel) for pixel in row] for row in pixels]
    cells: list[list[tuple[Rgb, Rgb | None]]] = []
    for top in range(0, len(shown), 2):
        lower: Sequence[Rgb | None] = shown[top + 1] if top + 1 < len(shown) else [None] * len(shown[top])
        cells.append(list(zip(shown[top], lower, strict=True)))
    return cells


def ramp(pixels: Sequence[Sequence[Rgb]], *, light: bool = False) -> list[str]:
    """Lines of ASCII, each character as bright as the two pixels that it stands for.

    Args:
        pixels: rows of RGB, 0 to 255.
        light: for a light ground, where ink is dark.
    """
    signs = RAMP[::-1] if light else RAMP
    lines = []
    for top in range(0, len(pixels), 2):
        pair = pixels[top : top + 2]
        means = [sum(map(luma, column)) / len(column) for column in zip(*pair, strict=True)]
        lines.append("".join(signs[min(int(mean * len(signs) / 256), len(signs) - 1)] for mean in means))
    return lines


def luma(pixel: Rgb) -> float:
    """Brightness of an RGB pixel, 0 to 255, by the weights of ITU-R BT.601."""
    return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]


def _level(pixel: Rgb) -> Rgb:
    red, green, blue = (min(value // _STEP * _STEP + _STEP // 2, 255) if value else 0 for value in pixel)
    return red, green, blue


def _grey(pixel: Rgb) -> Rgb:
    value = int(luma(pixel)) // _STEP * _STEP
    return value, value, value
