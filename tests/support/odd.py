"""A language of odd letters, in which every text of ours can be told from what was forgotten."""

from __future__ import annotations

import gettext
import re

_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ODD = "àƀćďéƒğĥíĵķĺɱñóþɋŕšţúṽŵẋýžÀƁĆĎÉƑĞĤÍĴĶĹṀÑÓÞɊŔŠŢÚṼŴẊÝŽ"
_LETTERS = str.maketrans(_PLAIN, _ODD)
# Words that are no language's: names of data, metrics and keys, what is typed, and file names.
_NAMES = frozenset(
    [
        "lorascope",
        "left",
        "right",
        "up",
        "example",
        "alpha",
        "beta",
        "native",
        "street",
        "baseline",
        "score",
        "best",
        "checkpoint",
        "window",
        "frame",
        "mixed",
        "rich",
        "none",
        "scale",
        "median",
        "scale_shift",
        "oracle",
        "chance",
        "AbsRel",
        "RMSE",
        "MAE",
        "SILog",
        "SqRel",
        "log",
        "ATE",
        "RPE",
        "FPS",
        "RRA",
        "RTA",
        "AUC",
        "Pareto",
        "LoRA",
        "compat",
        "v1",
        "enter",
        "esc",
        "tab",
        "shift",
        "ctrl",
        "space",
        "CSV",
        "Parquet",
        "JSON",
        "Markdown",
        "LaTeX",
        "ASCII",
        "csv",
        "parquet",
        "json",
        "md",
        "tex",
        "GB",
        "MB",
        "std",
        "summary",
        "export",
        "exported",
    ]
)
# Paths, keys of metrics, names with numbers.
_DATA = re.compile(r"\S*[._/\\]\S*|\S*\d\S*|--\w+|\^p")


class Odd(gettext.NullTranslations):
    """Every text in letters of its own; places stay."""

    def gettext(self, message: str) -> str:
        """In odd letters."""
        return "".join(
            part if part[:1] == "{" else part.translate(_LETTERS) for part in re.split(r"(\{.*?\})", message)
        )

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Likewise."""
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        """Likewise."""
        return self.gettext(message)


def english(screen: str) -> set[str]:
    """The words in plain letters that are neither data nor names."""
    words = set(re.findall(r"[A-Za-z]{2,}", _DATA.sub(" ", screen)))
    return {word for word in words if not any(word in name for name in _NAMES)}  # an ellipsis cuts names, too
