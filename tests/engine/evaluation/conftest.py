"""A tiny street, and two adapters of the small model, made once for the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="evaluating needs the extra `eval`")

BASE_SEED = 7


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in the same order whatever the machine, and no fight over its cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One train and one val drive of 24 small frames: three windows each."""
    from engine.dataset.street_writer import write_street

    root = tmp_path_factory.mktemp("data") / "street"
    return write_street(root, drives={0: "train", 2: "val"}, frames=24, size=(176, 47), beams=32, azimuths=240)


@pytest.fixture(scope="session")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good checkpoints and one that is no checkpoint."""
    from support.lora import peft_model

    from engine.inference.families import build_model

    folder = tmp_path_factory.mktemp("adapters")
    base = build_model("tiny", seed=BASE_SEED).module
    for number in range(2):
        peft_model(base, number).save_pretrained(folder / f"checkpoint_{number}")
    (folder / "checkpoint_9.pt").write_bytes(b"no tensors")
    return folder
