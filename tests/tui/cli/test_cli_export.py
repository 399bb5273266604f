"""``lorascope export``."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from support.commands import Command
from support.judged import write_judged_run
from support.store import cost, metadata, summary

from engine.results.writer import write_run
from engine.schema import CostInfo

huggingface_hub = pytest.importorskip("huggingface_hub", reason="model cards need the extra `card`")

SAMPLES = Path(__file__).resolve().parents[3] / "sample_results"


def to(folder: Path, weights: Path) -> tuple[object, ...]:
    """Options: where to, and from where."""
    return ("--to", folder / "out", "--checkpoints", weights)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder with the files of three checkpoints: one adapter folder, two weights files."""
    folder = tmp_path / "weights"
    adapter = folder / "checkpoint_4"
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text("{}", "utf-8")
    (adapter / "adapter_model.safetensors").write_bytes(b"adapter")
    (adapter / "optimizer.pt").write_bytes(b"state")
    (folder / "checkpoint_3.pt").write_bytes(b"three")
    (folder / "checkpoint_2.pt").write_bytes(b"two")
    return folder


def selection(folder: Path) -> dict[str, Any]:
    """What the export says about a checkpoint."""
    document: dict[str, Any] = json.loads((folder / "selection.json").read_text("utf-8"))
    return document


def test_a_named_checkpoint(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    done = lorascope("export", results / "alpha", "checkpoint_3", "--to", target, "--checkpoints", weights)
    digest = hashlib.sha256(b"three").hexdigest()
    place = target / "alpha" / "checkpoint_3"
    card = hashlib.sha256((place / "README.md").read_bytes()).hexdigest()
    assert done.lines[:4] == ["alpha / checkpoint_3", f"  {place}", "  checkpoint_3.pt  5 B", f"    sha256 {digest}"]
    assert done.lines[4].startswith("  README.md  ") and done.lines[5:] == [f"    sha256 {card}"]
    assert (place / "checkpoint_3.pt").read_bytes() == b"three"
    said = selection(place)
    assert (said["objective"], said["where"], said["considered"], said["rejected"]) == (None, None, 6, 0)


def test_the_best_under_a_condition(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    options = ("--to", tmp_path, "--checkpoints", weights, "--where", "step < 4", "--objective", "abs_rel")
    done = lorascope("export", results / "alpha", "best", *options, "--format", "json")
    (exported,) = done.json["exported"]
    assert list(exported) == ["run", "checkpoint", "path", "files", "left_out", "card", "merged"]
    assert (exported["run"], exported["checkpoint"]) == ("alpha", "checkpoint_3")
    assert exported["files"] == [
        {"name": "checkpoint_3.pt", "bytes": 5, "sha256": hashlib.sha256(b"three").hexdigest()}
    ]
    said = selection(Path(exported["path"]))
    assert (said["objective"], said["where"]) == ("depth.building.abs_rel", "step < 4")
    assert (said["considered"], said["rejected"]) == (6, 2)


def test_several_each_once(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    options = ("--to", tmp_path, "--checkpoints", weights)
    names = ("best", "checkpoint_4", "checkpoint_2")
    exported = lorascope("export", results / "alpha", *names, *options, "--format", "json").json["exported"]
    assert [item["checkpoint"] for item in exported] == ["checkpoint_4", "checkpoint_2"]
    assert [file["name"] for file in exported[0]["left_out"]] == ["optimizer.pt"]


def test_what_exists_is_replaced_only_by_force(
    lorascope: Command, results: Path, weights: Path, tmp_path: Path
) -> None:
    arguments = ("export", results / "alpha", "best", "--to", tmp_path / "out", "--checkpoints", weights)
    assert lorascope(*arguments).code == 0
    lorascope(*arguments).failed(1, "exists already", "--force")
    assert lorascope(*arguments, "--force").code == 0


def test_mistakes_export_nothing(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    run = results / "alpha"
    options = ("--to", target, "--checkpoints", weights)
    lorascope("export", run, "checkpoint_9", *options).failed(2, "checkpoint_9", "did you mean")
    lorascope("export", run, "checkpoint_0", *options).failed(1, "checkpoint_0", "--checkpoints DIR")
    lorascope("export", run, "checkpoint_3", "--to", target).failed(1, "--checkpoints DIR")
    lorascope("export", run, "best", *options, "--where", "step > 9").failed(2, "no checkpoint meets", "loosen")
    lorascope("export", run, "checkpoint_4", *options, "--where", "step < 4").failed(2, "'checkpoint_4' does not meet")
    lorascope("export", run, "best", *options, "--objective", "nonsense").failed(2, "nonsense", "--objective")
    lorascope("export", results, "best", *options).failed(2, "2 runs", "--run NAME")
    lorascope("export", run, "best").failed(2, "missing option '--to'")
    lorascope("export", run, *options).failed(2, "missing argument 'CHECKPOINT'")
    assert not target.exists()


def test_published_samples_have_cards(lorascope: Command, weights: Path, tmp_path: Path) -> None:
    (weights / "checkpoint_34.pt").write_bytes(b"w")
    run = SAMPLES / "published" / "strategy_b"
    (item,) = lorascope("export", run, "best", *to(tmp_path, weights), "--format", "json").json["exported"]
    card = huggingface_hub.ModelCard.load(Path(item["path"]) / "README.md")
    assert card.data.model_name == "strategy_b/checkpoint_34"
    results = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert results["depth.building.abs_rel"] == 0.6107 and results["photometric.building.inlier_ratio"] == 0.498
    assert "performance.fps" not in results and "score" not in results
    assert {result.dataset_name for result in card.data.eval_results} == {"KITTI-360"}
    for said in ("- Figures: as published (", "| FPS (1/s) |  | 1.12 |", "One checkpoint was considered", "rounded"):
        assert said in card.text


def test_trained_samples_have_cards(lorascope: Command, tmp_path: Path) -> None:
    run = SAMPLES / "street_soft"
    done = lorascope("export", run, "best", "--where", "abs_rel < 0.25", "--to", tmp_path, "--format", "json")
    (item,) = done.json["exported"]
    folder = Path(item["path"])
    said = selection(folder)
    assert said["card"] == item["card"] and item["merged"] is None
    card = huggingface_hub.ModelCard.load(folder / "README.md")
    values = {metric["key"]: metric["value"] for metric in said["metrics"]}
    results = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert results == {key: values[key] for key in results} and len(results) > 50
    assert card.data.library_name == "peft"
    for words in (
        "`abs_rel < 0.25`",
        "- LoRA: rank 4, alpha 8, dropout 0.05",
        "- Sample fingerprint: b15b92f4",
        "The data are synthetic",
        "lorascope evaluate --data street",
        f"| depth.building.abs_rel | ↓ | 0.2908 | {values['depth.building.abs_rel']:.4g} |",
    ):
        assert words in card.text, words


def test_real_runs_have_cards(lorascope: Command, real: Path, weights: Path, tmp_path: Path) -> None:
    (weights / "checkpoint_34.pt").write_bytes(b"w")
    run = real / "lora_kitti360_strategy_b"
    (item,) = lorascope("export", run, "best", *to(tmp_path, weights), "--format", "json").json["exported"]
    card = huggingface_hub.ModelCard.load(Path(item["path"]) / "README.md")
    assert len(card.data.eval_results) > 30 and "FPS counts windows, not frames" in card.text


def test_measured_costs_are_in_the_card(lorascope: Command, weights: Path, tmp_path: Path) -> None:
    figures = cost(
        ("baseline", False, 11.0, 0.5, 0.75, 2048.0, None, None),
        ("checkpoint_3", False, 9.0, 0.6, 0.8, 2100.0, 22.5, 5_000_000),
        ("checkpoint_3", True, 10.5, 0.5, 0.75, 2048.0, 22.5, 5_000_000),
        ("checkpoint_4", False, 1.0, 0.6, 0.8, 2100.0, 22.5, 5_000_000),
    )
    info = CostInfo(device="NVIDIA X", dtype="bf16", image_width=518, image_height=154, frames=8, repeats=20, warmup=3)
    values = summary(
        *((name, "depth.building.abs_rel", 0.5, None, None, None, None, 1) for name in ("baseline", "checkpoint_3"))
    )
    write_run(tmp_path / "run", metadata("baseline", "checkpoint_3", cost=info), summary=values, cost=figures)
    done = lorascope("export", tmp_path / "run", "checkpoint_3", *to(tmp_path, weights), "--format", "json")
    card = (Path(done.json["exported"][0]["path"]) / "README.md").read_text("utf-8")
    assert "| unmerged | 9 | 0.6 | 0.8 | 2100 | 22.5 | 5000000 |\n| merged | 10.5 |" in card
    assert "on NVIDIA X, bf16, 8 frames of 518 x 154 pixels" in card


def test_without_the_extra_the_card_is_missed_in_a_sentence(
    lorascope: Command, results: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    words = "note: no model card was written: huggingface_hub is not installed; pip install 'lorascope[card]'\n"
    done = lorascope("export", results / "alpha", "best", *to(tmp_path, weights))
    assert (done.code, done.err) == (0, words) and "README.md" not in done.out
    done = lorascope("export", results / "alpha", "best", *to(tmp_path, weights), "--force", "--format", "json")
    assert done.json["exported"][0]["card"] is None and done.err == words


def test_merged_weights(lorascope: Command, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="merging needs the extra `eval`")
    run, base = SAMPLES / "street_soft", SAMPLES / "weights" / "base.safetensors"
    options = ("--merge", "--base", base, "--to", tmp_path)
    (item,) = lorascope("export", run, "checkpoint_24", *options, "--format", "json").json["exported"]
    merged = item["merged"]
    file = Path(item["path"]) / "merged" / "model.safetensors"
    assert merged["name"] == "merged/model.safetensors" and merged["bytes"] == file.stat().st_size
    assert merged["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert merged["base_is_the_runs"] and merged["check"]["max_difference"] < 1e-5
    assert selection(Path(item["path"]))["merged"] == merged
    lines = lorascope("export", run, "checkpoint_24", *options, "--force").lines
    # The order of a header's metadata is free, so that the same weights may have another hash the second time.
    assert "  merged/model.safetensors  3.3 MiB" in lines
    assert f"    sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}" in lines
    other = lorascope("export", run, "checkpoint_23", "--merge", "--base-seed", "3", "--to", tmp_path)
    other.failed(2, "the base weights are not those of street_soft", "--base")
    assert [path.name for path in (tmp_path / "street_soft").iterdir()] == ["checkpoint_24"]


def test_mistakes_about_merging(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    command = ("export", results / "alpha", "best", *to(tmp_path, weights))
    lorascope(*command, "--merge").failed(2, "--merge needs the base weights", "--base-seed")
    lorascope(*command, "--base", "b.pt").failed(2, "--base is for merged weights", "add --merge")
    lorascope(*command, "--training", "t.yaml").failed(2, "--training is for merged weights")
    lorascope(*command, "--merge", "--base", "b.pt", "--base-seed", "1").failed(2, "give one of them")
    lorascope(*command, "--merge", "--base", "b.pt").failed(2, "alpha does not say which model it is of", "--model")
    lorascope(*command, "--merge", "--base", "b.pt", "--model", "tiny").failed(1, "b.pt is no base of model 'tiny'")
    lorascope(*command, "--merge", "--base-seed", "1", "--model", "tinny").failed(2, "tinny")
    assert not (tmp_path / "out").exists()


def test_what_was_judged_goes_into_the_selection_and_the_card(lorascope: Command, tmp_path: Path) -> None:
    run = write_judged_run(tmp_path / "judged")
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "checkpoint_1.pt").write_bytes(b"weights")
    done = lorascope("export", run, "checkpoint_1", "--checkpoints", weights, "--to", tmp_path / "out")
    assert done.code == 0, done.err
    folder = tmp_path / "out" / "judged" / "checkpoint_1"
    selection = json.loads((folder / "selection.json").read_text("utf-8"))
    assert selection["basis"].startswith("paired over 24 windows in 3 drives")
    metric = next(metric for metric in selection["metrics"] if metric["key"] == "depth.building.abs_rel")
    assert (metric["verdict"], metric["kind"]) == ("better", "paired")
    assert metric["joint95"][0] < metric["ci95"][0] < metric["delta"] < metric["ci95"][1] < metric["joint95"][1]
    assert [(loss["by"], loss["slice"][-9:]) for loss in metric["loses"]] == [
        ("drive", "0005_sync"),
        ("region", "full"),
    ]
    card = (folder / "README.md").read_text("utf-8")
    assert "95 % interval of the change | verdict |" in card
    assert "but worse in a part of the sample" in card
