"""Measuring the costs of a run: what is written, what stays, what is refused, and what is in the network meanwhile."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from peft.tuners.lora import LoraLayer
from support.lora import peft_model
from support.metering import TickingMeter

from engine.analysis.comparability import comparability, facts_from
from engine.analysis.overview import RunAnalysis, analyse
from engine.analysis.ranking import rank
from engine.catalogue import Catalogue
from engine.config import Config
from engine.errors import DataError, UsageError
from engine.evaluation import cost as cost_module
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.cost import CostReport, measure_costs
from engine.evaluation.cost_images import SyntheticImages, WindowImages
from engine.evaluation.cost_request import CostRequest, Given, Passes, request_from_plan, request_from_run
from engine.evaluation.journal import Event, Journal
from engine.evaluation.lock import locked
from engine.evaluation.plan import make_plan
from engine.evaluation.runner import JOURNAL, evaluate
from engine.inference.contract import GeometryModel
from engine.inference.families import build_model
from engine.inference.tiny import TinyModel
from engine.inference.weights import state_sha256
from engine.results.discovery import discover
from engine.results.load import load_run
from engine.results.model import Run
from engine.schema import MEASURED_COST, RunMetadata

SEED = 7
TICK = 0.25
# A tiny model's own bytes, for the tests of memory.
BASE = build_model("tiny", seed=SEED)
Measured = Callable[..., CostReport]


@pytest.fixture(scope="module")
def evaluated(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two checkpoints of different structure, beside the folder that they are in."""
    root = tmp_path_factory.mktemp("evaluated")
    (root / "weights").mkdir()
    peft_model(BASE.module, 0).save_pretrained(root / "weights" / "checkpoint_0")
    peft_model(BASE.module, 1, r=2, target_modules=r".*\.qkv").save_pretrained(root / "weights" / "checkpoint_1")
    config = EvaluationConfig(
        data=street,
        to=root / "run",
        checkpoints=root / "weights",
        base_seed=SEED,
        model="tiny",
        size=112,
        seq_len=4,
        stride=4,
        max_seqs=1,
        device="cpu",
    )
    evaluate(config)
    return root


@pytest.fixture
def run(evaluated: Path, tmp_path: Path) -> Path:
    """A copy of the run, beside its checkpoints."""
    shutil.copytree(evaluated, tmp_path / "copy")
    return tmp_path / "copy" / "run"


def request(run: Path, **changes: Any) -> CostRequest:
    """Two passes on synthetic images, as the run's own metadata allows."""
    given = {"base_seed": SEED, "size": (112, 28), "device": "cpu"}
    passes = {"warmup": 0, "repeats": 2}
    for name, value in changes.items():
        (passes if name in Passes.__slots__ else given)[name] = value
    return request_from_run(run, metadata(run), Given(**given), Passes(**passes))  # type: ignore[arg-type]


def metadata(run: Path) -> RunMetadata:
    return RunMetadata.model_validate_json((run / "metadata.json").read_text("utf-8"))


def ticking(memory: tuple[int, int] | None = None, tick: float = TICK) -> Any:
    """What makes a meter of known times."""
    return lambda _: TickingMeter(tick, memory)


def costs(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / "cost.parquet")


def loaded(run: Path) -> Run:
    return load_run(next(iter(discover([run]))))


def analysed(found: Run) -> RunAnalysis:
    return analyse(
        found.summary,
        found.checkpoints,
        baseline=found.baseline,
        catalogue=Catalogue(),
        weights=Config().score.weights,
    )


def test_every_model_is_measured_unmerged_and_merged(run: Path) -> None:
    report = measure_costs(request(run), make_meter=ticking())
    assert report == CostReport(("baseline", "checkpoint_0", "checkpoint_1"), {})
    table = costs(run)
    assert table.schema == MEASURED_COST
    assert table.select("checkpoint", "merged").rows() == [
        ("baseline", False),
        ("checkpoint_0", False),
        ("checkpoint_0", True),
        ("checkpoint_1", False),
        ("checkpoint_1", True),
    ]
    assert set(table["latency_sec"]) == set(table["latency_p95_sec"]) == {TICK}
    assert set(table["fps"]) == {4 / TICK}
    assert table["times_sec"].to_list() == [[TICK, TICK]] * 5
    assert table["vram_mb"].null_count() == 5
    # What PEFT itself counts, in float32.
    for name, settings in (("checkpoint_0", {}), ("checkpoint_1", {"r": 2, "target_modules": r".*\.qkv"})):
        trained = peft_model(BASE.module, 0, **settings)
        parameters = sum(tensor.numel() for tensor in trained.parameters() if tensor.requires_grad)
        rows = table.filter(pl.col("checkpoint") == name)
        assert set(rows["trainable_params"]) == {parameters}
        assert set(rows["adapter_mb"]) == {4 * parameters / 1e6}
    assert table.filter(checkpoint="baseline").select("adapter_mb", "trainable_params").row(0) == (0.0, 0)


def test_how_it_was_measured_stands_beside(run: Path) -> None:
    before = metadata(run)
    measure_costs(request(run), make_meter=ticking())
    after = metadata(run)
    info = after.cost
    assert info is not None
    assert after.model_copy(update={"cost": None}) == before
    assert (info.kind, info.dtype, info.frames, info.image_width, info.image_height) == ("cpu", "fp32", 4, 112, 28)
    assert (info.warmup, info.repeats, info.threads, info.images) == (0, 2, torch.get_num_threads(), "synthetic")
    assert info.libraries.keys() == {"torch", "peft"}
    assert info.weights_sha256 == before.model.weights_sha256
    assert info.device
    assert info.vram_note == "it is a fake"


def test_on_the_first_window_of_the_run_that_can_be_read(run: Path, street: Path) -> None:
    measure_costs(request(run, data=street, size=None), make_meter=ticking())
    info = metadata(run).cost
    assert info is not None
    assert (info.images, info.frames, info.image_width, info.image_height) == ("window 0", 4, 112, 28)


def test_a_window_that_cannot_be_read_is_passed_over(street: Path) -> None:
    plan = make_plan(EvaluationConfig(data=street, to=Path("run"), base_seed=SEED, model="tiny", seq_len=4, stride=4))
    windows = [replace(plan.windows[0], drive="nowhere"), *plan.windows[1:]]
    images, what = WindowImages(plan.dataset, windows, "fit", 112).load(BASE)
    assert (images.shape, what) == ((4, 3, 28, 112), "window 1")
    with pytest.raises(DataError, match="none of the 1 windows can be read; window 0: "):
        WindowImages(plan.dataset, windows[:1], "fit", 112).load(BASE)


def test_memory_is_the_models_own(run: Path) -> None:
    resident = 50_000_000
    measure_costs(request(run), make_meter=ticking((resident, resident + 2000)))
    base = sum(4 * tensor.numel() for tensor in (*BASE.module.parameters(), *BASE.module.buffers()))
    window = 4 * 4 * 3 * 28 * 112
    for row in costs(run).iter_rows(named=True):
        adapter = 0 if row["merged"] else 4 * row["trainable_params"]
        assert row["vram_mb"] * 1e6 == pytest.approx(base + adapter + window + 2000, abs=0.5), row["checkpoint"]
    assert metadata(run).cost.vram_note is None  # type: ignore[union-attr]


def test_no_other_checkpoint_is_in_the_network_and_the_base_stays_as_it_was(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, list[str]]] = []
    models: list[GeometryModel] = []
    kinds = {path: type(module) for path, module in BASE.module.named_modules()}
    measure = cost_module.measure

    def looking(model: GeometryModel, *args: Any, **options: Any) -> Any:
        models.append(model)
        network = model.module
        layers = {path: module for path, module in network.named_modules() if isinstance(module, LoraLayer)}
        seen.append({path: list(layer.lora_A) for path, layer in layers.items()})
        # Nothing stands between a module and its caller either: no wrapper, no hook.
        for path, module in network.named_modules():
            assert not module._forward_hooks
            assert not module._forward_pre_hooks
            assert "forward" not in vars(module)
            if path in kinds and path not in layers:
                assert type(module) is kinds[path], path
        return measure(model, *args, **options)

    monkeypatch.setattr(cost_module, "measure", looking)
    measure_costs(request(run), make_meter=ticking())
    plain, one, merged_one, two, merged_two = seen
    assert plain == merged_one == merged_two == {}
    assert set(map(tuple, one.values())) == set(map(tuple, two.values())) == {("lora0",)}
    assert two.keys() != one.keys()
    assert all(path.endswith(".qkv") for path in two)
    assert state_sha256(models[0].module) == state_sha256(BASE.module)
    assert all(model is models[0] for model in models)


def test_a_process_that_ends_loses_only_the_model_it_was_at(run: Path) -> None:
    def until_checkpoint_0(event: Event) -> None:
        if event.kind == "cost" and event.data["checkpoint"] == "checkpoint_0":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_costs(request(run), watch=until_checkpoint_0, make_meter=ticking())
    first = costs(run)
    assert first["checkpoint"].to_list() == ["baseline", "checkpoint_0", "checkpoint_0"]
    report = measure_costs(request(run), make_meter=ticking(tick=2 * TICK))
    assert report.measured == ("checkpoint_1",)
    after = costs(run)
    assert after.head(3).equals(first)
    assert set(after.tail(2)["latency_sec"]) == {2 * TICK}
    assert measure_costs(request(run), make_meter=ticking()).measured == ()
    assert costs(run).equals(after)


def test_merged_can_be_left_out_and_measured_later(run: Path) -> None:
    measure_costs(request(run, merged=False), make_meter=ticking())
    first = costs(run)
    assert not first["merged"].any()
    assert first.height == 3
    assert measure_costs(request(run), make_meter=ticking()).measured == ("checkpoint_0", "checkpoint_1")
    assert costs(run).height == 5
    assert costs(run).filter(~pl.col("merged")).equals(first)


def test_again_measures_everything_anew(run: Path) -> None:
    measure_costs(request(run), make_meter=ticking())
    with pytest.raises(UsageError, match=r"repeats 2 is now 3.*--again"):
        measure_costs(request(run, repeats=3), make_meter=ticking())
    assert set(costs(run)["latency_sec"]) == {TICK}
    measure_costs(request(run, repeats=3, again=True), make_meter=ticking(tick=1.0))
    assert set(costs(run)["latency_sec"]) == {1.0}
    assert metadata(run).cost.repeats == 3  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"size": (112, 42)}, "image height 28 is now 42"),
        ({"seq_len": 2}, "frames 4 is now 2"),
        ({"dtype": "bf16"}, "dtype fp32 is now bf16"),
        ({"warmup": 1}, "warmup 0 is now 1"),
    ],
)
def test_two_ways_of_measuring_are_not_mixed(run: Path, changes: dict[str, Any], named: str) -> None:
    measure_costs(request(run), make_meter=ticking())
    before = costs(run)
    with pytest.raises(UsageError, match=named):
        measure_costs(request(run, **changes), make_meter=ticking())
    assert costs(run).equals(before)


def test_figures_from_elsewhere_are_not_added_to(run: Path) -> None:
    measure_costs(request(run), make_meter=ticking())
    text = json.loads((run / "metadata.json").read_text("utf-8"))
    (run / "metadata.json").write_text(json.dumps({**text, "cost": None}), "utf-8")
    with pytest.raises(UsageError, match=r"not measured by lorascope cost.*--again"):
        measure_costs(request(run), make_meter=ticking())
    (run / "cost.parquet").write_bytes(b"no table")
    with pytest.raises(DataError, match=r"cost\.parquet.*--again"):
        measure_costs(request(run), make_meter=ticking())
    measure_costs(request(run, again=True), make_meter=ticking())
    assert costs(run).height == 5


def test_another_base_is_refused(run: Path) -> None:
    with pytest.raises(DataError, match="not those of"):
        measure_costs(request(run, base_seed=SEED + 1), make_meter=ticking())
    assert not (run / "cost.parquet").exists()
    assert metadata(run).cost is None


def test_a_bad_checkpoint_costs_only_itself(run: Path) -> None:
    weights = run.parent / "weights"
    (weights / "checkpoint_0" / "adapter_model.safetensors").write_bytes(b"no tensors")
    report = measure_costs(request(run), make_meter=ticking())
    assert report.measured == ("baseline", "checkpoint_1")
    assert "adapter_model.safetensors" in report.failed["checkpoint_0"]
    shutil.rmtree(weights / "checkpoint_1")
    report = measure_costs(request(run), make_meter=ticking())
    assert report.failed.keys() == {"checkpoint_0", "checkpoint_1"}
    assert costs(run)["checkpoint"].unique(maintain_order=True).to_list() == ["baseline", "checkpoint_1"]
    with pytest.raises(DataError, match=r"no checkpoint could be measured; checkpoint_1: "):
        measure_costs(request(run, again=True), make_meter=ticking())


def test_a_model_that_cannot_run_is_one_sentence(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predict, passes = TinyModel.predict, []

    def failing(self: TinyModel, images: torch.Tensor) -> Any:
        passes.append(1)
        if len(passes) in failures:
            raise RuntimeError("out of memory\nand more")
        return predict(self, images)

    monkeypatch.setattr(TinyModel, "predict", failing)
    failures = {1}
    with pytest.raises(DataError, match="the base model cannot be run: RuntimeError: out of memory;"):
        measure_costs(request(run), make_meter=ticking())
    passes.clear()
    failures = {5}  # the first merged pass
    report = measure_costs(request(run), make_meter=ticking())
    assert report.failed == {"checkpoint_0": "the forward pass failed: RuntimeError: out of memory"}
    assert report.measured == ("baseline", "checkpoint_1")
    failures = set()
    assert measure_costs(request(run), make_meter=ticking()).measured == ("checkpoint_0",)
    assert costs(run)["checkpoint"].to_list() == ["baseline", *["checkpoint_0"] * 2, *["checkpoint_1"] * 2]


def test_one_process_at_a_time(run: Path) -> None:
    with locked(run), pytest.raises(UsageError, match="another process"):
        measure_costs(request(run), make_meter=ticking())
    with pytest.raises(DataError, match="there is no run"):
        measure_costs(replace(request(run), run=run / "nowhere"), make_meter=ticking())
    assert not (run / "nowhere").exists()


def test_events_stand_in_the_journal_and_change_nothing_there(run: Path, evaluated: Path, street: Path) -> None:
    heard: list[Event] = []
    measure_costs(request(run), watch=heard.append, make_meter=ticking())
    assert [event.kind for event in heard] == ["cost_started", "cost", "cost", "cost"]
    assert list(Journal(run / JOURNAL).events())[-4:] == heard
    assert [row["merged"] for row in heard[2].data["rows"]] == [False, True]
    # The evaluation goes on where it was, and keeps what was measured in between.
    config = EvaluationConfig(
        data=street,
        to=run,
        checkpoints=run.parent / "weights",
        base_seed=SEED,
        model="tiny",
        size=112,
        seq_len=4,
        stride=4,
        max_seqs=1,
        device="cpu",
    )
    lines = [line for line in (run / JOURNAL).read_text("utf-8").splitlines() if '"finished"' not in line]
    (run / JOURNAL).write_text("\n".join(lines) + "\n", "utf-8")
    before = metadata(run).cost
    assert before is not None
    again: list[Event] = []
    evaluate(config, watch=again.append)
    assert [event.kind for event in again] == ["resumed", "finished"]
    assert metadata(run).cost == before
    # And from its plan the same is asked for: nothing is missing.
    plan = request_from_plan(make_plan(config), Passes(warmup=0, repeats=2))
    assert measure_costs(plan, make_meter=ticking()).measured == ()


def test_checkpoints_elsewhere(run: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.move(run.parent / "weights", moved)
    shutil.rmtree(moved / "checkpoint_1")
    lost = request(run)
    assert lost.checkpoints == ()
    assert lost.unreachable.keys() == {"checkpoint_0", "checkpoint_1"}
    assert "name the folder with --checkpoints" in lost.unreachable["checkpoint_0"]
    found = request(run, checkpoints=moved / "checkpoint_0")
    assert [source.name for source in found.checkpoints] == ["checkpoint_0"]
    assert str(moved) in found.unreachable["checkpoint_1"]
    with pytest.raises(DataError, match="no checkpoint could be measured"):
        measure_costs(lost, make_meter=ticking())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"size": None}, "--data"),
        ({"data": Path("x")}, "give one of them"),
        ({"size": None, "data": Path("nowhere")}, "nowhere"),
        ({"device": "tpu"}, "cuda:N"),
    ],
)
def test_what_contradicts_itself_is_refused(run: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises((UsageError, DataError), match=words):
        request(run, **given)


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(UsageError, match="take 112x14"):
        SyntheticImages(113, 3, 2).load(BASE)


def test_the_run_tells_its_costs(run: Path) -> None:
    measure_costs(request(run), make_meter=ticking((10**9, 2 * 10**9)))
    found = loaded(run)
    assert found.status == "ok"
    assert not found.problems
    analysis = analysed(found)
    values = analysis.values("checkpoint_0")
    assert values["performance.fps"] == 4 / TICK
    assert values["performance.vram_mb"] == pytest.approx(1000, abs=5)
    for where, kept in (
        ("fps >= 1 AND vram_gb <= 24", 2),
        ("fps >= 17 AND vram_gb <= 24", 0),
        ("vram_gb <= 0.9", 0),
        ("latency < 0.3", 2),
    ):
        ranking = rank(analysis, objective="depth.building.abs_rel", catalogue=Catalogue(), where=where)
        assert ranking.kept == kept, where


def test_a_memory_that_was_not_measured_breaks_nothing(run: Path) -> None:
    measure_costs(request(run), make_meter=ticking())
    found = loaded(run)
    assert found.status == "ok"
    analysis = analysed(found)
    assert "performance.vram_mb" not in analysis.metrics
    assert rank(analysis, objective="performance.fps", catalogue=Catalogue(), where="fps >= 1").kept == 2
    with pytest.raises(UsageError, match="vram_gb"):
        rank(analysis, objective="performance.fps", catalogue=Catalogue(), where="vram_gb <= 24")


def test_costs_of_two_runs_are_comparable_where_they_were_measured_alike(run: Path, tmp_path: Path) -> None:
    measure_costs(request(run), make_meter=ticking())
    shutil.copytree(run.parent, tmp_path / "other")
    other = tmp_path / "other" / "run"

    def judged() -> tuple[bool, str]:
        facts = []
        for path in (run, other):
            found = loaded(path)
            analysis = analysed(found)
            facts.append(facts_from(path.parent.name, found.metadata, analysis))
        verdict = comparability(facts)
        return verdict.costs_comparable, " ".join(note for note in verdict.notes if "speed" in note)

    assert judged() == (True, "")
    measure_costs(request(other, again=True, size=(112, 42), seq_len=3), make_meter=ticking())
    comparable, note = judged()
    assert not comparable
    assert note.endswith("different image height, frames in a window")
