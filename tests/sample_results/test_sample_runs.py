"""The sample runs as they lie in the repository: whole, honest, small, and reproducible by the engine."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import polars as pl
import pytest

torch = pytest.importorskip("torch", reason="evaluating needs the extra `eval`")

import sample_results  # noqa: E402
from engine.dataset.street_writer import write_street  # noqa: E402
from engine.evaluation.config import EvaluationConfig  # noqa: E402
from engine.evaluation.runner import evaluate  # noqa: E402
from engine.inference.checkpoints import discover_checkpoints  # noqa: E402
from engine.inference.families import build_model  # noqa: E402
from engine.inference.lora import AdapterBank  # noqa: E402
from engine.inference.weights import state_sha256  # noqa: E402
from engine.results.load import load_runs  # noqa: E402
from engine.results.model import Run  # noqa: E402
from engine.results.native import scan_frames  # noqa: E402
from engine.results.slices import slice_kinds  # noqa: E402
from engine.schema import SLICED, Provenance, SliceKind  # noqa: E402
from sample_results.training.recipes import FINETUNINGS, STREET_SEED  # noqa: E402

SAMPLES = Path(sample_results.__file__).parent
BASE = SAMPLES / "weights" / "base.safetensors"
MB = 1_000_000
REPRODUCED = "checkpoint_24"
VAL_DRIVE = 3


@pytest.fixture(scope="module", params=sorted(FINETUNINGS))
def run(request: pytest.FixtureRequest) -> Run:
    (loaded,) = load_runs([SAMPLES / f"street_{request.param}"])
    return loaded


def means(run: Run, checkpoint: str) -> dict[str, float]:
    rows = run.summary.filter(pl.col("checkpoint") == checkpoint)
    return dict(zip(rows["metric"], rows["mean"], strict=True))


def test_everything_is_small() -> None:
    files = [file for file in SAMPLES.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert sum(file.stat().st_size for file in files) < 15 * MB
    assert BASE.stat().st_size < 2 * MB


def test_a_run_is_whole_and_says_where_it_comes_from(run: Run) -> None:
    assert run.problems == ()
    assert run.baseline == "baseline"
    roles = run.checkpoints["role"].to_list()
    assert roles.count("checkpoint") > 20
    assert roles.count("oracle") == roles.count("chance") == roles.count("baseline") == 1
    assert run.metadata.provenance is Provenance.SYNTHETIC
    assert run.metadata.status == "done"
    assert run.metadata.dataset.split == "val"
    windows = pl.read_parquet(run.path / "windows.parquet")
    assert windows.height == 8
    assert set(windows["stratum"]) == {"rich", "mixed", "road"}


def test_a_run_names_no_place_of_the_machine_that_made_it(run: Run) -> None:
    text = (run.path / "metadata.json").read_text("utf-8")
    paths = [info["path"] for info in json.loads(text)["checkpoints"] if info["path"]]
    paths.append(json.loads(text)["checkpoint_dir"])
    for path in paths:
        assert not PurePosixPath(path).is_absolute()
        assert (run.path / path).is_dir()
    assert not (run.path / "journal.jsonl").exists()


def test_oracle_is_nearly_perfect_and_chance_is_not(run: Run) -> None:
    oracle, chance, base = (means(run, name) for name in ("oracle", "chance", "baseline"))
    assert oracle["depth.building.abs_rel"] <= 0.005
    assert oracle["depth.building.delta1"] >= 0.99
    assert oracle["normals.building.angular_mean"] <= 2
    assert oracle["planarity.building.inlier_ratio"] >= 0.97
    assert oracle["pose.ate_trans"] <= 1e-4
    assert chance["depth.building.delta1"] < base["depth.building.delta1"] < oracle["depth.building.delta1"]
    assert chance["depth.building.abs_rel"] > base["depth.building.abs_rel"] > oracle["depth.building.abs_rel"]


def test_both_runs_saw_the_same_windows() -> None:
    runs = load_runs([SAMPLES / f"street_{name}" for name in FINETUNINGS])
    assert len({run.metadata.dataset.sample_fingerprint for run in runs}) == 1
    first, second = (means(run, "baseline") for run in runs)
    assert first == second


def test_the_adapters_fit_the_base(run: Run) -> None:
    model = build_model("tiny", weights=BASE)
    assert state_sha256(model.module) == run.metadata.model.weights_sha256
    assert run.metadata.checkpoint_dir is not None
    bank = AdapterBank(model)
    for source in discover_checkpoints(run.path / run.metadata.checkpoint_dir):
        bank.add(source)
    stored = run.checkpoints.filter(pl.col("role") == "checkpoint")["checkpoint"].to_list()
    assert list(bank.names) == stored


def test_one_run_has_depth_by_distance_and_class_that_adds_up_to_its_frames() -> None:
    runs = {name: load_runs([SAMPLES / f"street_{name}"])[0] for name in FINETUNINGS}
    assert {name: bool(slice_kinds(run)) for name, run in runs.items()} == {
        name: recipe.slices for name, recipe in FINETUNINGS.items()
    }
    run = runs["aggressive"]
    stored = pl.read_parquet(run.path / "slices" / "*" / "*.parquet")
    assert set(stored["checkpoint"]) == set(run.checkpoints["checkpoint"])
    keys = ["checkpoint", "window", "frame", "region"]
    weight = pl.col("pixels").cast(pl.Float64)
    names = [f"depth.{name}" for name in SLICED if name != "rmse"]
    frames = scan_frames(run).filter(pl.col("align") == "median").collect()
    for by in SliceKind:
        means = [(pl.col(name) * weight).sum() / weight.sum() for name in names]
        whole = stored.filter(by=by).group_by(keys).agg(*means, pl.col("pixels").sum())
        both = whole.join(frames, on=keys, suffix="_frames")
        assert both.height == whole.height > 1000
        assert (both["pixels"] == both["pixels_frames"]).all()
        for name in names:
            value, other = both[name], both[f"{name}_frames"]
            assert ((value - other).abs() <= 2e-3 + 2e-3 * other.abs()).all(), name


def test_stored_rows_are_what_the_engine_computes(tmp_path: Path) -> None:
    """One held-out drive is written again from its seed, and one checkpoint evaluated on one of its windows."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        street = write_street(tmp_path / "street", seed=STREET_SEED, drives={VAL_DRIVE: "val"})
        adapter = SAMPLES / "weights" / "aggressive" / REPRODUCED
        config = EvaluationConfig(
            data=street,
            to=tmp_path / "again",
            checkpoints=adapter,
            base=BASE,
            model="tiny",
            split="val",
            max_seqs=1,
            device="cpu",
        )
        evaluate(config)
    finally:
        torch.set_num_threads(threads)
    (again,) = load_runs([tmp_path / "again"])
    (sample,) = load_runs([SAMPLES / "street_aggressive"])
    keys = ["drive", "frame", "region", "align"]
    names = ["baseline", REPRODUCED]
    new = scan_frames(again).filter(pl.col("checkpoint").is_in(names)).collect().drop_nulls("frame")
    metrics = [name for name, dtype in new.schema.items() if dtype == pl.Float64]
    both = new.join(scan_frames(sample).collect(), on=["checkpoint", *keys], suffix="_stored", how="inner")
    assert both.height == new.height > 0
    for metric in metrics:
        value, stored = pl.col(metric), pl.col(f"{metric}_stored")
        near = ((value - stored).abs() <= 2e-3 + 2e-3 * stored.abs()) & (value.is_null() == stored.is_null())
        differing = both.filter(~near.fill_null(value.is_null() & stored.is_null()))
        assert differing.is_empty(), metric
