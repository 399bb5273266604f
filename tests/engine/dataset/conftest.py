"""A small street, written once, and ways to copy it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from dataset_support import FRAMES, SIZE

from engine.dataset.street import write_street

cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def street_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A street of three drives and 12 frames each; tests must not change it."""
    root = tmp_path_factory.mktemp("street") / "lane"
    return write_street(
        root, seed=3, drives={0: "train", 3: "val", 8: "test"}, frames=FRAMES, size=SIZE, azimuths=720, workers=2
    )


@pytest.fixture
def copied_street(street_root: Path, tmp_path: Path) -> Callable[[], Path]:
    """Copies of the street that may be damaged by deleting or replacing files (never by writing into them)."""

    def copy() -> Path:
        return Path(shutil.copytree(street_root, tmp_path / "lane", copy_function=os.link))

    return copy
