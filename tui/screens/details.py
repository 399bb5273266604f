"""Everything that is known of a run, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.text import visible

if TYPE_CHECKING:
    from tui.library import Loaded

_MAX_PROBLEMS = 14


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
        ("path", run.path),
        ("form", run.ref.kind.value),
        ("status", run.status),
        ("checkpoints", len(loaded.checkpoints)),
        ("baseline", run.baseline or "none: press B to name one"),
        ("protocol", data.protocol.name),
        ("alignment", data.protocol.align),
        ("provenance", data.provenance.value),
        ("source", data.source),
        ("dataset", data.dataset.root_name or data.dataset.name),
        ("split", data.dataset.split),
        ("sample", data.dataset.sample_fingerprint or "unknown"),
        ("seed", data.dataset.seed),
        ("model", data.model.name),
        ("LoRA", _lora(loaded)),
        ("device", data.device.name or data.device.kind),
        ("dtype", data.device.dtype),
        ("created", data.created.isoformat(" ", "minutes") if data.created else None),
        ("per-frame rows", "yes" if run.has_frames else "no: summaries only"),
    ]
    lines = [f"{label:>14}  {visible(str(value))}" for label, value in facts if value not in (None, "")]
    lines += [f"{'note':>14}  {visible(note)}" for note in data.notes]
    if run.problems:
        lines += ["", "What was wrong or worth knowing:"]
        lines += [f"- {visible(str(problem))}" for problem in run.problems[:_MAX_PROBLEMS]]
        if len(run.problems) > _MAX_PROBLEMS:
            lines.append(f"- and {len(run.problems) - _MAX_PROBLEMS} more: lorascope runs PATH lists them all")
    return "\n".join(lines)


def _lora(loaded: Loaded) -> str:
    lora = loaded.run.metadata.lora
    parts = [
        f"{name} {value:g}"
        for name, value in (("rank", lora.rank), ("alpha", lora.alpha), ("dropout", lora.dropout))
        if value is not None
    ]
    return ", ".join(parts)
