"""The shell command that evaluates a run again, from what the run says of itself."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePath

from engine.schema import Provenance, RunMetadata
from engine.text import visible

_SEED = re.compile(r"random, seed (-?\d+)")


def evaluate_command(about: RunMetadata) -> list[str] | None:
    """``lorascope evaluate`` with the run's own settings, in lines; ``None`` where lorascope did not evaluate it."""
    if about.provenance not in (Provenance.EVALUATED, Provenance.SYNTHETIC) or about.protocol.name != "v1":
        return None
    data, protocol = about.dataset, about.protocol
    options: dict[str, object] = {
        "--data": data.root_name or "DATA",
        "--model": about.model.name,
        "--base": base_file(about),
        "--base-seed": base_seed(about),
        "--checkpoints": checkpoint_folder(about),
        "--split": data.split,
        "--max-seqs": data.max_seqs,
        "--sampling": data.sampling,
        "--seed": data.seed,
        "--seq-len": protocol.seq_len,
        "--stride": protocol.stride,
        "--align": protocol.align,
        "--align-scope": protocol.align_scope,
        "--prepare": protocol.prepare,
        "--size": about.model.image_size,
        "--dtype": about.device.dtype,
        "--to": about.run,
    }
    words = [f"{option} {shell_word(value)}" for option, value in options.items() if value is not None]
    return [
        "lorascope evaluate " + words[0] + " \\",
        *(f"    {word} \\" for word in words[1:-1]),
        f"    {words[-1]}",
    ]


def base_seed(about: RunMetadata) -> int | None:
    """The seed of the base's random weights, where they are random."""
    match = _SEED.fullmatch(about.model.weights or "")
    return int(match[1]) if match else None


def base_file(about: RunMetadata) -> str | None:
    """The name of the file with the base's weights, where the run records one."""
    weights = about.model.weights
    return PurePath(weights).name if weights and base_seed(about) is None else None


def checkpoint_folder(about: RunMetadata) -> str:
    """The name of the folder that the checkpoints were in: where it lay is nobody's business."""
    return (PurePath(about.checkpoint_dir).name if about.checkpoint_dir else "") or "checkpoints"


def shell_word(value: object) -> str:
    """A value as one word of a shell command."""
    return shlex.quote(visible(str(value)))
