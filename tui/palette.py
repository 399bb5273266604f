"""The command palette: every command of the screen and of the app, from the same definitions as keys and help."""

from __future__ import annotations

from collections.abc import Iterator

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui.commands import Command
from tui.screens.base import LorascopeScreen


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
        return f"{command.title}  ({command.key})"

    async def discover(self) -> Hits:
        """All commands, before anything is typed."""
        for command, namespace in self._commands():
            if command.action != "command_palette":
                yield DiscoveryHit(
                    Content(self._title(command)),
                    lambda command=command, namespace=namespace: self._run(command, namespace),
                    help=command.help,
                )

    async def search(self, query: str) -> Hits:
        """The commands whose title or explanation fits what was typed."""
        matcher = self.matcher(query)
        for command, namespace in self._commands():
            title = self._title(command)
            score = max(matcher.match(title), 0.6 * matcher.match(command.help))
            if score > 0 and command.action != "command_palette":
                yield Hit(
                    score,
                    matcher.highlight(title),
                    lambda command=command, namespace=namespace: self._run(command, namespace),
                    help=command.help,
                )
