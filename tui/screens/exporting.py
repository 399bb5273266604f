"""Export from the app: ask where to, look for the files, copy in a thread, say what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LorascopeError, TargetExistsError, UsageError
from engine.i18n import gettext as _
from engine.i18n import listing, speaking
from tui.screens.dialogs import LineDialog, MessageDialog
from tui.state import BasketItem

if TYPE_CHECKING:
    from engine.export.selection import Selection
    from engine.export.tables import TableFormat
    from tui.cli.output import FlatTable
    from tui.screens.base import LorascopeScreen


def export_table(screen: LorascopeScreen, table: Callable[[TableFormat], FlatTable], name: str) -> None:
    """Ask for a file and write a table to it; the ending decides the format.

    Args:
        screen: the screen that asks.
        table: the table for a format: in full for programs, rounded for reports.
        name: the file name that is offered.
    """
    from engine.export.tables import TableFormat, write_table

    def check(text: str) -> None:
        if not text.strip():
            raise UsageError(_("no file named"))
        TableFormat.from_suffix(Path(text.strip()))

    def write(path: Path, *, force: bool) -> None:
        try:
            fmt = TableFormat.from_suffix(path)
            with speaking("en"):  # what programs and papers read
                flat = table(fmt)
            write_table(flat.frame, path, fmt, headers=flat.headers, digits=flat.digits, right=flat.right, force=force)
        except LorascopeError as error:
            screen.app.push_screen(MessageDialog(_("Not written"), str(error)))
        else:
            screen.notify(_("written: {file}").format(file=path), timeout=4)

    def done(text: str | None) -> None:
        if text is None:
            return
        path = Path(text.strip()).expanduser()
        if not path.exists():
            write(path, force=False)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                write(path, force=True)

        exists = _("{file} exists.").format(file=path)
        screen.app.push_screen(MessageDialog(_("Replace?"), exists, question=_("Replace it?")), answered)

    hint = _("the ending decides: {endings}").format(endings=".csv .parquet .json .md .tex")
    screen.app.push_screen(LineDialog(_("Write the table to"), name, check=check, hint=hint), done)


def export_checkpoints(screen: LorascopeScreen, items: Sequence[BasketItem]) -> None:
    """Ask for a folder and copy checkpoints there, verified and described."""
    if not items:
        screen.notify(_("nothing chosen"), timeout=2)
        return
    names = listing(item.checkpoint for item in items[:4]) + (" …" if len(items) > 4 else "")

    def done(text: str | None) -> None:
        if text is not None and text.strip():
            _Export(screen, items, Path(text.strip()).expanduser()).begin()

    def check(text: str) -> None:
        if not text.strip():
            raise UsageError(_("no folder named"))

    hint = _("each to FOLDER/<run>/<checkpoint>/ with a model card and selection.json")
    title = _("Export {names} to").format(names=names)
    screen.app.push_screen(LineDialog(title, "exported", check=check, hint=hint), done)


class _Export:
    """One export: it may ask for the checkpoint folder and whether to replace, then copies in a thread."""

    def __init__(self, screen: LorascopeScreen, items: Sequence[BasketItem], target: Path) -> None:
        self._screen = screen
        self._items = items
        self._target = target

    def begin(self) -> None:
        """Find the files first: what is missing is asked for before anything is copied."""
        from engine.export.locate import locate

        selections = self._selections()
        if selections is None:
            self._screen.notify(_("still reading the runs: try again in a moment"), timeout=2)
            return
        for item, selection in zip(self._items, selections, strict=True):
            try:
                locate(selection)
            except LorascopeError as error:
                self._ask_folder(item, error.message)
                return
        self._copy(selections, force=False)

    def _selections(self) -> list[Selection] | None:
        from tui.selections import make_selection

        screen = self._screen
        library = screen.library
        loaded = screen.need(item.run for item in self._items)
        if loaded is None or library is None:
            return None
        by_key = {entry.key: entry for entry in loaded}
        folders = screen.state.checkpoint_dirs
        return [
            make_selection(
                library,
                by_key[item.run],
                item.checkpoint,
                sources=(Path(folders[item.run]),) if item.run in folders else (),
                objective=item.objective,
                where=item.where,
                considered=item.considered or None,
                rejected=item.rejected,
            )
            for item in self._items
            if item.run in by_key
        ]

    def _ask_folder(self, item: BasketItem, why: str) -> None:
        def check(text: str) -> None:
            if not Path(text.strip()).expanduser().is_dir():
                raise UsageError(_("{name} is not a folder").format(name=text.strip() or _("nothing")))

        def done(text: str | None) -> None:
            if text is not None:
                self._screen.state.checkpoint_dirs[item.run] = str(Path(text.strip()).expanduser().absolute())
                self.begin()

        known = self._screen.state.checkpoint_dirs.get(item.run, "")
        title = _("Folder that holds the checkpoints of {run}").format(run=self._screen.session.name(item.run))
        self._screen.app.push_screen(LineDialog(title, known, check=check, hint=why), done)

    def _copy(self, selections: list[Selection], *, force: bool) -> None:
        app, screen = self._screen.app, self._screen

        def work() -> None:
            from engine.export.card import why_no_card
            from engine.export.checkpoints import export_checkpoints as run_export

            try:
                written = run_export(self._judged(selections), self._target, force=force)
            except LorascopeError as error:
                app.call_from_thread(self._failed, selections, error)
                return
            why = why_no_card()
            names = "\n".join([*(str(entry.path) for entry in written), *(["", why] if why else [])])
            app.call_from_thread(self._finished, names)

        screen.notify(_("copying to {folder} …").format(folder=self._target), timeout=3)
        screen.run_worker(work, thread=True, group="export", exclusive=True)

    def _judged(self, selections: list[Selection]) -> list[Selection]:
        """What was judged of the changes goes into the card. In a thread: it may have to be found out first."""
        from tui.evidence import gather_evidence
        from tui.selections import judged_selection

        screen, library = self._screen, self._screen.library
        found = []
        for item, selection in zip(self._items, selections, strict=True):
            loaded = screen.session.loaded(item.run)
            if library is None or loaded is None:
                return selections
            evidence = screen.session.judged(loaded)[1]
            evidence = evidence or gather_evidence(library, loaded, loaded.analysis.metrics)
            found.append(judged_selection(library, loaded, selection, evidence))
        return found

    def _failed(self, selections: list[Selection], error: LorascopeError) -> None:
        # The only refusal that replacing what is there would lift.
        exists = isinstance(error, TargetExistsError)

        def answered(yes: bool | None) -> None:
            if yes:
                self._copy(selections, force=True)

        question = _("Replace what is there?") if exists else ""
        self._screen.app.push_screen(
            MessageDialog(_("Nothing was exported"), str(error), question=question), answered if exists else None
        )

    def _finished(self, names: str) -> None:
        done = {(item.run, item.checkpoint) for item in self._items}
        state = self._screen.state
        state.basket = [item for item in state.basket if (item.run, item.checkpoint) not in done]
        self._screen.follow()
        self._screen.app.push_screen(MessageDialog(_("Exported and verified"), names))
