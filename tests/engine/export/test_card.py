"""Model cards: read back by huggingface_hub's own parser, and by an independent Markdown reader."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from support.checkpoints import METRICS, Select, adapter, selection

from engine.export.adapter import AdapterFacts
from engine.export.card import model_card, why_no_card
from engine.export.card_facts import CardFacts
from engine.export.checkpoints import export_checkpoints
from engine.export.locate import CheckpointKind
from engine.export.selection import ExportedFile, MergedWeights, Selection
from engine.schema import CostInfo, DatasetInfo, LoraInfo, ModelInfo, ProtocolInfo, Provenance, RunMetadata
from engine.text import visible

huggingface_hub = pytest.importorskip("huggingface_hub", reason="model cards need the extra `card`")
ModelCard, EvalResult = huggingface_hub.ModelCard, huggingface_hub.EvalResult

FINGERPRINT = "ab" * 32
ABOUT = RunMetadata(
    run="strategy_b",
    provenance=Provenance.EVALUATED,
    protocol=ProtocolInfo(name="v1", align="median", align_scope="window", seq_len=8, stride=8, prepare="fit"),
    dataset=DatasetInfo(
        name="KITTI-360", root_name="KITTI-360", split="val", sampling="stratified", max_seqs=200, seed=3,
        sample_fingerprint=FINGERPRINT,
    ),
    model=ModelInfo(name="vggt", weights="vggt.pt", weights_sha256="cd" * 32, image_size=518),
    lora=LoraInfo(rank=16, alpha=32.0, dropout=0.05, target_modules=["depth_head.*"], learning_rate=1e-4),
    checkpoint_dir="/home/somebody/secret/checkpoints",
)  # fmt: skip
ATE: dict[str, object] = {
    "key": "pose.ate_trans",
    "label": "ATE",
    "unit": "m",
    "direction": "lower",
    "baseline": 2.0,
    "value": 1.5,
    "delta": -0.5,
    "delta_pct": -25.0,
}


def chosen(**changes: object) -> Selection:
    return selection(Path("/home/somebody/run"), Path("/weights"), **{"about": ABOUT, **changes})  # type: ignore[arg-type]


def facts(
    kind: CheckpointKind = CheckpointKind.ADAPTER, name: str = "adapter_model.safetensors", **changes: Any
) -> CardFacts:
    values = {"selection": chosen(), "kind": kind, "files": (ExportedFile(name, 7, "ef" * 32),), **changes}
    return CardFacts(**values)


def read(text: str) -> Any:
    """The card as huggingface_hub reads it; it must be written as it was read."""
    card = ModelCard(text)
    assert str(card) == text
    return card


def test_the_index_is_read_back_by_the_hubs_own_parser() -> None:
    card = read(model_card(facts(selection=chosen(metrics=(*METRICS, ATE)))))
    common = {
        "dataset_type": "kitti-360",
        "dataset_name": "KITTI-360",
        "dataset_split": "val",
        "dataset_args": {"sampling": "stratified", "max_seqs": 200, "seed": 3, "sample_fingerprint": FINGERPRINT},
        "metric_config": "v1, alignment median per window",
    }
    # What has no direction or no value is no result.
    assert card.data.eval_results == [
        EvalResult(
            task_type="depth-estimation",
            metric_type="depth.building.abs_rel",
            metric_name="AbsRel (building)",
            metric_value=0.6107,
            **common,
        ),
        EvalResult(
            task_type="image-to-3d", metric_type="pose.ate_trans", metric_name="ATE", metric_value=1.5, **common
        ),
    ]
    assert card.data.model_name == "strategy_b/checkpoint_34"
    assert set(card.data.to_dict()) == {"library_name", "pipeline_tag", "tags", "model-index"}
    assert card.data.library_name == "peft"


def test_what_is_not_known_is_not_in_the_header() -> None:
    bare = facts(CheckpointKind.FILE, "checkpoint_34.pt", selection=chosen(about=None, metrics=()))
    card = read(model_card(bare))
    assert card.data.to_dict() == {"pipeline_tag": "depth-estimation", "tags": ["lora", "lorascope"]}
    assert "No metric of this checkpoint is recorded." in card.text
    assert "Base model: not recorded" in card.text and "its settings are not recorded" in card.text
    assert "neither the run nor the file records them" in card.text
    assert "which therefore knows no command" in card.text


@pytest.mark.parametrize(
    ("base", "wanted"),
    [("facebook/VGGT-1B", "facebook/VGGT-1B"), ("/weights/vggt", None), ("../a", None), ("a/b/c", None), (None, None)],
)
def test_a_base_model_is_named_only_by_a_name_of_the_hub(base: str | None, wanted: str | None) -> None:
    card = read(model_card(facts(adapter=AdapterFacts(base_model=base))))
    assert card.data.base_model == wanted


def test_the_text_says_what_the_run_says() -> None:
    text = model_card(facts(kept="README.source.md"))
    for said in (
        "# Checkpoint checkpoint_34 of strategy_b",
        "- Base model: vggt, weights `vggt.pt`",
        f"- SHA-256 of the base's tensors: `{'cd' * 32}`",
        "- LoRA: rank 16, alpha 32, dropout 0.05",
        "- LoRA on: `depth_head.*`",
        "- Learning rate of the training: 0.0001",
        f"- File `adapter_model.safetensors`: 7 bytes, SHA-256 `{'ef' * 32}`",
        "- The README that lay beside the weights is `README.source.md`.",
        "- Licence: none is recorded.",
        "The checkpoints were ranked by `score`.",
        "`vram_gb <= 24`",
        "34 of 51 were rejected.",
        "| depth.building.abs\\_rel | ↓ | 1.721 | 0.6107 | -64.5 % |".replace("\\_", "_"),
        f"- Sample fingerprint: {FINGERPRINT}",
        "- No confidence intervals were computed",
        "how metric the model is, is not judged",
    ):
        assert said in text, said
    assert "somebody" not in text and "license" not in text.partition("\n---\n")[0]


def test_the_adapters_own_settings_win() -> None:
    text = model_card(facts(adapter=AdapterFacts(rank=4, alpha=8.0, target_modules=("qkv",))))
    assert "- LoRA: rank 4, alpha 8, dropout 0.05" in text and "- LoRA on: `qkv`" in text


def test_intervals_and_verdicts_where_the_selection_has_them() -> None:
    judged = {**METRICS[0], "ci95": [-1.3, -0.9], "verdict": "better"}
    text = model_card(facts(selection=chosen(metrics=(judged, ATE))))
    assert "| metric | better | baseline (baseline) | this | change | 95 % interval of the change | verdict |" in text
    assert "| depth.building.abs_rel | ↓ | 1.721 | 0.6107 | -64.5 % | -1.3 to -0.9 | better |" in text
    assert "| pose.ate_trans (m) | ↓ | 2 | 1.5 | -25.0 % |  |  |" in text
    assert "No confidence intervals" not in text
    # The interval that the verdict goes by is the one for all checkpoints at once; what verdicts rest on is said.
    joint = {**judged, "joint95": [-1.5, -0.7], "loses": [{"by": "drive", "slice": "0004"}]}
    text = model_card(facts(selection=chosen(metrics=(joint,), basis="paired over 24 windows in 3 drives")))
    assert "| -1.5 to -0.7 | better |" in text
    assert "Verdicts: paired over 24 windows in 3 drives." in text
    assert "- Better as a whole, but worse in a part of the sample: depth.building.abs_rel in drive 0004." in text
    for broken in (None, [float("nan"), 1.0], [1.0], "x"):
        text = model_card(facts(selection=chosen(metrics=({**METRICS[0], "ci95": broken, "verdict": "better"},))))
        assert "| metric | better | baseline (baseline) | this | change |\n" in text


def test_costs_with_their_device() -> None:
    row = {"fps": 9.5, "latency_sec": 0.84, "latency_p95_sec": 0.9, "vram_mb": None, "trainable_params": 5_000_000}
    costs = (
        {"checkpoint": "checkpoint_34", "merged": True, **row, "fps": 10.25, "adapter_mb": 22.5},
        {"checkpoint": "checkpoint_34", "merged": False, **row, "adapter_mb": 22.5},
        {"checkpoint": "baseline", "merged": False, **row, "fps": 11.0, "adapter_mb": 0.0},
    )
    cost = CostInfo(
        device="NVIDIA X", dtype="bf16", image_width=518, image_height=154, frames=8, repeats=20, warmup=3,
        vram_note="no counter",
    )  # fmt: skip
    text = model_card(facts(selection=chosen(about=ABOUT.model_copy(update={"cost": cost}), costs=costs)))
    table = [line for line in text.partition("## Cost")[2].splitlines() if line.startswith("|")]
    assert table[0] == "|  | frames/s | latency p50 (s) | latency p95 (s) | adapter (MB) | trained parameters |"
    assert [line.split("|")[1:3] for line in table[2:]] == [
        [" baseline ", " 11 "],
        [" unmerged ", " 9.5 "],
        [" merged ", " 10.25 "],
    ]
    assert "on NVIDIA X, bf16, 8 frames of 518 x 154 pixels, 20 passes after 3 to warm up." in text
    assert "No memory: no counter." in text


def test_imported_costs_are_not_results() -> None:
    fps = {**ATE, "key": "performance.fps", "label": "FPS", "unit": "1/s", "direction": "higher"}
    card = read(model_card(facts(selection=chosen(metrics=(fps, METRICS[0])))))
    assert [result.metric_type for result in card.data.eval_results] == ["depth.building.abs_rel"]
    assert "| FPS (1/s) | 2 | 1.5 |" in card.text and "not measured apart from it" in card.text
    assert "| performance.fps" not in card.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"protocol": ProtocolInfo(name="compat")}, "even a perfect prediction scores near chance"),
        ({"protocol": ProtocolInfo(name="mine")}, "The protocol is not known to lorascope"),
        ({"provenance": Provenance.SYNTHETIC}, "The data are synthetic"),
        ({"provenance": Provenance.PUBLISHED}, "The figures are as they were printed"),
        ({"status": "running"}, "The evaluation had not ended"),
        ({"notes": ["odd [light]"]}, "- Note of the run: odd \\[light\\]"),
        ({"left_out": {"no pose": 3}}, "- Left out: 3 (no pose)"),
        ({"protocol": ProtocolInfo(name="v1", align="scale_shift")}, "by a factor and an offset"),
    ],
)
def test_what_the_numbers_do_not_say(changes: dict[str, object], said: str) -> None:
    assert said not in model_card(facts())
    assert said in model_card(facts(selection=chosen(about=ABOUT.model_copy(update=changes))))


def test_merged_weights_are_described() -> None:
    check = {
        "input": "2 frames", "precision": "fp32", "device": "cpu", "tolerance": 1e-4, "max_difference": 9e-7,
        "effect": 0.8,
    }  # fmt: skip
    merged = MergedWeights(ExportedFile("merged/model.safetensors", 1234567, "aa" * 32), {"check": check})
    text = model_card(facts(merged=merged))
    assert "`merged/model.safetensors` holds the base with this checkpoint merged into it" in text
    assert "within 9.0e-07 of their largest value (0.0001 is allowed)" in text
    assert 'load_file("merged/model.safetensors")' in text


NASTY = st.text() | st.text(alphabet="-\n`|*_#[]<>!&:'\"{}%@ \\a\u202e")


def tokens(text: str) -> list[Token]:
    """Everything that an independent Markdown reader sees, inner parts included."""
    found = MarkdownIt("commonmark").enable("table").parse(text)
    return [one for token in found for one in (token, *(token.children or []))]


@settings(deadline=None)
@given(NASTY.filter(bool), NASTY.filter(bool), NASTY, NASTY)
def test_names_from_outside_are_data(run: str, checkpoint: str, where: str, other: str) -> None:
    about = ABOUT.model_copy(
        update={
            "run": run,
            "dataset": ABOUT.dataset.model_copy(update={"name": other, "split": other, "sample_fingerprint": other}),
            "model": ABOUT.model.model_copy(update={"weights": other}),
            "notes": [other],
            "left_out": {other: 1},
            "source": other,
        }
    )
    metric = {**METRICS[0], "key": f"depth.{other}.x", "label": other, "unit": other, "ci95": [0.0, 1.0]}
    outside = chosen(run=run, checkpoint=checkpoint, where=where, about=about, metrics=(metric,), baseline=other)
    plain = chosen(metrics=({**METRICS[0], "ci95": [0.0, 1.0], "unit": "m"},))
    card = read(model_card(facts(selection=outside, adapter=AdapterFacts(target_modules=(other,)))))
    assert card.data.model_name == visible(f"{run}/{checkpoint}")
    (result,) = card.data.eval_results
    assert result.dataset_name == visible(other or "not recorded")
    assert result.metric_type == visible(f"depth.{other}.x")
    structure = {"heading_open", "fence", "th_open", "tr_open", "td_open"}
    found, usual = tokens(card.text), tokens(read(model_card(facts(selection=plain))).text)
    assert not {token.type for token in found} - {token.type for token in usual} - {"text_special"}
    assert [t.type for t in found if t.type in structure] == [t.type for t in usual if t.type in structure]
    heading = next(token for token in found if token.type == "inline")
    shown = "".join(child.content for child in heading.children or [])
    assert shown == f"Checkpoint {visible(checkpoint)} of {visible(run)}".rstrip()


def test_a_weights_file_gets_a_card_with_the_settings_that_lie_with_it(
    tmp_path: Path, weights: Path, select: Select
) -> None:
    (weights / "train.yaml").write_text(
        "lora: {rank: 16, alpha: 64, target_modules: ['depth_head.*'], use_rslora: true}"
    )
    (exported,) = export_checkpoints([select()], tmp_path / "out")
    card = ModelCard.load(exported.path / "README.md")
    assert card.data.library_name is None
    assert "- LoRA: rank 16, alpha 64, dropout 0" in card.text
    assert "LoraConfig(r=16, lora_alpha=64, target_modules=layers, use_rslora=True)" in card.text
    # Which of two it was trained by is nobody's to guess.
    (weights / "other.yaml").write_text("lora: {rank: 4, alpha: 1, target_modules: ['x']}")
    (exported,) = export_checkpoints([select()], tmp_path / "out", force=True)
    assert "its settings are not recorded" in (exported.path / "README.md").read_text("utf-8")


def test_an_adapters_card_reads_the_copy(tmp_path: Path, select: Select) -> None:
    folder = adapter(tmp_path / "more" / "checkpoint_40")
    config = {"r": 8, "lora_alpha": 16, "target_modules": ["qkv"], "base_model_name_or_path": "facebook/VGGT-1B"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    (exported,) = export_checkpoints([select("checkpoint_40", sources=(tmp_path / "more",))], tmp_path / "out")
    card = ModelCard.load(exported.path / "README.md")
    assert (card.data.base_model, card.data.library_name) == ("facebook/VGGT-1B", "peft")
    assert "- LoRA: rank 8, alpha 16" in card.text


@pytest.mark.parametrize("content", ["[]", "no json", '{"r": true, "lora_alpha": "8", "target_modules": 3}', "{}"])
def test_an_adapters_config_that_says_nothing(tmp_path: Path, select: Select, content: str) -> None:
    folder = adapter(tmp_path / "more" / "checkpoint_40")
    (folder / "adapter_config.json").write_text(content)
    (exported,) = export_checkpoints([select("checkpoint_40", sources=(tmp_path / "more",))], tmp_path / "out")
    assert "its settings are not recorded" in (exported.path / "README.md").read_text("utf-8")


def test_without_huggingface_hub_there_is_no_card_and_all_else(
    tmp_path: Path, select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    adapter(tmp_path / "more" / "checkpoint_40", {"README.md": b"theirs"})
    (exported,) = export_checkpoints([select("checkpoint_40", sources=(tmp_path / "more",))], tmp_path / "out")
    assert exported.card is None
    assert (exported.path / "README.md").read_bytes() == b"theirs"
    assert json.loads((exported.path / "selection.json").read_text("utf-8"))["card"] is None


def test_why_there_is_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_no_card() is None
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    remedy = "; pip install 'lorascope[card]'"
    assert why_no_card() == f"no model card was written: huggingface_hub is not installed{remedy}"
    monkeypatch.setitem(sys.modules, "huggingface_hub", ModuleType("huggingface_hub"))
    assert str(why_no_card()).startswith("no model card was written: huggingface_hub cannot be imported (cannot import")


def test_a_card_that_cannot_be_written_exports_nothing(
    tmp_path: Path, select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.export.card.model_card", broken)
    with pytest.raises(KeyboardInterrupt):
        export_checkpoints([select(), select("checkpoint_36")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_selections_without_metadata_still_say_the_protocol() -> None:
    assert replace(facts(), selection=chosen(about=None)).about.protocol.name == "compat"
