"""Outside text as LaTeX that compiles with plain pdflatex wherever its character has a command there."""

from __future__ import annotations

import unicodedata

from engine.text import visible

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: "\\" + character for character in "&%$#_{}"},
    # The default font encoding has other glyphs at these places.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    # After a row's end, * and [ would be read as arguments of \\.
    "*": "{*}",
    "[": "{[}",
    "]": "{]}",
}

_MATH = {
    "−": "-",
    "±": r"\pm",
    "×": r"\times",
    "÷": r"\div",
    "·": r"\cdot",
    "≈": r"\approx",
    "≠": r"\neq",
    "≤": r"\leq",
    "≥": r"\geq",
    "∞": r"\infty",
    "√": r"\surd",
    "∑": r"\sum",
    "∈": r"\in",
    "∅": r"\emptyset",
    "→": r"\rightarrow",
    "←": r"\leftarrow",
    "↑": r"\uparrow",
    "↓": r"\downarrow",
    "↔": r"\leftrightarrow",
    "⇒": r"\Rightarrow",
    "▲": r"\bigtriangleup",
    "▼": r"\bigtriangledown",
    "◆": r"\diamond",
    "●": r"\bullet",
    "★": r"\star",
    "°": r"^{\circ}",
    "¹": "^{1}",
    "²": "^{2}",
    "³": "^{3}",
    "⁰": "^{0}",
    **{chr(0x2070 + digit): f"^{{{digit}}}" for digit in range(4, 10)},
    **{chr(0x2080 + digit): f"_{{{digit}}}" for digit in range(10)},
    "µ": r"\mu",
}

_TEXT = {
    "\u00a0": "~",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "•": r"\textbullet{}",
    "§": r"\S{}",
    "¶": r"\P{}",
    "©": r"\copyright{}",
    "®": r"\textregistered{}",
    "™": r"\texttrademark{}",
    "£": r"\pounds{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "å": r"\aa{}",
    "Å": r"\AA{}",
    "¡": "!`",
    "¿": "?`",
}

# Greek letters that look like Latin ones have no command of their own.
_GREEK_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True))
_GREEK_SMALL = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu"),
    *("xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
)
_GREEK_CAPITAL = ("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega")

# Combining marks that the default font encoding can put on a letter.
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
}


def _greek() -> dict[str, str]:
    commands = {}
    for case, names in (("SMALL", _GREEK_SMALL), ("CAPITAL", _GREEK_CAPITAL)):
        for name in names:
            # Unicode spells the letter "lamda".
            spelling = "LAMDA" if name.lower() == "lambda" else name.upper()
            commands[unicodedata.lookup(f"GREEK {case} LETTER {spelling}")] = "\\" + name
    return commands


_COMMANDS = {
    **_SPECIAL,
    **_TEXT,
    **{character: rf"\ensuremath{{{command}}}" for character, command in {**_MATH, **_greek()}.items()},
    **{greek: rf"\ensuremath{{\mathrm{{{latin}}}}}" for greek, latin in _GREEK_LATIN.items()},
}
# Pairs that TeX's fonts join into one glyph.
_LIGATURES = {"-": "-{}", ",": ",{}"}


def latex_text(text: str) -> str:
    """``text`` for a LaTeX cell: one line, every special character escaped.

    Args:
        text: any text; control characters are made visible.

    Returns:
        LaTeX for pdflatex. Characters without a command there (other scripts, emoji) stay as they are:
        :func:`beyond_pdflatex` finds them.
    """
    # A letter and its mark may come apart (names from macOS): together they have a command.
    shown = unicodedata.normalize("NFC", visible(text))
    parts = []
    for index, character in enumerate(shown):
        if character in _LIGATURES and shown[index + 1 : index + 2] == character:
            parts.append(_LIGATURES[character])
        elif "␀" <= character <= "␡":
            # The control pictures of `visible` have no command; their names read the same.
            parts.append(rf"\textless{{}}{unicodedata.name(character).removeprefix('SYMBOL FOR ')}\textgreater{{}}")
        else:
            parts.append(_COMMANDS.get(character) or _accented(character) or character)
    return "".join(parts)


def _accented(character: str) -> str:
    decomposed = unicodedata.normalize("NFD", character)
    if len(decomposed) != 2 or not (decomposed[0].isascii() and decomposed[0].isalpha()):
        return ""
    accent = _ACCENTS.get(decomposed[1])
    if accent is None:
        return ""
    letter = decomposed[0]
    if letter in "ij" and accent != "c":
        letter = "\\" + letter
    return f"\\{accent}{{{letter}}}"


def beyond_pdflatex(latex: str) -> str:
    """The characters of ``latex`` that plain pdflatex cannot set, each once, sorted; empty where there are none."""
    return "".join(sorted({character for character in latex if not character.isascii()}))
