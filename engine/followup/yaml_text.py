"""A YAML file as text in which values are replaced, while everything else stays as it is, comments included.

The places of values come from PyYAML's own node tree; the new text is spliced in there, and read again at the end:
what was not meant to change must not have changed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from engine.errors import DataError
from engine.text import visible

# A key of a mapping, or an index of a sequence.
Place = tuple[str | int, ...]

# Far beyond any configuration; aliases of aliases can make a small file mean billions of values.
_MOST_VALUES = 100_000
_PLAIN = re.compile(r"[A-Za-z_](?:[\w.*?!/\[\]-]*[\w.*?!/\]-])?", re.ASCII)
_INTERPOLATION = re.compile(r"\$\{")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value that is no collection.

    Attributes:
        path: keys and indices that lead to it.
        value: its text, without quotes.
        quoted: whether it was written in quotes, or as a block.
    """

    path: Place
    value: str
    quoted: bool

    @property
    def key(self) -> str:
        """The last key on the way to it."""
        return next((step for step in reversed(self.path) if isinstance(step, str)), "")

    @property
    def name(self) -> str:
        """The path in one word: ``optim.options.lr[0].value``."""
        return dotted(self.path)

    @property
    def number(self) -> float | None:
        """Its value where it is a finite number that was written without quotes (``1e-4`` counts as one)."""
        if self.quoted:
            return None
        try:
            found = float(self.value)
        except ValueError:
            return None
        return found if math.isfinite(found) and "_" not in self.value else None

    @property
    def is_reference(self) -> bool:
        """Whether it stands for another value of the configuration (``${optim.base_lr}``)."""
        return _INTERPOLATION.search(self.value) is not None


class YamlText:
    """The text of a YAML file and the edits to it.

    Args:
        text: one document whose root is a mapping.
        where: what to call it in messages.

    Raises:
        DataError: it is no such document.
    """

    def __init__(self, text: str, where: str) -> None:
        self._text = text.removeprefix("\ufeff")
        self._where = where
        self._root = self._compose(self._text)
        self._scalars = self._flatten(self._root)
        self._wanted = {scalar.path: scalar.value for scalar in self._scalars}
        self._edits: dict[tuple[int, int], str] = {}

    @classmethod
    def read(cls, path: Path) -> YamlText:
        """The file at ``path``.

        Raises:
            DataError: it cannot be read, or is no such document.
        """
        shown = visible(str(path))
        try:
            # Not as text: line ends stay what they are.
            text = path.read_bytes().decode()
        except OSError as error:
            raise DataError(f"{shown}: {error.strerror}", "check the path") from None
        except UnicodeDecodeError:
            raise DataError(f"{shown} is no text in UTF-8", "convert it") from None
        return cls(text, shown)

    @property
    def scalars(self) -> tuple[Scalar, ...]:
        """All values of the file as it was read, in its order."""
        return self._scalars

    @property
    def line_end(self) -> str:
        """What ends a line of the file."""
        return "\r\n" if "\r\n" in self._text else "\n"

    def get(self, path: Place) -> Scalar | None:
        """The value at a path, where there is one that is no collection."""
        return next((scalar for scalar in self._scalars if scalar.path == path), None)

    def replace(self, path: Place, text: str) -> None:
        """Replace a value.

        Args:
            path: of a value that is there.
            text: the new one, as it is to be written.
        """
        node = self._node(path)
        self._edits[self._span(node)] = text
        self._wanted[path] = yaml.compose(text, Loader=yaml.SafeLoader).value

    def replace_items(self, path: Place, items: Sequence[Sequence[str]]) -> None:
        """Replace the items of a list of texts, each by none, itself, or several.

        Args:
            path: of the list, or of a single text in its place.
            items: for each item what takes its place; not all of them nothing.
        """
        node = self._node(path)
        new = [item for group in items for item in group]
        self._wanted = {at: value for at, value in self._wanted.items() if at[: len(path)] != path}
        self._wanted.update({(*path, index): item for index, item in enumerate(new)})
        if not isinstance(node, yaml.SequenceNode) or node.flow_style:
            self._edits[self._span(node)] = "[" + ", ".join(map(quoted, new)) + "]"
            return
        indent = self.line_end + " " * node.start_mark.column + "- "
        for item, group in zip(node.value, items, strict=True):
            if list(group) == [item.value]:
                continue
            if group:
                write = plain if item.style is None else quoted
                self._edits[self._span(item)] = indent.join(map(write, group))
            else:
                self._edits[self._lines(item)] = ""

    def append(self, key: str, text: str) -> None:
        """Add a value at the top level, at the end of the file.

        Args:
            key: one that is not there.
            text: the value, as it is to be written.
        """
        self._wanted[(key,)] = yaml.compose(text, Loader=yaml.SafeLoader).value
        if self._root.flow_style:
            at = self._root.end_mark.index - 1
            comma = ", " if self._root.value else ""
            self._edits[(at, at)] = f"{comma}{quoted(key)}: {text}"
        else:
            at = len(self._text)
            start = "" if self._text.endswith("\n") else self.line_end
            self._edits[(at, at)] = f"{start}{' ' * self._root.start_mark.column}{key}: {text}{self.line_end}"

    def render(self) -> str:
        """The text with all edits.

        Raises:
            DataError: something else would change with them, e.g. what a value shares with another by an alias.
        """
        text = self._text
        for (start, end), new in sorted(self._edits.items(), reverse=True):
            text = text[:start] + new + text[end:]
        found = {scalar.path: scalar.value for scalar in self._flatten(self._compose(text))}
        different = [path for path in {**found, **self._wanted} if found.get(path) != self._wanted.get(path)]
        if different:
            raise DataError(
                f"{self._where}: {dotted(different[0])} would change, too, or cannot be changed alone",
                "write it out without aliases",
            )
        return text

    def _compose(self, text: str) -> yaml.MappingNode:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            reason = visible(str(error).partition("\n")[0])
            raise DataError(f"{self._where} is no valid YAML ({reason})", "fix it") from None
        if not isinstance(root, yaml.MappingNode):
            raise DataError(f"{self._where} holds no settings", "name the training's configuration")
        return root

    def _flatten(self, root: yaml.Node) -> tuple[Scalar, ...]:
        found: list[Scalar] = []
        try:
            for scalar in _values(root, ()):
                found.append(scalar)
                if len(found) > _MOST_VALUES:
                    raise RecursionError
        except RecursionError:
            raise DataError(f"{self._where} holds too many values", "write it without nested aliases") from None
        return tuple({scalar.path: scalar for scalar in found}.values())

    def _node(self, path: Place) -> yaml.Node:
        node: yaml.Node = self._root
        for step in path:
            if isinstance(step, int):
                node = node.value[step]
            else:
                # Of a key that is there twice, the last one counts.
                node = next(value for key, value in reversed(node.value) if key.value == step)
        return node

    def _span(self, node: yaml.Node) -> tuple[int, int]:
        """Where a node's own text is, without the anchor or tag before it."""
        start, end = node.start_mark.index, node.end_mark.index
        if isinstance(node, yaml.ScalarNode) and node.style is None and self._text[start:end].endswith(node.value):
            start = end - len(node.value)
        if isinstance(node, yaml.SequenceNode):
            start = self._text.index("[", start)
        return start, end

    def _lines(self, node: yaml.Node) -> tuple[int, int]:
        """Where the lines are that hold a node, with their end."""
        start = self._text.rfind("\n", 0, node.start_mark.index) + 1
        end = self._text.find("\n", node.end_mark.index)
        return start, len(self._text) if end < 0 else end + 1


def _values(node: yaml.Node, path: Place) -> Iterator[Scalar]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _values(value, (*path, key.value if isinstance(key, yaml.ScalarNode) else "?"))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _values(value, (*path, index))
    else:
        yield Scalar(path, node.value, node.style is not None)


def dotted(path: Place) -> str:
    """A path in one word, made visible: ``optim.options.lr[0].value``."""
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return visible(words.removeprefix("."))


def quoted(text: str) -> str:
    """``text`` as a YAML string in double quotes."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(c if visible(c) == c else f"\\U{ord(c):08x}" for c in written)


def plain(text: str) -> str:
    """``text`` as a YAML string of a block, in quotes where it needs them."""
    return text if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS else quoted(text)


# What YAML takes for a truth value or for nothing.
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def number_text(value: float) -> str:
    """A number as every YAML reader takes it for one: an exponent only after a decimal point (``2.0e-05``).

    Twelve significant digits, so that a product shows no binary dust; a whole number has no point.
    """
    if value == int(value) and abs(value) < 1e12:
        return str(int(value))
    mantissa, _, exponent = f"{value:.12g}".partition("e")
    if not exponent:
        return mantissa
    return f"{mantissa}{'' if '.' in mantissa else '.0'}e{exponent}"
