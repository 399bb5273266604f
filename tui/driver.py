"""Fewer bytes to the terminal: a driver that sends only the style attributes that change from run to run.

Textual writes every run of equal style with all of its attributes and a reset behind it. In a coloured table that is
more than the text itself, and over SSH it is what one waits for.
"""

from __future__ import annotations

import re
from functools import lru_cache

from textual.driver import Driver

# A state of the terminal's pen: attributes, foreground and background as SGR parameters ("" is the default colour).
_Pen = tuple[frozenset[str], str, str]

_RESET: _Pen = (frozenset(), "", "")
_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_MOVES = re.compile(r"(?:\x1b\[\d+;\d+H|\n)+")  # these paint nothing, so the pen does not matter to them
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "8": "28", "9": "29"}


def lean(driver_class: type[Driver]) -> type[Driver]:
    """The driver class with `lean_sgr` before its output; for `App.get_driver_class`."""

    class LeanDriver(driver_class):  # type: ignore[misc, valid-type]  # the base is chosen at run time
        def write(self, data: str) -> None:
            """Write with fewer style sequences."""
            super().write(lean_sgr(data))

    return LeanDriver


def lean_sgr(data: str) -> str:
    """The same picture in fewer bytes.

    Args:
        data: terminal output; text, and sequences of any kind.

    Returns:
        The output with every SGR sequence replaced by the shortest change of the pen from one printed text to the
        next. It starts from an unknown pen and ends with a reset one. Output that does not end with a reset pen, or
        uses attributes that are not known here, is returned as it came.
    """
    if "\x1b[0m" not in data:
        return data
    out: list[str] = []
    # With one group the split alternates between text and SGR parameters.
    parts = _SGR.split(data)
    pen: _Pen | None = None
    wanted = _RESET
    for index, part in enumerate(parts):
        if index % 2:
            found = _parse(part, wanted)
            if found is None:
                return data
            wanted = found
        elif part:
            moves = _MOVES.match(part)
            if moves:
                out.append(moves[0])
                part = part[moves.end() :]
            if part:
                if pen != wanted:
                    out.append(_change(pen, wanted))
                    pen = wanted
                out.append(part)
    if wanted != _RESET:
        return data
    if pen != _RESET:
        out.append("\x1b[0m")
    return "".join(out)


@lru_cache(maxsize=4096)
def _parse(parameters: str, pen: _Pen) -> _Pen | None:
    """The pen after an SGR sequence, or ``None`` where a parameter is not known."""
    attributes, foreground, background = pen
    codes = iter(parameters.split(";"))
    for code in codes:
        if code in ("", "0"):
            attributes, foreground, background = _RESET
        elif code in _OFF:
            attributes |= {code}
        elif code in ("38", "48"):
            kind = next(codes, "")
            values = [next(codes, "") for _ in range({"5": 1, "2": 3}.get(kind, 0))]
            if not values or "" in values:
                return None
            colour = ";".join((code, kind, *values))
            if code == "38":
                foreground = colour
            else:
                background = colour
        elif len(code) == 2 and code[0] in "39" and code[1] in "01234567":
            foreground = code
        elif (len(code) == 2 and code[0] == "4" and code[1] in "01234567") or (len(code) == 3 and code[:2] == "10"):
            background = code
        elif code == "39":
            foreground = ""
        elif code == "49":
            background = ""
        else:
            return None
    return attributes, foreground, background


@lru_cache(maxsize=4096)
def _change(old: _Pen | None, new: _Pen) -> str:
    """The shortest SGR sequence from one pen to the other; from an unknown pen it starts with a reset."""
    attributes, foreground, background = new
    whole = ["0", *sorted(attributes), *filter(None, (foreground, background))]
    from_reset = f"\x1b[{';'.join(whole)}m"
    if old is None:
        return from_reset
    gone = old[0] - attributes
    codes = sorted({_OFF[attribute] for attribute in gone})
    kept = old[0] & attributes
    # 22 ends bold and faint together.
    lost = {attribute for attribute in kept if _OFF[attribute] in codes}
    codes += sorted(attributes - old[0] | lost)
    if foreground != old[1]:
        codes.append(foreground or "39")
    if background != old[2]:
        codes.append(background or "49")
    step = f"\x1b[{';'.join(codes)}m"
    return min(step, from_reset, key=len)
