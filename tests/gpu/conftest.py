"""What needs a CUDA device is skipped where there is none, and says so."""

from __future__ import annotations

import warnings

import pytest


@pytest.fixture(autouse=True)
def cuda_device():  # type: ignore[no-untyped-def]  # torch may be missing
    """The device; skips without one."""
    torch = pytest.importorskip("torch", reason="the gpu tests need the extra `eval`")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a driver that is too old is no device either
        found = torch.cuda.is_available()
    if not found:
        pytest.skip("no CUDA device")
    return torch.device("cuda")
