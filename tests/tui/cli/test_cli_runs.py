"""``lorascope runs``."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from support.commands import Command
from support.legacy import rising_run, score, write_hostile, write_run

KEYS = ["run", "path", "checkpoints", "protocol", "provenance", "best", "score", "status", "problems"]


def test_the_document_has_the_keys_of_the_design(lorascope: Command, results: Path) -> None:
    document = lorascope("runs", results, "--format", "json").json
    assert list(document) == ["runs", "notes"]
    assert [list(run) for run in document["runs"]] == [KEYS, KEYS]
    alpha = document["runs"][0]
    assert alpha == {
        "run": "alpha",
        "path": str(results / "alpha"),
        "checkpoints": 6,
        "protocol": "compat",
        "provenance": "imported",
        "best": "checkpoint_4",
        "score": pytest.approx(score(rising_run(best=4)["checkpoint_4"])),
        "status": "ok",
        "problems": [],
    }


def test_real_runs(lorascope: Command, real: Path) -> None:
    runs = lorascope("runs", real, "--format", "json").json["runs"]
    assert [(run["run"], run["checkpoints"], run["best"], round(run["score"], 4)) for run in runs] == [
        ("lora_kitti360_strategy_b", 50, "checkpoint_34", 0.3455),
        ("lora_kitti360_strategy_b_soft", 50, "checkpoint_37", 0.2999),
    ]
    assert any("3178 to 3418" in problem for problem in runs[0]["problems"])


def test_the_table_at_80_columns(lorascope: Command, real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    head, rule, first, second, *below = lorascope("runs", real).lines
    assert head.split() == ["run", "ckpts", "best", "score", "Δ%", "course", "status"]
    assert set(rule) == {"─", " "}
    assert first.split() == ["lora_kitti360_strategy_b", "50", "checkpoint_34", "0.3455", "+30.9", "▁▁▁▅████", "ok"]
    assert max(map(len, (head, rule, first, second))) <= 80
    assert any("3178 to 3418" in line for line in below)


def test_a_broken_run_is_a_row_with_its_reason(lorascope: Command, results: Path) -> None:
    (results / "torn").mkdir()
    (results / "torn" / "checkpoint_1_metrics.json").write_text('{"depth.full.mae": {"mean"', "utf-8")
    runs = lorascope("runs", results, "--format", "json").json["runs"]
    torn = next(run for run in runs if run["run"] == "torn")
    assert (torn["status"], torn["best"], torn["score"]) == ("broken", None, None)
    assert "checkpoint_1_metrics.json" in torn["problems"][0]
    table = lorascope("runs", results)
    assert table.code == 0
    assert any(line.startswith("torn") and line.endswith("broken") for line in table.lines)
    assert "checkpoint_1_metrics.json (line 1, column 27): not valid JSON" in table.out


def test_nothing_readable_is_a_failure_that_is_still_told(lorascope: Command, tmp_path: Path) -> None:
    (tmp_path / "checkpoint_1_metrics.json").write_text("{", "utf-8")
    done = lorascope("runs", tmp_path)
    assert done.code == 1
    assert "broken" in done.out


def test_the_current_folder_is_the_default(lorascope: Command, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(results)
    assert lorascope("runs", "--format", "json").json == lorascope("runs", results, "--format", "json").json


def test_runs_of_one_name_are_told_apart(lorascope: Command, tmp_path: Path) -> None:
    for parent in ("first", "second"):
        write_run(tmp_path / parent / "evaluate", rising_run(3, best=1))
    lines = lorascope("runs", tmp_path).lines
    assert [line.split()[0] for line in lines[2:4]] == ["first/evaluate", "second/evaluate"]


@pytest.mark.parametrize("fmt", ["table", "csv", "json", "markdown", "latex"])
def test_hostile_names_are_data(lorascope: Command, tmp_path: Path, fmt: str) -> None:
    write_hostile(tmp_path)
    done = lorascope("runs", tmp_path, "--format", fmt)
    assert done.code == 0, done.err
    assert not set(done.out) & {"\x1b", "\u202e"}
    literal = {"markdown": r"hostile\[red\]run", "latex": "hostile{[}red{]}run"}
    assert literal.get(fmt, "hostile[red]run") in done.out


def test_csv_holds_the_same_as_the_document(lorascope: Command, real: Path) -> None:
    runs = lorascope("runs", real, "--format", "json").json["runs"]
    rows = list(csv.DictReader(io.StringIO(lorascope("runs", real, "--format", "csv").out)))
    assert [list(row) for row in rows] == [KEYS, KEYS]
    for row, run in zip(rows, runs, strict=True):
        assert float(row.pop("score")) == run.pop("score")
        assert row.pop("problems") == "; ".join(run.pop("problems"))
        assert row == {key: str(value) for key, value in run.items()}


def test_scores_that_may_not_be_compared_are_said_to_be(lorascope: Command, results: Path) -> None:
    note = "scores of these runs may not be compared: different samples"
    assert note in lorascope("runs", results).err
    assert note not in lorascope("runs", results / "alpha").err
    (said,) = lorascope("runs", results, "--format", "json").json["notes"]
    assert said == note
