"""A small street and adapters of the built-in model, for tests that evaluate."""

from __future__ import annotations

from pathlib import Path

BASE_SEED = 7


def write_small_street(root: Path, frames: int = 8) -> Path:
    """One val drive and one train drive of small frames."""
    from engine.dataset.street_writer import write_street

    return write_street(root, drives={0: "train", 3: "val"}, frames=frames, size=(176, 47), beams=32, azimuths=240)


def write_adapters(folder: Path, count: int = 2) -> Path:
    """PEFT adapters ``checkpoint_0``, ``checkpoint_1`` and so on of the built-in model with :data:`BASE_SEED`."""
    from engine.inference.families import build_model
    from support.lora import peft_model

    folder.mkdir()
    base = build_model("tiny", seed=BASE_SEED).module
    for number in range(count):
        peft_model(base, number).save_pretrained(str(folder / f"checkpoint_{number}"))
    return folder
