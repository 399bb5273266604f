"""The palettes of the app: its commands, and themes, in the user's language. They are imported when first opened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.screen import Screen
from textual.theme import ThemeProvider

from engine.i18n import gettext as _


class PalettesApp(App[None]):
    """An app with palettes."""

    COMMANDS: ClassVar = {lambda: _palette_provider()}

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Textual's own palette entries that make sense here."""
        yield SystemCommand(_("Themes"), _("Choose any theme, Textual's own too"), self.action_change_theme)

    def action_command_palette(self) -> None:
        """Textual's palette, in the user's language."""
        from tui.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(placeholder=_("Search for commands…"), id="--command-palette"))

    def search_themes(self) -> None:
        """Textual's list of themes, likewise."""
        from tui.palette import Palette

        self.push_screen(Palette([ThemeProvider], placeholder=_("Search for themes…")))


def _palette_provider() -> type:
    from tui.palette import CommandsProvider

    return CommandsProvider
