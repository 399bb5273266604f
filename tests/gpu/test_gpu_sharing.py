"""Evaluating on a CUDA device: sharing bit for bit and bounded in memory, bf16 against fp32, scores on their way."""

from __future__ import annotations

from pathlib import Path

import polars.testing
import pytest
import torch
from support.evaluating import BASE_SEED, write_adapters, write_small_street

from engine.dataset.model import Window
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.journal import Journal, replay
from engine.evaluation.runner import JOURNAL, evaluate
from engine.evaluation.transfer import start_fetch
from engine.inference.checkpoints import discover_checkpoints
from engine.inference.contract import GeometryModel, Prediction, no_grad_predict
from engine.inference.families import build_model
from engine.inference.lora import AdapterBank
from engine.inference.packed import bit_equal
from engine.inference.shared_forward import SharedForward
from engine.results.discovery import discover
from engine.results.load import load_run
from engine.results.native import scan_frames
from engine.scoring.window import WindowScores

pytestmark = pytest.mark.gpu

KEYS = ["checkpoint", "window", "frame", "region", "align"]
PLENTY = 10**9


def same(first: Prediction, second: Prediction) -> bool:
    return all(
        bit_equal(getattr(first, name), getattr(second, name))
        for name in ("depth", "confidence", "world_to_camera", "intrinsics")
    )


@pytest.fixture
def images(cuda_device: torch.device) -> torch.Tensor:
    return torch.rand(1, 4, 3, 56, 224, generator=torch.Generator().manual_seed(0)).to(cuda_device)


@pytest.fixture
def model(cuda_device: torch.device) -> GeometryModel:
    model = build_model("tiny", seed=BASE_SEED)
    model.module.to(cuda_device)
    return model


@pytest.fixture
def bank(model: GeometryModel, tmp_path: Path) -> AdapterBank:
    bank = AdapterBank(model)
    for source in discover_checkpoints(write_adapters(tmp_path / "adapters", 3)):
        bank.add(source)
    return bank


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("limit", [PLENTY, 2_000_000])
def test_shared_is_bit_equal_to_unshared(
    model: GeometryModel, bank: AdapterBank, images: torch.Tensor, dtype: torch.dtype, limit: int
) -> None:
    shared = SharedForward(
        model.module,
        {name: bank.changed(name) for name in bank.names},
        lambda images: no_grad_predict(model, images, dtype),
        limit_bytes=limit,
    )
    for _ in range(2):
        with shared.window():
            for name in ("baseline", *bank.names):
                bank.baseline() if name == "baseline" else bank.activate(name)
                found = shared.predict(name, images)
                assert same(found, no_grad_predict(model, images, dtype)), name
    report = shared.report
    assert report.reused > 0
    assert 0 < report.peak_bytes <= limit
    assert not any("ended" in notice for notice in report.notices)


def test_kept_outputs_are_freed_after_every_window(
    cuda_device: torch.device, model: GeometryModel, bank: AdapterBank, images: torch.Tensor
) -> None:
    shared = SharedForward(
        model.module,
        {name: bank.changed(name) for name in bank.names},
        lambda images: no_grad_predict(model, images, torch.float32),
        limit_bytes=PLENTY,
    )

    def one_window() -> int:
        with shared.window():
            for name in ("baseline", *bank.names):
                bank.baseline() if name == "baseline" else bank.activate(name)
                shared.predict(name, images)
        torch.cuda.synchronize(cuda_device)
        return torch.cuda.memory_allocated(cuda_device)

    one_window()
    assert one_window() == one_window()


def test_memory_that_runs_out_ends_sharing(
    cuda_device: torch.device, model: GeometryModel, bank: AdapterBank, images: torch.Tensor
) -> None:
    failed: list[str] = []

    def forward(window: torch.Tensor) -> Prediction:
        if shared.report.reused and not failed:
            failed.append("once")
            torch.empty(2**46, dtype=torch.uint8, device=cuda_device)
        return no_grad_predict(model, window, torch.float32)

    shared = SharedForward(model.module, {name: bank.changed(name) for name in bank.names}, forward, limit_bytes=PLENTY)
    with shared.window():
        for name in ("baseline", *bank.names):
            bank.baseline() if name == "baseline" else bank.activate(name)
            assert same(shared.predict(name, images), no_grad_predict(model, images, torch.float32))
    assert "memory ran out" in shared.report.notices[-1]
    assert failed


def test_half_precision_is_near_single(model: GeometryModel, bank: AdapterBank, images: torch.Tensor) -> None:
    bank.activate(bank.names[0])
    single = no_grad_predict(model, images, torch.float32)
    half = no_grad_predict(model, images, torch.bfloat16)
    assert half.depth.dtype == torch.float32
    relative = ((half.depth - single.depth) / single.depth).abs()
    assert float(relative.median()) < 0.02  # bf16 has 8 bits
    assert not bit_equal(half.depth, single.depth)


def test_a_fetch_waits_for_its_own_scores_alone(cuda_device: torch.device) -> None:
    packed = torch.arange(1000, dtype=torch.float64, device=cuda_device)
    scores = WindowScores(Window(0, "drive", (), None), (), (), packed, torch.zeros(0))
    fetch = start_fetch(scores)
    side = 8192
    matrix = torch.randn(side, side, device=cuda_device)
    for _ in range(50):
        matrix = matrix @ matrix * (1 / side)
    busy = torch.cuda.current_stream(cuda_device).record_event()
    found = fetch()
    assert not busy.query(), "the queue was empty before the scores were looked at"
    assert found.packed.device.type == "cpu"
    assert torch.equal(found.packed, torch.arange(1000, dtype=torch.float64))


def test_a_run_with_and_without_sharing_holds_the_same_rows(cuda_device: torch.device, tmp_path: Path) -> None:
    street = write_small_street(tmp_path / "street", frames=16)
    adapters = write_adapters(tmp_path / "adapters", 2)
    found = []
    for sharing in (True, False):
        run = tmp_path / f"run_{sharing}"
        config = EvaluationConfig(
            data=street,
            to=run,
            checkpoints=adapters,
            base_seed=BASE_SEED,
            model="tiny",
            size=112,
            seq_len=4,
            stride=4,
            device=str(cuda_device),
            sharing=sharing,
        )
        evaluate(config)
        assert bool(replay(Journal(run / JOURNAL).events()).sharing) is sharing
        found.append(scan_frames(load_run(next(iter(discover([run]))))).collect().sort(KEYS))
    # The predictions are the same bit for bit; sums of scores may be taken in another order on a device.
    polars.testing.assert_frame_equal(*found, rel_tol=1e-9, abs_tol=1e-9)
