"""``lorascope rank``."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from support.commands import Command
from support.judged import write_judged_run
from support.legacy import HOSTILE_NAMES, rising_run, write_csv, write_hostile, write_run

ROW_KEYS = {"rank", "checkpoint", "value", "delta_pct", "ci95", "joint95", "verdict", "kind", "tied_with_best"}


def test_the_document_has_the_keys_of_the_design(lorascope: Command, real: Path) -> None:
    document = lorascope("rank", real / "lora_kitti360_strategy_b", "--format", "json").json
    assert list(document) == ["run", "objective", "where", "basis", "rows"]
    assert (document["run"], document["objective"], document["where"]) == ("lora_kitti360_strategy_b", "score", None)
    assert all(set(row) >= ROW_KEYS for row in document["rows"])
    assert [row["checkpoint"] for row in document["rows"][:3]] == ["checkpoint_34", "checkpoint_36", "checkpoint_38"]
    assert len(document["rows"]) == 50
    first = document["rows"][0]
    assert f"{first['value']:.4f} {first['delta_pct']:+.1f}" == "0.3455 +30.9"
    assert (first["rank"], first["verdict"], first["kind"], first["tied_with_best"]) == (1, "better", "unpaired", True)
    assert first["joint95"][0] < first["ci95"][0] < first["delta"] < first["ci95"][1]
    # 0.0001 behind, with thousands of frames of standard deviation 0.2: a tie.
    assert document["rows"][1]["tied_with_best"] is True
    assert document["rows"][-1]["tied_with_best"] is False


def test_the_table_at_80_columns(lorascope: Command, real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = lorascope("rank", real, "--run", "lora_kitti360_strategy_b", "--top", "3")
    name, what, head, _, *rows = done.lines
    assert name == "lora_kitti360_strategy_b"
    assert what == "by score ↑  ·  50 checkpoints"
    assert head.split() == ["rank", "checkpoint", "score", "Δ%", "95", "%", "δ<1.25", "AbsRel", "FPS", "VRAM", "MB"]
    words = ["1", "checkpoint_34", "0.3455", "+30.9", "±18.1", "▲", "0.4375", "0.6107", "1.117", "20316"]
    assert rows[0].split() == words
    assert [row.split()[0] for row in rows[:3]] == ["1", "=", "="]
    assert [row.split()[1] for row in rows[:3]] == ["checkpoint_34", "checkpoint_36", "checkpoint_38"]
    assert max(map(len, done.lines)) <= 80


def names(lorascope: Command, run: Path, *options: str) -> list[str]:
    """The ranked checkpoints' numbers."""
    rows = lorascope("rank", run, *options, "--format", "json").json["rows"]
    return [row["checkpoint"].removeprefix("checkpoint_") for row in rows]


def test_objective_where_and_top(lorascope: Command, results: Path) -> None:
    # Quality falls with the distance from checkpoint 4; 3 and 5 are equally far away, listed by their number.
    alpha = results / "alpha"
    assert names(lorascope, alpha) == ["4", "3", "5", "2", "1", "0"]
    assert names(lorascope, alpha, "--objective", "fps") == ["0", "1", "2", "3", "5", "4"]
    assert names(lorascope, alpha, "--objective", "abs_rel", "--top", "2") == ["4", "3"]
    assert names(lorascope, alpha, "--where", "step <> 4 AND fps < 1.07") == ["3", "5", "2"]
    assert names(lorascope, alpha, "--where", "vram_gb > 99") == []


def test_equal_values_share_a_rank(lorascope: Command, results: Path) -> None:
    rows = lorascope("rank", results / "alpha", "--format", "json").json["rows"]
    assert [row["rank"] for row in rows] == [1, 2, 2, 4, 5, 6]


def test_ties_with_the_best_are_marked(lorascope: Command, tmp_path: Path) -> None:
    values = rising_run(3, best=1)
    values["checkpoint_2"] = values["checkpoint_1"]
    done = lorascope("rank", write_run(tmp_path / "run", values, count=8000))
    assert [line.split()[:2] for line in done.lines[4:7]] == [
        ["1", "checkpoint_1"],
        ["=", "checkpoint_2"],
        ["3", "checkpoint_0"],
    ]
    assert "= tied with the best: 2 of 3" in done.out
    # Over few frames the third cannot be told from them either.
    few = lorascope("rank", write_run(tmp_path / "few", values, count=40))
    assert "= tied with the best: 3 of 3" in few.out


def test_without_counts_nothing_is_judged(lorascope: Command, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", rising_run(3, best=1), count=1)
    done = lorascope("rank", run)
    assert not {"▲", "▼", "="} & {word for line in done.lines[4:7] for word in line.split()}
    assert "no verdicts: neither per-frame rows nor spreads and counts" in done.out
    rows = lorascope("rank", run, "--format", "json").json["rows"]
    assert [row["tied_with_best"] for row in rows] == [True, None, None]
    assert {(row["verdict"], row["ci95"], row["kind"]) for row in rows} == {(None, None, None)}


def test_rejected_checkpoints_are_counted(lorascope: Command, results: Path) -> None:
    done = lorascope("rank", results / "alpha", "--where", "step > 3")
    assert done.lines[1:3] == ["by score ↑  ·  2 of 6 checkpoints remain, 4 rejected", "where step > 3"]
    assert done.err == ""
    program = lorascope("rank", results / "alpha", "--where", "step > 3", "--format", "json")
    assert program.err == "note: 4 of 6 checkpoints do not meet --where\n"
    nothing = lorascope("rank", results / "alpha", "--where", "step > 9")
    assert nothing.code == 0
    assert nothing.lines[-1] == "no checkpoint remains"


def test_checkpoints_without_a_value_are_named(lorascope: Command, tmp_path: Path) -> None:
    values = rising_run(3, best=1)
    del values["checkpoint_2"]["pose.ate_trans"]
    run = write_run(tmp_path / "run", values)
    done = lorascope("rank", run, "--objective", "ate")
    assert "not ranked, for want of a value of pose.ate_trans: checkpoint_2" in done.err
    rows = lorascope("rank", run, "--objective", "ate", "--format", "json").json["rows"]
    assert [(row["checkpoint"], row["rank"], row["value"]) for row in rows][-1] == ("checkpoint_2", None, None)


def test_the_pareto_front(lorascope: Command, results: Path) -> None:
    # AbsRel falls and FPS falls with quality: a trade-off, so all but equals of a better one are on the front.
    options = ("--pareto", "abs_rel,vram_gb", "--format", "json")
    rows = lorascope("rank", results / "alpha", *options).json["rows"]
    assert {row["on_front"] for row in rows} == {True}
    # Two metrics that agree: the best in both alone.
    rows = lorascope("rank", results / "alpha", "--pareto", "abs_rel,delta1", "--format", "json").json["rows"]
    assert [row["on_front"] for row in rows] == [True, *[False] * 5]
    done = lorascope("rank", results / "alpha", "--pareto", "abs_rel,delta1", "--top", "2")
    assert done.lines[4].split()[:7] == ["1", "checkpoint_4", "0.3750", "+39.7", "±17.4", "▲", "◆"]
    assert "◆" not in done.lines[5]
    assert (
        next(line for line in done.lines if line.startswith("◆"))
        == "◆ on the Pareto front over AbsRel · building ↓, δ<1.25 · building ↑"
    )


def test_the_front_is_that_of_all_that_remain_not_of_the_first(lorascope: Command, results: Path) -> None:
    def front(*options: str) -> list[bool]:
        options = ("--pareto", "abs_rel,delta1", "--objective", "photometric", *options, "--format", "json")
        return [row["on_front"] for row in lorascope("rank", results / "alpha", *options).json["rows"]]

    assert front() == [False] * 5 + [True]
    assert front("--top", "2") == [False, False]


def test_csv(lorascope: Command, results: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(lorascope("rank", results / "alpha", "--format", "csv").out)))
    assert [row["checkpoint"] for row in rows[:2]] == ["checkpoint_4", "checkpoint_3"]
    assert (rows[0]["run"], rows[0]["objective"], rows[0]["rank"]) == ("alpha", "score", "1")
    assert float(rows[0]["performance.fps"]) == pytest.approx(1.05)


@pytest.mark.parametrize("fmt", ["table", "csv", "json", "markdown", "latex"])
def test_hostile_names_are_data(lorascope: Command, tmp_path: Path, fmt: str) -> None:
    done = lorascope("rank", write_hostile(tmp_path), "--format", fmt)
    assert done.code == 0, done.err
    assert not set(done.out) & {"\x1b", "\u202e"}
    if fmt == "json":
        assert {row["checkpoint"] for row in done.json["rows"]} == set(HOSTILE_NAMES)
    if fmt in ("table", "csv"):
        assert all(shown in done.out for shown in HOSTILE_NAMES.values())


def test_a_name_of_5000_characters_breaks_no_table(
    lorascope: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    values = list(rising_run(2).values())
    write_csv(tmp_path / "run", dict(zip(["baseline", "x" * 5000, "short"], values, strict=True)))
    assert max(map(len, lorascope("rank", tmp_path).lines)) == 80


def test_mistakes(lorascope: Command, results: Path) -> None:
    lorascope("rank", results).failed(2, "2 runs (alpha, beta)", "--run NAME")
    lorascope("rank", results, "--run", "gamma").failed(2, "unknown run 'gamma'", "alpha")
    alpha = results / "alpha"
    lorascope("rank", alpha, "--objective", "abs_rell").failed(2, "abs_rell", "abs_rel")
    lorascope("rank", alpha, "--where", "delta1 >").failed(2, "--where")
    lorascope("rank", alpha, "--where", "detla1 > 0.4").failed(2, "detla1", "did you mean delta1")
    lorascope("rank", alpha, "--top", "0").failed(2, "--top", "greater than or equal to 1")
    lorascope("rank", alpha, "--pareto", "fps").failed(2, "two metrics")
    lorascope("rank", alpha, "--pareto", "fps,detla1").failed(2, "detla1", "--pareto", "delta1")
    lorascope("rank", alpha, "--baseline", "nobody").failed(2, "nobody")
    lorascope("rank").failed(2, "missing argument 'RUN'", "lorascope rank --help")


def test_a_run_without_a_score_says_what_it_lacks(lorascope: Command, tmp_path: Path) -> None:
    values = {name: {"depth.full.abs_rel": 0.5} for name in ("baseline", "checkpoint_1")}
    lorascope("rank", write_run(tmp_path / "run", values)).failed(
        2, "no score", "depth.building.delta1", "--objective KEY"
    )


def test_a_run_is_named_by_the_end_of_its_path(lorascope: Command, tmp_path: Path) -> None:
    for parent in ("first", "second"):
        write_run(tmp_path / parent / "evaluate", rising_run(3, best=1))
    lorascope("rank", tmp_path, "--run", "evaluate").failed(2, "first/evaluate, second/evaluate")
    assert lorascope("rank", tmp_path, "--run", "second/evaluate").code == 0


def test_lost_parts_are_named(lorascope: Command, tmp_path: Path) -> None:
    run = write_judged_run(tmp_path / "judged")
    lines = lorascope("rank", run, "-o", "abs_rel").lines
    assert [line.split()[5] for line in lines[4:7]] == ["▲!", "▲", "≈"]
    at = lines.index("! better as a whole, but worse in a part:")
    assert lines[at + 1].startswith("  checkpoint_1  AbsRel · building: drive 0005 (+17.")
    rows = lorascope("rank", run, "-o", "abs_rel", "--format", "json").json["rows"]
    assert [[loss["by"] for loss in row["loses"]] for row in rows] == [["drive", "region"], [], []]
    table = csv.DictReader(io.StringIO(lorascope("rank", run, "-o", "abs_rel", "--format", "csv").out))
    assert [row["loses"] for row in table] == ["drive=2013_05_28_drive_0005_sync; region=full", "", ""]
