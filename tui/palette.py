"""The command palette: every command of the screen and of the app, from the same definitions as keys and help."""

from __future__ import annotations

from collections.abc import Iterator

from rich.align import Align
from rich.text import Text
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.widgets.option_list import OptionDoesNotExist

from engine.i18n import gettext as _
from tui.commands import Command
from tui.screens.base import LorascopeScreen

# After Textual has said that nothing fits.
_AFTER_SECONDS = 0.02


class Palette(CommandPalette):
    """Textual's palette, but for the one sentence of its own that cannot be given to it."""

    def _start_no_matches_countdown(self, search_value: str) -> None:
        super()._start_no_matches_countdown(search_value)
        self.set_timer(self._NO_MATCHES_COUNTDOWN + _AFTER_SECONDS, self._say_no_matches)

    def _say_no_matches(self) -> None:
        try:
            said = Align.center(Text(_("No matches found"), style="not bold"))
            self.query_one(CommandList).replace_option_prompt(self._NO_MATCHES, said)
        except OptionDoesNotExist:
            return


class CommandsProvider(Provider):
    """Offers the commands by title and by what they do."""

    def _commands(self) -> Iterator[tuple[Command, object]]:
        screen = self.screen
        if isinstance(screen, LorascopeScreen):
            for command in screen.ACTIONS:
                yield command, screen
            for command in screen.lorascope.ACTIONS:
                yield command, screen.lorascope

    async def _run(self, command: Command, namespace: object) -> None:
        await self.app.run_action(command.action, namespace)  # type: ignore[arg-type]

    @staticmethod
    def _title(command: Command) -> str:
        return f"{command.word}  ({command.key})"

    async def discover(self) -> Hits:
        """All commands, before anything is typed."""
        for command, namespace in self._commands():
            if command.action != "command_palette":
                yield DiscoveryHit(
                    Content(self._title(command)),
                    lambda command=command, namespace=namespace: self._run(command, namespace),
                    help=command.sentence,
                )

    async def search(self, query: str) -> Hits:
        """The commands whose title or explanation fits what was typed."""
        matcher = self.matcher(query)
        for command, namespace in self._commands():
            title = self._title(command)
            score = max(matcher.match(title), 0.6 * matcher.match(command.sentence))
            if score > 0 and command.action != "command_palette":
                yield Hit(
                    score,
                    matcher.highlight(title),
                    lambda command=command, namespace=namespace: self._run(command, namespace),
                    help=command.sentence,
                )
