"""A folder in a store: what is written is whole, what is not there is no error, and errors are sentences."""

from __future__ import annotations

import builtins
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fsspec", reason="object stores need the extra `s3`")

from engine.errors import RemoteError, StorageError
from engine.remote.store import Remote, explain


@pytest.fixture(params=["memory", "file"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Remote]:
    """An empty folder of two kinds of store."""
    yield Remote(f"memory://{tmp_path.name}" if request.param == "memory" else f"file://{tmp_path}/store")
    from fsspec.implementations.memory import MemoryFileSystem

    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def test_files_come_and_go(remote: Remote, tmp_path: Path) -> None:
    assert remote.list() == {}
    assert remote.read("a/b.json") is None
    here = tmp_path / "here"
    here.write_bytes(b"three")
    remote.write("a/b.json", b"12")
    remote.put("c", here)
    listed = remote.list()
    assert {name: entry.size for name, entry in listed.items()} == {"a/b.json": 2, "c": 5}
    assert all(entry.tag for entry in listed.values())
    assert remote.read("a/b.json") == b"12"
    back = tmp_path / "back"
    assert remote.get("c", back)
    assert back.read_bytes() == b"three"
    assert not remote.get("nothing", tmp_path / "none")
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"here", "back"}
    with pytest.raises(FileNotFoundError):
        remote.put("d", tmp_path / "none")
    remote.remove(["c", "nothing"])
    assert list(remote.list()) == ["a/b.json"]
    assert list(Remote(f"{remote.url}/a/b.json").list()) == [""]


class Failing:
    """A store whose files cannot be read, the first so many times."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error = error
        self.times = times
        self.asked = 0

    def cat_file(self, _path: str) -> bytes:
        self.asked += 1
        if self.asked <= self.times:
            raise self.error
        return b"at last"

    def get_file(self, _path: str, local: str) -> None:
        Path(local).write_bytes(b"half")
        raise self.error


def failing(error: Exception, times: int = 99, pauses: tuple[float, ...] = (0.0, 0.0)) -> tuple[Remote, Failing]:
    """A folder in such a store."""
    remote = Remote("memory://x", pauses=pauses)
    store: Any = Failing(error, times)
    remote._fs = store
    return remote, store


def test_a_lost_connection_is_tried_again() -> None:
    remote, store = failing(ConnectionResetError("reset"), times=2)
    assert remote.read("x") == b"at last"
    assert store.asked == 3
    remote, store = failing(ConnectionResetError("reset by peer"))
    with pytest.raises(RemoteError, match=r"memory://x cannot be reached \(reset by peer\); check the network"):
        remote.read("x")
    assert store.asked == 3


def test_what_is_refused_is_not_tried_again() -> None:
    remote, store = failing(PermissionError("Access Denied"))
    with pytest.raises(RemoteError, match=r"permission denied \(Access Denied\); check the credentials"):
        remote.read("x")
    assert store.asked == 1


def test_what_comes_in_part_is_not_kept(tmp_path: Path) -> None:
    remote, _store = failing(TimeoutError("too slow"), pauses=())
    with pytest.raises(RemoteError, match="too slow"):
        remote.get("x", tmp_path / "file")
    remote, _store = failing(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(StorageError, match=r"file: cannot be written \(No space left on device\)"):
        remote.get("x", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


class NoCredentialsError(Exception):
    """Called as the S3 client's own."""


class ClientError(Exception):
    """Called as the S3 client's own, with its answer."""

    def __init__(self) -> None:
        self.response = {"Error": {"Code": "NoSuchBucket"}}


def test_errors_have_their_remedy() -> None:
    assert "AWS_PROFILE" in explain("s3://b", NoCredentialsError("Unable to locate credentials")).remedy
    gone = FileNotFoundError("The specified bucket does not exist")
    gone.__cause__ = ClientError()
    assert str(explain("s3://b/x", gone)).startswith("s3://b/x: there is no such bucket; create it")
    remote, _store = failing(gone)
    with pytest.raises(RemoteError, match="no such bucket"):
        remote.read("x")
    with pytest.raises(RemoteError, match=r"nix://x cannot be opened \(Protocol not known: nix\)"):
        Remote("nix://x")


@pytest.mark.parametrize(("url", "package"), [("memory://x", "fsspec"), ("s3://bucket/x", "s3fs")])
def test_what_is_not_installed_is_named(url: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named '{package}'", name=package)
        return real(name, *rest, **more)

    import sys

    for name in [name for name in sys.modules if name.partition(".")[0] == "s3fs"]:
        monkeypatch.delitem(sys.modules, name)
    from fsspec.registry import _registry

    monkeypatch.delitem(_registry, "s3", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    if package == "s3fs":
        import importlib

        load = importlib.import_module

        def lacking(name: str, *rest: Any) -> Any:
            if name.partition(".")[0] == package:
                raise ModuleNotFoundError(f"No module named '{package}'", name=package)
            return load(name, *rest)

        monkeypatch.setattr(importlib, "import_module", lacking)
    with pytest.raises(RemoteError, match=f"needs {package}, which is not installed") as failed:
        Remote(url)
    assert failed.value.remedy == "pip install 'lorascope[s3]'"
