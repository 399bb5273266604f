"""Whatever lies in a folder, reading it gives runs with reasons and never an exception; runs are found by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.results import KEY, load_one, messages, put, put_legacy, stats
from support.store import metadata, summary

from engine.errors import DataError, UnknownNameError, UsageError
from engine.results.discovery import discover
from engine.results.load import find_run, found_runs, load_run, load_runs
from engine.results.model import UNFINISHED, Problem, Run, RunKind, RunRef, Severity
from engine.results.writer import write_metadata, write_table
from engine.schema import CHECKPOINTS, SUMMARY

FILES = (
    "baseline_metrics.json",
    "checkpoint_1_metrics.json",
    "metrics_overall.csv",
    "table.csv",
    "metadata.json",
    "summary.parquet",
    "cost.parquet",
)

NUMBERS = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=5), st.integers(10**18, 10**400)
)
NAMES = st.one_of(st.sampled_from((KEY, "depth.full.mae.mean", "x.count", "")), st.text(max_size=8))
METRICS = st.dictionaries(
    NAMES,
    st.one_of(
        NUMBERS,
        st.dictionaries(
            st.sampled_from(("mean", "std", "median", "min", "max", "count", "other")), NUMBERS, max_size=4
        ),
        st.lists(NUMBERS, max_size=2),
    ),
    max_size=5,
)
JSON = METRICS.map(lambda content: json.dumps(content).encode())
CELLS = st.one_of(st.text(max_size=6), st.floats().map(str), st.integers().map(str), st.sampled_from(("", "a", KEY)))
HEADERS = st.sampled_from((f"checkpoint,{KEY}.mean", f"step,{KEY},x", f"name;{KEY};{KEY}", f"{KEY},a", "checkpoint"))
CSV = st.tuples(HEADERS, st.lists(st.lists(CELLS, max_size=4), max_size=5)).map(
    lambda table: "\n".join([table[0], *map(",".join, table[1])]).encode("utf-8", "surrogatepass")
)
METADATA = st.fixed_dictionaries(
    {"run": st.text(max_size=5), "schema_version": st.one_of(st.integers(0, 3), NUMBERS)},
    optional={
        "checkpoints": st.lists(
            st.fixed_dictionaries({"name": st.text(max_size=5)}, optional={"step": NUMBERS, "problem": NUMBERS}),
            max_size=3,
        ),
        "protocol": METRICS,
        "status": st.sampled_from(("done", "running", "odd")),
    },
).map(lambda content: json.dumps(content).encode())


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Something near what a results file holds, perhaps cut off or with a byte changed; or any bytes."""
    data = draw(st.one_of(JSON, CSV, METADATA, st.binary(max_size=60)))
    end = draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))
    data = data[:end]
    if data and draw(st.booleans()):
        at = draw(st.integers(0, len(data) - 1))
        data = data[:at] + draw(st.binary(max_size=2)) + data[at + 1 :]
    return draw(st.sampled_from((b"", b"", b"\xef\xbb\xbf", b"\xff\xfe"))) + data


@settings(max_examples=250, deadline=None)
@given(st.dictionaries(st.sampled_from(FILES), contents(), min_size=1, max_size=4))
def test_any_bytes_give_runs_with_reasons(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name, data in files.items():
        put(folder / name, data)
    refs = list(discover([folder, *(folder / name for name in files)]))
    assert refs
    for ref in refs:
        check(load_run(ref))


def check(run: Run) -> None:
    """What holds of every loaded run."""
    assert run.checkpoints.schema == CHECKPOINTS
    assert run.summary.schema == SUMMARY
    assert "please report this" not in "".join(map(str, run.problems)), run.problems
    names = run.checkpoints["checkpoint"].to_list()
    assert len(set(names)) == len(names)
    assert set(run.summary["checkpoint"]) <= set(names)
    assert not run.summary.select("checkpoint", "metric").is_duplicated().any()
    floats = run.summary.select("mean", "std", "median", "min", "max").unpivot()["value"].drop_nulls()
    assert floats.is_finite().all()
    assert (run.summary["count"].drop_nulls() >= 0).all()
    roles = run.checkpoints["role"].to_list()
    assert roles[:1] == ["baseline"] if run.baseline is not None else "baseline" not in roles
    assert run.baseline is None or names[0] == run.baseline
    may_be_empty = run.status in UNFINISHED  # nothing is computed yet
    assert run.errors or may_be_empty or not run.summary.is_empty(), "a broken run says why"
    severities = [problem.severity for problem in run.problems]
    assert severities == sorted(severities, key=lambda severity: severity is not Severity.ERROR)


def test_the_order_of_problems_is_errors_first(tmp_path: Path) -> None:
    put_legacy(tmp_path / "run", {"checkpoint_1": 1.0})
    put(tmp_path / "run" / "checkpoint_2_metrics.json", "{")
    assert [problem.severity for problem in load_one(tmp_path / "run").problems] == [Severity.ERROR, Severity.WARNING]


def test_a_reference_with_a_problem_is_a_broken_run() -> None:
    problem = Problem(Severity.ERROR, "x", "no permission to read it")
    run = load_run(RunRef(Path("/x"), "x", RunKind.LEGACY, problem=problem))
    assert (run.status, run.problems, run.name) == ("broken", (problem,), "x")


def test_all_runs_are_read_and_a_broken_one_takes_none_with_it(tmp_path: Path) -> None:
    put_legacy(tmp_path / "run_10", {"baseline": 1.0})
    put_legacy(tmp_path / "run_2", {"baseline": 1.0})
    put(tmp_path / "run_3" / "baseline_metrics.json", "{")
    assert [(run.name, run.status) for run in load_runs([tmp_path])] == [
        ("run_2", "ok"),
        ("run_3", "broken"),
        ("run_10", "ok"),
    ]


def test_no_runs_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no runs at or below .*; name another folder"):
        found_runs([tmp_path])


def test_runs_are_found_by_name_or_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = put_legacy(tmp_path / "a" / "soft", {"baseline": 1.0})
    other = put_legacy(tmp_path / "b" / "soft", {"baseline": 1.0})
    hard = put_legacy(tmp_path / "hard", {"baseline": 1.0})
    monkeypatch.chdir(tmp_path)
    assert find_run([tmp_path], "hard").path == hard
    assert find_run([tmp_path], "b/soft").path == other
    assert find_run([tmp_path], str(one)).path == one
    with pytest.raises(UsageError, match="2 runs are called 'soft'; give the path"):
        find_run([tmp_path], "soft")
    with pytest.raises(UnknownNameError, match=r"unknown run 'hart'; did you mean hard\?"):
        find_run([tmp_path], "hart")


def test_samples_and_gaps_of_a_running_evaluation_are_no_warnings(tmp_path: Path) -> None:
    write_metadata(tmp_path, metadata("baseline", "late", status="running"))
    run = load_one(tmp_path)
    assert (run.status, run.problems) == ("running", ())
    write_table(
        tmp_path,
        "summary.parquet",
        summary(
            ("baseline", KEY, 1.0, *[None] * 4, 10),
            ("early", KEY, 1.0, *[None] * 4, 5),
            ("early", "m", 1.0, *[None] * 5),
        ),
    )
    run = load_one(tmp_path)
    assert run.status == "running"
    assert run.problems == ()
    assert run.checkpoints["problem"].is_null().all()


def test_unused_statistics_are_ignored(tmp_path: Path) -> None:
    put(tmp_path / "baseline_metrics.json", json.dumps({KEY: stats(1.0) | {"p95": "x"}}))
    assert load_one(tmp_path).problems == ()


def test_checkpoints_without_results_are_told(tmp_path: Path) -> None:
    put_legacy(tmp_path / "run", {"baseline": 1.0})
    put(tmp_path / "run" / "checkpoint_1_metrics.json", "{}")
    run = load_one(tmp_path / "run")
    assert run.checkpoints["problem"].to_list() == [None, "no results"]
    assert messages(run) == "run: no results for checkpoint_1"
