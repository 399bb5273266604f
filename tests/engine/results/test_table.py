"""Single tables with one row per checkpoint, from any program."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from support.results import KEY, load_one, mean_of, messages, names_of, put

from engine.results.model import Run
from engine.schema import SUMMARY

ATE = "pose.ate_trans"


def csv_run(folder: Path, content: str | bytes) -> Run:
    return load_one(put(folder / "table.csv", content))


def test_metrics_and_their_statistics(tmp_path: Path) -> None:
    run = csv_run(
        tmp_path,
        f"checkpoint,{KEY},{KEY}.std,{KEY}.count,loss.min,{ATE}.median\nbaseline,1,0.5,10,3,7\n",
    )
    assert run.name == "table"
    assert run.summary.rows() == [
        ("baseline", KEY, 1.0, 0.5, None, None, None, 10),
        ("baseline", "loss.min", 3.0, None, None, None, None, None),
        ("baseline", ATE, None, None, 7.0, None, None, None),
    ]
    assert run.problems == ()


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeffCheckpoint,{KEY}.mean\r\nbaseline,1\r\nlora_2,0.5\r\n".encode(),
        f"checkpoint;{KEY}.mean\nbaseline;1\nlora_2;0.5\n\n\n".encode(),
        f"checkpoint\t{KEY}.mean\rbaseline\t1\rlora_2\t0.5\r".encode(),
        f"\ufeffcheckpoint,{KEY}.mean\nbaseline,1\nlora_2,0.5\n".encode("utf-16-le"),
        f'"checkpoint" , "{KEY}.mean"\n"baseline", 1\nlora_2, 0.5\n'.encode(),
        f"\n\n,{KEY}.mean\nbaseline,1\nlora_2,0.5\n".encode(),
    ],
)
def test_encodings_delimiters_and_line_ends(tmp_path: Path, content: bytes) -> None:
    run = csv_run(tmp_path, content.replace(b' , "', b',"'))
    assert names_of(run) == ["baseline", "lora_2"]
    assert mean_of(run, "lora_2") == 0.5
    assert run.problems == ()


def test_text_that_is_not_utf8_is_read_and_told(tmp_path: Path) -> None:
    run = csv_run(tmp_path, f"checkpoint,{KEY}\nbaseline,1\nn\xe4chster_1,0.5\n".encode("latin-1"))
    assert names_of(run) == ["baseline", "n\\xe4chster_1"]
    assert "not UTF-8 text: what could not be read stands as \\x..; save it as UTF-8" in messages(run)
    assert run.problems[0].place.startswith("byte ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("\r\n\r\n", "the file is empty"),
        (f"checkpoint,{KEY}\n", "a header and no rows"),
        (f"{KEY},{ATE}\n1,2\n", "no column names the checkpoints"),
        ("checkpoint\nbaseline\n", "no column holds a metric"),
        ("checkpoint,note\nbaseline,good\n", "no numbers in 'note': left out"),
    ],
)
def test_tables_without_results_are_broken_with_a_reason(tmp_path: Path, content: str, reason: str) -> None:
    run = csv_run(tmp_path, content)
    assert run.status == "broken"
    assert run.summary.schema == SUMMARY
    assert reason in messages(run)
    assert run.errors


def test_ragged_rows_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    run = csv_run(tmp_path, f"checkpoint,{KEY},{ATE}\nbaseline,1,2\nlora_1,0.5\nlora_2,0.25,2,9\n")
    assert [mean_of(run, name) for name in names_of(run)] == [1.0, 0.5, 0.25]
    assert "table.csv (line 3, line 4): 2 rows have more or fewer cells than the header's 3" in messages(run)
    assert f"{ATE} is missing from 1 of 3 checkpoints: lora_1" in messages(run)


@pytest.mark.parametrize("cell", ["nan", "inf", "-Infinity", "abc", "True", "1_000", "0,5", "1e999", "--"])
def test_wrong_cells_are_null_with_their_place(tmp_path: Path, cell: str) -> None:
    run = csv_run(tmp_path, f'checkpoint,{KEY}\nbaseline,1\nlora_1,"{cell}"\n')
    assert mean_of(run, "lora_1") is None
    (error,) = run.errors
    assert str(error).startswith(f"table.csv (line 3, lora_1): {KEY}.mean: ")


def test_empty_cells_are_not_measured(tmp_path: Path) -> None:
    run = csv_run(tmp_path, f"checkpoint,{KEY},{ATE}\nbaseline,1,\nlora_1,0.5, \n")
    assert run.summary["metric"].unique().to_list() == [KEY]
    assert run.problems == ()


def test_repeated_names_are_kept_with_a_warning(tmp_path: Path) -> None:
    run = csv_run(tmp_path, f"checkpoint,{KEY}\nbaseline,1\nlora_5,2\nlora_5,3\nlora_6,4\n")
    assert names_of(run) == ["baseline", "lora_5", "lora_5 #2", "lora_6"]
    assert run.checkpoints["step"].to_list() == [None, 5, 5, 6]
    assert mean_of(run, "lora_5 #2") == 3.0
    assert "more than one row for 'lora_5'" in messages(run)


def test_a_table_with_a_row_per_frame_is_refused(tmp_path: Path) -> None:
    run = csv_run(tmp_path, f"checkpoint,{KEY}\n" + "lora_5,1\n" * 101)
    assert "101 rows for 'lora_5': not a table with one row per checkpoint" in messages(run)


def test_rows_without_a_name_are_called_after_their_place(tmp_path: Path) -> None:
    run = csv_run(tmp_path, f"checkpoint,{KEY}\nbaseline,1\n ,2\n")
    assert names_of(run) == ["baseline", "line 3"]
    assert "a row without a checkpoint's name" in messages(run)


def test_step_columns(tmp_path: Path) -> None:
    run = csv_run(tmp_path, f"name,step,epoch,{KEY}\nfirst,20,1,1\nsecond,10,2,2\n")
    assert run.checkpoints.select("checkpoint", "step").rows() == [("second", 10), ("first", 20)]
    assert run.summary["metric"].unique().to_list() == [KEY], "a step is not a metric"
    run = csv_run(tmp_path, f"step,{KEY}\n100,1\n9,2\n")
    assert run.checkpoints.select("checkpoint", "step").rows() == [("9", 9), ("100", 100)]


def test_columns_that_are_no_metrics(tmp_path: Path) -> None:
    run = csv_run(tmp_path, f"checkpoint,note,{KEY},{KEY},,my.metric\nbaseline,good,1,2,3,x\nlora_1,bad,3,4,,5\n")
    assert [mean_of(run, name) for name in names_of(run)] == [1.0, 3.0]
    said = messages(run)
    assert "no numbers in 'note': left out" in said
    assert f"more than one column '{KEY}': the first counts" in said
    assert "1 columns without a name: left out" in said
    assert "my.metric.mean: 'x' is not a number" in said


def test_a_first_column_of_text_names_the_checkpoints(tmp_path: Path) -> None:
    run = csv_run(tmp_path, f"experiment,{KEY}\nbaseline,1\nlora_2,2\n")
    assert names_of(run) == ["baseline", "lora_2"]
    assert "no column 'checkpoint': the first one, 'experiment', names the checkpoints" in messages(run)


def test_a_cell_beyond_what_csv_holds(tmp_path: Path) -> None:
    run = csv_run(tmp_path, f'checkpoint,{KEY}\nbaseline,1\n"{"x" * 200_000},2\n')
    assert mean_of(run, "baseline") == 1.0
    assert "the table breaks off here" in messages(run)


def test_hostile_names_are_kept(tmp_path: Path) -> None:
    names = ["[bold]", "\x1b[31m", "two\nlines", "x" * 5000, "שלום", "宽", "a,b", 'q"q', "nul\0nul"]
    rows = "".join('"{}",1\n'.format(name.replace('"', '""')) for name in names)
    run = csv_run(tmp_path, f"checkpoint,{KEY}\n{rows}")
    assert set(names_of(run)) == set(names)
    assert all(len(str(problem)) < 400 for problem in run.problems)


def test_parquet(tmp_path: Path) -> None:
    pl.DataFrame(
        {
            "ckpt": ["baseline", "lora_1", None],
            KEY: [1.0, float("nan"), 3.0],
            f"{KEY}.count": [10, -1, 10],
            ATE: ["1", "2", "3"],
            "flag": [True, False, True],
            "when": [date(2024, 1, 1)] * 3,
            "exact": [Decimal("1.5")] * 3,
            "list": [[1.0]] * 3,
        }
    ).write_parquet(tmp_path / "t.parquet")
    run = load_one(tmp_path / "t.parquet")
    assert names_of(run) == ["baseline", "lora_1", "row 3"]
    assert mean_of(run, "lora_1") is None
    assert mean_of(run, "baseline", "exact") == 1.5
    assert mean_of(run, "baseline", ATE) is None
    said = messages(run)
    assert f"t.parquet (row 2, lora_1): {KEY}.mean: nan is not a finite number" in said
    assert f"{KEY}.count: -1 is not a count" in said
    assert f"{ATE}.mean: '1' is not a number" in said
    assert "no numbers in 'flag', 'when', 'list': left out" in said


def test_parquet_with_number_names(tmp_path: Path) -> None:
    pl.DataFrame({"epoch": [10.0, 9.0], KEY: [1.0, 2.0]}).write_parquet(tmp_path / "t.parquet")
    assert load_one(tmp_path / "t.parquet").checkpoints.select("checkpoint", "step").rows() == [("9", 9), ("10", 10)]


@pytest.mark.parametrize("keep", [0, 4, 50, -1, -8])
def test_parquet_that_is_cut_off(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"checkpoint": ["a"], KEY: [1.0]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:keep])
    run = load_one(path)
    assert run.status == "broken"
    assert messages(run) == "t.parquet: not a Parquet file that can be read: damaged or cut off"


def test_tables_with_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.results.grid.MAX_ROWS", 2)
    assert "more than 2 rows" in messages(csv_run(tmp_path, f"checkpoint,{KEY}\na,1\nb,1\nc,1\n"))
    pl.DataFrame({"checkpoint": ["a", "b", "c"], KEY: [1.0] * 3}).write_parquet(tmp_path / "t.parquet")
    assert "3 rows: not a table" in messages(load_one(tmp_path / "t.parquet"))
