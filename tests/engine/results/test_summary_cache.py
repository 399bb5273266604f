"""Cached summaries: as good as fresh ones, believed only where nothing changed, and never in the way."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from support.results import load_one, mean_of, messages, put
from support.store import frame_row, frames, metadata

from engine.results import folder_summary, summaries, summary_cache, summary_file
from engine.results.folder_summary import FolderSummary, summarise_folders
from engine.results.layout import SUMMARY_CACHE
from engine.results.model import Run
from engine.results.shards import ShardFolder, shard_folders
from engine.results.summary_cache import write_beside
from engine.results.summary_file import decode, encode
from engine.results.user_cache import UserCache
from engine.results.writer import write_frames, write_metadata

MAE = "depth.building.mae"
NAMES = ("baseline", "checkpoint_1", "checkpoint_2")


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written just now may be kept in the user's cache."""
    monkeypatch.setattr(summary_cache, "SETTLED_SECONDS", -60.0)


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that are derived from their rows from here on."""
    names: list[str] = []

    def counted(folders: Sequence[ShardFolder], alignment: str):  # type: ignore[no-untyped-def]
        names.extend(folder.name for folder in folders)
        return summarise_folders(folders, alignment)

    monkeypatch.setattr(summaries, "summarise_folders", counted)
    return names


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with rows of two alignments and poses."""
    folder = tmp_path / "run"
    for place, name in enumerate(NAMES):
        write_frames(folder, name, rows(name, place), "0")
    write_metadata(folder, metadata(*NAMES))
    return folder


def rows(name: str, place: float) -> pl.DataFrame:
    return frames(
        [
            *(frame_row(name, frame, depth__mae=place + frame / 8, pixels=frame) for frame in range(6)),
            *(frame_row(name, frame, depth__mae=99.0, align="none") for frame in range(6)),
            frame_row(name, None, pose__ate_trans=place + 0.5),
        ]
    )


def user_files(home: str | None = None) -> list[Path]:
    folder = Path(home or os.environ["XDG_CACHE_HOME"]) / "lorascope" / "summaries"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def write_cache(run: Path, alignment: str = "median") -> Path:
    """What an evaluation leaves beside the run."""
    write_beside(run, summaries.derive(shard_folders(run), alignment).values())
    return run / SUMMARY_CACHE


def assert_same(one: Run, other: Run) -> None:
    assert_frame_equal(one.summary, other.summary, check_exact=True)
    assert one.problems == other.problems
    assert (one.status, one.has_frames) == (other.status, other.has_frames)
    assert_frame_equal(one.checkpoints, other.checkpoints)


def snapshot(folder: Path) -> dict[Path, tuple[int, int, bytes]]:
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_ctime_ns, path.read_bytes() if path.is_file() else b"")
        for path in [folder, *folder.rglob("*")]
    }


def test_the_second_opening_derives_nothing_and_finds_the_same(run: Path, derived: list[str]) -> None:
    first = load_one(run)
    assert sorted(derived) == sorted(NAMES)
    assert len(user_files()) == 1
    derived.clear()
    assert_same(load_one(run), first)
    assert derived == []


def test_opening_writes_nothing_into_the_run(run: Path) -> None:
    before = snapshot(run)
    load_one(run)
    load_one(run)
    assert snapshot(run) == before


def test_what_the_evaluation_left_is_enough(run: Path, derived: list[str]) -> None:
    fresh = load_one(run)
    shutil.rmtree(os.environ["XDG_CACHE_HOME"] + "/lorascope")
    write_cache(run)
    derived.clear()
    assert_same(load_one(run), fresh)
    assert derived == []
    assert user_files() == []


def test_a_copy_with_its_times_brings_its_cache_along_and_one_without_does_not(
    run: Path, derived: list[str], tmp_path: Path
) -> None:
    write_cache(run)
    fresh = load_one(run)
    for name, copy, expected in (("faithful", shutil.copy2, []), ("other", shutil.copyfile, list(NAMES))):
        shutil.copytree(run, tmp_path / name / "run", copy_function=copy)
        derived.clear()
        assert_same(load_one(tmp_path / name / "run"), fresh)
        assert sorted(derived) == sorted(expected)


def test_the_user_s_cache_belongs_to_one_place(run: Path, derived: list[str], tmp_path: Path) -> None:
    load_one(run)
    shutil.copytree(run, tmp_path / "copy")
    derived.clear()
    load_one(tmp_path / "copy")
    assert sorted(derived) == sorted(NAMES)
    assert len(user_files()) == 2
    (tmp_path / "link").symlink_to(run)
    derived.clear()
    load_one(tmp_path / "link")
    assert derived == []


def change_a_value(run: Path) -> None:
    write_frames(run, "checkpoint_1", rows("checkpoint_1", 7), "0")


def add_a_shard(run: Path) -> None:
    write_frames(run, "checkpoint_1", frames([frame_row("checkpoint_1", 9, depth__mae=50.0)]), "1")


def rename_the_shard(run: Path) -> None:
    (run / "frames" / "checkpoint_1" / "0.parquet").rename(run / "frames" / "checkpoint_1" / "5.parquet")


def touch(run: Path) -> None:
    os.utime(run / "frames" / "checkpoint_1" / "0.parquet")


@pytest.mark.parametrize("beside", [False, True], ids=["user's cache", "beside the run"])
@pytest.mark.parametrize("change", [change_a_value, add_a_shard, rename_the_shard, touch])
def test_what_changed_is_derived_again_and_nothing_else(
    run: Path, derived: list[str], change: Callable[[Path], None], beside: bool
) -> None:
    load_one(run)
    if beside:
        write_cache(run)
        shutil.rmtree(os.environ["XDG_CACHE_HOME"] + "/lorascope")
    change(run)
    derived.clear()
    changed = load_one(run)
    assert derived == ["checkpoint_1"]
    (run / SUMMARY_CACHE).unlink(missing_ok=True)
    shutil.rmtree(os.environ["XDG_CACHE_HOME"] + "/lorascope")
    assert_same(changed, load_one(run))


def test_other_contents_of_the_same_size_and_time_are_not_taken_for_the_old_ones(run: Path) -> None:
    """Archives and images give all their files one time: only when a file was changed cannot be set."""
    file = run / "frames" / "checkpoint_1" / "0.parquet"

    def place(value: float) -> int:
        rows("checkpoint_1", value).write_parquet(file, compression="uncompressed", statistics=False)
        os.utime(file, ns=(0, 0))
        return file.stat().st_size

    sizes = set()
    for value in (1.0, 2.0):
        sizes.add(place(value))
        assert mean_of(load_one(run), "checkpoint_1", "pose.ate_trans") == value + 0.5
    assert len(sizes) == 1


def test_a_checkpoint_that_is_gone_or_new(run: Path, derived: list[str]) -> None:
    load_one(run)
    shutil.rmtree(run / "frames" / "checkpoint_1")
    write_frames(run, "checkpoint_3", rows("checkpoint_3", 3), "0")
    derived.clear()
    found = load_one(run)
    assert derived == ["checkpoint_3"]
    assert set(found.summary["checkpoint"]) == {"baseline", "checkpoint_2", "checkpoint_3"}


def test_another_alignment_is_not_taken_from_the_cache(run: Path, derived: list[str]) -> None:
    load_one(run)
    write_metadata(run, metadata(*NAMES, align="none"))
    derived.clear()
    assert mean_of(load_one(run), "baseline", MAE) == 99.0
    assert sorted(derived) == sorted(NAMES)


def test_a_doubtful_alignment_is_told_from_the_cache_too(run: Path, derived: list[str]) -> None:
    write_metadata(run, metadata(*NAMES, align="scale"))
    fresh = load_one(run)
    assert "names the alignment 'scale', the rows hold median, none: median is shown" in messages(fresh)
    derived.clear()
    assert_same(load_one(run), fresh)
    assert derived == []


def test_problems_are_told_from_the_cache_too(run: Path, derived: list[str]) -> None:
    folder = run / "frames" / "checkpoint_1"
    rows("checkpoint_1", 1).drop("depth.rmse").write_parquet(folder / "1.parquet")
    rows("checkpoint_1", 1).drop("window").write_parquet(folder / "2.parquet")
    frames([frame_row("baseline", 0, depth__mae=math.nan)]).write_parquet(run / "frames" / "baseline" / "1.parquet")
    rows("baseline", 0).write_parquet(run / "frames" / "checkpoint_2" / "1.parquet")
    fresh = load_one(run)
    said = messages(fresh)
    for part in (
        "1.parquet (header): the column depth.rmse",
        "2.parquet (header)",
        "NaN or infinity in 1",
        "first counts",
    ):
        assert part in said
    derived.clear()
    assert_same(load_one(run), fresh)
    assert derived == []


def test_a_damaged_file_is_looked_at_every_time(run: Path, derived: list[str]) -> None:
    file = run / "frames" / "checkpoint_1" / "0.parquet"
    content = file.read_bytes()
    put(run / "frames" / "checkpoint_1" / "1.parquet", content[:-30])
    put(run / "frames" / "checkpoint_2" / "1.parquet", content[:4] + b"\0" * 600 + content[604:])
    broken = load_one(run)
    assert len(broken.errors) == 2
    derived.clear()
    assert_same(load_one(run), broken)
    assert derived == ["checkpoint_1", "checkpoint_2"]


def test_a_file_without_permission_is_read_once_it_has_it(
    run: Path, derived: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usable = folder_summary.usable_files

    def refused(folder: ShardFolder, log):  # type: ignore[no-untyped-def]
        log.error(f"frames/{folder.name}/0.parquet", "no permission to read it")
        return []

    monkeypatch.setattr(folder_summary, "usable_files", refused)
    assert load_one(run).status == "broken"
    monkeypatch.setattr(folder_summary, "usable_files", usable)
    assert load_one(run).status == "ok"


@pytest.mark.parametrize("place", ["user", "beside"])
def test_a_damaged_cache_is_never_believed_and_never_an_error(run: Path, place: str) -> None:
    fresh = load_one(run)
    (file,) = [write_cache(run)] if place == "beside" else user_files()
    if place == "beside":
        shutil.rmtree(os.environ["XDG_CACHE_HOME"] + "/lorascope")
    content = file.read_bytes()
    for spoiled in (
        b"",
        b"lorascope",
        content[: len(content) // 2],
        content[:-1],
        content + b"x",
        b"\0" * len(content),
        content.replace(b"baseline", b"baselinE"),
        *(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in range(0, len(content), 131)),
    ):
        put(file, spoiled)
        assert decode(spoiled) == {}
        assert_same(load_one(run), fresh)


def test_a_cache_of_another_version_is_not_believed(
    run: Path, derived: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cache(run)
    load_one(run)
    monkeypatch.setattr(summary_file, "DERIVATION", summary_file.DERIVATION + 1)
    derived.clear()
    load_one(run)
    assert sorted(derived) == sorted(NAMES)
    monkeypatch.setattr(summary_file, "FRAMES", pl.Schema([*summary_file.FRAMES.items(), ("new.metric", pl.Float64())]))
    derived.clear()
    load_one(run)
    assert sorted(derived) == sorted(NAMES)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda table: table.with_columns(pl.lit(math.nan).alias("mean")),
        lambda table: table.with_columns(pl.lit(math.inf).alias("std")),
        lambda table: table.with_columns(pl.lit(None, pl.String).alias("checkpoint")),
        lambda table: table.with_columns(pl.lit(None, pl.Int64).alias("wrong")),
    ],
)
def test_a_well_formed_cache_with_impossible_contents_is_not_believed(
    run: Path, spoil: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    found = summaries.derive(shard_folders(run), "median")
    assert set(decode(encode(list(found.values())))) == set(NAMES)
    assert decode(encode([replace(summary, table=spoil(summary.table)) for summary in found.values()])) == {}


def test_a_cache_that_cannot_be_read_or_written_is_done_without(run: Path, derived: list[str]) -> None:
    fresh = load_one(run)
    shutil.rmtree(os.environ["XDG_CACHE_HOME"] + "/lorascope")
    put(Path(os.environ["XDG_CACHE_HOME"]) / "lorascope", "a file where the folder should be")
    (run / SUMMARY_CACHE).mkdir()
    derived.clear()
    assert_same(load_one(run), fresh)
    assert_same(load_one(run), fresh)
    assert sorted(derived) == sorted(NAMES * 2)


def test_files_of_this_moment_are_not_kept(run: Path, derived: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary_cache, "SETTLED_SECONDS", 3600.0)
    load_one(run)
    assert user_files() == []


def test_a_folder_that_changes_while_it_is_read_is_not_kept(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributions = folder_summary.distributions

    def slow(files: Sequence[Path], alignment: str):  # type: ignore[no-untyped-def]
        found = distributions(files, alignment)
        if files[0].parent.name == "checkpoint_1":
            add_a_shard(run)
        return found

    monkeypatch.setattr(folder_summary, "distributions", slow)
    load_one(run)
    (file,) = user_files()
    assert set(decode(file.read_bytes())) == {"baseline", "checkpoint_2"}


def test_a_run_that_is_joined_while_it_is_read_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.results.joining import join_shards

    for number in range(4):
        write_frames(tmp_path, "baseline", rows("baseline", number), f"{number:06d}")
    write_metadata(tmp_path, metadata("baseline"))
    fresh = load_one(tmp_path)
    shutil.rmtree(os.environ["XDG_CACHE_HOME"] + "/lorascope")
    usable = folder_summary.usable_files
    moments = []

    def late(folder: ShardFolder, log):  # type: ignore[no-untyped-def]
        if not moments:
            moments.append(join_shards(tmp_path))
        return usable(folder, log)

    monkeypatch.setattr(folder_summary, "usable_files", late)
    assert_same(load_one(tmp_path), fresh)
    assert moments == [{}]


def test_few_folders_are_begun_ahead(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def noted(folder: ShardFolder, alignment: str) -> FolderSummary:
        begun.append(folder.name)
        return FolderSummary(folder.name, (), alignment, (), 0, (), pl.DataFrame())

    monkeypatch.setattr(folder_summary, "summarise_folder", noted)
    monkeypatch.setattr(pl, "thread_pool_size", lambda: 3)
    folders = [ShardFolder(run / str(number), ()) for number in range(50)]
    found = summarise_folders(folders, "median")
    assert next(found).name == "0"
    found.close()
    assert len(begun) <= 4
    assert [summary.name for summary in summarise_folders(folders, "median")] == [folder.name for folder in folders]


def test_the_user_s_cache_is_bounded_and_the_unused_goes_first(tmp_path: Path) -> None:
    cache = UserCache("test", limit=250, largest=120)
    for number in range(3):
        assert cache.write(f"n{number}", bytes(100))
        (folder,) = (path for path in Path(os.environ["XDG_CACHE_HOME"]).rglob("test"))
        file = folder / f"n{number}.cache"
        if file.exists():
            os.utime(file, (1000 + number, 1000 + number))
    assert cache.read("n0") is None
    put(folder / "n0.cache", bytes(100))
    os.utime(folder / "n1.cache", (5, 5))
    assert cache.read("n1") == bytes(100)  # and by that it is used again
    os.utime(folder / "n0.cache", (10, 10))
    assert cache.write("n3", bytes(100))
    assert sorted(path.name for path in folder.iterdir()) == ["n1.cache", "n3.cache"]
    assert not cache.write("large", bytes(121))
    put(folder / "large.cache", bytes(121))
    assert cache.read("large") is None


def test_what_a_killed_writer_left_is_removed_from_the_user_s_cache(run: Path) -> None:
    load_one(run)
    (file,) = user_files()
    old, new, other = (put(file.parent / name, b"x") for name in (".a.tmp", ".b.tmp", "note.txt"))
    os.utime(old, (0, 0))
    change_a_value(run)
    load_one(run)
    assert not old.exists()
    assert new.exists()
    assert other.exists()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUE = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
TABLE = st.lists(
    st.tuples(TEXT, TEXT, VALUE, VALUE, VALUE, VALUE, VALUE, st.integers(0, 9), st.integers(0, 9)), max_size=4
)


@settings(max_examples=50, deadline=None)
@given(tables=st.dictionaries(TEXT, TABLE, max_size=4), alignments=st.sets(TEXT), stamp=st.integers(0, 2**63 - 1))
def test_any_summaries_are_read_back_equal(
    tables: dict[str, list[tuple[object, ...]]], alignments: set[str], stamp: int
) -> None:
    from engine.results.distributions import DISTRIBUTIONS
    from engine.results.model import Problem, Severity
    from engine.results.shards import Stamp

    problems = (Problem(Severity.ERROR, "a", "b", "header", "c"), Problem(Severity.WARNING, "a", "b"))
    written = [
        FolderSummary(
            name,
            (Stamp("0.parquet", stamp, stamp, None), Stamp("1.parquet", 0, 0, stamp)),
            "median",
            tuple(sorted(alignments)),
            2,
            problems,
            pl.DataFrame(table, schema=DISTRIBUTIONS, orient="row"),
        )
        for name, table in tables.items()
    ]
    found = decode(encode(written))
    assert list(found) == list(tables)
    for summary in written:
        back = found[summary.name]
        assert_frame_equal(back.table, summary.table)
        assert vars(replace(back, table=summary.table)) == vars(summary)
