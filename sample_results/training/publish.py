"""Evaluating a trained run by the engine, and keeping of its store what a reader needs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from engine.evaluation.config import EvaluationConfig
from engine.evaluation.lock import FILE as LOCK
from engine.evaluation.runner import evaluate
from engine.results import layout
from engine.results.writer import write_metadata
from engine.schema import RunMetadata
from sample_results.training.recipes import BASE_SEED, PREPARATION, SEQ_LEN, STREET_SEED, Finetuning

_SHARD = 64  # windows; all of them, so that a checkpoint has one file


def publish(
    street: Path, base: Path, adapters: Path, to: Path, recipe: Finetuning, report: Callable[[str], None]
) -> None:
    """Evaluate a run on the street's held-out drives and store it; an older one in its place is replaced.

    Args:
        street: the street of the samples.
        base: the base's weights.
        adapters: the run's checkpoints; near ``to``, so that its path can be stored relative to the run.
        to: the run's folder.
        recipe: what the run was trained by.
        report: told how long it took.

    Raises:
        DataError: something cannot be read or written.
    """
    shutil.rmtree(to, ignore_errors=True)
    config = EvaluationConfig(
        data=street,
        to=to,
        checkpoints=adapters,
        base=base,
        model="tiny",
        split="val",
        seq_len=SEQ_LEN,
        stride=SEQ_LEN,
        prepare="fit",
        size=PREPARATION.size,
        dtype="fp32",
        device="cpu",
        shard=_SHARD,
    )
    evaluate(config)
    metadata = RunMetadata.model_validate_json((to / layout.METADATA).read_bytes())
    lora = metadata.lora.model_copy(update={"learning_rate": recipe.phases[0].learning_rate})
    write_metadata(to, metadata.model_copy(update={"lora": lora, "notes": [*_notes(recipe), *metadata.notes]}))
    if not recipe.slices:
        shutil.rmtree(to / layout.SLICES)
    # What only a run in progress needs. The journal also holds full paths of the machine.
    (to / layout.JOURNAL).unlink()
    (to / LOCK).unlink(missing_ok=True)
    # A clone has other times than this copy, so that the cache would never be believed.
    (to / layout.SUMMARY_CACHE).unlink(missing_ok=True)
    report(f"{to.name}: evaluated in {metadata.evaluation_seconds:.0f} s")


def _notes(recipe: Finetuning) -> list[str]:
    phases = ", then ".join(
        f"{phase.checkpoints} checkpoints of {phase.steps} windows at learning rate {phase.learning_rate:g}"
        for phase in recipe.phases
    )
    return [
        f"Synthetic: the built-in model tiny on the street that lorascope synth writes from seed {STREET_SEED}. "
        "Neither model nor numbers say anything about VGGT or KITTI-360.",
        f"The base was trained on streets of seed {BASE_SEED} with a low weight on buildings; LoRA on the train drives "
        f"of seed {STREET_SEED}: {phases}.",
        "Made by python -m sample_results.training.",
    ]
