"""What an earlier start of an evaluation left in the run's folder, and whether it was the same evaluation.

Imports nothing heavy: forms ask it, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.evaluation.journal import Journal, State, replay
from engine.i18n import gettext as _
from engine.i18n import listing, sentences
from engine.results import layout


def state_in(folder: Path, settings: Mapping[str, Any]) -> State:
    """The state of the evaluation in a folder; that of nothing where there was none.

    Args:
        folder: the run's folder.
        settings: what decides the numbers now; what an earlier start knew besides is not compared.

    Raises:
        UsageError: the folder holds a run with other settings, or one that was not made by evaluate.
        DataError: its journal cannot be read.
    """
    state = replay(Journal(folder / layout.JOURNAL).events())
    if state.settings is not None:
        changed = difference({key: state.settings.get(key) for key in settings}, settings)
        if changed:
            said = _("{folder} holds an evaluation with other settings ({changed})")
            raise UsageError(
                said.format(folder=folder, changed=changed), _("choose another --to, or use the same settings")
            )
    elif (folder / layout.METADATA).exists():
        said = _("{folder} holds a run that was not made by evaluate").format(folder=folder)
        raise UsageError(said, _("choose another --to"))
    return state


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The settings in which a run differs from the one that was started, in words; empty if in none."""
    parts = []
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if key == "checkpoint_files" and isinstance(before, dict) and isinstance(after, dict):
            changed = sorted(set(before.items()) ^ set(after.items()))
            names = list(dict.fromkeys(name for name, _hash in changed))
            shown = f"{listing(names[:3])}{' …' if len(names) > 3 else ''}"
            parts.append(_("checkpoints {names}").format(names=shown))
        else:
            parts.append(_("{setting} {before} is now {after}").format(setting=key, before=before, after=after))
    return sentences(parts)
