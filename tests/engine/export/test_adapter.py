"""What a checkpoint says of itself without any model library."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from support.safetensors_header import write_header

from engine.export.adapter import lora_modules

SAMPLES = Path(__file__).resolve().parents[3] / "sample_results" / "weights"


def test_layers_from_the_header_alone(tmp_path: Path) -> None:
    file = tmp_path / "adapter_model.safetensors"
    write_header(
        file,
        [
            "base_model.model.b.attn.qkv.lora_A.weight",
            "base_model.model.b.attn.qkv.lora_B.weight",
            "a.lora_A.default.weight",
            "base_model.model.head.modules_to_save.weight",
        ],
    )
    assert lora_modules(file) == ("a", "b.attn.qkv")


def test_layers_of_a_trained_adapter() -> None:
    file = SAMPLES / "soft" / "checkpoint_24" / "adapter_model.safetensors"
    found = lora_modules(file)
    assert len(found) == 24 and "aggregator.global_blocks.5.mlp.fc2" in found
    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(file, framework="np") as opened:
        names = set(opened.keys())
    assert {f"base_model.model.{name}.lora_{half}.weight" for name in found for half in "AB"} == names


@pytest.mark.parametrize(
    "content", [b"", b"1234", struct.pack("<Q", 1 << 60) + b"{}", struct.pack("<Q", 2) + b"[]", b"\xff" * 40]
)
def test_what_cannot_be_read_says_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "adapter_model.safetensors"
    file.write_bytes(content)
    assert lora_modules(file) == ()
    assert lora_modules(tmp_path / "none.safetensors") == ()
    assert lora_modules(file.rename(tmp_path / "adapter_model.bin")) == ()
