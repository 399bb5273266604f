"""``lorascope synth``."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import Command

pytest.importorskip("cv2", reason="streets need the extra `eval`")

SMALL = ("--frames", "2", "--size", "64x32")


def test_a_street_is_written_and_can_be_opened(lorascope: Command, tmp_path: Path) -> None:
    from engine.dataset.open import open_dataset

    root = tmp_path / "a street"
    done = lorascope("synth", root, "--drives", "3=val, 8=test", *SMALL)
    assert done.lines == [
        f"wrote {root}: 2 drives of 2 frames, 64x32 pixels",
        f"evaluate it: lorascope evaluate --data '{root}' ...",
    ]
    dataset = open_dataset(root)
    assert dataset.name == "street"
    assert len(dataset.windows("val", seq_len=2, stride=2)) == 1
    lorascope("synth", root, *SMALL).failed(1, "not an empty folder", "new folder")


def test_the_seed_decides(lorascope: Command, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert lorascope("synth", tmp_path / name, "--seed", seed, "--drives", "3=val", *SMALL).code == 0
    pictures = [sorted(p.read_bytes() for p in (tmp_path / name).rglob("*.png")) for name in "abc"]
    assert pictures[0] == pictures[1] != pictures[2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--size", "352"), ("--size '352'", "352x94")),
        (("--size", "0x0"), ("0x0", "not possible")),
        (("--drives", "3"), ("--drives: '3'", "0=train")),
        (("--drives", "3=val,3=train"), ("drive 3 twice",)),
        (("--drives", "3=test"), ("drive 3 cannot be in split 'test'",)),
        (("--frames", "0"), ("--frames",)),
    ],
)
def test_mistakes_write_nothing(
    lorascope: Command, tmp_path: Path, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    lorascope("synth", tmp_path / "street", *options).failed(2, *words)
    assert list(tmp_path.iterdir()) == []
