"""How runs are called that do not have all their windows yet, and what is said of them. Textual-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.results.model import UNFINISHED
from engine.text import listed

if TYPE_CHECKING:
    from tui.library import Loaded
    from tui.session import Session


def marked_names(session: Session, loaded: Mapping[str, Loaded], keys: Sequence[str]) -> list[str]:
    """What runs are called beside one another; those that are computed still are marked.

    Args:
        session: knows the names.
        loaded: the runs by their keys.
        keys: of those that are asked for, in their order.
    """
    partial = _("{name} (partial)")
    return [
        partial.format(name=name) if loaded[key].run.status in UNFINISHED else name
        for key, name in zip(keys, session.names(keys), strict=True)
    ]


def worth_knowing(session: Session, loaded: Mapping[str, Loaded]) -> str:
    """That some runs are partial, and which; else the first problem of one of them; empty where all is well."""
    partial = [session.name(key) for key, entry in loaded.items() if entry.run.status in UNFINISHED]
    if partial:
        return _("partial, not all windows are computed: {names}").format(names=listed(partial))
    return next((str(problem) for entry in loaded.values() for problem in entry.run.problems), "")
