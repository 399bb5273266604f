"""The starting configuration of a follow-up: only what is asked changes, and the header accounts for it."""

from __future__ import annotations

import difflib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.training import TRAINING

from engine.errors import DataError, UsageError
from engine.export.locate import CheckpointFiles, CheckpointKind
from engine.followup.configuration import FollowUp, configuration, origin_of
from engine.followup.wish import Origin, Wish
from engine.schema import LoraInfo

MODULES = tuple(
    f"aggregator.frame_blocks.{i}.{leaf}" for i in (4, 5) for leaf in ("attn.proj", "attn.qkv", "mlp.fc1", "mlp.fc2")
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint with its training's configuration."""
    (tmp_path / "train.yaml").write_text(TRAINING)
    (tmp_path / "checkpoint_34.pt").write_bytes(b"w")
    return tmp_path


def weights_file(folder: Path) -> CheckpointFiles:
    path = folder / "checkpoint_34.pt"
    return CheckpointFiles(CheckpointKind.FILE, path, (path,))


def made(folder: Path, wish: Wish = Wish(), recorded: LoraInfo | None = None, **changes: Any) -> FollowUp:  # noqa: B008
    files = weights_file(folder)
    origin = origin_of("strategy_b", "checkpoint_34", files, recorded or LoraInfo(), ["Its score is 0.3455."])
    return configuration(replace(origin, **changes), wish, files, None)


def body(text: str) -> str:
    """A configuration without its header."""
    lines = text.splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if not line.startswith("#") or "Strategy" in line)
    return "".join(lines[start:])


def changed(text: str, before: str = TRAINING) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), body(text).splitlines(), lineterm="", n=0)
    return [line[1:].strip() for line in lines if line[:1] == "+" and line[:3] != "+++"]


def header(text: str) -> str:
    """The header in one line, as a person reads it."""
    lines = text[: -len(body(text))].splitlines()
    return " ".join(" ".join(line.removeprefix("#") for line in lines).split())


def test_the_report_s_recommendation(folder: Path) -> None:
    follow = made(folder, Wish(freeze=("proj", "mlp")))
    assert follow.based_on == folder / "train.yaml"
    assert changed(follow.text) == [
        "max_epochs: 4",
        "alpha: 16",
        '- "aggregator.frame_blocks.1[6-9].attn.qkv"   # 16 to 19',
        "- aggregator.frame_blocks.2[0-3].attn.qkv",
        '- "aggregator.global_blocks.1[6-9].attn.qkv"',
        '- "aggregator.global_blocks.2[0-3].attn.qkv"',
        "lr: 1.0e-05",
        "start_value: 2.0e-09",
        "end_value: 1.0e-05",
        "start_value: 1.0e-05",
        "end_value: 2.0e-09",
    ]
    said = header(follow.text)
    for sentence in (
        "It goes on from checkpoint_34 of strategy_b. Its score is 0.3455. Made from train.yaml, of which everything "
        "else is as it was.",
        "max_epochs: 50 -> 4 (a few epochs to settle, not a new training)",
        "lora.alpha: 32 -> 16 (x 0.5: smaller updates)",
        "optim.optimizer.lr: 5e-5 -> 1.0e-05 (x 0.2: small steps)",
        "optim.options.lr[0].scheduler.schedulers[1].end_value: 1e-8 -> 2.0e-09",
        "aggregator.frame_blocks.2[0-3].* -> aggregator.frame_blocks.2[0-3].attn.qkv (without proj and mlp)",
        "begins with 0.5 times the checkpoint's update, which is another model.",
        "multiply the checkpoint's lora_B tensors by 2.",
        "The layers of proj and mlp are left out of LoRA, and so frozen as the starting weights have them",
        "lorascope export strategy_b checkpoint_34 --merge --base FILE --to DIR",
        "checkpoint.resume_checkpoint_path (/weights/model.pt): left as it is",
        "Where the trainer restores its optimizer from the checkpoint, the old learning rate may come back",
        "still those of the old training: exp_name (strategy_b), checkpoint.save_dir (logs/${exp_name}/ckpts).",
        "checkpoint.save_freq is 5, more than there are epochs.",
    ):
        assert sentence in said, sentence
    assert len(follow.changes) == 11 and all(change.old != change.new for change in follow.changes)


def test_the_training_code_reads_what_it_read_before(folder: Path) -> None:
    """By PyYAML, whose YAML 1.1 takes ``1e-5`` for a text: what is written is a number to it, too."""
    found = yaml.safe_load(made(folder).text)
    before = yaml.safe_load(TRAINING)
    assert found["optim"]["optimizer"].pop("lr") == pytest.approx(1e-5)
    before["optim"]["optimizer"].pop("lr")
    found["optim"]["options"].pop("lr"), before["optim"]["options"].pop("lr")
    assert found["lora"].pop("alpha") == 16 and isinstance(found["max_epochs"], int)
    assert found.pop("max_epochs") == 4
    assert found["checkpoint"].pop("resume_checkpoint_path") == str(folder / "checkpoint_34.pt")
    for key in ("max_epochs", "lora.alpha", "checkpoint.resume_checkpoint_path"):
        *parents, last = key.split(".")
        place = before
        for parent in parents:
            place = place[parent]
        place.pop(last)
    assert found == before


def test_where_it_begins(folder: Path) -> None:
    own = made(folder)
    assert f'resume_checkpoint_path: "{folder}/checkpoint_34.pt"' in own.text
    # Without the frozen branches the checkpoint's own file would lose what it learned there.
    assert "resume_checkpoint_path: /weights/model.pt" in made(folder, Wish(freeze=("proj",))).text
    given = made(folder, Wish(freeze=("proj",), start=Path("merged/model.pt")))
    assert 'resume_checkpoint_path: "merged/model.pt"' in given.text
    text = TRAINING.replace("strict: False", "init_checkpoint: base.pt")
    (folder / "train.yaml").write_text(text)
    two = made(folder)
    assert "resume_checkpoint_path: /weights/model.pt" in two.text
    assert "checkpoint.init_checkpoint (base.pt): left as it is; name" in header(two.text)
    (folder / "train.yaml").write_text(TRAINING.replace("  resume_checkpoint_path: /weights/model.pt\n", ""))
    assert "No key was found that names where the training begins" in header(made(folder).text)


def test_nothing_but_what_is_asked(folder: Path) -> None:
    same = made(folder, Wish(1.0, 1.0, 50), weights=None)
    assert body(same.text) == TRAINING and same.changes == ()
    assert "Changed: nothing" in header(same.text) and "merged weights" not in header(same.text)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("lr: 5e-5", "lr: 1.0e-05", ""),
        ("learning_rate: 0.001", "learning_rate: 0.0002", ""),
        ("LR: [1e-3, 1e-4]", "LR: [0.0002, 2.0e-05]", ""),
        ("lr: ${optim.base}", None, "optim.lr is ${optim.base}: see that it becomes 0.2 times what it was."),
        ("lr: '1e-4'", None, "optim.lr is 1e-4: see that it becomes 0.2 times"),
        ("lr: 0", None, ""),
        ("min_lr: 1e-6", None, "Left as they are, though they may belong to a learning rate: optim.min_lr (1e-6)."),
        ("lr: {max: 1e-3}", None, "belong to a learning rate: optim.lr.max (1e-3)."),
        ("lr_scheduler: cosine", None, "No learning rate was found (no number called lr or learning_rate)"),
        ("colour: 3", None, "No learning rate was found"),
    ],
)
def test_learning_rates(folder: Path, before: str, after: str | None, said: str) -> None:
    text = f"max_epochs: 4\nlora: {{rank: 4, alpha: 8, target_modules: [a.*]}}\noptim:\n  {before}\n"
    (folder / "train.yaml").write_text(text)
    follow = made(folder, Wish(alpha_factor=1.0), weights=None)
    assert changed(follow.text, text) == ([after] if after else [])
    assert said in header(follow.text)
    found = after is not None or before == "lr: 0"
    assert ("No learning rate was found" in follow.text) is not found


def test_a_rate_that_only_the_run_records_and_files_that_are_composed(folder: Path) -> None:
    (folder / "train.yaml").write_text(
        "defaults: [base]\nlora: {rank: 4, alpha: 8, target_modules: [a.*], enabled: true}\n"
    )
    said = header(made(folder, recorded=LoraInfo(learning_rate=0.001)).text)
    assert "The run records 0.001: make it 0.0002. It may be in a file that defaults names." in said


@pytest.mark.parametrize(
    ("text", "after", "said"),
    [
        ("trainer: {max_epochs: 9}\n", "trainer: {max_epochs: 4}\n", ""),
        ("max_epochs: 9\nold: {max_epochs: 1}\n", "max_epochs: 4\nold: {max_epochs: 1}\n", ""),
        ("a: {max_epochs: 9}\nb: {max_epochs: 9}\n", None, "(a.max_epochs, b.max_epochs): set the right one to 4."),
        ("a: 1\n", "a: 1\n", "max_epochs: (not there) -> 4"),
    ],
)
def test_epochs(folder: Path, text: str, after: str | None, said: str) -> None:
    lora = "lora: {rank: 4, alpha: 8, target_modules: [a.*]}\n"
    (folder / "train.yaml").write_text(text + lora)
    follow = made(folder, Wish(alpha_factor=1.0))
    tail = "max_epochs: 4\n" if text == "a: 1\n" else ""
    assert body(follow.text) == (after or text) + lora + tail
    assert said in header(follow.text)


def test_settings_that_are_not_the_checkpoints(folder: Path) -> None:
    follow = made(folder, rank=8, alpha=64.0, modules=("camera_head.x", "depth_head.y"))
    assert "\n  alpha: 32\n" in follow.text
    said = header(follow.text)
    assert "lora.alpha was 32 in the configuration, but the checkpoint has 64: the new value is 0.5 times" in said
    assert "lora.rank is 16 in the configuration, but the checkpoint has 8" in said
    assert "LoRA on layers that no target means (camera_head.x)" in said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\n", "has no section 'lora'"),
        ("lora: {alpha: 1, target_modules: [a]}\n", r"lora\.rank is missing"),
        ("lora: {rank: 4, alpha: 1, target_modules: [a], enabled: false}\n", "without LoRA"),
        ("lora: {rank: 4, alpha: 0o17, target_modules: [a]}\n", r"lora\.alpha is '0o17'"),
        ("lora: {rank: 4, alpha: 0x10, target_modules: [a]}\n", r"lora\.alpha is no number"),
        ("lora: [\n", "no valid YAML"),
    ],
)
def test_configurations_that_cannot_be_used(folder: Path, text: str, reason: str) -> None:
    (folder / "train.yaml").write_text(text)
    origin = Origin("run", "checkpoint_34")
    with pytest.raises(DataError, match=reason):
        configuration(origin, Wish(), None, folder / "train.yaml")


def test_which_of_two_is_not_guessed(folder: Path) -> None:
    (folder / "other.yaml").write_text(TRAINING)
    with pytest.raises(DataError, match=r"more than one LoRA configuration: .* --training"):
        made(folder)
    # Its own name decides.
    (folder / "checkpoint_34.yaml").write_text(TRAINING.replace("alpha: 32", "alpha: 8"))
    assert "lora.alpha: 8 -> 4" in header(made(folder).text)


def test_without_a_configuration_the_adapter_speaks(tmp_path: Path) -> None:
    from support.safetensors_header import write_header

    folder = tmp_path / "checkpoint_3"
    folder.mkdir()
    names = [f"base_model.model.{name}.lora_{half}.weight" for name in MODULES for half in "AB"]
    write_header(folder / "adapter_model.safetensors", [*names, "base_model.model.camera_head.norm.weight"])
    settings = {"r": 4, "lora_alpha": 8, "lora_dropout": 0.05, "target_modules": ["4.attn.qkv"]}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    paths = (folder / "adapter_model.safetensors", folder / "adapter_config.json")
    files = CheckpointFiles(CheckpointKind.ADAPTER, folder, paths)
    origin = origin_of("soft", "checkpoint_3", files, LoraInfo(rank=99, alpha=99.0, learning_rate=0.001))
    assert origin.modules == MODULES and origin.weights is None
    follow = configuration(origin, Wish(freeze=("mlp",)), files, None)
    assert yaml.safe_load(follow.text) == {
        "max_epochs": 4,
        "lora": {
            "enabled": True,
            "rank": 4,
            "alpha": 4,
            "dropout": 0.05,
            "target_modules": [name for name in MODULES if ".mlp." not in name],
        },
    }
    assert follow.based_on is None and "these are the checkpoint's own settings and no more" in follow.text
    assert "The run records 0.001: make it 0.0002." in " ".join(follow.by_hand)
    assert "4 of the checkpoint's 8 layers are left out of LoRA" in " ".join(follow.by_hand)
    # A configuration beside the folder, or in it, is the training's.
    (tmp_path / "train.yaml").write_text(TRAINING)
    assert configuration(origin, Wish(), files, None).based_on == tmp_path / "train.yaml"
    (folder / "lora.yaml").write_text(TRAINING)
    assert configuration(origin, Wish(), files, None).based_on == folder / "lora.yaml"


@pytest.mark.parametrize(
    ("targets", "patterns"),
    [(["depth_head.*", "a.qkv"], ["depth_head.*", "a.qkv"]), (["4.attn.qkv", "refine"], ["*.4.attn.qkv", "*.refine"])],
)
def test_without_anything_on_disk_the_run_speaks(targets: list[str], patterns: list[str]) -> None:
    recorded = LoraInfo(rank=4, alpha=8.0, target_modules=targets)
    follow = configuration(origin_of("r", "c", None, recorded), Wish(), None, None)
    assert yaml.safe_load(follow.text)["lora"] == {
        "enabled": True, "rank": 4, "alpha": 4, "target_modules": patterns,
    }  # fmt: skip


def test_where_nobody_knows(folder: Path) -> None:
    with pytest.raises(DataError, match=r"neither c nor its run says its LoRA settings.* --training FILE"):
        configuration(origin_of("r", "c", None, LoraInfo(rank=4)), Wish(), None, None)


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_line_ends_and_json(folder: Path, line_end: str) -> None:
    (folder / "train.yaml").write_bytes(TRAINING.replace("\n", line_end).encode())
    text = made(folder).text
    assert text.count("\n") == text.count(line_end)
    (folder / "train.yaml").unlink()
    content = {"max_epochs": 9, "lora": {"rank": 4, "alpha": 8, "target_modules": ["a.*"]}, "lr": 0.001}
    (folder / "train.json").write_text(json.dumps(content, indent=2))
    found = yaml.safe_load(made(folder).text)
    assert found == {"max_epochs": 4, "lora": {**content["lora"], "alpha": 4}, "lr": 0.0002}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "wish", [{"lr_factor": 0.0}, {"lr_factor": float("nan")}, {"alpha_factor": -1.0}, {"epochs": 0}]
)
def test_wishes_that_make_no_sense(wish: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"--(lr-factor|alpha-factor|epochs) is"):
        Wish(**wish)


@settings(deadline=None)
@given(st.text(), st.text(), st.text(alphabet="a: #\n\r\x85\u2028'\"\x1b", min_size=1))
def test_names_from_outside_end_no_comment(run: str, checkpoint: str, evidence: str) -> None:
    recorded = LoraInfo(rank=4, alpha=8.0, target_modules=["a.*", evidence])
    follow = configuration(origin_of(run, checkpoint, None, recorded, [evidence]), Wish(), None, None)
    found = yaml.safe_load(follow.text)
    assert set(found) == {"max_epochs", "lora"}
    assert found["lora"]["target_modules"] == ["a.*", evidence]
    start = follow.text.index("\nlora:\n") + 1
    # str.splitlines splits at more than YAML does.
    assert all(line.startswith("#") for line in follow.text[:start].splitlines())
