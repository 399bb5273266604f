"""``lorascope compare``."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from support.commands import Command
from support.judged import write_judged_run
from support.legacy import HOSTILE_NAMES, rising_run, write_csv, write_hostile, write_run

from tui.format import plain_text

RUN_KEYS = [
    *("run", "path", "protocol", "provenance", "checkpoints", "baseline", "checkpoint"),
    *("basis", "score", "metrics"),
]
SCORE_KEYS = [
    *("baseline", "value", "delta", "delta_pct", "verdict"),
    *("ci95", "joint95", "kind", "loses", "scale"),
]
METRIC_KEYS = [
    *("key", "label", "unit", "direction", "baseline", "value", "delta", "delta_pct"),
    *("verdict", "ci95", "joint95", "kind", "loses", "scale", "n", "limit"),
]

# A report on these runs, written by hand: metric, baseline, value, change in percent; as printed there.
REPORT = {
    "checkpoint_34": [
        ("depth.building.abs_rel", "1.7214", "0.6107", "-64.5"),
        ("depth.building.delta1", "0.4030", "0.4375", "8.6"),
        ("depth.building.rmse", "16.50", "11.02", "-33.2"),
        ("normals.building.angular_mean", "83.76", "82.67", "-1.3"),
        ("normals.building.inlier_30", "0.122", "0.158", "28.8"),
        ("planarity.building.inlier_ratio", "0.141", "0.200", "42.5"),
        ("photometric.building.inlier_ratio", "0.650", "0.498", "-23.3"),
        ("pose.ate_trans", "3603", "3556", "-1.3"),
    ],
    "checkpoint_37": [
        ("depth.building.abs_rel", "2.044", "0.789", "-61.4"),
        ("depth.building.delta1", "0.382", "0.386", "0.9"),
        ("depth.building.rmse", "18.13", "11.74", "-35.2"),
        ("normals.building.angular_mean", "83.73", "81.19", "-3.0"),
        # The report prints 0.118 and 46.2; its own source gives 0.11851 and 46.146.
        ("normals.building.inlier_30", "0.119", "0.173", "46.1"),
        ("planarity.building.inlier_ratio", "0.149", "0.229", "53.7"),
        # The report prints 0.655; its own source gives 0.65447.
        ("photometric.building.inlier_ratio", "0.654", "0.486", "-25.8"),
        ("pose.ate_trans", "3629", "3639", "0.3"),
    ],
}


def printed(number: float, like: str) -> str:
    """A number with as many decimals as ``like`` has."""
    return f"{number:.{len(like.partition('.')[2])}f}"


def cells(*blocks: str) -> list[str]:
    """The words of a table's row, block by block."""
    return [word for block in blocks for word in ("│", *block.split())]


def test_the_document_has_the_keys_of_the_design(lorascope: Command, real: Path) -> None:
    document = lorascope("compare", real, "--format", "json").json
    assert list(document) == ["runs", "comparable", "costs_comparable", "reasons", "notes", "anyway"]
    for run in document["runs"]:
        assert list(run) == RUN_KEYS
        assert list(run["score"]) == SCORE_KEYS
        assert all(list(metric) == METRIC_KEYS for metric in run["metrics"])
    assert document["comparable"] is False
    assert any("different samples" in note for note in document["notes"])
    first = document["runs"][0]
    assert (first["protocol"], first["provenance"], first["checkpoints"]) == ("compat", "imported", 50)
    assert (first["baseline"], first["path"]) == ("baseline", str(real / "lora_kitti360_strategy_b"))
    delta1 = next(metric for metric in first["metrics"] if metric["key"] == "depth.building.delta1")
    assert (delta1["label"], delta1["unit"], delta1["direction"]) == ("δ<1.25", "", "higher")
    # A change of 8.6 % that 50 looks do not tell from chance: by itself the interval leaves out 0, of all at once not.
    assert (delta1["verdict"], delta1["kind"], delta1["n"]) == ("tied", "unpaired", 3294)
    assert delta1["ci95"][0] > delta1["joint95"][0] and delta1["joint95"][0] < 0 < delta1["joint95"][1]
    assert first["score"]["verdict"] == "better"
    assert document["runs"][1]["score"]["verdict"] == "tied"
    ate = next(metric for metric in first["metrics"] if metric["key"] == "pose.ate_trans")
    assert (ate["verdict"], ate["ci95"], ate["kind"]) == (None, None, None)
    assert first["basis"].startswith("unpaired") and "50 checkpoints" in first["basis"]


def test_the_figures_of_the_report(lorascope: Command, real: Path) -> None:
    runs = lorascope("compare", real, "--format", "json").json["runs"]
    scores = [(run["checkpoint"], f"{run['score']['value']:.4f}", f"{run['score']['delta_pct']:+.1f}") for run in runs]
    assert scores == [("checkpoint_34", "0.3455", "+30.9"), ("checkpoint_37", "0.2999", "+15.8")]
    for run in runs:
        metrics = {metric["key"]: metric for metric in run["metrics"]}
        for key, baseline, value, change in REPORT[run["checkpoint"]]:
            found = metrics[key]
            assert printed(found["baseline"], baseline) == baseline, key
            assert printed(found["value"], value) == value, key
            assert printed(found["delta_pct"], change) == change, key
            assert found["delta"] == pytest.approx(found["value"] - found["baseline"])


def test_the_table_at_80_columns(lorascope: Command, real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = lorascope("compare", real)
    warning, runs, checkpoints, head, _, score, group, abs_rel, *_ = done.lines
    assert warning == "⚠ different samples: read changes, not values"
    assert runs.split() == ["│", "strategy_b", "│", "strategy_b_soft"]
    assert checkpoints.split() == ["│", "checkpoint_34", "│", "checkpoint_37"]
    assert head.split() == ["metric", *["│", "baseline", "now", "Δ%"] * 2]
    assert score.split() == ["score", "↑", *cells("0.2640 0.3455 +30.9 ▲", "0.2589 0.2999 +15.8 ≈")]
    assert group == "depth · building"
    assert abs_rel.split() == ["AbsRel", "↓", *cells("1.7214 0.6107 -64.5 ▲", "2.0440 0.7886 -61.4 ▲")]
    assert max(map(len, done.lines)) <= 80
    assert "note: different samples" in done.err


def test_blocks_that_do_not_fit_stand_below(lorascope: Command, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = lorascope("compare", results, "--metrics", "delta1").lines
    titles = [line.split("│")[1].strip() for line in lines if line.split("│")[0].isspace()]
    assert titles == ["alpha", "checkpoint_4", "beta", "checkpoint_2"]
    assert max(map(len, lines)) <= 60


def blocks(done_json: dict[str, list[dict[str, object]]]) -> list[tuple[object, object]]:
    """Run and checkpoint of every block."""
    return [(run["run"], run["checkpoint"]) for run in done_json["runs"]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["alpha:checkpoint_4", "beta:checkpoint_2"]),
        (["-c", "checkpoint_1"], ["alpha:checkpoint_1", "beta:checkpoint_1"]),
        (
            ["-c", "checkpoint_1", "-c", "best"],
            ["alpha:checkpoint_1", "alpha:checkpoint_4", "beta:checkpoint_1", "beta:checkpoint_2"],
        ),
        (["-c", "beta=checkpoint_0"], ["alpha:checkpoint_4", "beta:checkpoint_0"]),
        (["-c", "best", "-c", "beta=checkpoint_0"], ["alpha:checkpoint_4", "beta:checkpoint_2", "beta:checkpoint_0"]),
        (["-c", "alpha=best", "-c", "beta=checkpoint_0"], ["alpha:checkpoint_4", "beta:checkpoint_0"]),
        (["--where", "fps < 1.08"], ["alpha:checkpoint_4", "beta:checkpoint_2"]),
        (["--where", "step < 2"], ["alpha:checkpoint_1", "beta:checkpoint_1"]),
        (["--objective", "photometric"], ["alpha:checkpoint_0", "beta:checkpoint_5"]),
    ],
)
def test_which_checkpoints_are_shown(
    lorascope: Command, results: Path, options: list[str], expected: list[str]
) -> None:
    document = lorascope("compare", results, *options, "--format", "json").json
    assert [f"{run}:{checkpoint}" for run, checkpoint in blocks(document)] == expected


def test_a_checkpoint_that_only_one_run_has(lorascope: Command, results: Path) -> None:
    write_run(results / "long", rising_run(9, best=8))
    document = lorascope("compare", results, "-c", "checkpoint_7", "--format", "json").json
    assert ("long", "checkpoint_7") in blocks(document)
    assert sum("is left out" in note and "checkpoint_7" in note for note in document["notes"]) == 2


def test_a_name_with_an_equals_sign_is_a_name(lorascope: Command, tmp_path: Path) -> None:
    values = list(rising_run(2).values())
    write_csv(tmp_path / "run", dict(zip(["baseline", "lora=8", "lora=16"], values, strict=True)))
    assert blocks(lorascope("compare", tmp_path, "-c", "lora=8", "--format", "json").json) == [("run", "lora=8")]


def test_metrics_by_glob_and_only_different(lorascope: Command, results: Path) -> None:
    def keys(*options: str) -> list[str]:
        run = lorascope("compare", results, *options, "--format", "json").json["runs"][0]
        assert run["score"] is not None  # the headline stays
        return [metric["key"] for metric in run["metrics"]]

    assert keys("--metrics", "pose.*") == ["pose.ate_trans", "pose.rpe_trans"]
    assert keys("-m", "pose.ate*", "-m", "fps") == ["pose.ate_trans", "performance.fps"]
    # ATE goes from 3600 to 3590: less than one percent.
    assert "pose.ate_trans" not in keys("--different")
    assert "pose.rpe_trans" in keys("--different")


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("percent", "0.9000 0.5000 -44.4 ±9.6 ▲"),
        ("delta", "0.9000 0.5000 -0.4000 ±0.0867 ▲"),
        ("absolute", "0.9000 0.5000 ▲"),
    ],
)
def test_views(lorascope: Command, results: Path, view: str, shown: str) -> None:
    lines = lorascope("compare", results / "alpha", "-m", "depth.building.abs_rel", "--view", view).lines
    row = next(line for line in lines if "AbsRel" in line)
    assert row.split("│")[1].split() == shown.split()


def test_another_baseline(lorascope: Command, results: Path) -> None:
    run = lorascope("compare", results / "alpha", "--baseline", "checkpoint_0", "--format", "json").json["runs"][0]
    first = rising_run(best=4)["checkpoint_0"]
    assert run["baseline"] == "checkpoint_0"
    assert {metric["key"]: metric["baseline"] for metric in run["metrics"]} == pytest.approx(first)


def test_without_a_baseline_there_are_values_and_no_changes(lorascope: Command, tmp_path: Path) -> None:
    values = rising_run(3, best=1)
    del values["baseline"]
    write_run(tmp_path / "run", values)
    document = lorascope("compare", tmp_path, "--format", "json").json
    run = document["runs"][0]
    assert run["baseline"] is None
    assert {metric["delta"] for metric in run["metrics"]} == {None}
    assert any("no baseline" in note for note in document["notes"])
    assert lorascope("compare", tmp_path).code == 0


def test_csv_and_parquet_hold_every_figure(lorascope: Command, results: Path, tmp_path: Path) -> None:
    document = lorascope("compare", results, "--format", "json").json
    rows = list(csv.DictReader(io.StringIO(lorascope("compare", results, "--format", "csv").out)))
    assert len(rows) == sum(1 + len(run["metrics"]) for run in document["runs"])
    by_key = {(row["run"], row["metric"]): row for row in rows}
    for run in document["runs"]:
        for metric in run["metrics"]:
            row = by_key[run["run"], metric["key"]]
            assert float(row["value"]) == metric["value"]
            assert float(row["delta_pct"]) == metric["delta_pct"]
            assert row["checkpoint"] == run["checkpoint"]
    assert lorascope("compare", results, "--to", tmp_path / "t.parquet").code == 0
    frame = pl.read_parquet(tmp_path / "t.parquet")
    assert frame.height == len(rows)
    assert frame.columns == list(rows[0])


def test_markdown_reads_like_a_report(lorascope: Command, real: Path) -> None:
    lines = lorascope("compare", real, "-m", "abs_rel", "--format", "markdown").lines
    assert "lora_kitti360_strategy_b · checkpoint_34" in lines[0]
    row = next(line for line in lines if line.startswith("| AbsRel · building"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["AbsRel · building", "↓", "1.7214 → 0.6107 (-64.5 % ▲)", "2.0440 → 0.7886 (-61.4 % ▲)"]


@pytest.mark.parametrize("fmt", ["table", "csv", "json", "markdown", "latex"])
def test_hostile_names_are_data(lorascope: Command, tmp_path: Path, fmt: str) -> None:
    write_hostile(tmp_path)
    options = [word for name in HOSTILE_NAMES for word in ("-c", name)]
    done = lorascope("compare", tmp_path, *options, "--format", fmt)
    assert done.code == 0, done.err
    assert not set(done.out + done.err) & {"\x1b", "\u202e"}
    assert "宽字符_9" in done.out or fmt == "latex"


def test_plain_is_ascii(lorascope: Command, results: Path) -> None:
    done = lorascope("compare", results, "--plain")
    assert done.out.isascii()
    score = next(line for line in done.lines if line.startswith("score"))
    assert score.split("|")[1].split() == ["0.2685", "0.3750", "+39.7", "+-17.4", plain_text("▲")]


def test_comparability_does_not_count_a_run_twice(lorascope: Command, results: Path) -> None:
    options = ["-c", "checkpoint_1", "-c", "checkpoint_2"]
    document = lorascope("compare", results / "alpha", *options, "--format", "json").json
    assert len(document["runs"]) == 2
    assert document["comparable"] is True
    assert len(document["notes"]) == len(set(document["notes"]))


def test_mistakes(lorascope: Command, results: Path) -> None:
    lorascope("compare", results, "-c", "checkpoint_99").failed(2, "checkpoint_99", "did you mean")
    lorascope("compare", results, "-c", "gamma=checkpoint_1").failed(2, "unknown run 'gamma'", "alpha")
    lorascope("compare", results, "-c", "alpha=checkpoint_9").failed(2, "checkpoint_9", "did you mean")
    lorascope("compare", results, "--metrics", "nonsense").failed(
        2, "nonsense", "--metrics", "known are for example score"
    )
    lorascope("compare", results, "--objective", "abs_rell").failed(2, "abs_rell", "did you mean abs_rel")
    lorascope("compare", results, "--where", "detla1 > 0").failed(2, "detla1", "did you mean delta1", "column 1")
    lorascope("compare", results, "--where", "delta1 > 9").failed(2, "no checkpoint meets", "loosen")
    lorascope("compare", results, "--baseline", "nobody").failed(2, "nobody", "--baseline")
    lorascope("compare", results, "--view", "pie").failed(2, "'pie'", "percent")


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A run whose ``checkpoint_1`` is better as a whole and loses a drive and a region."""
    return write_judged_run(tmp_path / "judged")


def test_lost_parts_are_named_below_the_table(lorascope: Command, judged: Path) -> None:
    done = lorascope("compare", judged, "-c", "checkpoint_1", "-m", "abs_rel")
    row = next(line for line in done.lines if line.startswith("  AbsRel"))
    assert row.split()[-1] == "▲!"
    at = done.lines.index("! better as a whole, but worse in a part:")
    assert done.lines[at + 1].split(":")[0] == "  judged · checkpoint_1  score"
    drive, region = done.lines[at + 2].removeprefix("  judged · checkpoint_1  AbsRel · building: ").split(", ")
    assert drive.startswith("drive 0005 (+17.") and region.startswith("region full (+2")
    clean = lorascope("compare", judged, "-c", "checkpoint_2", "-m", "abs_rel")
    assert not any("worse in a part" in line for line in clean.lines)


def test_every_metric_in_every_part(lorascope: Command, judged: Path, tmp_path: Path) -> None:
    arguments = ("compare", judged, "-c", "checkpoint_1", "-m", "depth.building.abs_rel", "--by", "drive")
    lines = lorascope(*arguments).lines
    at = lines.index("AbsRel · building ↓")
    assert [line.split()[:2] for line in lines[at + 2 : at + 5]] == [["drive", f"000{number}"] for number in (3, 4, 5)]
    assert [line.split()[-1] for line in lines[at + 1 : at + 5]] == ["▲", "▲", "▲", "▼!"]
    assert "! worse here, although better as a whole" in lines
    document = lorascope(*arguments, "--format", "json").json["runs"][0]
    assert [part["verdict"] for part in document["metrics"][0]["slices"]] == ["better", "better", "worse"]
    assert [part["windows"] for part in document["slices"]] == [8, 8, 8]
    lorascope(*arguments, "--to", tmp_path / "parts.csv")
    with (tmp_path / "parts.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["metric"], row["by"], row["loses"]) for row in rows][-1] == ("depth.building.abs_rel", "drive", "true")
    report = lorascope(*arguments, "--format", "markdown").out
    assert "| drive 0005 |" in report and "▼) !" in report


def test_a_kind_of_parts_that_is_not_there(lorascope: Command, judged: Path, results: Path) -> None:
    wrong = lorascope("compare", judged, "--by", "strata")
    assert (wrong.code, "did you mean stratum?" in wrong.err) == (2, True)
    summaries = lorascope("compare", results, "--by", "drive")
    assert (summaries.code, "no run has per-frame rows" in summaries.err) == (1, True)


def test_values_that_may_not_be_compared_wait_for_an_override(lorascope: Command, results: Path) -> None:
    guarded = lorascope("compare", results, "-m", "delta1", "--view", "absolute")
    assert guarded.lines[0] == "⚠ different samples: changes are shown, not values (for those: --anyway)"
    assert any("Δ%" in line for line in guarded.lines)
    anyway = lorascope("compare", results, "-m", "delta1", "--view", "absolute", "--anyway")
    assert anyway.lines[0] == "⚠ compared anyway, though not comparable: different samples"
    assert not any("Δ%" in line for line in anyway.lines)
    document = lorascope("compare", results, "--anyway", "--format", "json").json
    assert (document["comparable"], document["anyway"], document["reasons"]) == (False, True, ["different samples"])
    # A table that is pasted somewhere takes the warning along.
    head = lorascope("compare", results, "--format", "markdown").lines[0]
    assert head.startswith("| metric (different samples: read changes, not values)")
    rows = csv.DictReader(io.StringIO(lorascope("compare", results, "--format", "csv").out))
    assert {row["comparable"] for row in rows} == {"false"}
    alone = lorascope("compare", results / "alpha", "--view", "absolute")
    assert alone.lines[0].split() == ["│", "alpha"]
