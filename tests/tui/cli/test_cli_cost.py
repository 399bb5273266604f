"""``lorascope cost``, and the costs after ``evaluate``."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from support.commands import Command
from support.evaluating import BASE_SEED, write_adapters, write_small_street

from engine.config import Config
from engine.errors import LorascopeError
from engine.results.discovery import discover
from engine.schema import MEASURED_COST, CostInfo
from tui.cli.cost_display import CostTally
from tui.cli.cost_tables import Costs, circumstances, remarks
from tui.library import Library
from tui.picking import Limit, pick

torch = pytest.importorskip("torch", reason="measuring needs the extra `eval`")

MODEL = ("--base-seed", str(BASE_SEED), "--device", "cpu")
SYNTHETIC = (*MODEL, "--size", "56x28", "--seq-len", "2", "--repeats", "6", "--warmup", "1")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A street and two checkpoints."""
    root = tmp_path_factory.mktemp("world")
    write_small_street(root / "street")
    write_adapters(root / "weights")
    return root


@pytest.fixture(scope="module")
def options(world: Path) -> tuple[str, ...]:
    """What evaluates one window."""
    places = ("--data", str(world / "street"), "--checkpoints", str(world / "weights"))
    window = ("--model", "tiny", "--size", "112", "--seq-len", "4", "--stride", "4", "--max-seqs", "1")
    return (*places, *window, *MODEL)


@pytest.fixture(scope="module")
def evaluated(world: Path, options: tuple[str, ...]) -> Path:
    from tui.cli import run

    assert run(["evaluate", *options, "--to", str(world / "evaluated"), "--format", "json"]) == 0
    return world / "evaluated"


@pytest.fixture
def run_folder(evaluated: Path) -> Iterator[Path]:
    """A copy of an evaluated run that has no costs, beside its checkpoints."""
    folder = evaluated.parent / "run"
    shutil.copytree(evaluated, folder)
    yield folder
    shutil.rmtree(folder)


def test_a_table_for_people(lorascope: Command, run_folder: Path) -> None:
    done = lorascope("cost", run_folder, *SYNTHETIC)
    lines = done.lines
    assert lines[0] == "evaluated"
    facts = (
        r"CPU: .+, 1 thread  ·  fp32  ·  2 frames of 56x28 \(synthetic\)  ·  6 repetitions after 1 to warm up  ·  .+"
    )
    assert re.fullmatch(facts, lines[1])
    assert "torch" in lines[1]
    assert "peft" in lines[1]
    assert lines[2].split() == ["│", "unmerged", "│", "merged", "│"]
    figures = ["FPS", "p50", "ms", "p95", "ms"]
    assert lines[3].split() == ["checkpoint", *["│", *figures] * 2, "│", "adapter", "MB", "trainable"]
    rows = [line.replace("│", " ").split() for line in lines[5:8]]
    assert [row[0] for row in rows] == ["baseline", "checkpoint_0", "checkpoint_1"]
    assert rows[0][4:] == ["–", "–", "–", "0.00", "0"]
    assert all(float(cell) > 0 for row in rows[1:] for cell in row[1:7])
    assert rows[1][7:] == ["0.06", "14,900"]
    told = " ".join(lines[8:])
    assert "merged" in told
    assert "memory is not measured: on a CPU" in told
    assert not any(line != line.rstrip() for line in lines)
    said = done.err.splitlines()
    assert said[0] == "0/3 models"
    assert re.fullmatch(r"2/3 models, checkpoint_0: unmerged \S+ FPS, merged \S+ FPS, .+ left", said[2])
    assert re.fullmatch(r"3/3 models, checkpoint_1: unmerged \S+ FPS, merged \S+ FPS", said[3])

    # Without a word on how, what is there is shown; nothing is measured.
    before = (run_folder / "cost.parquet").stat().st_mtime_ns
    again = lorascope("cost", run_folder)
    assert again.lines == lines
    assert again.err == ""
    # With the same words, nothing is missing.
    assert lorascope("cost", run_folder, *SYNTHETIC).err.splitlines() == ["0/0 models"]
    assert (run_folder / "cost.parquet").stat().st_mtime_ns == before
    assert all(character.isascii() for line in lorascope("cost", run_folder, "--plain").lines for character in line)


def test_it_fits_into_eighty_columns(lorascope: Command, run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lorascope("cost", run_folder, *SYNTHETIC).code == 0
    monkeypatch.setenv("COLUMNS", "80")
    lines = lorascope("cost", run_folder).lines
    assert all(len(line) <= 80 for line in lines[2:8])
    assert lines[3].split().count("FPS") == 2
    assert lines[3].count("p50") == 2


def test_documents_for_programs(lorascope: Command, run_folder: Path, tmp_path: Path) -> None:
    done = lorascope("cost", run_folder, *SYNTHETIC, "--format", "json")
    document = done.json
    assert document["run"] == "evaluated"
    assert document["measured"]["kind"] == "cpu"
    assert (document["missing"], document["failed"]) == ([], [])
    assert [(row["checkpoint"], row["merged"]) for row in document["rows"]] == [
        ("baseline", False),
        *((f"checkpoint_{number}", merged) for number in (0, 1) for merged in (False, True)),
    ]
    for row in document["rows"]:
        assert row["vram_mb"] is None
        assert len(row["times_sec"]) == 6
        assert row["fps"] == pytest.approx(2 / row["latency_sec"])
        assert min(row["times_sec"]) <= row["latency_sec"] <= row["latency_p95_sec"] <= max(row["times_sec"])
    assert document["merging"]["checkpoints"] == 2
    assert len(document["notes"]) >= 2

    text = lorascope("cost", run_folder, "--format", "csv").lines
    assert text[0].startswith("run,checkpoint,merged,fps,latency_sec,latency_p95_sec,vram_mb,adapter_mb,")
    assert text[0].endswith(",device,kind,dtype,image_width,image_height,frames,warmup,repeats")
    assert len(text) == 6
    assert text[1].endswith(",cpu,fp32,56,28,2,1,6")
    markdown = lorascope("cost", run_folder, "--format", "markdown").lines
    assert [cell.strip() for cell in markdown[0].split("|")[1:4]] == [
        "checkpoint",
        "FPS 1/s, unmerged",
        "latency s, unmerged",
    ]
    assert "VRAM" not in markdown[0]
    file = tmp_path / "costs.parquet"
    assert lorascope("cost", run_folder, "--to", file).code == 0
    assert pl.read_parquet(file).height == 5


def test_the_other_commands_use_them(lorascope: Command, run_folder: Path) -> None:
    assert lorascope("cost", run_folder, *SYNTHETIC, "--no-merged").code == 0
    objective = ("--objective", "depth.building.abs_rel")
    ranked = lorascope("rank", run_folder, *objective, "--where", "fps >= 0.001", "--format", "json").json
    assert len(ranked["rows"]) == 2
    lorascope("rank", run_folder, *objective, "--where", "fps >= 1e9").lines  # noqa: B018 (asserts a success)
    # Memory is not measured on a CPU: a limit on it names what is not there.
    lorascope("rank", run_folder, *objective, "--where", "fps >= 1 AND vram_gb <= 24").failed(2, "vram_gb")
    (compared,) = lorascope("compare", run_folder, "--metrics", "performance.*", "--format", "json").json["runs"]
    assert {metric["key"] for metric in compared["metrics"]} == {
        f"performance.{name}" for name in MEASURED_COST if name in ("fps", "latency_sec", "latency_p95_sec")
    } | {"performance.adapter_mb", "performance.trainable_params"}
    for command in ("runs", "trend"):
        assert lorascope(command, run_folder, *(("--metric", "fps") if command == "trend" else ())).code == 0


def test_limits_on_speed_and_memory_where_both_are_measured(lorascope: Command, run_folder: Path) -> None:
    assert lorascope("cost", run_folder, *SYNTHETIC).code == 0
    memory = pl.Series([4000.0, 20_000.0, 19_000.0, 30_000.0, 29_000.0])
    table = pl.read_parquet(run_folder / "cost.parquet").with_columns(vram_mb=memory, fps=pl.lit(2.0))
    table.write_parquet(run_folder / "cost.parquet")
    question = ("rank", run_folder, "--objective", "fps", "--format", "json", "--where")
    rows = lorascope(*question, "fps >= 1 AND vram_gb <= 24").json["rows"]
    assert [row["checkpoint"] for row in rows] == ["checkpoint_0"]
    (picked,) = pick_within(run_folder)
    assert picked == "checkpoint_0"
    assert "VRAM MB" in lorascope("cost", run_folder).out
    assert "VRAM MB, merged" in lorascope("cost", run_folder, "--format", "markdown").out


def pick_within(run: Path) -> list[str]:
    """What the screen Pick keeps of a run under 24 GB and above 1 FPS."""
    library = Library(Config())
    loaded = library.load(next(iter(discover([run]))))
    limits = [Limit("performance.fps", ">=", 1.0), Limit("vram_gb", "<=", 24.0)]
    picked = pick(library, loaded, objective="performance.fps", limits=limits, extra="", axes=())
    assert picked.error == ""
    return picked.ranking.rows["checkpoint"].to_list()


def test_picking_where_memory_is_not_measured(lorascope: Command, run_folder: Path) -> None:
    assert lorascope("cost", run_folder, *SYNTHETIC).code == 0
    table = pl.read_parquet(run_folder / "cost.parquet").with_columns(fps=pl.Series([2.0, 3.0, 3.0, 0.5, 0.5]))
    table.write_parquet(run_folder / "cost.parquet")
    assert pick_within(run_folder) == ["checkpoint_0"]


def test_on_the_data_of_the_run(lorascope: Command, run_folder: Path, world: Path) -> None:
    options = (*MODEL, "--data", world / "street", "--repeats", "1", "--warmup", "0", "--no-merged")
    done = lorascope("cost", run_folder, *options)
    assert "4 frames of 112x28 (window 0)" in done.out
    assert "not measured, or not both ways" not in done.out
    assert "not measured, or not both ways: checkpoint_0, checkpoint_1" in lorascope("cost", run_folder).out
    merged = [option for option in options if option != "--no-merged"]
    assert "fewer than 6 repetitions" in lorascope("cost", run_folder, *merged).out


def test_what_fails_is_named(lorascope: Command, run_folder: Path, world: Path, tmp_path: Path) -> None:
    weights = tmp_path / "elsewhere"
    shutil.copytree(world / "weights" / "checkpoint_1", weights / "checkpoint_1")
    done = lorascope("cost", run_folder, *SYNTHETIC, "--checkpoints", weights)
    assert f"failed: checkpoint checkpoint_0: it is not in {weights}" in " ".join(done.lines)
    assert any(line.startswith("failed: checkpoint checkpoint_0: ") for line in done.err.splitlines())
    document = lorascope("cost", run_folder, *SYNTHETIC, "--checkpoints", weights, "--format", "json").json
    assert [failure["checkpoint"] for failure in document["failed"]] == document["missing"] == ["checkpoint_0"]
    # The rest is measured as soon as it is there.
    assert "3/3" not in lorascope("cost", run_folder, *SYNTHETIC).err
    assert lorascope("cost", run_folder, "--format", "json").json["missing"] == []


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ((), 2, ("no cost", "--base", "--data")),
        (("--again",), 2, ("--data", "--size")),
        (("--repeats", "3", "--size", "56x28"), 2, ("no base weights", "--base")),
        ((*MODEL,), 2, ("--data", "--size")),
        ((*MODEL, "--size", "56"), 2, ("--size '56'", "518x154")),
        ((*MODEL, "--size", "57x28"), 2, ("57x28", "take 56x28")),
        ((*MODEL, "--size", "56x28", "--data", "x"), 2, ("--size", "--data", "one of them")),
        ((*MODEL, "--data", "nowhere"), 1, ("nowhere",)),
        ((*SYNTHETIC, "--device", "tpu"), 2, ("--device", "cuda:N")),
        ((*SYNTHETIC, "--model", "vgtt"), 2, ("did you mean vggt",)),
        ((*SYNTHETIC, "--base-seed", "8"), 1, ("the base weights are not those of",)),
        ((*SYNTHETIC, "--checkpoints", "nowhere"), 1, ("nowhere",)),
        ((*SYNTHETIC, "--training", "nowhere.yaml"), 1, ("nowhere.yaml",)),
        ((*SYNTHETIC, "--repeats", "0"), 2, ("--repeats",)),
        ((*SYNTHETIC, "--to", "x.doc"), 2, (".doc",)),
    ],
)
def test_mistakes(
    lorascope: Command, run_folder: Path, given: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    lorascope("cost", run_folder, *given).failed(code, *words)
    assert not (run_folder / "cost.parquet").exists()


def test_runs_that_have_no_checkpoints_to_measure(lorascope: Command, results: Path, tmp_path: Path) -> None:
    lorascope("cost", results).failed(2, "2 runs", "--run")
    lorascope("cost", results / "alpha", *SYNTHETIC).failed(2, "not made by evaluate")
    lorascope("cost", tmp_path / "nowhere").failed(1, "nowhere")


def test_stopped_it_goes_on(lorascope: Command, run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.evaluation import cost

    measure: Callable[..., Any] = cost.measure
    calls: list[int] = []

    def interrupted(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return measure(*arguments, **options)

    monkeypatch.setattr(cost, "measure", interrupted)
    done = lorascope("cost", run_folder, *SYNTHETIC)
    assert done.code == 130
    assert done.err.splitlines()[-1] == "stopped; the same command goes on"
    done = lorascope("cost", run_folder, *SYNTHETIC)
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["0/1 model", "1/1 model, checkpoint_1"]


class TerminalText(io.StringIO):
    """Text that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


def test_one_line_on_a_terminal(lorascope: Command, run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = TerminalText()
    monkeypatch.setattr(sys, "stderr", screen)
    assert lorascope("cost", run_folder, *SYNTHETIC, "--checkpoints", run_folder.parent / "weights").code == 0
    shown = screen.getvalue()
    assert shown.startswith("\r0/3 models")
    assert "\n" not in shown
    assert shown.endswith("\r\x1b[K")


def test_evaluate_measures_costs_afterwards(
    lorascope: Command, options: tuple[str, ...], world: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    done = lorascope("evaluate", *options, "--to", run, "--cost")
    text = done.out
    assert text.index("finished") < text.index("4 frames of 112x28 (window 0)") < text.index("checkpoint_1")
    table = pl.read_parquet(run / "cost.parquet")
    assert table.schema == MEASURED_COST
    assert table.height == 5
    # It is no setting: the run is the same with and without it, and what is measured stays.
    again = lorascope("evaluate", *options, "--to", run, "--cost")
    assert "was finished already" in again.lines[0]
    assert pl.read_parquet(run / "cost.parquet").equals(table)
    assert lorascope("evaluate", *options, "--to", run).code == 0


def test_events_of_costs_for_programs(lorascope: Command, options: tuple[str, ...], tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = lorascope("evaluate", *options, "--to", run, "--cost", "--format", "json")
    assert done.code == 0
    assert done.err == ""
    assert done.out == (run / "journal.jsonl").read_text("utf-8")
    kinds = [json.loads(line)["event"] for line in done.out.splitlines()]
    assert kinds == ["started", "shard", "sharing", "finished", "cost_started", "cost", "cost", "cost"]


def test_costs_that_fail_after_a_good_evaluation(
    lorascope: Command, options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.evaluation import cost

    def failing(*_: Any, **__: Any) -> Any:
        raise LorascopeError("no device", "get one")

    monkeypatch.setattr(cost, "measure", failing)
    done = lorascope("evaluate", *options, "--to", tmp_path / "run", "--cost")
    assert done.code == 1
    assert "finished" in done.out
    assert done.err.splitlines()[-1].startswith("lorascope: the base model cannot be run: LorascopeError: no device")


def costs(info: CostInfo, p95: float) -> Costs:
    """Of one checkpoint, whose median is 1 s."""
    row = {"checkpoint": "a", "merged": False, "latency_sec": 1.0, "latency_p95_sec": p95}
    return Costs("run", Path("run"), info, pl.DataFrame([row], schema=MEASURED_COST), ["a"], [], {})


def test_what_is_said_about_the_figures() -> None:
    assert remarks(costs(CostInfo(), 1.4)) == []
    (unsteady,) = remarks(costs(CostInfo(), 2.5))
    assert "p95 is up to 2.5 times the median" in unsteady
    (crowded,) = remarks(costs(CostInfo(others_mb=4321.0), 1.4))
    assert crowded.startswith("4321 MB of the device were taken")
    assert remarks(costs(CostInfo(others_mb=450.0), 1.4)) == []
    assert circumstances(None).startswith("not measured by lorascope cost")
    gpu = CostInfo(device="GPU A", kind="cuda", dtype="bf16", frames=8, image_width=518, image_height=154)
    assert circumstances(gpu).startswith("GPU A  ·  bf16  ·  8 frames of 518x154")


def test_words_of_progress() -> None:
    from engine.evaluation.journal import Event

    clock = iter([0.0, 100.0, 130.0, 160.0])
    tally = CostTally(lambda: next(clock))
    assert tally.words(Event("cost_started", {"of": 3})) == "0/3 models"
    rows = [{"merged": False, "fps": 12.345}]
    assert tally.words(Event("cost", {"checkpoint": "a", "done": 1, "of": 3, "rows": rows})) == (
        "1/3 models, a: unmerged 12.3 FPS, 60 s left"
    )
    assert tally.words(Event("cost", {"checkpoint": "b", "done": 3, "of": 3, "rows": rows})) == (
        "3/3 models, b: unmerged 12.3 FPS"
    )
    assert tally.words(Event("cost_failed", {"checkpoint": "c", "why": "no"})) == "failed: checkpoint c: no"
    assert tally.words(Event("shard")) == ""
