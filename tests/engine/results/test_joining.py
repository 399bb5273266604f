"""Joined shards: the same rows once, whatever moment a process is killed at."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from support.killed import states
from support.results import load_one, messages, put
from support.store import frame_row, frames, metadata

from engine.results import joining
from engine.results.joined import joined_name, shard_range, without_replaced
from engine.results.joining import join_shards
from engine.results.native import scan_frames
from engine.results.shards import shard_folders
from engine.results.writer import write_frames, write_metadata

SHARDS = 5
EACH = 4  # rows of a shard


def write_shards(run: Path, checkpoint: str = "baseline", numbers: range = range(SHARDS)) -> pl.DataFrame:
    """Shards of one checkpoint; returns their rows in order."""
    written = []
    for number in numbers:
        rows = [frame_row(checkpoint, frame, window=number, depth__mae=number + frame / 8) for frame in range(EACH)]
        written.append(frames([*rows, frame_row(checkpoint, None, window=number, pose__ate_trans=0.5)]))
        write_frames(run, checkpoint, written[-1], f"{number:06d}")
    return pl.concat(written)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with two checkpoints."""
    folder = tmp_path / "run"
    write_shards(folder)
    write_shards(folder, "checkpoint_1")
    write_metadata(folder, metadata("baseline", "checkpoint_1"))
    return folder


def rows_of(run: Path) -> pl.DataFrame:
    """All rows that a reader finds, in its order."""
    return scan_frames(load_one(run)).collect()


def files_of(run: Path, checkpoint: str = "baseline") -> list[str]:
    return sorted(path.name for path in (run / "frames" / checkpoint).iterdir())


def test_names_say_what_they_hold() -> None:
    assert joined_name(0, 382) == "joined-000000-000382.parquet"
    assert shard_range(joined_name(7, 1_234_567)) == (7, 1_234_567)
    assert shard_range("000012.parquet") == (12, 12)
    for name in ("joined-5-3.parquet", "joined-1.parquet", "2024-01.parquet", "a.parquet", "1.csv", "joined-1-2.tmp"):
        assert shard_range(name) is None


@settings(deadline=None)
@given(
    numbers=st.sets(st.integers(0, 30), max_size=20),
    ranges=st.sets(
        st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: (min(pair), max(pair))), max_size=4
    ),
    others=st.sets(st.sampled_from(["a.parquet", "joined-.parquet", "1-2.parquet"])),
)
def test_every_shard_is_read_and_none_beside_its_joined_file(
    numbers: set[int], ranges: set[tuple[int, int]], others: set[str]
) -> None:
    names = {f"{number:06d}.parquet" for number in numbers} | {joined_name(*pair) for pair in ranges} | others
    kept = without_replaced(names)
    assert set(kept) <= names
    assert others <= set(kept)
    held = [shard_range(name) for name in kept if shard_range(name)]
    wide = [pair for pair in held if pair and pair[0] < pair[1]]
    for name in names:
        found = shard_range(name)
        assert found is None or any(pair and pair[0] <= found[0] and found[1] <= pair[1] for pair in held)
    for one, other in itertools.permutations(held, 2):
        if one in ranges and one and other:
            assert not (one[0] <= other[0] and other[1] <= one[1]), (one, other)
    assert len(kept) == len(set(kept))
    assert wide == sorted(wide, key=lambda pair: pair[0])


def test_two_names_for_the_same_shards_do_not_hide_each_other() -> None:
    assert len(without_replaced(["joined-0-5.parquet", "joined-000000-000005.parquet"])) == 1


def test_a_checkpoint_becomes_one_file_with_the_same_rows_in_the_same_order(run: Path) -> None:
    before = rows_of(run)
    assert join_shards(run) == {}
    assert files_of(run) == files_of(run, "checkpoint_1") == [joined_name(0, SHARDS - 1)]
    assert_frame_equal(rows_of(run), before)
    assert load_one(run).status == "ok"


def test_row_groups_are_of_a_useful_size(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "ROW_GROUP", 10)
    before = rows_of(run)
    assert join_shards(run) == {}
    assert_frame_equal(rows_of(run), before)
    import duckdb

    file = str(run / "frames" / "baseline" / joined_name(0, SHARDS - 1))
    query = "SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata(?) ORDER BY 1"
    assert [rows for _, rows in duckdb.execute(query, [file]).fetchall()] == [10, 10, 5]


def test_joining_again_changes_nothing(run: Path) -> None:
    join_shards(run)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.parquet")}
    assert join_shards(run) == {}
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*.parquet")} == before


def test_shards_beyond_the_joined_file_are_joined_to_it(run: Path) -> None:
    join_shards(run)
    more = write_shards(run, numbers=range(SHARDS, SHARDS + 2))
    expected = pl.concat([rows_of(run).filter(checkpoint="baseline", window=w) for w in range(SHARDS + 2)])
    assert_frame_equal(expected.tail(more.height), more)
    join_shards(run)
    assert files_of(run) == [joined_name(0, SHARDS + 1)]
    assert_frame_equal(rows_of(run).filter(checkpoint="baseline"), expected)


def test_a_missing_shard_stays_missing_and_one_alone_keeps_its_name(tmp_path: Path) -> None:
    write_shards(tmp_path)
    (tmp_path / "frames" / "baseline" / "000002.parquet").unlink()
    write_shards(tmp_path, "checkpoint_1", range(3, 4))
    write_metadata(tmp_path, metadata("baseline", "checkpoint_1"))
    before = rows_of(tmp_path)
    assert join_shards(tmp_path) == {}
    assert files_of(tmp_path) == [joined_name(0, SHARDS - 1)]
    assert files_of(tmp_path, "checkpoint_1") == ["000003.parquet"]
    assert_frame_equal(rows_of(tmp_path), before)


def test_a_run_without_frames_has_nothing_to_join(tmp_path: Path) -> None:
    assert join_shards(tmp_path) == {}


def test_files_of_other_names_stay_and_count(run: Path) -> None:
    stray = frames([frame_row("baseline", 0, window=99, depth__mae=1.0)])
    write_frames(run, "baseline", stray, "extra")
    before = rows_of(run)
    join_shards(run)
    assert files_of(run) == ["extra.parquet", joined_name(0, SHARDS - 1)]
    keys = ["checkpoint", "window", "frame"]
    assert_frame_equal(rows_of(run).sort(keys), before.sort(keys))


def leave_out_a_column(folder: Path) -> None:
    file = folder / "000003.parquet"
    pl.read_parquet(file).drop("depth.mae").write_parquet(file)


def add_a_column(folder: Path) -> None:
    file = folder / "000003.parquet"
    pl.read_parquet(file).with_columns(later=1.0).write_parquet(file)


def cut_off(folder: Path) -> None:
    file = folder / "000003.parquet"
    put(file, file.read_bytes()[:-40])


def hold_twice(folder: Path) -> None:
    shutil.copy(folder / "000003.parquet", folder / joined_name(3, 7))
    shutil.copy(folder / "000003.parquet", folder / joined_name(6, 9))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (leave_out_a_column, "differ in their columns"),
        (add_a_column, "differ in their columns"),
        (cut_off, "damaged or cut off"),
        (hold_twice, "hold some shards twice"),
    ],
)
def test_what_cannot_be_joined_stays_as_it_is(run: Path, spoil: Callable[[Path], None], why: str) -> None:
    spoil(run / "frames" / "baseline")
    names = {path.name: path.read_bytes() for path in (run / "frames" / "baseline").iterdir()}
    said = messages(load_one(run))
    kept = join_shards(run)
    assert list(kept) == ["baseline"]
    assert why in kept["baseline"]
    if spoil is not hold_twice:
        assert {path.name: path.read_bytes() for path in (run / "frames" / "baseline").iterdir()} == names
    assert files_of(run, "checkpoint_1") == [joined_name(0, SHARDS - 1)]
    assert messages(load_one(run)) == said


def test_a_full_disk_leaves_the_shards(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, names = rows_of(run), files_of(run)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", full)
    assert "No space left on device" in join_shards(run)["baseline"]
    assert files_of(run) == names
    assert_frame_equal(rows_of(run), before)


def test_a_joined_file_that_holds_something_else_is_never_kept(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, names = rows_of(run), files_of(run)
    sink = pl.LazyFrame.sink_parquet

    def wrong(self: pl.LazyFrame, *arguments: Any, **options: Any) -> None:
        sink(self.with_columns(pl.col("depth.mae") + 1e-9), *arguments, **options)

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", wrong)
    assert "does not hold what the shards do" in join_shards(run)["baseline"]
    assert files_of(run) == names
    assert_frame_equal(rows_of(run), before)


def test_killed_at_any_moment_every_row_is_there_once(run: Path) -> None:
    before = rows_of(run)
    summary = load_one(run).summary
    seen = set()
    for state in states(run, join_shards):
        seen.add(tuple(len(files_of(state, name)) for name in ("baseline", "checkpoint_1")))
        assert_frame_equal(rows_of(state), before)
        assert_frame_equal(load_one(state).summary, summary)
        assert load_one(state).status == "ok"
        # And the next start finishes the work.
        assert join_shards(state) == {}
        assert files_of(state)[-1:] == [joined_name(0, SHARDS - 1)]
        assert not [name for name in files_of(state) if shard_range(name) and name != joined_name(0, SHARDS - 1)]
        assert_frame_equal(rows_of(state), before)
    # All shards, a temporary file beside them, the joined file beside all, beside some, and alone.
    assert {(SHARDS, SHARDS), (SHARDS + 1, SHARDS), (2, SHARDS), (1, 1)} <= seen


@settings(max_examples=20, deadline=None)
@given(left=st.sets(st.integers(0, SHARDS - 1)))
def test_any_shards_left_beside_their_joined_file_are_not_counted_again(
    tmp_path_factory: pytest.TempPathFactory, left: set[int]
) -> None:
    run = tmp_path_factory.mktemp("run")
    rows = write_shards(run)
    write_metadata(run, metadata("baseline"))
    singles = {number: (run / "frames" / "baseline" / f"{number:06d}.parquet").read_bytes() for number in left}
    join_shards(run)
    for number, content in singles.items():
        put(run / "frames" / "baseline" / f"{number:06d}.parquet", content)
    assert_frame_equal(rows_of(run), rows)
    assert [len(folder.files) for folder in shard_folders(run)] == [1]
