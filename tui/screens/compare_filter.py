"""What Compare asks for its filter of metrics, checked while it is typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.errors import UsageError
from engine.i18n import gettext as _
from tui.screens.dialogs import LineDialog

if TYPE_CHECKING:
    from engine.catalogue import Catalogue
    from tui.screens.base import LorascopeScreen


def type_filter(screen: LorascopeScreen, keys: Sequence[str], catalogue: Catalogue) -> None:
    """Ask which of ``keys`` to show."""
    from engine.analysis.compare import match_metrics

    def check(text: str) -> None:
        if text.strip() and not match_metrics(text, keys, catalogue):
            raise UsageError(_("no metric fits {text}").format(text=repr(text)))

    def done(text: str | None) -> None:
        if text is not None:
            screen.state.metrics = text.strip()
            screen.refresh_view()

    hint = _("e.g. building   depth.*.abs_rel   delta1, planarity   !pose   (empty: all)")
    screen.app.push_screen(LineDialog(_("Metrics to show"), screen.state.metrics, check=check, hint=hint), done)
