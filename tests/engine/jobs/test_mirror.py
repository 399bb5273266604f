"""A job's mirror in an object store: who joins by it, what is published, and what is refused."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support.jobs import PATIENCE, wait_for, write_started
from support.program import LORASCOPE, run_lorascope
from support.rows import rows
from support.s3 import s3_server

from engine.errors import DataError, RemoteError, UsageError
from engine.evaluation.config import make_config
from engine.evaluation.journal import Event
from engine.jobs.snapshot import JobState
from engine.jobs.start import start
from engine.results.layout import METADATA

pytest.importorskip("fsspec", reason="object stores need the extra `s3`")
pytest.importorskip("distributed", reason="several workers need the extra `cluster`")

from engine.cluster.contact import Contact, announce, read_contact
from engine.cluster.following import Following
from engine.cluster.keys import make_keys, security
from engine.cluster.mirror import JOIN, disinvite, invite
from engine.cluster.parcel import Parcel, pack, unpack
from engine.cluster.publishing import Publisher, check_mirror, publish
from engine.evaluation.executor import ShardDone
from engine.remote.bringing import bring
from engine.remote.store import Remote


def held(folder: Path) -> set[str]:
    """The files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_host_has_what_the_mirror_says(tmp_path: Path) -> None:
    run, mirror = tmp_path / "run", f"file://{tmp_path}/mirror"
    make_keys(run)
    with Following(mirror, seconds=0) as following:
        there = following.run
        following.look()
        assert read_contact(there) is None
        contact = announce(run, "tls://host:1")
        invite(run, mirror, contact)
        following.look()
        assert read_contact(there) == contact
        assert stat.S_IMODE(there.stat().st_mode) == 0o700
        files = [path for path in there.rglob("*") if path.is_file()]
        assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600] * 3
        assert (there / "job/keys/key.pem").read_bytes() == (run / "job/keys/key.pem").read_bytes()
        assert "PRIVATE" not in repr(security(there))
        invite(run, mirror, announce(run, "tls://host:2"))
        following.look()
        assert read_contact(there) == read_contact(run) != contact
        Remote(mirror).write(JOIN, b"{}")
        following.look()
        assert read_contact(there) is None, "nothing is taken from what cannot be read"
        before = (run / "job/keys/key.pem").read_bytes()
        disinvite(run, mirror)
        following.look()
    assert read_contact(run) is None
    assert held(tmp_path / "mirror") == set()
    assert not there.exists()
    make_keys(run)
    assert (run / "job/keys/key.pem").read_bytes() != before, "a key that lay in a store is not used again"


def test_a_host_keeps_what_it_knows_while_the_mirror_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, mirror = tmp_path / "run", f"file://{tmp_path}/mirror"
    make_keys(run)
    invite(run, mirror, Contact("tls://host:1", "a"))

    def gone(_self: Remote, _name: str) -> bytes:
        raise RemoteError("it cannot be reached")

    with Following(mirror, seconds=0) as following:
        following.look()
        with monkeypatch.context() as patch:
            patch.setattr(Remote, "read", gone)
            following.look()
            following.look()
            assert read_contact(following.run) == Contact("tls://host:1", "a")
            with Following(mirror, seconds=0) as other, pytest.raises(RemoteError):
                other.look()
        assert capsys.readouterr().err == "lorascope: it cannot be reached\n"


def test_files_of_a_shard_travel(tmp_path: Path) -> None:
    files = {
        "frames/checkpoint_0/000007.parquet": b"rows",
        "slices/baseline/000007.parquet": b"slices",
        "curve_shards/000007/curves.parquet": b"curves",
    }
    for name, data in files.items():
        path = tmp_path / "there" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    done = ShardDone(7, 1.0, {}, {})
    parcel = pack(done, tmp_path / "there")
    assert parcel == Parcel(done, files)
    assert not (tmp_path / "there").exists()
    assert unpack(parcel, tmp_path / "run") == done
    assert {name: (tmp_path / "run" / name).read_bytes() for name in held(tmp_path / "run")} == files


@pytest.mark.parametrize(
    "name",
    [
        "frames/a/000008.parquet",
        "frames/../000007.parquet",
        "/frames/a/000007.parquet",
        "job/keys/000007.parquet",
        "metadata.json",
        "curve_shards/000007/000007.parquet",
        "frames/a/b/000007.parquet",
    ],
)
def test_other_files_than_a_shards_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="none of shard 7"):
        unpack(Parcel(ShardDone(7, 1.0, {}, {}), {name: b"x"}), tmp_path)
    assert held(tmp_path) == set()


def write_files(run: Path, *names: str) -> None:
    """Files of a run."""
    for name in names:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(name.encode())


def test_only_what_changed_is_published(tmp_path: Path) -> None:
    run, store, mirror = tmp_path / "run", tmp_path / "mirror", f"file://{tmp_path}/mirror"
    check_mirror(run, mirror)
    write_started(run)
    write_files(run, METADATA, "frames/a/000000.parquet", "frames/a/000001.parquet", "previews/a/w0-0.png")
    write_files(run, "job/keys/key.pem", ".lock", "frames/a/.1.tmp", "curve_shards/000000/curves.parquet")
    wanted = {METADATA, "frames/a/000000.parquet", "frames/a/000001.parquet", "previews/a/w0-0.png", "journal.jsonl"}
    assert publish(run, mirror)["files"] == 5
    assert held(store) == wanted | {"published.json"}
    assert publish(run, mirror)["files"] == 0
    (store / "notes.txt").write_text("somebody's")
    (store / "frames/a/000000.parquet").unlink()
    write_files(run, "frames/a/joined.parquet")
    (run / "frames/a/000001.parquet").unlink()
    assert publish(run, mirror)["files"] == 2
    assert held(store) == (wanted | {"published.json", "notes.txt", "frames/a/joined.parquet"}) - {
        "frames/a/000001.parquet"
    }
    check_mirror(run, mirror)
    place = bring(mirror)
    for name in held(place) - {"published.json"}:
        assert (place / name).read_bytes() == (run / name).read_bytes()
        assert (place / name).stat().st_mtime_ns == (run / name).stat().st_mtime_ns


def test_another_run_is_not_overwritten(tmp_path: Path) -> None:
    mirror = f"file://{tmp_path}/mirror"
    write_started(tmp_path / "run")
    write_files(tmp_path / "run", METADATA)
    publish(tmp_path / "run", mirror)
    before = {name: (tmp_path / "mirror" / name).read_bytes() for name in held(tmp_path / "mirror")}
    write_started(tmp_path / "other")
    for check in (check_mirror, publish):
        with pytest.raises(UsageError, match=r"mirror holds another run than .*other; choose another --mirror"):
            check(tmp_path / "other", mirror)
    assert before == {name: (tmp_path / "mirror" / name).read_bytes() for name in held(tmp_path / "mirror")}
    (tmp_path / "mirror" / "published.json").unlink()
    with pytest.raises(UsageError, match="holds another run"):
        check_mirror(tmp_path / "run", mirror)


def test_metadata_comes_last_and_what_failed_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, mirror = tmp_path / "run", f"file://{tmp_path}/mirror"
    write_started(run)
    write_files(run, METADATA, "a.parquet", "z.parquet")
    put = Remote.put

    def failing(self: Remote, name: str, file: Path) -> None:
        if name == "z.parquet":
            raise RemoteError("the network is gone")
        put(self, name, file)

    events: list[Event] = []
    with monkeypatch.context() as patch:
        patch.setattr(Remote, "put", failing)
        publisher = Publisher(run, mirror, events.append, seconds=0)
        with publisher:
            publisher.saw(Event("started"))
            while not events:
                publisher.saw(Event("sharing"))
        assert [(event.kind, event.data["why"]) for event in events] == [("not_published", "the network is gone")]
        with pytest.raises(RemoteError, match=r"run is kept, and could not be published: the network is gone; the "):
            publisher.finish()
    assert METADATA not in held(tmp_path / "mirror")
    publisher.finish()
    assert held(tmp_path / "mirror") == held(run) | {"published.json"}
    assert events[-1].kind == "published"


def test_a_mirror_that_cannot_be_is_refused_before_anything_is_computed(
    settings: dict[str, object], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    options = [part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    done = run_lorascope("evaluate", *options, "--to", tmp_path / "run", "--mirror", f"file://{tmp_path}/file/run")
    assert done.returncode == 1
    assert "cannot be reached (" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run" / "journal.jsonl").exists()
    done = run_lorascope("evaluate", *options, "--to", "s3://bucket/run")
    assert done.returncode == 2
    assert "s3://bucket/run is no path of this machine: give a folder here, and this as --mirror" in done.stderr
    done = run_lorascope("worker", "--run", f"file://{tmp_path}/mirror", "--patience", "0")
    assert (done.returncode, done.stderr) == (
        1,
        f"lorascope: file://{tmp_path}/mirror: nobody waits for workers there; "
        "start it with lorascope evaluate --cluster --mirror\n",
    )


@pytest.mark.e2e
def test_hosts_join_by_an_s3_bucket_and_the_run_is_published_there(
    settings: dict[str, object], reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("s3fs", "moto", "flask", "flask_cors"):
        pytest.importorskip(package, reason="speaking S3's protocol here needs the extra `dev`")
    run, mirror = tmp_path / "run", "s3://bucket/results/run"
    with s3_server("bucket") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        start(
            make_config({**settings, "to": run, "cluster": True, "workers": 0, "listen": "127.0.0.1", "mirror": mirror})
        )
        wait_for(run, lambda job: read_contact(run) is not None or not job.state.alive)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        worker = subprocess.Popen(
            [LORASCOPE, "worker", "--run", mirror, "--device", "cpu", "--workers", "2", "--patience", "1"],
            cwd=elsewhere,
            env={**os.environ, "TMPDIR": str(elsewhere)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        before = wait_for(run, lambda job: job.shards_done >= 2 or not job.state.alive)
        assert before.state.alive, before.log
        os.kill(next(one.pid for one in before.workers if one.name), signal.SIGKILL)
        ended = wait_for(run, lambda job: not job.state.alive)
        out, _ = worker.communicate(timeout=PATIENCE)
        assert ended.state is JobState.FINISHED, (ended.why, ended.log, out)
        assert worker.returncode == 0, out
        left = [name for name in held(elsewhere) if name.endswith((".parquet", ".pem", ".json"))]
        assert left == [], "what was computed there went on its way, and the key is gone"
        assert rows(run).equals(rows(reference))
        shutil.rmtree(run)
        # Whatever is opened now was published.
        listed = run_lorascope("runs", "s3://bucket/results", "--format", "csv")
        assert listed.returncode == 0, listed.stderr
        assert f",{mirror}," in listed.stdout
        assert listed.stdout.rstrip().endswith(",ok,")
        read = subprocess.run(
            [sys.executable, "-c", _READ, mirror], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        place, names, count = read.stdout.splitlines()
        assert "job" not in names, "neither key nor address are left"
        assert rows(Path(place)).equals(rows(reference))
        assert int(count) == rows(reference).height
        denied = run_lorascope("runs", "s3://other/results")
    assert (denied.returncode, "there is no such bucket" in denied.stderr) == (1, True), denied.stderr


_READ = """\
import os, sys
import polars as pl
from engine.remote.store import Remote
from engine.remote.url import place_of
url = sys.argv[1]
print(place_of(url))
print(sorted({name.split("/")[0] for name in Remote(url).list()}))
options = {"aws_endpoint_url": os.environ["AWS_ENDPOINT_URL"], "aws_allow_http": "true"}
print(pl.scan_parquet(f"{url}/frames/*/*.parquet", storage_options=options).select(pl.len()).collect().item())
"""
