"""Everything that is known of a run, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.i18n import listing
from engine.remote.url import shown
from engine.text import visible
from tui.text import fit

if TYPE_CHECKING:
    from tui.library import Loaded

_MAX_PROBLEMS = 14
_LABEL = 14


def run_details(loaded: Loaded) -> str:
    """Where the run lies, how it was made, and what was wrong with it; outside text made visible.

    Args:
        loaded: the run.

    Returns:
        Lines of plain text.
    """
    run = loaded.run
    data = run.metadata
    facts: list[tuple[str, object]] = [
        (_("path"), shown(run.path)),
        (_("form"), _(run.ref.kind.value)),
        (_("status"), _(run.status)),
        (_("checkpoints"), len(loaded.checkpoints)),
        (_("baseline"), run.baseline or _("none: press B to name one")),
        (_("protocol"), data.protocol.name),
        (_("alignment"), data.protocol.align),
        (_("provenance"), _(data.provenance.value)),
        (_("source"), data.source),
        (_("dataset"), data.dataset.root_name or data.dataset.name),
        (_("split"), data.dataset.split),
        (_("sample"), data.dataset.sample_fingerprint or _("unknown")),
        (_("seed"), data.dataset.seed),
        (_("model"), data.model.name),
        (_("LoRA"), _lora(loaded)),
        (_("device"), data.device.name or data.device.kind),
        (_("dtype"), data.device.dtype),
        (_("created"), data.created.isoformat(" ", "minutes") if data.created else None),
        (_("per-frame rows"), _("yes") if run.has_frames else _("no: summaries only")),
    ]
    lines = [_fact(label, value) for label, value in facts if value not in (None, "")]
    lines += [_fact(_("note"), note) for note in data.notes]
    if run.problems:
        lines += ["", _("What was wrong or worth knowing:")]
        lines += [f"- {visible(str(problem))}" for problem in run.problems[:_MAX_PROBLEMS]]
        if len(run.problems) > _MAX_PROBLEMS:
            more = len(run.problems) - _MAX_PROBLEMS
            lines.append(f"- {_('and {count} more: lorascope runs PATH lists them all').format(count=more)}")
    return "\n".join(lines)


def _fact(label: str, value: object) -> str:
    return f"{fit(label, _LABEL, 'right')}  {visible(str(value))}"


def _lora(loaded: Loaded) -> str:
    lora = loaded.run.metadata.lora
    parts = [
        f"{name} {value:g}"
        for name, value in (("rank", lora.rank), ("alpha", lora.alpha), ("dropout", lora.dropout))
        if value is not None
    ]
    return listing(parts)
