"""Exports that fail: full disk, vanished and changing files, bad copies, interrupts, kills. Nothing is half-written."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BufferedWriter, FileIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.checkpoints import Select, adapter

from engine.errors import ExportError, TargetExistsError
from engine.export.checkpoints import export_checkpoints
from engine.export.staging import PREFIX, staging, sweep

TESTS = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.export.copying.CHUNK_BYTES", 1000)


def at(done: int, act: Callable[[], object]) -> Callable[[int, int], None]:
    """A progress callback that acts once, when so many bytes are done."""
    pending = [act]

    def progress(so_far: int, _total: int) -> None:
        if so_far >= done and pending:
            pending.pop()()

    return progress


def interrupt() -> None:
    raise KeyboardInterrupt


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def full_disk_after(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Let every file that is opened for a new copy take ``limit`` bytes and no more."""

    class Full(FileIO):
        def write(self, data: Any) -> int:
            if self.tell() + len(data) > limit:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data) or 0

    opened = Path.open

    def open_full(path: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        return BufferedWriter(Full(path, "xb")) if mode == "xb" else opened(path, mode, *args, **options)

    monkeypatch.setattr(Path, "open", open_full)


def test_a_disk_that_fills_up(tmp_path: Path, select: Select, monkeypatch: pytest.MonkeyPatch) -> None:
    full_disk_after(monkeypatch, 8000)
    with pytest.raises(ExportError) as caught:
        export_checkpoints([select("checkpoint_36"), select()], tmp_path / "new" / "out")
    assert str(caught.value) == (
        f"{tmp_path}/new/out/strategy_b/checkpoint_34/checkpoint_34.pt: the disk is full; "
        "free some space or choose another folder; nothing was exported"
    )
    assert not (tmp_path / "new").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    if mount is None or os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no small disk can be mounted here (needs root)")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_real_full_disk(small_disk: Path, select: Select, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export_checkpoints([select("checkpoint_37")], small_disk)
    before = contents(small_disk)
    (weights / "checkpoint_34.pt").write_bytes(b"x" * 30_000)
    with pytest.raises(ExportError, match=r"29\.3 KiB are needed and .* are free; free some space"):
        export_checkpoints([select()], small_disk)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 40))
    with pytest.raises(ExportError, match=r"checkpoint_34\.pt: the disk is full"):
        export_checkpoints([select()], small_disk)
    assert contents(small_disk) == before
    assert [path.name for path in small_disk.iterdir()] == ["strategy_b"]


def test_a_file_that_cannot_be_read(tmp_path: Path, weights: Path, select: Select) -> None:
    progress = at(12_000, (weights / "checkpoint_36.pt").unlink)
    with pytest.raises(
        ExportError, match=r"checkpoint_36\.pt: cannot be read \(No such file or directory\); restore it"
    ):
        export_checkpoints([select(), select("checkpoint_36")], tmp_path / "out", progress=progress)
    assert not (tmp_path / "out").exists()


def test_a_file_without_permission(
    tmp_path: Path, weights: Path, select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def refused(path: Path, *args: Any, **options: Any) -> Any:
        if path == weights / "checkpoint_34.pt":  # chmod would not stop root
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(ExportError, match=r"weights/checkpoint_34\.pt: cannot be read \(Permission denied\)"):
        export_checkpoints([select()], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("done", [3000, 11_000], ids=["while it is copied", "after it was copied"])
@pytest.mark.parametrize("change", ["append", "rewrite", "replace", "truncate"])
def test_a_source_that_changes(tmp_path: Path, weights: Path, select: Select, change: str, done: int) -> None:
    file = weights / "checkpoint_34.pt"
    size = file.stat().st_size

    def act() -> None:
        if change == "append":
            with file.open("ab") as writer:
                writer.write(b"more")
        elif change == "rewrite":
            file.write_bytes(b"y" * size)
        elif change == "replace":
            other = file.with_suffix(".new")
            other.write_bytes(b"z" * size)
            other.replace(file)
        else:
            os.truncate(file, 100)

    with pytest.raises(ExportError, match=r"checkpoint_34\.pt: changed while it was copied; wait until it is written"):
        export_checkpoints([select(), select("checkpoint_36")], tmp_path / "out", progress=at(done, act))
    assert not (tmp_path / "out").exists()


def test_an_adapter_whose_first_file_changes_during_the_second(tmp_path: Path, select: Select) -> None:
    folder = adapter(tmp_path / "more" / "checkpoint_40", {"more.json": b"m" * 5000})
    model = folder / "adapter_model.safetensors"
    progress = at(7500, lambda: model.write_bytes(model.read_bytes()[::-1]))
    with pytest.raises(ExportError, match=r"adapter_model\.safetensors: changed while it was copied"):
        export_checkpoints([select("checkpoint_40", sources=(folder.parent,))], tmp_path / "out", progress=progress)


def test_a_copy_that_reads_back_differently(tmp_path: Path, select: Select) -> None:
    def damage() -> None:
        (copy,) = (tmp_path / "out").glob(PREFIX + "*/new/*/*/checkpoint_34.pt")
        with copy.open("r+b") as file:
            file.seek(9000)
            file.write(b"\xff")

    with pytest.raises(ExportError, match=r"out/strategy_b/.*: the copy reads back differently \(SHA-256\)"):
        export_checkpoints([select()], tmp_path / "out", progress=at(10_241, damage))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("done", [0, 5000, 15_000, 20_480])
def test_an_interrupt_leaves_nothing(tmp_path: Path, select: Select, done: int) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(KeyboardInterrupt):
        export_checkpoints([select()], tmp_path / "out", progress=at(done, interrupt))
    assert list((tmp_path / "out").iterdir()) == []


def renaming(monkeypatch: pytest.MonkeyPatch, act: Callable[[Path, Path], None]) -> None:
    """Call ``act`` before every rename."""
    rename = Path.rename

    def watched(path: Path, to: Path) -> Path:
        act(path, to)
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", watched)


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()], ids=type)
@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_failed_swap_restores_the_old_exports(
    tmp_path: Path,
    weights: Path,
    select: Select,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    failing: int,
) -> None:
    target = tmp_path / "out"
    chosen = [select(), select("checkpoint_36")]
    export_checkpoints(chosen, target)
    before = contents(target)
    for name in ("checkpoint_34.pt", "checkpoint_36.pt"):
        (weights / name).write_bytes(b"new" * 50)
    renames = []

    def fail(path: Path, to: Path) -> None:
        if {"new", "old"} & {*path.parts, *to.parts}:
            renames.append(path)
            if len(renames) == failing:
                raise error

    with monkeypatch.context() as patch:
        renaming(patch, fail)
        with pytest.raises((ExportError, KeyboardInterrupt)):
            export_checkpoints(chosen, target, force=True)
    assert contents(target) == before
    export_checkpoints(chosen, target, force=True)
    assert contents(target) != before and len(contents(target)) == len(before)


def test_an_export_that_came_in_between_is_kept(tmp_path: Path, select: Select) -> None:
    target = tmp_path / "out"

    def other() -> None:
        export_checkpoints([select("checkpoint_36")], target)

    with pytest.raises(TargetExistsError, match="checkpoint_36: exists already"):
        export_checkpoints([select(), select("checkpoint_36")], target, progress=at(3000, other))
    assert sorted(path.name for path in (target / "strategy_b").iterdir()) == ["checkpoint_36"]


# A killed process. The script exports what it is told and kills itself at the place it is told.
SCRIPT = """
import os, signal, sys
from pathlib import Path
from support.checkpoints import selection
from engine.export import checkpoints, copying

copying.CHUNK_BYTES = 1000
run, weights, target, when = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
rename = Path.rename
def watched(path, to):
    if when == "swap" and "new" in path.parts:
        die()
    return rename(path, to)
Path.rename = watched
progress = lambda done, total: die() if when == "copy" and done > total // 3 else None
checkpoints.export_checkpoints([selection(run, weights)], target, force=True, progress=progress)
"""


def killed_export(select: Select, weights: Path, target: Path, when: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(select().run_path), str(weights), str(target), when],
        env={**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_killed_export_leaves_a_staging_folder_that_the_next_one_removes(
    tmp_path: Path, weights: Path, select: Select
) -> None:
    target = tmp_path / "out"
    killed_export(select, weights, target, "copy")
    (left,) = target.iterdir()
    assert left.name.startswith(PREFIX) and list(left.rglob("checkpoint_34.pt"))
    export_checkpoints([select("checkpoint_36")], target)
    assert [path.name for path in target.iterdir()] == ["strategy_b"]
    assert [path.name for path in (target / "strategy_b").iterdir()] == ["checkpoint_36"]


def test_an_export_killed_between_the_renames_gives_the_old_one_back(
    tmp_path: Path, weights: Path, select: Select
) -> None:
    target = tmp_path / "out"
    export_checkpoints([select()], target)
    before = contents(target)
    (weights / "checkpoint_34.pt").write_bytes(b"new")
    killed_export(select, weights, target, "swap")
    assert not (target / "strategy_b" / "checkpoint_34").exists()
    export_checkpoints([select("checkpoint_36")], target)
    assert contents(target).items() >= before.items()
    assert [path.name for path in target.iterdir()] == ["strategy_b"]


def test_a_living_export_is_not_swept(tmp_path: Path) -> None:
    with staging(tmp_path) as folder:
        sweep(tmp_path)
        assert sorted(path.name for path in folder.iterdir()) == [".lock", "new", "old"]
    assert list(tmp_path.iterdir()) == []


def test_what_only_looks_like_a_left_over_is_kept(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".lock").touch()
    target = tmp_path / "out"
    target.mkdir()
    (target / f"{PREFIX}link").symlink_to(elsewhere)
    (target / f"{PREFIX}file").touch()
    (target / f"{PREFIX}young").mkdir()
    (target / f"{PREFIX}old").mkdir()
    os.utime(target / f"{PREFIX}old", (0, 0))
    sweep(target)
    assert sorted(path.name for path in target.iterdir()) == [f"{PREFIX}file", f"{PREFIX}link", f"{PREFIX}young"]
    assert (elsewhere / ".lock").exists()


def test_a_file_system_without_locks(tmp_path: Path, select: Select, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr("fcntl.flock", unsupported)
    other = tmp_path / "out" / f"{PREFIX}other"
    other.mkdir(parents=True)
    (other / ".lock").touch()
    export_checkpoints([select()], tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [other.name, "strategy_b"]
