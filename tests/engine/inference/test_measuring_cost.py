"""Measuring a pass: what counts, when the device is waited for, and whose memory it is."""

from __future__ import annotations

import pytest
import torch
from support.metering import FakeDevice, FakeModel
from torch import nn

from engine.inference.cost import Cost, measure, module_bytes
from engine.inference.meters import CpuMeter, CudaMeter, meter_of

IMAGES = torch.zeros(1, 8, 3, 4, 6)


def test_percentiles_of_known_times() -> None:
    device = FakeDevice()
    times = [3.0, 1.0, 2.0, 5.0, 4.0]
    cost = measure(FakeModel(device, times), IMAGES, torch.float32, device, warmup=0, repeats=5)
    assert cost.times == tuple(times)
    assert cost.latency == 3.0
    # Rank 0.95 * 4 = 3.8 between 4 s and 5 s.
    assert cost.latency_p95 == pytest.approx(4.8, abs=1e-12)
    assert cost.fps == pytest.approx(8 / 3.0)
    assert Cost((2.0, 4.0), 4, None).latency == 3.0
    assert Cost((0.5,), 4, None).latency_p95 == 0.5


def test_what_warms_up_is_not_counted() -> None:
    device = FakeDevice()
    cost = measure(FakeModel(device, [90.0, 80.0, 1.0, 1.5]), IMAGES, torch.float32, device, warmup=2, repeats=2)
    assert cost.times == (1.0, 1.5)


def test_the_device_is_waited_for_around_each_timing() -> None:
    device = FakeDevice((0, 0))
    measure(FakeModel(device, [1.0] * 3), IMAGES, torch.float32, device, warmup=1, repeats=2)
    timing = ["synchronize", "now", "pass", "synchronize", "now"]
    assert device.log == ["settle", "pass", "synchronize", "start memory", *timing, *timing]


@pytest.mark.parametrize(("warmup", "repeats"), [(0, 0), (-1, 1)])
def test_nothing_to_measure(warmup: int, repeats: int) -> None:
    device = FakeDevice()
    with pytest.raises(ValueError, match="cannot be measured"):
        measure(FakeModel(device, []), IMAGES, torch.float32, device, warmup=warmup, repeats=repeats)


def test_memory_is_that_of_the_model_alone() -> None:
    network = nn.Linear(10, 7)
    images = 4 * IMAGES.numel()
    own = 4 * (70 + 7)
    for elsewhere in (0, 123_456_789):
        # Beside the model and its images lies something else, and passes need 1,000 bytes more at their peak.
        before = elsewhere + own + images
        device = FakeDevice((before, before + 1000))
        cost = measure(FakeModel(device, [1.0], network), IMAGES, torch.float32, device, warmup=0, repeats=1)
        assert cost.memory == own + images + 1000
    device = FakeDevice()
    assert measure(FakeModel(device, [1.0]), IMAGES, torch.float32, device, warmup=0, repeats=1).memory is None


def test_a_shared_tensor_counts_once() -> None:
    network = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5), nn.BatchNorm1d(3))
    network[1].weight = network[0].weight
    parameters = 25 + 5 + 5 + 3 + 3
    assert module_bytes(network) == 4 * (parameters + 3 + 3) + 8  # running statistics, and a count of batches


def test_a_cpu_says_why_it_tells_no_memory() -> None:
    meter = meter_of(torch.device("cpu"))
    assert isinstance(meter, CpuMeter)
    meter.settle()
    meter.synchronize()
    assert (meter.start_memory(), meter.peak_memory(), meter.others_memory()) == (None, None, None)
    assert "whole process" in meter.memory_note
    assert meter.now() <= meter.now()


def test_a_cuda_meter_asks_its_own_device(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, object]] = []

    def answer(name: str, value: object) -> None:
        def call(device: object = None) -> object:
            asked.append((name, device))
            return value

        monkeypatch.setattr(torch.cuda, name, call)

    answer("synchronize", None)
    answer("reset_peak_memory_stats", None)
    answer("memory_allocated", 30)
    answer("max_memory_allocated", 70)
    answer("memory_reserved", 100)
    answer("mem_get_info", (600, 1000))
    answer("empty_cache", None)
    device = torch.device("cuda:1")
    meter = meter_of(device)
    assert isinstance(meter, CudaMeter)
    meter.synchronize()
    assert (meter.start_memory(), meter.peak_memory(), meter.others_memory()) == (30, 70, 300)
    assert ("reset_peak_memory_stats", device) in asked
    assert {where for _, where in asked} == {device}
    assert meter.memory_note == ""
