"""Runs that are brought here from a store: what comes, what comes again, what goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.legacy import rising_run, write_run
from support.native import write_native_run
from support.program import run_lorascope

pytest.importorskip("fsspec", reason="object stores need the extra `s3`")

from engine.errors import DataError, UsageError
from engine.remote.bringing import bring, bring_all
from engine.remote.published import Published
from engine.remote.url import brought_folder, place_of


def held(place: Path) -> set[str]:
    """The files below a place."""
    return {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}


def test_a_run_comes_whole_and_only_once(tmp_path: Path) -> None:
    write_native_run(tmp_path / "store" / "native")
    (tmp_path / "store" / "native" / "job" / "keys").mkdir(parents=True)
    (tmp_path / "store" / "native" / "job" / "keys" / "key.json").write_text("{}")
    (tmp_path / "store" / "weights.safetensors").write_bytes(b"weights")
    (tmp_path / "store" / ".hidden.json").write_text("{}")
    url, said = f"file://{tmp_path}/store", []
    place = bring(url, said.append)
    assert place == place_of(url)
    wanted = {name for name in held(tmp_path / "store") if "job" not in name}
    assert held(place) == wanted - {"weights.safetensors", ".hidden.json"}
    assert all((place / name).read_bytes() == (tmp_path / "store" / name).read_bytes() for name in held(place))
    assert len(said) == 1
    assert said[0].startswith(f"{url}: bringing {len(held(place))} files, ")
    assert bring(url, said.append) == place
    assert len(said) == 1, "nothing had changed"


def test_what_changed_comes_again_and_what_went_goes(tmp_path: Path) -> None:
    store = tmp_path / "store"
    write_run(store / "a", rising_run(3, best=2))
    write_run(store / "b", rising_run(3, best=2))
    place = bring(f"file://{store}")
    before = {name: (place / name).stat().st_ino for name in held(place)}
    changed = next(iter(sorted((store / "a").iterdir())))
    changed.write_bytes(changed.read_bytes() + b" ")
    for path in (store / "b").iterdir():
        path.unlink()
    (place / "a" / "spoiled.json").write_text("left by somebody")
    said: list[str] = []
    bring(f"file://{store}", said.append)
    assert "bringing 1 file, " in said[0]
    assert held(place) == held(store)
    assert not (place / "b").exists()
    after = {name: (place / name).stat().st_ino for name in held(place)}
    assert {name for name in after if after[name] != before[name]} == {f"a/{changed.name}"}


def test_a_file_that_was_changed_here_comes_again(tmp_path: Path) -> None:
    write_run(tmp_path / "store", rising_run(3, best=2))
    place = bring(f"file://{tmp_path}/store")
    name = min(held(place))
    (place / name).write_text("spoiled")
    bring(f"file://{tmp_path}/store")
    assert (place / name).read_bytes() == (tmp_path / "store" / name).read_bytes()


def test_files_have_the_times_that_their_run_says(tmp_path: Path) -> None:
    store = tmp_path / "store"
    write_native_run(store)
    stamps = {name: ((store / name).stat().st_size, 1_700_000_000_123_456_789) for name in held(store)}
    lying = {**stamps, "metadata.json": (1, 5), "../outside.json": (1, 5)}
    (store / "published.json").write_bytes(Published("then", lying).encode())
    said: list[str] = []
    place = bring(f"file://{store}")
    for name in stamps:
        expected = name != "metadata.json"
        assert ((place / name).stat().st_mtime_ns == 1_700_000_000_123_456_789) is expected, name
    bring(f"file://{store}", said.append)
    assert said == []


def test_a_table_is_a_run(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("checkpoint,abs_rel\na,0.5\nb,0.4\n")
    place = bring(f"file://{tmp_path}/table.csv")
    assert place.read_text() == (tmp_path / "table.csv").read_text()
    assert bring_all([tmp_path, Path(f"file://{tmp_path}/table.csv")]) == [tmp_path, place]


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"store: no runs there; check the bucket"):
        bring(f"file://{tmp_path}/store")
    with pytest.raises(UsageError, match=r"s3://\.\. is no place of runs; name a bucket"):
        bring("s3://..")
    assert not brought_folder().exists()


def test_names_that_lead_elsewhere_stay_where_they_are(tmp_path: Path) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    store = MemoryFileSystem()
    for name in ("../../x.json", "/double.json", "a\\b.json", "ok.json"):
        store.store[f"/escape/run/{name}"] = file = store.open("/object", "wb")  # names are only names there
        file.close()
    try:
        place = bring("memory://escape/run")
        assert held(place) == {"ok.json"}
    finally:
        MemoryFileSystem.store.clear()
        MemoryFileSystem.pseudo_dirs[:] = [""]


def test_commands_open_urls(tmp_path: Path) -> None:
    write_run(tmp_path / "results" / "run_a", rising_run(5, best=3))
    write_run(tmp_path / "results" / "run_b", rising_run(5, best=4))
    url = f"file://{tmp_path}/results"
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    done = run_lorascope("runs", url, "--format", "json", env=cache)
    assert done.returncode == 0, done.stderr
    assert f"{url}: bringing" in done.stderr
    found = {run["run"]: run["path"] for run in json.loads(done.stdout)["runs"]}
    assert found == {"run_a": f"{url}/run_a", "run_b": f"{url}/run_b"}
    there = run_lorascope("rank", tmp_path / "results" / "run_a", "--format", "json")
    here = run_lorascope("rank", f"{url}/run_a", "--format", "json", env=cache)
    assert (here.returncode, here.stdout) == (0, there.stdout), here.stderr
    assert (tmp_path / "cache" / "lorascope" / "remote" / "file").is_dir()
    done = run_lorascope("runs", f"file://{tmp_path}/nothing", env=cache)
    assert (done.returncode, done.stderr) == (
        1,
        f"lorascope: file://{tmp_path}/nothing: no runs there; check the bucket and the folder in it\n",
    )
