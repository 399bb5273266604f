"""One street, two adapters and one undisturbed run for all jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.evaluating import BASE_SEED, write_adapters, write_small_street


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of jobs sum in the same order whatever the machine."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Twenty-five windows, a shard each: some seconds of work."""
    pytest.importorskip("torch", reason="evaluating needs the extra `eval`")
    root = tmp_path_factory.mktemp("data")
    return {
        "data": write_small_street(root / "street", frames=28),
        "checkpoints": write_adapters(root / "checkpoints"),
        "base_seed": BASE_SEED,
        "model": "tiny",
        "size": 112,
        "seq_len": 4,
        "stride": 1,
        "shard": 1,
        "device": "cpu",
    }


@pytest.fixture(scope="session")
def reference(settings: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an undisturbed evaluation gives."""
    import torch

    from engine.evaluation.config import make_config
    from engine.evaluation.runner import evaluate

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return evaluate(make_config({**settings, "to": tmp_path_factory.mktemp("runs") / "reference"}))
    finally:
        torch.set_num_threads(before)
