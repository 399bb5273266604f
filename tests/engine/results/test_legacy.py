"""Legacy folders in every state that people and killed jobs leave them in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.results import KEY, load_one, mean_of, messages, names_of, put, put_json, put_legacy, stats

from engine.errors import UnknownNameError
from engine.results import layout
from engine.results.discovery import discover
from engine.results.load import load_run
from engine.results.model import Run, Severity
from engine.schema import CHECKPOINTS, SUMMARY, Provenance

RMSE = "depth.building.rmse"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with a baseline and two checkpoints."""
    return put_legacy(tmp_path / "run", {"baseline": 1.0, "checkpoint_2": 0.5, "checkpoint_10": 0.25})


def test_json_alone(run: Path) -> None:
    loaded = load_one(run)
    assert loaded.name == "run"
    assert loaded.status == "ok"
    assert loaded.problems == ()
    assert not loaded.has_frames
    assert loaded.metadata.protocol.name == "compat"
    assert loaded.metadata.provenance is Provenance.IMPORTED
    assert loaded.checkpoints.schema == CHECKPOINTS
    assert loaded.summary.schema == SUMMARY
    assert loaded.checkpoints.rows() == [
        ("baseline", "baseline", None, None),
        ("checkpoint_2", "checkpoint", 2, None),
        ("checkpoint_10", "checkpoint", 10, None),
    ]
    assert loaded.summary.row(1) == ("checkpoint_2", KEY, 0.5, 0.5, 0.25, 0.0, 2.0, 100)


def test_csv_alone(tmp_path: Path) -> None:
    put(tmp_path / "metrics_overall.csv", f"checkpoint,{KEY}.mean,my.metric.mean\nckpt_10,0.25,7\nbaseline,1,8\n")
    loaded = load_one(tmp_path)
    assert names_of(loaded) == ["baseline", "ckpt_10"]
    assert loaded.summary.row(0) == ("baseline", KEY, 1.0, None, None, None, None, None)
    assert mean_of(loaded, "ckpt_10", "my.metric") == 7.0
    assert loaded.problems == ()


def test_json_wins_and_csv_fills(run: Path) -> None:
    put(
        run / "metrics_overall.csv",
        f"checkpoint,{KEY}.mean,{RMSE}.mean\nbaseline,9,3\ncheckpoint_2,9,2\ncheckpoint_10,9,1\ncheckpoint_11,0.125,\n",
    )
    loaded = load_one(run)
    assert [mean_of(loaded, name) for name in names_of(loaded)] == [1.0, 0.5, 0.25, 0.125]
    assert mean_of(loaded, "checkpoint_2", RMSE) == 2.0
    assert messages(loaded) == f"run: {RMSE} is missing from 1 of 4 checkpoints: checkpoint_11"


def test_csv_fills_a_value_that_json_has_wrong(tmp_path: Path) -> None:
    put(tmp_path / "baseline_metrics.json", f'{{"{KEY}": {{"mean": NaN, "count": 5}}}}')
    put(tmp_path / "metrics_overall.csv", f"checkpoint,{KEY}.mean\nbaseline,1.5\n")
    loaded = load_one(tmp_path)
    assert mean_of(loaded, "baseline") == 1.5
    assert loaded.summary["count"].to_list() == [5]
    assert len(loaded.errors) == 1


def test_order_baseline_then_steps_then_names(tmp_path: Path) -> None:
    names = ("lora_final", "lora_best", "checkpoint_10", "checkpoint_9", "Pretrained", "lora_2")
    loaded = load_one(put_legacy(tmp_path, dict.fromkeys(names, 1.0)))
    assert names_of(loaded) == ["Pretrained", "lora_2", "checkpoint_9", "checkpoint_10", "lora_best", "lora_final"]
    assert loaded.baseline == "Pretrained"


def test_no_baseline_is_a_warning_with_the_remedy(tmp_path: Path) -> None:
    loaded = load_one(put_legacy(tmp_path / "run", {"checkpoint_1": 1.0}))
    assert loaded.baseline is None
    assert messages(loaded) == "run: no baseline, so there are no deltas; name one with --baseline"
    assert loaded.problems[0].severity is Severity.WARNING


def test_a_named_baseline_wins(run: Path) -> None:
    loaded = load_one(run, baseline="checkpoint_10")
    assert loaded.baseline == "checkpoint_10"
    assert loaded.checkpoints.select("checkpoint", "role").rows() == [
        ("checkpoint_10", "baseline"),
        ("checkpoint_2", "checkpoint"),
        ("baseline", "checkpoint"),
    ]
    with pytest.raises(UnknownNameError, match=r"'checkpoint_1' in --baseline; did you mean checkpoint_10"):
        load_one(run, baseline="checkpoint_1")


BROKEN = {
    "truncated": (b'{"depth.building.abs_rel": {"mean": 0.5, "st', "not valid JSON"),
    "empty": (b"", "the file is empty"),
    "blank": (b" \r\n ", "the file is empty"),
    "list": (b"[1, 2]", "an object with metrics was expected, not a list"),
    "number": (b"3", "an object with metrics was expected, not 3"),
    "null": (b"null", "an object with metrics was expected, not None"),
    "binary": (b"\x80\x02}q\x00.", "not UTF-8 text"),
    "deep": (b"[" * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_a_row_with_the_reason(run: Path, content: bytes, reason: str) -> None:
    put(run / "checkpoint_3_metrics.json", content)
    loaded = load_one(run)
    assert loaded.status == "partial"
    assert names_of(loaded) == ["baseline", "checkpoint_2", "checkpoint_3", "checkpoint_10"]
    (error,) = loaded.errors
    assert error.file == "checkpoint_3_metrics.json"
    assert reason in error.message
    row_problem = loaded.checkpoints["problem"][2]
    assert row_problem.startswith("checkpoint_3_metrics.json")
    assert len(loaded.problems) == 1, "the missing metrics need no second warning"


def test_only_broken_files_is_a_broken_run(tmp_path: Path) -> None:
    put(tmp_path / "baseline_metrics.json", "{")
    loaded = load_one(tmp_path)
    assert loaded.status == "broken"
    assert loaded.summary.schema == SUMMARY


WRONG = {
    "text": ('{"mean": "0.5"}', "'0.5' is not a number"),
    "bool": ('{"mean": true}', "True is not a number"),
    "bare bool": ("false", "False is not a number"),
    "bare text": ('"a"', "'a' is not a number"),
    "nan": ('{"mean": NaN}', "nan is not a finite number"),
    "infinity": ('{"mean": -Infinity}', "-inf is not a finite number"),
    "overflow": ('{"mean": 1e999}', "inf is not a finite number"),
    "huge integer": (f'{{"mean": {"9" * 5000}}}', "inf is not a finite number"),
    "list": ('{"mean": [1]}', "a list is not a number"),
    "object": ('{"mean": {"mean": 1}}', "an object is not a number"),
    "bare list": ("[]", "a list is not a number"),
    "no statistic": ('{"value": 1}', "none of mean, std, median, min, max, count in it"),
    "negative count": ('{"count": -1}', "-1 is not a count"),
    "fractional count": ('{"count": 1.5}', "1.5 is not a count"),
    "huge count": (f'{{"count": {"9" * 30}}}', "the count is too large"),
    "text count": ('{"count": "many"}', "'many' is not a number"),
    "negative std": ('{"std": -0.5}', "a standard deviation of -0.5 cannot be"),
}


@pytest.mark.parametrize(("value", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_null_with_its_place(run: Path, value: str, reason: str) -> None:
    put(run / "checkpoint_3_metrics.json", f'{{"{KEY}": {value}, "{RMSE}": 2}}')
    loaded = load_one(run)
    (error,) = loaded.errors
    assert error.file == "checkpoint_3_metrics.json"
    assert error.message.startswith(KEY)
    assert reason in error.message
    assert mean_of(loaded, "checkpoint_3", RMSE) == 2.0
    rows = loaded.summary.filter(checkpoint="checkpoint_3", metric=KEY).drop("checkpoint", "metric").rows()
    assert all(value is None for row in rows for value in row)


def test_many_wrong_values_are_put_together(tmp_path: Path) -> None:
    for number in range(20):
        put_json(tmp_path, f"checkpoint_{number}", {f"m{k}": stats("x") for k in range(10)})
    put_legacy(tmp_path, {"baseline": 1.0})
    loaded = load_one(tmp_path)
    (error,) = loaded.errors
    assert str(error) == (
        "checkpoint_0_metrics.json and 19 other files: 200 values are wrong and count as not measured; "
        "the first is m0.mean: 'x' is not a number"
    )


def test_several_wrong_values_of_few_files_are_told_by_file(tmp_path: Path) -> None:
    put_json(tmp_path, "baseline", {f"m{k}": stats("x") for k in range(10)})
    put_json(tmp_path, "checkpoint_1", {"m0": stats(None), "m1": stats("y")})
    errors = load_one(tmp_path).errors
    assert [error.file for error in errors] == ["baseline_metrics.json", "checkpoint_1_metrics.json"]
    assert "10 values are wrong" in str(errors[0])
    assert "m1.mean: 'y' is not a number" in str(errors[1])


def test_a_bare_number_is_the_mean_and_null_is_not_measured(tmp_path: Path) -> None:
    put_json(tmp_path, "baseline", {KEY: 0.5, f"{RMSE}.mean": 4, "a": None, "b": {"mean": None}, "c": 10**17})
    loaded = load_one(tmp_path)
    assert dict(loaded.summary.select("metric", "mean").rows()) == {KEY: 0.5, RMSE: 4.0, "c": 1e17}
    assert loaded.problems == ()


def test_repeated_keys_are_told(tmp_path: Path) -> None:
    put(tmp_path / "baseline_metrics.json", f'{{"{KEY}": 1, "{KEY}": 2}}')
    loaded = load_one(tmp_path)
    assert mean_of(loaded, "baseline") == 2.0
    assert f"given more than once: '{KEY}'; the last one counts" in messages(loaded)


def test_byte_order_mark_and_windows_line_ends_in_json(tmp_path: Path) -> None:
    put(
        tmp_path / "baseline_metrics.json",
        b"\xef\xbb\xbf" + json.dumps({KEY: 1}, indent=2).replace("\n", "\r\n").encode(),
    )
    loaded = load_one(tmp_path)
    assert mean_of(loaded, "baseline") == 1.0
    assert loaded.problems == ()


def test_missing_metrics_are_counted(run: Path) -> None:
    put_json(run, "checkpoint_3", {KEY: stats(1.0), RMSE: stats(2.0), "depth.full.mae": stats(2.0)})
    assert messages(load_one(run)) == (
        f"run: {RMSE}, depth.full.mae are missing from 3 of 4 checkpoints: baseline, checkpoint_2, checkpoint_10"
    )


def test_many_different_gaps_are_one_warning(tmp_path: Path) -> None:
    put_legacy(tmp_path / "run", {"baseline": 1.0})
    for number in range(8):
        put_json(tmp_path / "run", f"checkpoint_{number}", {KEY: 1.0, f"only.{number}": 1.0})
    assert "8 metrics are missing from some checkpoints: only.0, only.1, only.2 and 5 more" in messages(
        load_one(tmp_path / "run")
    )


def test_frame_counts_that_differ_are_a_warning(run: Path) -> None:
    put_json(run, "checkpoint_3", {KEY: stats(1.0, 90)})
    assert messages(load_one(run)) == (
        "run: building frames differ between checkpoints: 90 to 100; "
        "read small differences with care, the samples are not the same"
    )


def test_names_are_kept_as_they_are(tmp_path: Path) -> None:
    names = ["[bold]", "\x1b[31m", "two\nlines", "宽字符_9", "שלום", "%41", "a" * 200]
    loaded = load_one(put_legacy(tmp_path, dict.fromkeys(names, 1.0)))
    assert set(names_of(loaded)) == set(names)


def test_a_file_without_a_checkpoints_name_is_called_after_itself(tmp_path: Path) -> None:
    put_json(tmp_path, "", {KEY: 1.0})
    assert names_of(load_one(tmp_path)) == ["_metrics.json"]


def test_names_and_keys_that_are_not_unicode(tmp_path: Path) -> None:
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9_metrics.json")), f'{{"{KEY}": 1, "a\\ud800": 2, "": 3}}')
    loaded = load_one(tmp_path)
    assert names_of(loaded) == ["caf\\xe9"]
    assert loaded.summary["metric"].to_list() == [KEY, "a\\ud800"]
    assert "a metric without a name" in messages(loaded)


def test_files_that_are_too_large_are_not_read(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.results.reading.LARGEST_FILE", 1024)
    put(run / "checkpoint_3_metrics.json", b" " * 2000)
    assert "so this is no file of results" in messages(load_one(run))


def test_a_file_without_permission(run: Path) -> None:
    secret = put_json(run, "checkpoint_3", {KEY: 1})
    secret.chmod(0)
    program = (
        "import os, sys, pathlib\n"
        "from engine.results.load import load_runs\n"
        "import polars\n"
        "os.getuid() or os.setuid(65534)\n"
        "for run in load_runs([pathlib.Path(sys.argv[1])]): print(run.status, *run.problems, sep='|')\n"
    )
    for folder in (run, *run.parents):  # so that another user reaches it
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", program, str(run)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "partial|checkpoint_3_metrics.json: no permission to read it"


def test_a_folder_that_is_gone_or_emptied_is_broken(run: Path) -> None:
    (ref,) = discover([run])
    for file in run.iterdir():
        file.unlink()
    assert "no *_metrics.json and no metrics_overall.csv" in messages(load_run(ref))
    run.rmdir()
    loaded = load_run(ref)
    assert loaded.status == "broken"
    assert messages(loaded) == "run: no such file"


def test_an_unknown_baseline_of_a_broken_run_is_no_error(tmp_path: Path) -> None:
    put(tmp_path / layout.LEGACY_TABLE, "")
    assert load_one(tmp_path, baseline="x").status == "broken"


def test_a_fault_of_the_program_is_a_row_too(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("engine.results.legacy._add_metrics", fail)
    loaded = load_one(run)
    assert loaded.status == "broken"
    assert messages(loaded) == "run: could not be read: KeyError; please report this as a bug"


@pytest.fixture(scope="module")
def real(shared_data: Path) -> list[Run]:
    """The two real runs."""
    return [load_run(ref) for ref in discover([shared_data])]


def test_real_runs(real: list[Run]) -> None:
    assert [run.name for run in real] == ["lora_kitti360_strategy_b", "lora_kitti360_strategy_b_soft"]
    for run in real:
        assert run.status == "ok"
        assert run.baseline == "baseline"
        assert names_of(run) == ["baseline", *(f"checkpoint_{number}" for number in range(50))]
        assert run.summary.height == 51 * 49
        assert run.summary.null_count().sum_horizontal().item() == 0
    assert mean_of(real[0], "baseline") == 1.7213577063637089
    assert mean_of(real[1], "baseline") == 2.0440308091828205


def test_real_samples_differ(real: list[Run]) -> None:
    assert [[problem.message for problem in run.problems] for run in real] == [
        ["building frames differ between checkpoints: 3178 to 3418"],
        ["building frames differ between checkpoints: 2631 to 2871"],
    ]


def test_real_csv_says_what_the_json_says(shared_data: Path, real: list[Run]) -> None:
    for run in real:
        table = load_one(run.path / "metrics_overall.csv")
        both = run.summary.join(table.summary, on=["checkpoint", "metric"])
        assert both.height == 51 * 49
        assert (both["mean"] - both["mean_right"]).abs().max() == 0.0
