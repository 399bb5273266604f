"""``lorascope trend``."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from support.commands import Command
from support.legacy import rising_run, write_hostile, write_run

from tui.plots.presets import PRESETS


def test_the_jump_is_found_without_being_told_where(lorascope: Command, real: Path) -> None:
    document = lorascope("trend", real / "lora_kitti360_strategy_b", "--metric", "delta1", "--format", "json").json
    assert list(document) == ["runs", "window", "threshold_pct", "jump_pct", "notes"]
    (run,) = document["runs"]
    assert (run["run"], run["baseline"]) == ("lora_kitti360_strategy_b", "baseline")
    (metric,) = run["metrics"]
    assert (metric["key"], metric["direction"]) == ("depth.building.delta1", "higher")
    (jump,) = metric["jumps"]
    assert (jump["from"], jump["to"]) == ("checkpoint_19", "checkpoint_20")
    assert f"{jump['change_pct']:+.0f}" == "+143"
    assert jump["change_pct"] == pytest.approx(100 * (jump["after"] / jump["before"] - 1))
    assert metric["best"]["checkpoint"] == "checkpoint_36"
    assert metric["plateau"]["from"] == "checkpoint_25"
    values = metric["values"]
    assert [value["step"] for value in values] == list(range(50))
    assert values[20]["value"] == jump["after"]
    assert [value["variation_pct"] for value in values[:4]] == [None] * 4
    window = [value["value"] for value in values[:5]]
    mean = sum(window) / 5
    spread = (sum((value - mean) ** 2 for value in window) / 5) ** 0.5
    assert values[4]["variation_pct"] == pytest.approx(100 * spread / mean)


def test_a_plot_and_its_words(lorascope: Command, real: Path) -> None:
    done = lorascope("trend", real / "lora_kitti360_strategy_b", "--metric", "delta1", "--width", "70", "--height", "9")
    plot, words = done.lines[:9], done.lines[10:]
    assert plot[0] == "δ<1.25 · building ↑"
    assert max(map(len, plot)) <= 70
    assert any("0.4416 (+9.6 %)" in line for line in plot)
    assert done.lines[9] == "░░ 95 % of the change, unpaired   ◆ best   ╌╌ baseline"
    half = done.lines[12].partition("±")[2].partition(" ")[0]
    assert words == [
        "",
        "δ<1.25 · building ↑",
        f"  best 0.4416 at 36 (+9.6 ±{half} % ≈), baseline 0.4030",
        "  jump 19 → 20: +143 %",
        "  plateau from 25 around 0.4263",
        "verdicts: unpaired, from means, spreads and counts (a window of 8 frames counts as one observation);",
        "  corrected for looking at 50 checkpoints",
    ]


def test_several_runs_and_metrics_have_a_line_each(lorascope: Command, results: Path) -> None:
    done = lorascope("trend", results, "-m", "delta1", "-m", "fps", "--height", "6")
    words = done.lines[done.lines.index("") :]
    assert [line.split(":")[0] for line in words] == [
        *("", "alpha", "  δ<1.25 · building ↑", "  FPS 1/s ↑"),
        *("beta", "  δ<1.25 · building ↑", "  FPS 1/s ↑"),
        *("verdicts", "  observation); corrected for looking at 6 checkpoints"),
        *("verdicts", "  observation); corrected for looking at 6 checkpoints"),
    ]
    assert "best 0.5000 at 4 (+25.0 ±13.2 % ▲), baseline 0.4000" in words[2]
    legend = done.lines[done.lines.index("") - 1]
    assert "alpha" in legend
    assert "beta" in legend


def test_the_score_is_the_default(lorascope: Command, results: Path) -> None:
    document = lorascope("trend", results / "alpha", "--format", "json").json
    assert [metric["key"] for metric in document["runs"][0]["metrics"]] == ["score"]


@pytest.mark.parametrize("preset", [entry.key for entry in PRESETS])
def test_presets(lorascope: Command, results: Path, preset: str) -> None:
    assert lorascope("trend", results, "--preset", preset, "--height", "6").out.strip()
    document = lorascope("trend", results, "--preset", preset, "--format", "json").json
    assert all(run["metrics"] for run in document["runs"])


def test_plain_is_ascii(lorascope: Command, results: Path) -> None:
    assert lorascope("trend", results, "-m", "delta1", "--plain").out.isascii()


def test_runs_by_name(lorascope: Command, results: Path) -> None:
    document = lorascope("trend", results, "--run", "beta", "--format", "json").json
    assert [run["run"] for run in document["runs"]] == ["beta"]


def test_csv_and_report(lorascope: Command, real: Path) -> None:
    run = real / "lora_kitti360_strategy_b"
    rows = list(csv.DictReader(io.StringIO(lorascope("trend", run, "-m", "delta1", "--format", "csv").out)))
    assert [row["checkpoint"] for row in rows if row["jump"] == "true"] == ["checkpoint_20"]
    assert len(rows) == 50
    line = lorascope("trend", run, "-m", "delta1", "--format", "markdown").lines[2]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[2:] == ["0.4030", "0.4416 at 36 (+9.6 %)", "19 → 20: +143 %", "25"]


@pytest.mark.parametrize("fmt", ["table", "csv", "json", "markdown", "latex"])
def test_hostile_names_are_data(lorascope: Command, tmp_path: Path, fmt: str) -> None:
    done = lorascope("trend", write_hostile(tmp_path), "--format", fmt)
    assert done.code == 0, done.err
    assert not set(done.out) & {"\x1b", "\u202e"}


def test_mistakes(lorascope: Command, results: Path, tmp_path: Path) -> None:
    lorascope("trend", results, "-m", "detla1").failed(2, "detla1", "--metric", "delta1")
    lorascope("trend", results, "--preset", "deph").failed(2, "deph", "did you mean depth?")
    lorascope("trend", results, "--preset", "depth", "-m", "delta1").failed(2, "--metric and --preset")
    lorascope("trend", results, "--run", "gamma").failed(2, "gamma")
    lorascope("trend", results, "--width", "3").failed(2, "--width", "20")
    lorascope("trend").failed(2, "missing argument 'RUN'")
    bare = write_run(tmp_path / "bare", {"baseline": {"pose.ate_trans": 1.0}, "checkpoint_1": {"pose.ate_trans": 2.0}})
    lorascope("trend", bare, "--preset", "geometry").failed(2, "nothing to draw", "not measured")


def test_names_without_numbers_are_named_whole(lorascope: Command, tmp_path: Path) -> None:
    values = rising_run(6, best=5)
    steps = {name: name if name == "baseline" else f"{'abcdef'[int(name[-1])]}_final" for name in values}
    run = write_run(tmp_path / "run", {steps[name]: metrics for name, metrics in values.items()})
    assert "at f_final" in lorascope("trend", run, "--height", "6").out


def test_intervals_are_in_every_form(lorascope: Command, results: Path, tmp_path: Path) -> None:
    document = lorascope("trend", results / "alpha", "-m", "delta1", "-m", "fps", "--format", "json").json
    delta1, fps = document["runs"][0]["metrics"]
    assert (delta1["interval_of"], fps["interval_of"]) == ("change", "change")
    assert delta1["basis"].startswith("unpaired, from means, spreads and counts")
    first = delta1["values"][0]
    assert first["delta"] == pytest.approx(first["value"] - delta1["baseline"])
    for low, high in (first["ci95"], first["joint95"]):
        assert (low + high) / 2 == pytest.approx(first["delta"])
    assert first["joint95"][0] < first["ci95"][0]
    assert first["kind"] == "unpaired"
    lorascope("trend", results / "alpha", "-m", "delta1", "--to", tmp_path / "t.csv")
    row = pl.read_csv(tmp_path / "t.csv").row(0, named=True)
    assert (row["interval_of"], row["joint_low"], row["verdict"]) == ("change", first["joint95"][0], first["verdict"])


def test_one_of_several_runs_has_its_band(lorascope: Command, results: Path) -> None:
    assert not any("95 %" in line for line in lorascope("trend", results, "-m", "delta1").lines)
    done = lorascope("trend", results, "-m", "delta1", "--band", "beta")
    assert any("░░ 95 % of the change, unpaired · beta" in line for line in done.lines)
    wrong = lorascope("trend", results, "-m", "delta1", "--band", "betta")
    assert (wrong.code, "did you mean beta?" in wrong.err) == (2, True)


def test_runs_that_are_not_comparable_are_said_to_be(lorascope: Command, results: Path) -> None:
    assert "different samples: the baselines differ" in lorascope("trend", results, "-m", "delta1").err
    assert "samples" not in lorascope("trend", results / "alpha", "-m", "delta1").err
