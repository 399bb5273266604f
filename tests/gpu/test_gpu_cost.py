"""Measuring on a CUDA device: synchronisation, the memory of one model alone, merged against unmerged."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from support.evaluating import BASE_SEED, write_small_street
from support.lora import peft_model
from torch import Tensor, nn

from engine.evaluation.config import EvaluationConfig
from engine.evaluation.cost import measure_costs
from engine.evaluation.cost_request import Passes, request_from_plan
from engine.evaluation.plan import make_plan
from engine.evaluation.runner import evaluate
from engine.inference.checkpoints import CheckpointKind, CheckpointSource
from engine.inference.contract import Prediction, no_grad_predict
from engine.inference.cost import Cost, measure, module_bytes
from engine.inference.families import build_model
from engine.inference.lora import AdapterBank
from engine.inference.meters import meter_of
from engine.inference.tiny import TinyModel
from engine.results.costs import read_costs
from engine.results.native import read_metadata
from engine.results.problems import ProblemLog

pytestmark = pytest.mark.gpu

MIB = 2**20
# The allocator hands out blocks that are up to 1 MiB larger than what was asked for.
NOISE = 2 * MIB
# The small model's factors of this rank take some 15 MB.
HIGH_RANK = 1024


class Products(nn.Module):
    """Matrix products one after another: long for the device, quickly asked for."""

    def __init__(self, side: int, count: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(side, side, generator=torch.Generator().manual_seed(0)) / side**0.5)
        self.count = count

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(self.count):
            x = x @ self.weight
        return x


class ProductModel:
    """A model whose cost is that of some matrix products."""

    name, patch, default_size = "products", 1, 8

    def __init__(self, device: torch.device, side: int = 4096, count: int = 40) -> None:
        self.module = Products(side, count).to(device)

    def predict(self, images: Tensor) -> Prediction:
        """Images are ignored."""
        found = self.module(self.module.weight)
        return Prediction(found, found, found, found)


def images(device: torch.device, frames: int = 4) -> Tensor:
    """A window for the small model."""
    return torch.rand(1, frames, 3, 56, 112, generator=torch.Generator().manual_seed(1)).to(device)


def measured(model: Any, window: Tensor, *, repeats: int = 5) -> Cost:
    return measure(model, window, torch.float32, meter_of(window.device), warmup=3, repeats=repeats)


def sources(folder: Path, rank: int = 32) -> list[CheckpointSource]:
    """Checkpoints of three structures, the first of this rank."""
    base = build_model("tiny", seed=BASE_SEED).module
    settings: list[dict[str, Any]] = [{"r": rank}, {"r": 4}, {"r": 8, "target_modules": r".*\.(qkv|fc1)"}]
    for number, changes in enumerate(settings):
        peft_model(base, number, **changes).save_pretrained(str(folder / f"checkpoint_{number}"))
    return [
        CheckpointSource(f"checkpoint_{n}", folder / f"checkpoint_{n}", CheckpointKind.ADAPTER)
        for n in range(len(settings))
    ]


def network(device: torch.device) -> TinyModel:
    """The small model on the device."""
    model = build_model("tiny", seed=BASE_SEED)
    model.module.to(device)
    assert isinstance(model, TinyModel)
    return model


def test_times_are_the_devices_own(cuda_device: torch.device) -> None:
    model, window = ProductModel(cuda_device), images(cuda_device)
    cost = measured(model, window)
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    by_events = []
    for _ in range(5):
        torch.cuda.synchronize(cuda_device)
        begin.record()
        no_grad_predict(model, window, torch.float32)
        end.record()
        torch.cuda.synchronize(cuda_device)
        by_events.append(begin.elapsed_time(end) / 1000)
    # The clock also sees the program's own share, which is small here.
    assert cost.latency == pytest.approx(sorted(by_events)[2], rel=0.2)
    # Without waiting, only the asking is timed.
    started = time.perf_counter()
    no_grad_predict(model, window, torch.float32)
    asked = time.perf_counter() - started
    torch.cuda.synchronize(cuda_device)
    assert asked < 0.5 * cost.latency


def test_what_warms_up_has_ended_when_timing_begins(cuda_device: torch.device) -> None:
    model, window = ProductModel(cuda_device, count=10), images(cuda_device)
    alone = measured(model, window)
    after = measure(model, window, torch.float32, meter_of(cuda_device), warmup=20, repeats=1)
    assert after.latency < 3 * alone.latency


def test_memory_is_the_peak_of_one_model_alone(cuda_device: torch.device) -> None:
    window = images(cuda_device)
    side = 2048
    matrix = 4 * side * side
    model = ProductModel(cuda_device, side, 3)
    alone = measured(model, window).memory
    assert alone is not None
    # The weight, and at the peak an operand and a product of its size; float32 predictions are the product itself.
    assert alone == pytest.approx(3 * matrix + window.numel() * 4, abs=2 * NOISE)
    elsewhere = torch.zeros(256 * MIB, dtype=torch.uint8, device=cuda_device)
    beside = measured(model, window).memory
    assert beside == pytest.approx(alone, abs=2 * NOISE)
    assert elsewhere.numel() == 256 * MIB


def test_other_checkpoints_on_the_device_do_not_count(cuda_device: torch.device, tmp_path: Path) -> None:
    window = images(cuda_device)
    found = sources(tmp_path, HIGH_RANK)

    def costs() -> list[tuple[int, int, int]]:
        """Memory of every checkpoint, unmerged and merged, and bytes of its tensors; one after another on one model."""
        model = network(cuda_device)
        every = []
        for source in found:
            bank = AdapterBank(model)
            held = bank.add(source)
            bank.activate(source.name)
            unmerged = measured(model, window).memory
            with bank.merged(source.name):
                merged = measured(model, window).memory
            bank.release()
            assert unmerged is not None
            assert merged is not None
            every.append((unmerged, merged, held.bytes))
        return every

    alone = costs()
    other = network(cuda_device)
    crowd = AdapterBank(other)
    for source in found:
        crowd.add(source)
        crowd.activate(source.name)
    crowded = costs()
    assert sum(size for _, _, size in alone) > 3 * NOISE
    for one, two in zip(alone, crowded, strict=True):
        assert two[:2] == pytest.approx(one[:2], abs=NOISE)
    # The factors count while they are in the network, and are gone once they are merged.
    unmerged, merged, size = alone[0]
    assert unmerged - merged > size - NOISE
    assert [merged for _, merged, _ in alone] == pytest.approx([merged] * len(alone), abs=NOISE)


def test_released_nothing_of_a_checkpoint_is_left(cuda_device: torch.device, tmp_path: Path) -> None:
    model = network(cuda_device)
    bytes_before = module_bytes(model.module)
    measured(model, images(cuda_device), repeats=1)  # workspaces of libraries are there from now on
    before = torch.cuda.memory_allocated(cuda_device)
    for source in sources(tmp_path):
        bank = AdapterBank(model)
        bank.add(source)
        bank.activate(source.name)
        assert torch.cuda.memory_allocated(cuda_device) > before
        bank.release()
    del bank
    gc.collect()
    assert module_bytes(model.module) == bytes_before
    assert torch.cuda.memory_allocated(cuda_device) == before


def test_merged_predicts_what_unmerged_does(
    cuda_device: torch.device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Convolutions round to ten bits by default, each way at another place.
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    window = images(cuda_device)
    model = network(cuda_device)
    state = {name: tensor.clone() for name, tensor in model.module.state_dict().items()}
    base = no_grad_predict(model, window, torch.float32)
    bank = AdapterBank(model)
    for source in sources(tmp_path):
        bank.add(source)
        bank.activate(source.name)
        unmerged = no_grad_predict(model, window, torch.float32)
        with bank.merged(source.name):
            merged = no_grad_predict(model, window, torch.float32)
        for one, two in ((unmerged.depth, merged.depth), (unmerged.world_to_camera, merged.world_to_camera)):
            torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-4)
        assert not torch.allclose(unmerged.depth, base.depth, rtol=1e-2)
    bank.release()
    now = model.module.state_dict()
    assert all(torch.equal(now[name], state[name]) for name in state)


def test_the_costs_of_a_run(cuda_device: torch.device, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    names = [source.name for source in sources(weights, HIGH_RANK)]
    config = EvaluationConfig(
        data=write_small_street(tmp_path / "street"),
        to=tmp_path / "run",
        checkpoints=weights,
        base_seed=BASE_SEED,
        model="tiny",
        size=112,
        seq_len=4,
        stride=4,
        max_seqs=1,
        device="cuda",
    )
    evaluate(config)
    measure_costs(request_from_plan(make_plan(config), Passes(warmup=2, repeats=5)))
    log = ProblemLog()
    costs, metadata = read_costs(config.to, log), read_metadata(config.to, log)
    assert not log.result()
    assert metadata is not None
    assert metadata.cost is not None
    assert metadata.cost.kind == "cuda"
    assert metadata.cost.device == torch.cuda.get_device_name(cuda_device)
    assert metadata.cost.threads is None
    assert metadata.cost.others_mb is not None
    assert metadata.cost.vram_note is None
    memory = {(row["checkpoint"], row["merged"]): row["vram_mb"] * 1e6 for row in costs.iter_rows(named=True)}
    own = module_bytes(network(cuda_device).module)
    assert all(value > own for value in memory.values())
    # Merged, a checkpoint is a network like the base; unmerged, it carries its factors besides.
    plain = memory["baseline", False]
    assert [memory[name, True] for name in names] == pytest.approx([plain] * len(names), abs=NOISE)
    sizes = {row["checkpoint"]: row["adapter_mb"] * 1e6 for row in costs.iter_rows(named=True)}
    for name in names:
        assert memory[name, False] > plain + sizes[name] - NOISE
