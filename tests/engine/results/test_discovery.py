"""Runs are found wherever they lie, once, in natural order, without walking into data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from support.results import KEY, put, put_json, put_legacy

from engine.errors import DataError
from engine.results import discovery, folders
from engine.results.discovery import discover
from engine.results.model import RunKind
from engine.results.sniff import looks_like_results

CSV = f"checkpoint,{KEY}.mean\nbaseline,1.0\ncheckpoint_0,0.5\n"


def found(*paths: Path) -> list[str]:
    return [ref.name for ref in discover(paths)]


def test_every_form_is_found_with_its_kind_and_hint(tmp_path: Path) -> None:
    put_legacy(tmp_path / "json", {"baseline": 1.0, "checkpoint_0": 0.5})
    put(tmp_path / "csv" / "metrics_overall.csv", CSV)
    put(tmp_path / "native" / "metadata.json", "{}")
    put(tmp_path / "native" / "frames" / "checkpoint_0" / "0.parquet", b"")
    put(tmp_path / "tables" / "mine.csv", CSV)
    pl.DataFrame({"ckpt": ["a"], "pose.ate_trans": [1.0]}).write_parquet(tmp_path / "tables" / "theirs.parquet")
    refs = list(discover([tmp_path]))
    assert [(ref.name, ref.kind, ref.checkpoints) for ref in refs] == [
        ("csv", RunKind.LEGACY, None),
        ("json", RunKind.LEGACY, 2),
        ("native", RunKind.NATIVE, 1),
        ("mine", RunKind.TABLE, None),
        ("theirs", RunKind.TABLE, None),
    ]
    assert all(ref.path.is_absolute() and ref.problem is None for ref in refs)


def test_a_run_given_itself_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_legacy(tmp_path / "run", {"baseline": 1.0})
    monkeypatch.chdir(tmp_path / "run")
    assert [ref.path for ref in discover([Path()])] == [tmp_path / "run"]


def test_natural_order(tmp_path: Path) -> None:
    for name in ("run_10", "run_2", "Run_1", "a"):
        put_legacy(tmp_path / name, {"baseline": 1.0})
    put(tmp_path / "run_3.csv", CSV)
    assert found(tmp_path) == ["a", "Run_1", "run_2", "run_3", "run_10"]


def test_tables_inside_a_run_are_not_runs(tmp_path: Path) -> None:
    put_legacy(tmp_path / "legacy", {"baseline": 1.0})
    put(tmp_path / "legacy" / "metrics_overall.csv", CSV)
    put(tmp_path / "legacy" / "copy.csv", CSV)
    put(tmp_path / "native" / "metadata.json", '{"schema_version": 1}')
    put(tmp_path / "native" / "notes" / "mine.csv", CSV)
    assert found(tmp_path) == ["legacy", "native"]


def test_runs_below_a_legacy_run_are_found(tmp_path: Path) -> None:
    put(tmp_path / "metrics_overall.csv", CSV)
    put_legacy(tmp_path / "inner", {"baseline": 1.0})
    assert found(tmp_path) == [tmp_path.name, "inner"]


@pytest.mark.parametrize("content", ['{"schema_version": 1, "run', '{\n  "schema_version": 99}'])
def test_a_truncated_metadata_file_still_is_a_run(tmp_path: Path, content: str) -> None:
    put(tmp_path / "run" / "metadata.json", content)
    assert [ref.kind for ref in discover([tmp_path])] == [RunKind.NATIVE]


def test_an_empty_metadata_file_beside_a_journal_is_a_run(tmp_path: Path) -> None:
    put(tmp_path / "run" / "metadata.json", "")
    put(tmp_path / "run" / "journal.jsonl", "")
    assert found(tmp_path) == ["run"]


def test_other_programs_metadata_is_no_run(tmp_path: Path) -> None:
    put(tmp_path / "x" / "metadata.json", '{"author": "someone"}')
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    "header",
    [
        "name,age\n",
        "checkpoint,loss\n",
        "depth.full.mae,depth.full.rmse\n",
        "name,score\n",
        "checkpoint,window,frame,pose.ate_trans\n",
        "",
        "\n\n",
        "\x00\x01\x02",
    ],
)
def test_other_tables_are_runs_only_when_named(tmp_path: Path, header: str) -> None:
    table = put(tmp_path / "other.csv", header)
    assert found(tmp_path) == []
    assert found(table) == ["other"]
    assert found(tmp_path, table) == ["other"]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffcheckpoint,depth.full.mae\r\na,1\r\n".encode(),
        "\ufeffcheckpoint;depth.full.mae.mean\na;1\n".encode("utf-16-le"),
        b"step\tpose.ate_trans\r1\t2\r",
        b'\n\nEpoch,"depth.anything.delta1"\n1,2\n',
    ],
)
def test_headers_in_other_encodings_and_with_other_delimiters(tmp_path: Path, content: bytes) -> None:
    put(tmp_path / "table.csv", content)
    assert found(tmp_path) == ["table"]


def test_parquet_is_judged_by_its_footer(tmp_path: Path) -> None:
    def write(name: str, *columns: str) -> None:
        pl.DataFrame({column: [1.0] for column in columns}).write_parquet(tmp_path / f"{name}.parquet")

    write("yes", "step", "depth.building.abs_rel.mean", *(f"extra_{n}" for n in range(300)))
    write("no_metric", "checkpoint", "loss")
    write("no_name", "depth.full.mae", "depth.full.rmse")
    write("frames", "checkpoint", "window", "pose.ate_trans")
    put(tmp_path / "short.parquet", b"PAR1")
    put(tmp_path / "lies.parquet", b"PAR1" + b"\xff" * 20 + b"PAR1")
    put(tmp_path / "cut.parquet", (tmp_path / "yes.parquet").read_bytes()[:-30])
    assert found(tmp_path) == ["yes"]


def test_looks_like_results() -> None:
    assert looks_like_results(["Checkpoint", " depth.full.mae.std "])
    assert not looks_like_results(["checkpoint"])
    assert not looks_like_results([])


@pytest.mark.parametrize(
    "name",
    [
        *("data_2d_raw", "data_3d_raw", "data_2d_semantics", "data_poses", "data_2d_test", "calibration"),
        *(".git", "node_modules", "__pycache__", "site-packages", ".venv", "venv", ".hidden"),
    ],
)
def test_data_and_hidden_folders_are_not_walked_into_unless_named(tmp_path: Path, name: str) -> None:
    put_legacy(tmp_path / name / "run", {"baseline": 1.0})
    assert found(tmp_path) == []
    assert found(tmp_path / name) == ["run"]


def test_folders_of_many_images_and_environments_are_not_walked_into(tmp_path: Path) -> None:
    put_legacy(tmp_path / "images" / "run", {"baseline": 1.0})
    for number in range(folders.MANY_MEDIA):
        put(tmp_path / "images" / f"{number}.PNG", b"")
    put_legacy(tmp_path / "my_env" / "run", {"baseline": 1.0})
    put(tmp_path / "my_env" / "pyvenv.cfg", "")
    discovery_ = discover([tmp_path])
    assert list(discovery_) == []
    assert discovery_.folders == 3


def test_a_run_among_many_images_is_found(tmp_path: Path) -> None:
    put_legacy(tmp_path / "run", {"baseline": 1.0})
    for number in range(folders.MANY_MEDIA):
        put(tmp_path / "run" / f"{number}.png", b"")
    assert found(tmp_path) == ["run"]


def test_link_cycles_end_and_runs_keep_their_own_names(tmp_path: Path) -> None:
    put_legacy(tmp_path / "runs" / "run_1", {"baseline": 1.0})
    elsewhere = put_legacy(tmp_path / "elsewhere" / "far", {"baseline": 1.0})
    (tmp_path / "runs" / "a_latest").symlink_to("run_1")
    (tmp_path / "runs" / "up").symlink_to(tmp_path)
    (tmp_path / "runs" / "self").symlink_to("self")
    (tmp_path / "runs" / "nowhere").symlink_to("missing")
    (tmp_path / "runs" / "linked").symlink_to(elsewhere)
    (tmp_path / "runs" / "linked_again").symlink_to(elsewhere)
    assert found(tmp_path) == ["far", "run_1"]
    assert found(tmp_path / "runs") == ["run_1", "linked"]


def test_links_to_tables_and_into_skipped_folders_are_followed(tmp_path: Path) -> None:
    put_legacy(tmp_path / ".store" / "run", {"baseline": 1.0})
    put(tmp_path / "table.csv", CSV)
    (tmp_path / "a.csv").symlink_to("table.csv")
    (tmp_path / "shown").symlink_to(tmp_path / ".store" / "run")
    assert found(tmp_path) == ["table", "shown"]


def test_a_run_found_through_two_paths_appears_once(tmp_path: Path) -> None:
    run = put_legacy(tmp_path / "run", {"baseline": 1.0})
    table = put(tmp_path / "t.csv", CSV)
    assert found(run, tmp_path, tmp_path, run, table) == ["run", "t"]
    assert found(run / "baseline_metrics.json", run) == ["run"]


def test_a_run_is_found_by_the_files_inside_it(tmp_path: Path) -> None:
    native = put(tmp_path / "native" / "metadata.json", "{}")
    assert [(ref.name, ref.kind) for ref in discover([native])] == [("native", RunKind.NATIVE)]


def test_a_missing_path_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing: no such file or folder"):
        discover([tmp_path, tmp_path / "missing"])
    with pytest.raises(DataError, match="no such file or folder"):
        discover([put(tmp_path / "file.csv", CSV) / "below"])
    with pytest.raises(DataError, match="cannot be a path"):
        discover([Path("a\0b")])


def test_a_named_file_of_another_sort_is_a_row_with_a_reason(tmp_path: Path) -> None:
    (ref,) = discover([put(tmp_path / "notes.txt", "hello")])
    assert ref.problem is not None
    assert str(ref.problem) == "notes.txt: not a table; name a folder, a CSV or a Parquet file"


def test_pipes_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    os.mkfifo(tmp_path / "x_metrics.json")
    assert found(tmp_path) == []
    (ref,) = discover([tmp_path / "pipe.csv"])
    assert ref.problem is not None


def test_an_unreadable_folder_is_a_row_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        put_legacy(tmp_path / name, {"baseline": 1.0})
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    refs = list(discover([tmp_path]))
    assert [ref.name for ref in refs] == ["a", "b", "c"]
    assert [str(ref.problem) for ref in refs if ref.problem] == ["b: no permission to read it; check its rights"]


def test_a_folder_removed_meanwhile_is_left_out(tmp_path: Path) -> None:
    runs = [put_legacy(tmp_path / name, {"baseline": 1.0}) for name in ("a", "b")]
    refs = discover([tmp_path])
    assert next(refs).name == "a"
    (runs[1] / "baseline_metrics.json").unlink()
    runs[1].rmdir()
    assert list(refs) == []


def test_bounds_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MAX_DEPTH", 2)
    put_legacy(tmp_path / "1" / "2" / "3", {"baseline": 1.0})
    put_legacy(tmp_path / "1" / "run", {"baseline": 1.0})
    refs = discover([tmp_path])
    assert [ref.name for ref in refs] == ["run"]
    (problem,) = refs.problems
    assert str(tmp_path / "1" / "2" / "3") in str(problem)
    assert "more than 2 folders deep" in str(problem)

    monkeypatch.setattr(discovery, "MAX_FOLDERS", 2)
    refs = discover([tmp_path])
    list(refs)
    assert "2 folders were looked at before" in "".join(map(str, refs.problems))


def test_bounds_of_one_folder_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        put(tmp_path / f"{number}.csv", CSV)
    monkeypatch.setattr(discovery, "MAX_TABLES", 3)
    refs = discover([tmp_path])
    assert [ref.name for ref in refs] == ["0", "1", "2"]
    assert "more than 3 tables" in str(refs.problems[0])
    monkeypatch.setattr(folders, "MAX_ENTRIES", 2)
    refs = discover([tmp_path])
    assert len(list(refs)) == 2
    assert "looked at in part" in str(refs.problems[0])


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    for number in range(3):
        put_legacy(tmp_path / f"run_{number}", {"baseline": 1.0})
    refs = discover([tmp_path])
    assert refs.folders == 0
    next(refs)
    assert refs.folders == 2


def test_names_that_are_not_utf8_are_shown_as_escapes(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    put_json(folder, "baseline", {})
    assert found(tmp_path) == ["caf\\xe9"]


def test_hostile_names_are_kept(tmp_path: Path) -> None:
    for name in ("[bold]x[]", "\x1b[31mred", "two\nlines", "宽字符", "שלום"):
        put_legacy(tmp_path / name, {"baseline": 1.0})
    assert set(found(tmp_path)) == {"[bold]x[]", "\x1b[31mred", "two\nlines", "宽字符", "שלום"}


def test_discovery_imports_nothing_heavy() -> None:
    program = (
        "import sys, engine.results.discovery\n"
        "print(sorted({'polars', 'pydantic', 'numpy', 'rich', 'textual', 'plotext'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
