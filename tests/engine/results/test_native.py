"""The native store: written whole, read back equal, and readable as far as it is not damaged."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from support.results import load_one, mean_of, messages, names_of, put
from support.store import cost, curves, frame_row, frames, metadata, summary, windows

from engine.errors import DataError, NoFramesError
from engine.results import layout
from engine.results.model import Run
from engine.results.native import read_metadata, scan_frames
from engine.results.problems import ProblemLog
from engine.results.writer import write_frames, write_metadata, write_run, write_table
from engine.schema import FRAMES, SUMMARY, CheckpointInfo, Role, RunMetadata

MAE = "depth.building.mae"
ROWS = (
    ("baseline", MAE, 2.0, 0.5, 2.0, 1.0, 3.0, 10),
    ("checkpoint_2", MAE, 1.0, 0.25, 1.0, 0.5, 2.0, 10),
)


def row(run: Run, checkpoint: str, metric: str) -> tuple[object, ...]:
    (found,) = run.summary.filter(checkpoint=checkpoint, metric=metric).drop("checkpoint", "metric").rows()
    return found


def test_summaries_are_read_back_equal(tmp_path: Path) -> None:
    described = metadata("baseline", "checkpoint_2", notes=["a"], left_out={"no pose": 3})
    table = summary(*ROWS)
    write_run(tmp_path / "run", described, summary=table)
    run = load_one(tmp_path / "run")
    assert run.metadata == described
    assert_frame_equal(run.summary, table)
    assert names_of(run) == ["baseline", "checkpoint_2"]
    assert run.baseline == "baseline"
    assert run.status == "ok"
    assert run.problems == ()
    assert not run.has_frames
    with pytest.raises(NoFramesError, match="run has no per-frame rows, only summaries; evaluate"):
        scan_frames(run)


def test_every_table_is_read_back_equal(tmp_path: Path) -> None:
    tables = {
        layout.WINDOWS: windows((0, "d", [1, 2], "rich")),
        layout.COST: cost(("baseline", False, 1.0, 0.5, 0.75, 2048.0, None, None)),
        layout.CURVES: curves(("baseline", "photometric", "building", 0.01, 0.5, 7)),
    }
    rows = frames([frame_row("baseline", 0, depth__mae=1.0), frame_row("lora/1", 0, depth__mae=0.5)])
    names = {name.removesuffix(".parquet"): table for name, table in tables.items()}
    write_run(tmp_path, metadata("baseline", "lora/1"), frames=rows, **names)
    for name, table in tables.items():
        assert_frame_equal(pl.read_parquet(tmp_path / name), table)
    run = load_one(tmp_path)
    assert_frame_equal(scan_frames(run).collect(), rows)
    assert {path.name for path in (tmp_path / "frames").iterdir()} == {"baseline", "lora%2F1"}
    assert [info.folder for info in run.metadata.checkpoints] == [None, "lora%2F1"]
    assert not list(tmp_path.rglob("*.tmp"))


@settings(max_examples=25)
@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), max_size=4, unique=True),
    values=st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), min_size=4, max_size=4),
)
def test_any_summary_is_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], values: list[float | None]
) -> None:
    folder = tmp_path_factory.mktemp("run")
    infos = [CheckpointInfo(name=name, step=number) for number, name in enumerate(names)]
    table = summary(
        *((name, MAE, value, None, None, None, None, 1) for name, value in zip(names, values, strict=False))
    )
    write_run(folder, RunMetadata(run="x", checkpoints=infos), summary=table)
    run = load_one(folder)
    assert_frame_equal(run.summary.sort("checkpoint"), table.sort("checkpoint"))
    assert [info.name for info in run.metadata.checkpoints] == names
    assert not [problem for problem in run.errors if "neither per-frame rows" not in problem.message]


def test_summary_is_derived_from_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=9)
    pose = rng.uniform(size=3)
    rows = [
        *(frame_row("baseline", n, depth__mae=v, normals__inlier_30=0.5, pixels=n) for n, v in enumerate(values)),
        *(frame_row("baseline", n, depth__mae=99.0, align="none") for n in range(9)),
        *(frame_row("baseline", n, depth__mae=7.0, region="full") for n in range(2)),
        frame_row("baseline", 9, depth__mae=None),
        *(frame_row("baseline", None, window=w, pose__ate_trans=v) for w, v in enumerate(pose)),
        *(frame_row("baseline", None, window=w, pose__ate_trans=50.0, align="none") for w in range(3)),
    ]
    write_run(tmp_path, metadata("baseline"), frames=frames(rows))
    run = load_one(tmp_path)
    assert run.summary.schema == SUMMARY
    assert run.has_frames
    expected = (values.mean(), values.std(), float(np.median(values)), values.min(), values.max(), 9)
    assert row(run, "baseline", MAE) == pytest.approx(expected)
    assert row(run, "baseline", "depth.full.mae") == (7.0, 0.0, 7.0, 7.0, 7.0, 2)
    assert row(run, "baseline", "depth.building.pixels") == pytest.approx((4.0, np.arange(9).std(), 4.0, 0.0, 8.0, 9))
    assert row(run, "baseline", "pose.ate_trans") == pytest.approx(
        (pose.mean(), pose.std(), float(np.median(pose)), pose.min(), pose.max(), 3)
    )
    assert set(run.summary["metric"]) == {
        MAE,
        "depth.full.mae",
        "depth.building.pixels",
        "normals.building.inlier_30",
        "pose.ate_trans",
    }
    assert run.problems == ()


def test_several_shards_of_a_checkpoint_count_together_and_half_written_ones_not(tmp_path: Path) -> None:
    write_metadata(tmp_path, metadata("baseline", status="running"))
    for shard, value in (("0", 1.0), ("1", 2.0), ("1", 3.0)):
        write_frames(tmp_path, "baseline", frames([frame_row("baseline", int(shard), depth__mae=value)]), shard)
    put(tmp_path / "frames" / "baseline" / ".abc.tmp", b"half")
    run = load_one(tmp_path)
    assert row(run, "baseline", MAE) == (2.0, 1.0, 2.0, 1.0, 3.0, 2)
    assert run.status == "running"


def test_frames_win_and_the_stored_summary_fills(tmp_path: Path) -> None:
    write_run(
        tmp_path,
        metadata("baseline", "checkpoint_2"),
        frames=frames([frame_row("baseline", 0, depth__mae=5.0)]),
        summary=summary(*ROWS),
    )
    run = load_one(tmp_path)
    assert mean_of(run, "baseline", MAE) == 5.0
    assert mean_of(run, "checkpoint_2", MAE) == 1.0


@pytest.mark.parametrize(
    ("present", "stated", "value", "said"),
    [
        (("none",), None, 0.0, ""),
        (("none", "median"), None, 1.0, "names no alignment: of median, none, median is shown"),
        (("none", "scale"), None, 1.0, "names no alignment: of none, scale, scale is shown"),
        (("none", "median"), "none", 0.0, ""),
        (("none", "median"), "scale", 1.0, "names the alignment 'scale', the rows hold median, none: median is shown"),
    ],
)
def test_alignment(tmp_path: Path, present: tuple[str, ...], stated: str | None, value: float, said: str) -> None:
    rows = [frame_row("baseline", 0, align=align, depth__mae=float(n)) for n, align in enumerate(present)]
    write_run(tmp_path, metadata("baseline", align=stated), frames=frames(rows))
    run = load_one(tmp_path)
    assert mean_of(run, "baseline", MAE) == value
    assert said in messages(run)
    assert bool(run.problems) == bool(said)


def test_pose_rows_alone_have_no_alignment_to_choose(tmp_path: Path) -> None:
    write_run(
        tmp_path, metadata("baseline"), frames=frames([frame_row("baseline", None, pose__rra5=0.5, align="none")])
    )
    run = load_one(tmp_path)
    assert mean_of(run, "baseline", "pose.rra5") == 0.5
    assert run.problems == ()


def test_cost_becomes_performance(tmp_path: Path) -> None:
    table = cost(
        ("baseline", False, 2.0, 0.5, float("nan"), 2048.0, None, 7),
        ("baseline", True, 3.0, 0.4, 0.5, 2048.0, None, 7),
        ("baseline", False, 9.0, None, None, None, None, None),
    )
    write_run(tmp_path, metadata("baseline"), cost=table.fill_nan(None))
    table.write_parquet(tmp_path / layout.COST)
    run = load_one(tmp_path)
    assert row(run, "baseline", "performance.fps") == (2.0, None, None, None, None, 1)
    assert mean_of(run, "baseline", "performance.trainable_params") == 7.0
    assert run.summary.filter(metric="performance.adapter_mb").is_empty()
    assert "cost.parquet (baseline): performance.latency_p95_sec: nan is not a finite number" in messages(run)
    assert "cost.parquet: more than one row for a metric of baseline: the first counts" in messages(run)


def test_merged_costs_alone_are_told(tmp_path: Path) -> None:
    write_run(tmp_path, metadata("baseline"), cost=cost(("baseline", True, 3.0, *[None] * 5)), summary=summary(*ROWS))
    assert "cost.parquet: it holds merged checkpoints only" in messages(load_one(tmp_path))


def test_roles_order_and_problems_come_from_the_metadata(tmp_path: Path) -> None:
    infos = [
        CheckpointInfo(name="chance", role=Role.CHANCE),
        CheckpointInfo(name="oracle", role=Role.ORACLE),
        CheckpointInfo(name="late", step=20),
        CheckpointInfo(name="early", step=3, problem="out of memory"),
        CheckpointInfo(name="vggt", role=Role.BASELINE),
        CheckpointInfo(name="final"),
    ]
    names = ("chance", "oracle", "late", "vggt", "stray_7")
    table = summary(*((name, MAE, 1.0, None, None, None, None, None) for name in names))
    write_run(tmp_path / "run", RunMetadata(run="Ablation 3", checkpoints=infos), summary=table)
    run = load_one(tmp_path / "run")
    assert run.name == "Ablation 3"
    assert run.baseline == "vggt"
    assert run.checkpoints.rows() == [
        ("vggt", "baseline", None, None),
        ("early", "checkpoint", 3, "out of memory"),
        ("stray_7", "checkpoint", 7, None),
        ("late", "checkpoint", 20, None),
        ("final", "checkpoint", None, "no results"),
        ("oracle", "oracle", None, None),
        ("chance", "chance", None, None),
    ]
    assert messages(run) == "metadata.json (early): out of memory\nrun: no results for final"
    assert run.summary["checkpoint"].to_list() == ["vggt", "stray_7", "late", "oracle", "chance"]


def test_a_run_without_results_is_broken(tmp_path: Path) -> None:
    write_run(tmp_path / "run", metadata("baseline"))
    run = load_one(tmp_path / "run")
    assert run.status == "broken"
    assert messages(run) == "run: neither per-frame rows nor summary.parquet hold a result"


METADATA = {
    "truncated": ('{"schema_version": 1, "run', "not valid JSON: Unterminated string"),
    "empty": ("", "the file is empty"),
    "list": ('[{"schema_version": 1}]', "an object was expected, not a list"),
    "future": (
        '{"schema_version": 99, "run": "x"}',
        "schema_version 99, and this version of lorascope reads up to 1; update lorascope",
    ),
    "zero version": ('{"schema_version": 0, "run": "x"}', "metadata.json (schema_version): Input should be greater"),
    "no run": ('{"schema_version": 1}', "metadata.json (run): Field required"),
    "empty run": ('{"run": ""}', "metadata.json (run): String should have at least 1 character"),
    "wrong type": ('{"run": "x", "dataset": {"seed": "abc"}}', "metadata.json (dataset.seed): Input should be a valid"),
    "surrogate": ('{"run": "\\ud800"}', "metadata.json (run)"),
    "latin": (b'{"run": "\xe4"}', "not valid JSON"),
    "endless number": ('{"run": "x", "created": ' + "9" * 5000 + "}", "not valid JSON"),
    "deep": ("[" * 100_000, "not valid JSON"),
    "huge version": ('{"run": "x", "schema_version": ' + "9" * 50 + "}", "update lorascope"),
}


@pytest.mark.parametrize(("content", "reason"), METADATA.values(), ids=METADATA)
def test_broken_metadata_is_a_broken_run(tmp_path: Path, content: str | bytes, reason: str) -> None:
    folder = tmp_path / "run"
    write_run(folder, metadata("baseline"), summary=summary(*ROWS))
    put(folder / "metadata.json", content)
    run = load_one(folder)
    assert run.status == "broken"
    assert run.name == "run"
    assert run.checkpoints.is_empty()
    assert reason in messages(run)
    assert len(run.errors) == 1


def test_odd_metadata_that_can_be_read(tmp_path: Path) -> None:
    write_table(tmp_path, layout.SUMMARY, summary(*ROWS))
    content = {
        "schema_version": 1,
        "run": "x",
        "later": {"field": [1]},
        "checkpoints": [{"name": "baseline", "step": 10**30}, {"name": "baseline", "step": 1}],
    }
    put(tmp_path / "metadata.json", b"\xef\xbb\xbf" + json.dumps(content).encode())
    run = load_one(tmp_path)
    assert run.metadata.model_extra == {"later": {"field": [1]}}
    assert run.checkpoints["step"].to_list() == [None, 2]
    assert "'baseline' stands there twice" in messages(run)
    assert "of 'baseline' is no step" in messages(run)


def test_a_parquet_of_another_schema_names_file_and_column(tmp_path: Path) -> None:
    write_run(tmp_path, metadata("baseline"), frames=frames([frame_row("baseline", 0, depth__mae=1.0)]))
    shard = tmp_path / "frames" / "baseline"
    good = pl.read_parquet(shard / "0.parquet")
    good.drop("align").write_parquet(shard / "1.parquet")
    good.with_columns(pl.col("window").cast(pl.String)).write_parquet(shard / "2.parquet")
    good.with_columns(extra=1, frame=pl.lit(1, pl.Int64)).write_parquet(shard / "3.parquet")
    good.drop("depth.mae").with_columns(pl.lit(0.5).alias("depth.rmse")).write_parquet(shard / "4.parquet")
    good.drop("depth.mae").write_parquet(tmp_path / layout.SUMMARY)
    run = load_one(tmp_path)
    said = messages(run)
    assert "frames/baseline/1.parquet (header): the column align is missing" in said
    assert "frames/baseline/2.parquet (header): the column window holds String, not Int64" in said
    assert "3.parquet" not in said
    assert "frames/baseline/4.parquet (header): the column depth.mae is missing" in said
    assert "summary.parquet (header): the columns metric, mean, std and 4 more are missing" in said
    assert run.status == "partial"
    assert row(run, "baseline", MAE)[-1] == 2
    assert mean_of(run, "baseline", "depth.building.rmse") == 0.5
    assert scan_frames(run).collect_schema() == FRAMES
    assert scan_frames(run).collect().height == 3


def test_damaged_shards_are_told_and_the_rest_counts(tmp_path: Path) -> None:
    rows = [frame_row("baseline", n, depth__mae=float(n)) for n in range(500)]
    write_run(tmp_path, metadata("baseline", "checkpoint_1"), frames=frames(rows))
    folder = tmp_path / "frames" / "baseline"
    content = (folder / "0.parquet").read_bytes()
    put(folder / "1.parquet", content[:-20])
    put(folder / "2.parquet", b"")
    put(
        tmp_path / "frames" / "checkpoint_1" / "0.parquet",
        content[:4] + b"\0" * (len(content) // 2) + content[4 + len(content) // 2 :],
    )
    run = load_one(tmp_path)
    assert mean_of(run, "baseline", MAE) == 249.5
    assert {problem.file for problem in run.errors} == {
        "frames/baseline/1.parquet",
        "frames/baseline/2.parquet",
        "frames/checkpoint_1/0.parquet",
    }
    assert scan_frames(run).collect().height == 500


def test_nan_from_elsewhere_never_enters_a_table(tmp_path: Path) -> None:
    rows = frames([frame_row("baseline", n, depth__mae=v) for n, v in enumerate((1.0, math.nan, math.inf, 3.0))])
    write_run(tmp_path, metadata("baseline"), frames=rows)
    assert pl.read_parquet(tmp_path / "frames" / "baseline" / "0.parquet")["depth.mae"].to_list() == [
        1.0,
        None,
        None,
        3.0,
    ]
    rows.write_parquet(tmp_path / "frames" / "baseline" / "0.parquet")
    run = load_one(tmp_path)
    assert row(run, "baseline", MAE) == (2.0, 1.0, 2.0, 1.0, 3.0, 2)
    assert "frames (baseline): depth.building.mae: NaN or infinity in 2 rows" in messages(run)
    assert scan_frames(run).collect()["depth.mae"].to_list() == [1.0, None, None, 3.0]


def test_wrong_values_in_a_stored_summary(tmp_path: Path) -> None:
    write_run(tmp_path, metadata("baseline"))
    summary(
        ("baseline", MAE, math.nan, 0.5, -math.inf, None, None, -3),
        ("baseline", MAE, 1.0, None, None, None, None, None),
        (None, MAE, 1.0, None, None, None, None, None),
    ).write_parquet(tmp_path / layout.SUMMARY)
    run = load_one(tmp_path)
    assert row(run, "baseline", MAE) == (None, 0.5, None, None, None, None)
    said = messages(run)
    for part in (
        "mae.mean: nan is",
        "mae.median: -inf is",
        "mae.count: -3 is not a count",
        "1 rows without",
        "the first counts",
    ):
        assert part in said


def test_rows_of_a_checkpoint_in_two_folders_count_once(tmp_path: Path) -> None:
    rows = frames([frame_row("baseline", 0, depth__mae=1.0)])
    write_run(tmp_path, metadata("baseline"), frames=rows)
    put(tmp_path / "frames" / "other" / "0.parquet", b"")
    rows.write_parquet(tmp_path / "frames" / "other" / "0.parquet")
    run = load_one(tmp_path)
    assert row(run, "baseline", MAE)[-1] == 1
    assert "more than one folder holds rows of baseline: the first counts" in messages(run)


def test_paths_with_pattern_characters(tmp_path: Path) -> None:
    folder = tmp_path / "[a]*{b}?%20=1"
    write_run(
        folder, metadata("step=5"), frames=frames([frame_row("step=5", 0, depth__mae=1.0)]), summary=summary(*ROWS)
    )
    run = load_one(folder)
    assert mean_of(run, "step=5", MAE) == 1.0
    assert run.errors == ()


def test_the_writer_refuses_other_schemas(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"summary\.parquet: the column count is missing"):
        write_run(tmp_path, metadata("a"), summary=summary(*ROWS).drop("count"))
    with pytest.raises(DataError, match=r"the column mean holds Int64, not Float64"):
        write_run(tmp_path, metadata("a"), summary=summary(*ROWS).with_columns(pl.col("mean").cast(pl.Int64)))
    with pytest.raises(DataError, match="rows of another checkpoint than 'a'"):
        write_frames(tmp_path, "a", frames([frame_row("b", 0)]))
    assert not (tmp_path / "metadata.json").exists()


def test_a_write_that_fails_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described = metadata("baseline", "checkpoint_2")
    write_run(tmp_path, described, summary=summary(*ROWS))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(DataError, match=r"cannot be written \(No space left on device\); check"):
        write_run(tmp_path, metadata("x"), summary=summary(("x", MAE, 0.0, None, None, None, None, None)))
    with pytest.raises(DataError):
        write_metadata(tmp_path, metadata("x"))
    monkeypatch.undo()
    assert {path.name for path in tmp_path.iterdir()} == {"metadata.json", "summary.parquet"}
    run = load_one(tmp_path)
    assert run.metadata == described
    assert_frame_equal(run.summary, summary(*ROWS))


def test_metadata_alone_can_be_read(tmp_path: Path) -> None:
    write_metadata(tmp_path, metadata("a"))
    log = ProblemLog()
    assert read_metadata(tmp_path, log) == metadata("a")
    assert read_metadata(tmp_path / "missing", log) is None
    assert [str(problem) for problem in log.result()] == ["metadata.json: no such file"]
