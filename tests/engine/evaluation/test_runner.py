"""Evaluating end to end: what is written, what is refused, what a failure costs, and what a kill costs: nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from engine.dataset.labels import NAMES
from engine.dataset.street import Street
from engine.errors import DataError, UsageError
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.journal import Event, Journal, replay
from engine.evaluation.lock import locked
from engine.evaluation.runner import JOURNAL, evaluate
from engine.results.discovery import discover
from engine.results.load import load_run
from engine.results.native import scan_frames
from engine.results.slices import slice_kinds, slice_sums
from engine.schema import SliceKind
from engine.scoring.protocol import V1, distance_names

KEYS = ["checkpoint", "window", "frame", "region", "align"]
KILLS = 12
MODELS = ("baseline", "checkpoint_0", "checkpoint_1")


@pytest.fixture(scope="module")
def config(street: Path, adapters: Path, tmp_path_factory: pytest.TempPathFactory) -> EvaluationConfig:
    return EvaluationConfig(
        data=street,
        to=tmp_path_factory.mktemp("runs") / "reference",
        checkpoints=adapters,
        base_seed=7,
        model="tiny",
        size=112,
        seq_len=4,
        stride=4,
        shard=1,
    )


@pytest.fixture(scope="module")
def reference(config: EvaluationConfig) -> Path:
    return evaluate(config)


def elsewhere(config: EvaluationConfig, to: Path, **changes: object) -> EvaluationConfig:
    return EvaluationConfig.model_validate({**config.model_dump(), "to": to, **changes})


def rows(run: Path) -> pl.DataFrame:
    """All per-frame rows in one order."""
    return scan_frames(load_run(next(iter(discover([run]))))).collect().sort(KEYS)


def sliced(run: Path) -> pl.DataFrame:
    """All slices in one order."""
    return pl.read_parquet(run / "slices" / "*" / "*.parquet").sort(*KEYS, "by", "slice")


def state(run: Path):  # type: ignore[no-untyped-def]
    return replay(Journal(run / JOURNAL).events())


def test_the_store_holds_every_window_model_and_pseudo_checkpoint(reference: Path) -> None:
    run = load_run(next(iter(discover([reference]))))
    frames = rows(reference)
    assert set(run.checkpoints["checkpoint"]) == {*MODELS, "checkpoint_9", "chance", "oracle"}
    assert run.baseline == "baseline"
    assert set(frames["checkpoint"]) == {*MODELS, "chance", "oracle"}
    windows = pl.read_parquet(reference / "windows.parquet")
    assert windows.height == 6
    assert set(frames["window"].unique()) == set(windows["window"])
    assert frames.select(KEYS).is_duplicated().sum() == 0
    per_checkpoint = frames.group_by("checkpoint").len()["len"].unique()
    assert len(per_checkpoint) == 1
    assert not any(frames[name].is_nan().any() for name, dtype in frames.schema.items() if dtype == pl.Float64)
    assert (reference / "curves.parquet").is_file()
    assert list((reference / "previews" / "checkpoint_0").glob("*.png"))


def test_a_finished_run_is_few_files_with_its_summary_beside_them(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {*MODELS, "chance", "oracle"}
    found = {path.parent.name: path.name for path in reference.rglob("frames/*/*")}
    assert found == dict.fromkeys(names, "joined-000000-000005.parquet")
    found = {path.parent.name: path.name for path in reference.rglob("slices/*/*")}
    assert found == dict.fromkeys(names, "joined-000000-000005.parquet")
    assert not (reference / "curve_shards").exists()
    # A copy that does not keep the times is derived from its rows.
    copy = shutil.copytree(reference, tmp_path / "copy", copy_function=shutil.copyfile)
    fresh = load_run(next(iter(discover([copy]))))

    def never(*_: object) -> None:
        raise AssertionError("derived though the evaluation left a summary")

    monkeypatch.setattr("engine.results.summaries.summarise_folders", never)
    cached = load_run(next(iter(discover([reference]))))
    assert cached.summary.height > 100
    assert cached.summary.equals(fresh.summary)


def test_the_oracle_is_right_and_chance_is_not(reference: Path) -> None:
    mean = (
        rows(reference)
        .filter((pl.col("region") == "building") & (pl.col("align") == "median"))
        .group_by("checkpoint")
        .agg(pl.col("depth.abs_rel", "depth.delta1").mean())
    )
    values = {row["checkpoint"]: row for row in mean.to_dicts()}
    assert values["oracle"]["depth.abs_rel"] < 0.02
    assert values["oracle"]["depth.delta1"] > 0.98
    assert values["chance"]["depth.delta1"] < 0.6


def test_slices_are_the_regions_in_parts(reference: Path) -> None:
    found = sliced(reference)
    assert found["align"].unique().to_list() == ["median"]
    assert set(found["checkpoint"]) == {*MODELS, "chance", "oracle"}
    assert found.select(*KEYS, "by", "slice").is_duplicated().sum() == 0
    assert {"building", "road", "sidewalk"} < set(found.filter(by="class")["slice"]) < set(NAMES.values())
    assert set(found.filter(by="distance")["slice"]) <= set(distance_names())
    weight = pl.col("pixels").cast(pl.Float64)
    whole = rows(reference).filter(pl.col("align") == "median", pl.col("pixels") > 0)
    for by, regions in (("distance", ["full", "building", "non_building"]), ("class", ["full"])):
        means = (
            found.filter(by=by)
            .group_by(KEYS)
            .agg((pl.col("depth.abs_rel") * weight).sum() / weight.sum(), pl.col("pixels").sum())
            .sort(KEYS)
        )
        expected = whole.filter(pl.col("region").is_in(regions)).select(means.columns).sort(KEYS)
        assert_frame_equal(means, expected, rel_tol=1e-6)
    metadata = json.loads((reference / "metadata.json").read_text("utf-8"))
    assert metadata["protocol"]["parameters"]["distance_edges"] == list(V1.distance_edges)


def test_the_oracle_is_right_in_every_slice_and_chance_in_none(reference: Path) -> None:
    run = load_run(next(iter(discover([reference]))))
    assert slice_kinds(run) == (SliceKind.DISTANCE, SliceKind.CLASS)
    slices = 0
    for by in SliceKind:
        sums = slice_sums(run, by, metrics=["depth.full.abs_rel"], checkpoints=["oracle", "chance"])
        means = (
            sums.group_by(pl.col("metric", "checkpoint").cast(pl.String))
            .agg(pl.col("sum").sum() / pl.col("count").sum(), pl.col("count").sum())
            .filter(pl.col("count") >= 8)
        )
        table = means.pivot("checkpoint", index="metric", values="sum")
        slices += table.height
        assert (table["oracle"] < 0.05).all(), table
        assert (table["chance"] > 3 * table["oracle"]).all(), table
    assert slices >= 6


def test_what_cannot_be_loaded_is_named_and_costs_only_itself(reference: Path) -> None:
    metadata = json.loads((reference / "metadata.json").read_text("utf-8"))
    problems = {entry["name"]: entry["problem"] for entry in metadata["checkpoints"]}
    assert "checkpoint_9.pt" in problems["checkpoint_9"]
    assert problems["checkpoint_0"] is None
    assert metadata["status"] == "done"
    assert metadata["provenance"] == "synthetic"


def test_the_store_says_nothing_of_the_machine(reference: Path, config: EvaluationConfig) -> None:
    for name in ("metadata.json", JOURNAL):
        text = (reference / name).read_text("utf-8")
        assert str(config.data.parent) not in text


def test_a_finished_run_is_not_computed_again(reference: Path, config: EvaluationConfig) -> None:
    before = {path: path.stat().st_mtime_ns for path in reference.rglob("*.parquet")}
    events: list[Event] = []
    evaluate(config, watch=events.append)
    assert [event.kind for event in events] == ["finished"]
    assert {path: path.stat().st_mtime_ns for path in reference.rglob("*.parquet")} == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 1}, "seed 0 is now 1"),
        ({"size": 126}, "size 112 is now 126"),
        ({"limit_checkpoints": 1}, "checkpoint"),
    ],
)
def test_other_settings_are_refused_not_mixed(
    reference: Path, config: EvaluationConfig, changes: dict[str, object], named: str
) -> None:
    with pytest.raises(UsageError, match="other settings") as caught:
        evaluate(elsewhere(config, reference, **changes))
    assert named in str(caught.value)


def test_a_run_that_was_not_evaluated_here_is_left_alone(config: EvaluationConfig, tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text("{}", "utf-8")
    with pytest.raises(UsageError, match="not made by evaluate"):
        evaluate(elsewhere(config, tmp_path))
    assert (tmp_path / "metadata.json").read_text("utf-8") == "{}"


def test_two_at_a_time_are_refused(config: EvaluationConfig, tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(UsageError, match="another process"):
        evaluate(elsewhere(config, tmp_path))


def test_no_loadable_checkpoint_is_an_error(config: EvaluationConfig, tmp_path: Path, adapters: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    shutil.copy(adapters / "checkpoint_9.pt", folder)
    with pytest.raises(DataError, match=r"checkpoint_9\.pt"):
        evaluate(elsewhere(config, tmp_path / "run", checkpoints=folder))


def test_a_checkpoint_cannot_take_the_name_of_a_row_of_its_own(
    config: EvaluationConfig, tmp_path: Path, adapters: Path
) -> None:
    shutil.copytree(adapters / "checkpoint_0", tmp_path / "weights" / "oracle")
    with pytest.raises(UsageError, match="cannot be called 'oracle'"):
        evaluate(elsewhere(config, tmp_path / "run", checkpoints=tmp_path / "weights"))


def test_a_bad_window_costs_only_itself(
    config: EvaluationConfig, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Street.load

    def failing(self, window, preparation):  # type: ignore[no-untyped-def]
        if window.id == 2:
            raise DataError("0000000008.png: truncated")
        return load(self, window, preparation)

    monkeypatch.setattr(Street, "load", failing)
    run = evaluate(elsewhere(config, tmp_path / "run"))
    # The constant depth of chance is a median over windows, so that one may differ.
    known = pl.col("checkpoint") != "chance"
    assert rows(run).filter(known).equals(rows(reference).filter(known & (pl.col("window") != 2)))
    assert state(run).failed_windows == {2: "0000000008.png: truncated"}
    metadata = json.loads((run / "metadata.json").read_text("utf-8"))
    assert metadata["left_out"]["windows that could not be read"] == 1


def test_a_checkpoint_that_fails_later_keeps_what_it_has(
    config: EvaluationConfig, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.inference.lora import AdapterBank

    activate, calls = AdapterBank.activate, []

    def failing(self, name: str) -> None:  # type: ignore[no-untyped-def]
        calls.append(name)
        if name == "checkpoint_1" and calls.count(name) > 3:
            raise RuntimeError("out of memory")
        activate(self, name)

    monkeypatch.setattr(AdapterBank, "activate", failing)
    run = evaluate(elsewhere(config, tmp_path / "run"))
    expected = rows(reference).filter((pl.col("checkpoint") != "checkpoint_1") | (pl.col("window") < 3))
    assert rows(run).equals(expected)
    assert "out of memory" in state(run).failed_checkpoints["checkpoint_1"]


def test_rows_do_not_depend_on_shards_or_readers(config: EvaluationConfig, reference: Path, tmp_path: Path) -> None:
    run = evaluate(elsewhere(config, tmp_path / "run", shard=4, readers=1))
    assert rows(run).equals(rows(reference))
    assert sliced(run).equals(sliced(reference))


def test_a_cache_changes_nothing_and_is_used(config: EvaluationConfig, reference: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for number in range(2):
        run = evaluate(elsewhere(config, tmp_path / f"run{number}", cache=cache))
        assert rows(run).equals(rows(reference))
    assert list(cache.rglob("*.npz"))


@pytest.mark.e2e
def test_kills_cost_nothing(config: EvaluationConfig, reference: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments, then the same call again, until it ends: the same store, row for row."""
    settings = tmp_path / "config.json"
    settings.write_text(config.model_dump_json(), "utf-8")
    tests = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "support.killing", settings, tmp_path / "runs", str(KILLS), "0"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{tests.parent}{os.pathsep}{tests}"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    runs = [Path(line) for line in done.stdout.split("\n") if line]
    assert len(runs) >= 2
    for run in runs:
        assert rows(run).equals(rows(reference))
        assert sliced(run).equals(sliced(reference))
        assert pl.read_parquet(run / "curves.parquet").equals(pl.read_parquet(reference / "curves.parquet"))
        shards = [event.data["shard"] for event in Journal(run / JOURNAL).events() if event.kind == "shard"]
        assert sorted(shards) == list(range(6)), "a finished shard was computed twice, or one is missing"
        assert not list(run.rglob("*.tmp")), "a kill left a temporary file"
