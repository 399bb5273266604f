"""A very small network, and checkpoints on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from support.lora import SIZE, Trainings
from torch import Tensor

from engine.inference.tiny import TinyModel, TinyNetwork


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Bit-equal outputs need one order of summation; nothing here is large."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def network() -> TinyNetwork:
    """The base, in eval mode."""
    return TinyNetwork(SIZE, seed=3).eval()


@pytest.fixture
def model(network: TinyNetwork) -> TinyModel:
    """The base as a model."""
    return TinyModel(network)


@pytest.fixture(scope="session")
def images() -> Tensor:
    """Two windows of three frames."""
    return torch.rand(2, 3, 3, 16, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def trainings(network: TinyNetwork, tmp_path: Path) -> Trainings:
    """Writes checkpoints of ``network`` into ``tmp_path``."""
    return Trainings(network, tmp_path)
