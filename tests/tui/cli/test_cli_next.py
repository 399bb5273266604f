"""``lorascope next``."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support.commands import Command
from support.training import TRAINING

SAMPLES = Path(__file__).resolve().parents[3] / "sample_results"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A checkpoint with its training's configuration."""
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "checkpoint_4.pt").write_bytes(b"four")
    (folder / "train.yaml").write_text(TRAINING, "utf-8")
    return folder


def test_the_best_goes_on_gently(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    to = tmp_path / "next.yaml"
    done = lorascope("next", results / "alpha", "best", "--to", to, "--checkpoints", weights)
    assert done.lines[:6] == [
        "alpha / checkpoint_4",
        f"  {to}",
        f"  based on {weights / 'train.yaml'}",
        "  max_epochs: 50 -> 4",
        "  lora.alpha: 32 -> 16",
        "  optim.optimizer.lr: 5e-5 -> 1.0e-05",
    ]
    assert "to do by hand:" in done.lines and done.err == ""
    text = to.read_text("utf-8")
    assert "# It goes on from checkpoint_4 of alpha.\n# Its score is " in text
    assert "# Strategy B: heads and the last third of the blocks\n" in text
    found = yaml.safe_load(text)
    assert (found["max_epochs"], found["lora"]["alpha"]) == (4, 16)
    assert found["checkpoint"]["resume_checkpoint_path"] == str(weights / "checkpoint_4.pt")


def test_every_option(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    to = tmp_path / "next.yml"
    options = ("--lr-factor", "0.5", "--alpha-factor", "0.25", "--epochs", "3", "--freeze", "proj,mlp")
    more = ("--training", weights / "train.yaml", "--start", "merged.pt", "--format", "json")
    done = lorascope("next", results / "alpha", "checkpoint_3", "--to", to, *options, *more)
    document = done.json
    assert list(document) == ["run", "checkpoint", "written", "based_on", "changes", "by_hand"]
    assert (document["run"], document["checkpoint"], document["written"]) == ("alpha", "checkpoint_3", str(to))
    changes = {change["key"]: (change["old"], change["new"]) for change in document["changes"]}
    assert changes["max_epochs"] == ("50", "3") and changes["lora.alpha"] == ("32", "8")
    assert changes["optim.optimizer.lr"] == ("5e-5", "2.5e-05")
    assert changes["checkpoint.resume_checkpoint_path"] == ("/weights/model.pt", "merged.pt")
    assert yaml.safe_load(to.read_text("utf-8"))["lora"]["target_modules"] == [
        "depth_head.*",
        "aggregator.frame_blocks.1[6-9].attn.qkv",
        "aggregator.frame_blocks.2[0-3].attn.qkv",
        "aggregator.global_blocks.1[6-9].attn.qkv",
        "aggregator.global_blocks.2[0-3].attn.qkv",
    ]
    # Nobody said where the checkpoint is, and it is not needed.
    assert done.err.startswith("note: the checkpoint's own files were not looked at: checkpoint_3: no weights file")


def test_trained_samples(lorascope: Command, tmp_path: Path) -> None:
    to = tmp_path / "next.yaml"
    done = lorascope("next", SAMPLES / "street_soft", "checkpoint_24", "--freeze", "attn", "--to", to)
    assert "  based on the checkpoint's own settings" in done.lines
    found = yaml.safe_load(to.read_text("utf-8"))
    assert (found["lora"]["rank"], found["lora"]["alpha"], found["lora"]["dropout"]) == (4, 4, 0.05)
    assert len(found["lora"]["target_modules"]) == 16
    assert not [name for name in found["lora"]["target_modules"] if ".attn." in name]
    assert "The run records 0.001: make it 0.0002." in done.out


@pytest.mark.parametrize("given", [True, False])
def test_published_samples(lorascope: Command, weights: Path, tmp_path: Path, given: bool) -> None:
    """The run knows no LoRA settings: they come from the training's configuration, or it is asked for."""
    command = ("next", SAMPLES / "published" / "strategy_b", "checkpoint_34", "--to", tmp_path / "next.yaml")
    if not given:
        lorascope(*command).failed(1, "neither checkpoint_34 nor its run says its LoRA settings", "--training FILE")
        assert not (tmp_path / "next.yaml").exists()
        return
    done = lorascope(*command, "--training", weights / "train.yaml")
    assert done.code == 0
    assert "# Its score is 0.3454 (+30.9 % against its baseline), protocol compat." in (
        tmp_path / "next.yaml"
    ).read_text("utf-8")


def test_the_reports_own_next_step(lorascope: Command, real: Path, weights: Path, tmp_path: Path) -> None:
    """From checkpoint_34: learning rate to a fifth, smaller alpha, a few epochs, projections and MLP frozen."""
    to = tmp_path / "next.yaml"
    run = real / "lora_kitti360_strategy_b"
    done = lorascope("next", run, "best", "--training", weights / "train.yaml", "--freeze", "proj,mlp", "--to", to)
    assert done.code == 0
    text = to.read_text("utf-8")
    assert "# It goes on from checkpoint_34 of lora_kitti360_strategy_b.\n# Its score is 0.3455 (+30.9 %" in text


def test_what_exists_is_replaced_only_by_force(
    lorascope: Command, results: Path, weights: Path, tmp_path: Path
) -> None:
    to = tmp_path / "next.yaml"
    to.write_text("mine")
    command = ("next", results / "alpha", "best", "--to", to, "--checkpoints", weights)
    lorascope(*command).failed(1, "exists already", "--force")
    assert to.read_text() == "mine"
    assert lorascope(*command, "--force").code == 0
    # The configuration that it is made from is never the one that is written.
    own = weights / "train.yaml"
    lorascope("next", results / "alpha", "best", "--to", own, "--checkpoints", weights, "--force").failed(
        2, "is the training's own configuration", "choose another name"
    )
    lorascope("next", results / "alpha", "best", "--to", own, "--training", own, "--force").failed(2, "own config")
    assert own.read_text("utf-8") == TRAINING


def test_mistakes_write_nothing(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    run, to = results / "alpha", tmp_path / "out" / "next.yaml"
    there = tmp_path / "next.yaml"
    lorascope("next", run, "best", "--to", to, "--checkpoints", weights).failed(1, "its folder does not exist")
    lorascope("next", run, "best", "--to", tmp_path / "next.json").failed(2, "the configuration is YAML", ".yaml")
    (tmp_path / "folder.yaml").mkdir()
    lorascope("next", run, "best", "--to", tmp_path / "folder.yaml").failed(1, "is a folder")
    options = ("--to", there, "--checkpoints", weights)
    lorascope("next", run, "checkpoint_9", *options).failed(2, "checkpoint_9", "did you mean")
    lorascope("next", run, "checkpoint_2", *options).failed(1, "checkpoint_2", "--checkpoints DIR")
    lorascope("next", run, "best", *options, "--freeze", "v,proj").failed(2, "'v' cannot be frozen alone", "attn.qkv")
    lorascope("next", run, "best", *options, "--freeze", "projj").failed(2, "unknown branch", "did you mean proj")
    lorascope("next", run, "best", *options, "--freeze", "camera_head").failed(2, "no layer of camera_head")
    lorascope("next", run, "best", *options, "--lr-factor", "0").failed(2, "--lr-factor is 0")
    lorascope("next", run, "best", *options, "--epochs", "0").failed(2, "--epochs is 0")
    lorascope("next", run, "best", *options, "--epochs", "few").failed(2, "--epochs")
    lorascope("next", run, "best", *options, "--training", tmp_path / "none.yaml").failed(1, "none.yaml")
    lorascope("next", run, "best", *options, "--objective", "nonsense").failed(2, "nonsense")
    lorascope("next", run, "best").failed(2, "missing option '--to'")
    (weights / "other.yaml").write_text(TRAINING)
    lorascope("next", run, "best", *options).failed(1, "more than one LoRA configuration", "--training")
    assert not there.exists()


def test_a_folder_that_cannot_be_written(
    lorascope: Command, results: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tui.cli.next_run.atomic_write_bytes", refused)
    lorascope("next", results / "alpha", "best", "--to", tmp_path / "n.yaml", "--checkpoints", weights).failed(
        1, "n.yaml: cannot be written (Permission denied)"
    )
