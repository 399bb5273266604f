"""Where a command's answer goes and in which form: a table on the terminal, a document, or a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ExportError, UsageError
from engine.i18n import activate
from engine.i18n import gettext as _
from engine.text import visible

if TYPE_CHECKING:
    import polars as pl

    from engine.export.tables import TableFormat
    from tui.cli.screen import Screen


class OutputFormat(StrEnum):
    """The forms that ``--format`` takes."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    LATEX = "latex"


@dataclass(frozen=True)
class FlatTable:
    """A table with one row per line and one value per cell.

    Attributes:
        frame: the cells.
        headers: column -> heading, for the formats that people read.
        digits: column -> decimals, likewise.
        right: text columns that hold numbers, to be right-aligned there.
    """

    frame: pl.DataFrame
    headers: Mapping[str, str] = field(default_factory=dict)
    digits: Mapping[str, int] = field(default_factory=dict)
    right: Sequence[str] = ()


@dataclass(frozen=True)
class Answer:
    """What a command found out, in every form that it can be given in; only the one that is wanted is made.

    Attributes:
        document: the JSON document.
        draw: draws it for people.
        table: every value in full, for programs (CSV, Parquet).
        readable: rounded and arranged for a report (Markdown, LaTeX).
        notes: warnings and remarks, in words.
        in_document: whether the document holds the notes.
        drawn: further remarks that the drawing makes itself.
        code: the exit code.
    """

    document: Callable[[], Mapping[str, object]]
    draw: Callable[[Screen], None]
    table: Callable[[], FlatTable]
    readable: Callable[[], FlatTable]
    notes: Sequence[str] = ()
    in_document: bool = False
    drawn: Sequence[str] = ()
    code: int = 0


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to and in which form.

    Attributes:
        format: the form that was asked for, if any.
        to: the file to write, if any.
        force: replace a file that is there.
        plain: draw tables for people with ASCII alone.
    """

    format: OutputFormat | None = None
    to: Path | None = None
    force: bool = False
    plain: bool | None = None

    def check(self) -> None:
        """Refuse what cannot be written before any work is done; from then on speak English in what is no table.

        Documents for programs and for papers are the same whoever runs the command, and so are the sentences in them.

        Raises:
            UsageError: the file's ending names no form, or a form was asked for that no file takes.
            ExportError: the file exists and may not be replaced, or its folder does not exist.
        """
        if self.to is not None:
            self._check_file(self.to)
        if self.to is not None or self.format not in (None, OutputFormat.TABLE):
            activate("en")

    def _check_file(self, path: Path) -> None:
        name = visible(str(path))
        if path.is_dir():
            raise ExportError(_("{file}: is a folder").format(file=name), _("name a file in it"))
        self._file_format(path)
        if path.exists() and not self.force:
            said = _("{file}: exists already").format(file=name)
            raise ExportError(said, _("choose another name or replace it with --force"))
        if not path.absolute().parent.is_dir():
            raise ExportError(_("{file}: its folder does not exist").format(file=name), _("create it first"))

    def _file_format(self, path: Path) -> TableFormat:
        from engine.export.tables import TableFormat

        if self.format is OutputFormat.TABLE:
            raise UsageError(_("--format table is for the terminal"), _("leave it out: the file's ending decides"))
        return TableFormat(self.format.value) if self.format else TableFormat.from_suffix(path)

    def deliver(self, answer: Answer) -> int:
        """Print or write the answer, its notes on stderr; returns the exit code.

        Raises:
            LorascopeError: a file cannot be written.
            OSError: stdout cannot be written.
        """
        notes = [*answer.notes, *answer.drawn]
        if self.to is not None:
            self._write(answer, self.to)
        elif self.format is OutputFormat.JSON:
            print_json(answer.document())
            notes = [] if answer.in_document else notes
        elif self.format in (None, OutputFormat.TABLE):
            from tui.cli.screen import Screen

            answer.draw(Screen(plain=self.plain))
            notes = list(answer.notes)
        else:
            sys.stdout.write(str(_rendered(answer, self.format.value)))
        sys.stdout.flush()
        tell(notes)
        return answer.code

    def _write(self, answer: Answer, path: Path) -> None:
        from engine.export.tables import TableFormat, write_table

        fmt = self._file_format(path)
        if fmt is TableFormat.JSON:
            self._check_file(path)
            _write_text(path, _json(answer.document()))
        else:
            flat = answer.readable() if fmt in (TableFormat.MARKDOWN, TableFormat.LATEX) else answer.table()
            write_table(
                flat.frame, path, fmt, headers=flat.headers, digits=flat.digits, right=flat.right, force=self.force
            )
        print(_("wrote {file}").format(file=visible(str(path))), file=sys.stderr)


def _rendered(answer: Answer, name: str) -> str | bytes:
    from engine.export.tables import TableFormat, render

    fmt = TableFormat(name)
    flat = answer.table() if fmt is TableFormat.CSV else answer.readable()
    return render(flat.frame, fmt, headers=flat.headers, digits=flat.digits, right=flat.right)


def print_json(document: Mapping[str, object]) -> None:
    """A JSON document on stdout."""
    sys.stdout.write(_json(document, ascii_only=not _is_unicode(sys.stdout.encoding)))
    sys.stdout.flush()


def _is_unicode(encoding: str | None) -> bool:
    return (encoding or "utf-8").lower().startswith("utf")


def _json(document: Mapping[str, object], *, ascii_only: bool = False) -> str:
    from engine.export.escape import json_text

    if ascii_only:
        return json.dumps(document, allow_nan=False, indent=2) + "\n"
    return json_text(document, indent=2) + "\n"


def _write_text(path: Path, text: str) -> None:
    from engine.atomic import atomic_write_bytes

    try:
        atomic_write_bytes(path, text.encode())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        said = _("{file}: cannot be written ({reason})").format(file=visible(str(path)), reason=reason)
        raise ExportError(said, _("check the folder")) from error


def tell(notes: Sequence[str]) -> None:
    """Remarks for people on stderr: a line each, broken on a terminal."""
    if not notes:
        return
    from tui.cli.screen import terminal_width, wrapped

    width = terminal_width() if sys.stderr.isatty() else None
    for note in notes:
        print("\n".join(wrapped(_("note: {note}").format(note=visible(note)), width)), file=sys.stderr)
