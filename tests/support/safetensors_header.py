"""Safetensors files by hand, for tests that do without the library."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path


def write_header(path: Path, names: Sequence[str]) -> None:
    """A file with one number under each name."""
    entries = {
        name: {"dtype": "F32", "shape": [1], "data_offsets": [4 * index, 4 * index + 4]}
        for index, name in enumerate(names)
    }
    header = json.dumps({"__metadata__": {"format": "pt"}, **entries}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4 * len(names)))
