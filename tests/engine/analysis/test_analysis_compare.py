"""Several runs side by side, the choice of metrics, and the documents that programs read."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from analysis_frames import CATALOGUE, run, weighed

from engine.analysis.comparability import Facts
from engine.analysis.compare import Entry, Verdict, compare, differing, match_metrics, to_document
from engine.analysis.documents import RunRow, rank_document, run_row, runs_document
from engine.analysis.known_limits import LIMITS
from engine.analysis.overview import RunAnalysis
from engine.analysis.ranking import rank
from engine.errors import UnknownNameError, UsageError

D1, AR, NORMALS = "depth.building.delta1", "depth.building.abs_rel", "normals.building.inlier_30"
PLANE, PHOTO, FPS = "planarity.building.inlier_ratio", "photometric.building.inlier_ratio", "performance.fps"
BASE = {D1: 0.4, AR: 2.0, NORMALS: 0.1, PLANE: 0.2, PHOTO: 0.6}
BETTER = {**BASE, D1: 0.5, AR: 0.5}
UNJUDGED = {"verdict": None, "ci95": None, "joint95": None, "kind": None, "loses": [], "scale": None}
JUDGED_RANK: dict[str, object] = dict.fromkeys(("verdict", "ci95", "joint95", "kind"))


def entry(name: str, analysis: RunAnalysis, checkpoint: str | None = None) -> Entry:
    facts = Facts(run=name, protocol="compat", baseline={AR: analysis.value("baseline", AR) or 0.0})
    return Entry(name, f"runs/{name}", "compat", "imported", analysis, facts, checkpoint)


def two_runs() -> list[Entry]:
    one = run({"baseline": BASE, "c_0": BASE, "c_1": {**BETTER, FPS: 1.1}})
    two = run({"baseline": {**BASE, AR: 2.5}, "c_0": {D1: 0.45, AR: 2.0, PHOTO: 0.5}})
    return [entry("one", one), entry("two", two, "c_0")]


def test_the_document_of_compare() -> None:
    document = to_document(compare(two_runs(), catalogue=CATALOGUE, metrics="delta1, fps"))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    one, two = document["runs"]
    assert list(document) == ["runs", "comparable", "costs_comparable", "reasons", "notes"]
    assert one == {
        "run": "one",
        "path": "runs/one",
        "protocol": "compat",
        "provenance": "imported",
        "checkpoints": 2,
        "baseline": "baseline",
        "checkpoint": "c_1",
        "basis": None,
        # 0.12 + 0 + 0.02 + 0.03 + 0.09 and 0.15 + 0.1 + 0.02 + 0.03 + 0.09
        "score": {
            "baseline": pytest.approx(0.26),
            "value": pytest.approx(0.39),
            "delta": pytest.approx(0.13),
            "delta_pct": pytest.approx(50.0),
            **UNJUDGED,
        },
        "metrics": [
            {
                "key": D1,
                "label": "δ<1.25",
                "unit": "",
                "direction": "higher",
                "baseline": 0.4,
                "value": 0.5,
                "delta": pytest.approx(0.1),
                "delta_pct": pytest.approx(25.0),
                **UNJUDGED,
                "n": 10,
                "limit": {"limit": "distorted", "reason": LIMITS["depth.delta1"].reason},
            },
            {
                "key": FPS,
                "label": "FPS",
                "unit": "1/s",
                "direction": "higher",
                "baseline": None,
                "value": 1.1,
                "delta": None,
                "delta_pct": None,
                **UNJUDGED,
                "n": 10,
                "limit": {"limit": "distorted", "reason": LIMITS["performance.fps"].reason},
            },
        ],
    }
    assert two["score"] == {"baseline": pytest.approx(0.26), "value": None, "delta": None, "delta_pct": None} | UNJUDGED
    assert [metric["key"] for metric in two["metrics"]] == [D1, FPS]
    assert document["comparable"] is False
    assert any(note.startswith("different samples") for note in document["notes"])


def test_a_run_without_score_and_without_baseline() -> None:
    entries = [entry("one", run({"c_0": {D1: 0.4}, "c_1": {D1: 0.5}}, baseline=None))]
    comparison = compare(entries, catalogue=CATALOGUE)
    document = to_document(comparison)
    assert document["runs"][0]["score"] is None
    assert (document["runs"][0]["baseline"], document["runs"][0]["checkpoint"]) == (None, None)
    assert any("no score, the run lacks" in note for note in comparison.notes)
    assert any("no checkpoint has a value of score" in note for note in comparison.notes)
    assert any("no baseline" in note for note in comparison.notes)
    assert comparison.columns[0].cells[D1].value is None
    assert compare(entries, catalogue=CATALOGUE, objective="delta1").columns[0].checkpoint == "c_1"


def test_rows_are_the_union_in_catalogue_order_with_the_score_on_top() -> None:
    comparison = compare(two_runs(), catalogue=CATALOGUE)
    assert comparison.keys == ("score", AR, D1, NORMALS, PLANE, PHOTO, FPS)
    assert compare(two_runs(), catalogue=CATALOGUE, metrics=[FPS, AR]).keys == (AR, FPS)
    assert compare(two_runs(), catalogue=CATALOGUE, metrics="fps").keys == ("score", FPS)
    assert comparison.objective == "score"
    assert comparison.headline == "different samples: read changes, not values"
    assert comparison.columns[1].cells[NORMALS].value is None


def test_verdicts_come_from_the_evidence() -> None:
    # Spreads are a tenth of the means, over 800 frames: 100 windows. AbsRel halves, delta1 moves by a hundredth.
    counts = {name: dict.fromkeys(BASE, 800) for name in ("baseline", "c_0")}
    analysis = run({"baseline": BASE, "c_0": {**BASE, AR: 1.0, D1: 0.401, FPS: 1.0}}, counts=counts)
    judged = replace(entry("one", analysis), evidence=weighed(analysis))
    column = compare([judged, replace(judged, checkpoint="c_0")], catalogue=CATALOGUE).columns[1]
    verdicts = {key: cell.verdict for key, cell in column.cells.items()}
    assert (verdicts[AR], verdicts[D1], verdicts[PHOTO], verdicts[FPS]) == (Verdict.BETTER, "tied", "tied", None)
    assert {cell.kind for key, cell in column.cells.items() if key != FPS} == {"unpaired"}
    assert column.cells[FPS].kind is None
    low, high = column.cells[AR].joint95 or (0.0, 0.0)
    assert low < -1.0 < high < 0.0
    assert column.basis and "corrected for looking at 1 checkpoint" in column.basis


def test_what_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="no run to compare"):
        compare([], catalogue=CATALOGUE)
    with pytest.raises(UnknownNameError, match="unknown metric 'nothing' in --metrics"):
        compare(two_runs(), catalogue=CATALOGUE, metrics="nothing")
    with pytest.raises(UnknownNameError, match=r"did you mean performance\.fps"):
        compare(two_runs(), catalogue=CATALOGUE, metrics=["performance.fp"])
    with pytest.raises(UnknownNameError, match="unknown metric 'nonsense' in --objective"):
        compare(two_runs(), catalogue=CATALOGUE, objective="nonsense")
    with pytest.raises(UnknownNameError, match="unknown metric 'ate' in --objective"):
        compare(two_runs()[:1], catalogue=CATALOGUE, objective="ate")
    missing = [entry("one", run({"baseline": BASE}), "c_7")]
    with pytest.raises(UnknownNameError, match="unknown checkpoint 'c_7' in one"):
        compare(missing, catalogue=CATALOGUE)


def test_only_what_differs() -> None:
    one = run(
        {
            "baseline": {**BASE, FPS: 2.0, "pose.rpe_trans": 0.0},
            "c_0": {**BASE, AR: 1.99, D1: 0.5, FPS: 2.0, "pose.rpe_trans": 0.1},
        }
    )
    assert differing(compare([entry("one", one, "c_0")], catalogue=CATALOGUE)) == ("score", D1, "pose.rpe_trans")
    assert AR in differing(compare([entry("one", one, "c_0")], catalogue=CATALOGUE), tolerance_pct=0.4)
    # Alike against their own baselines, but not alike; and one measured by one run only.
    two = run({"baseline": {**BASE, AR: 3.0}, "c_0": {**BASE, AR: 3.0}})
    three = run({"baseline": BASE, "c_0": {key: value for key, value in BASE.items() if key != PHOTO}})
    same = compare(
        [entry("two", two, "c_0"), entry("three", three, "c_0")], catalogue=CATALOGUE, metrics=[AR, D1, PHOTO]
    )
    assert differing(same) == (AR, PHOTO)


KEYS = [
    AR,
    D1,
    "depth.building.delta2",
    "depth.full.abs_rel",
    "depth.non_building.abs_rel",
    "depth.full.rmse",
    NORMALS,
    "pose.ate_trans",
    "pose.rpe_trans",
    "performance.vram_mb",
    FPS,
    "own[1]",
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", KEYS),
        (" , ", KEYS),
        ("building", [AR, D1, "depth.building.delta2", NORMALS]),
        ("non_building", ["depth.non_building.abs_rel"]),
        ("build", [AR, D1, "depth.building.delta2", "depth.non_building.abs_rel", NORMALS]),
        ("depth.*.abs_rel", [AR, "depth.full.abs_rel", "depth.non_building.abs_rel"]),
        ("DEPTH.Full.*", ["depth.full.abs_rel", "depth.full.rmse"]),
        ("AbsRel", [AR, "depth.full.abs_rel", "depth.non_building.abs_rel"]),
        ("absrel · full", ["depth.full.abs_rel"]),
        ("RMSE m · full", ["depth.full.rmse"]),
        ("δ<1.25", [D1]),
        ("δ<", [D1, "depth.building.delta2"]),
        ("ate", ["pose.ate_trans"]),
        ("vram_gb", ["performance.vram_mb"]),
        ("fps, pose", ["pose.ate_trans", "pose.rpe_trans", FPS]),
        ("building, !delta2, !normals", [AR, D1]),
        ("!depth.*, !pose", [NORMALS, "performance.vram_mb", FPS, "own[1]"]),
        ("pose, !pose, fps", [FPS]),
        ("own[[]1]", ["own[1]"]),
        ("own", ["own[1]"]),
        ("nothing", []),
        ("!", KEYS),
        ("[", []),
    ],
)
def test_choosing_metrics(pattern: str, expected: list[str]) -> None:
    assert match_metrics(pattern, KEYS, CATALOGUE) == expected


def test_the_document_of_rank() -> None:
    analysis = run({"baseline": {D1: 0.4}, "c_0": {D1: 0.5}, "c_1": {AR: 1.0}})
    ranking = rank(analysis, objective="delta1", catalogue=CATALOGUE, where="step < 9")
    document = rank_document(ranking, "one")
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document == {
        "run": "one",
        "objective": D1,
        "where": "step < 9",
        "basis": None,
        "rows": [
            {
                "rank": 1,
                "checkpoint": "c_0",
                "step": 0,
                "value": 0.5,
                "delta": pytest.approx(0.1),
                "delta_pct": pytest.approx(25.0),
                **JUDGED_RANK,
                "tied_with_best": True,
                "loses": [],
            },
            {
                "rank": None,
                "checkpoint": "c_1",
                "step": None,
                "value": None,
                "delta": None,
                "delta_pct": None,
                **JUDGED_RANK,
                "tied_with_best": None,
                "loses": None,
            },
        ],
    }
    assert len(rank_document(rank(analysis, objective="delta1", catalogue=CATALOGUE, top=3), "one")["rows"]) == 1


def test_the_document_of_runs() -> None:
    analysis = run({"baseline": BASE, "c_0": BASE, "c_1": BETTER})
    row = run_row(
        analysis,
        run="one",
        path="runs/one",
        protocol="compat",
        provenance="imported",
        status="ok",
        problems=["x.json: cut off"],
        catalogue=CATALOGUE,
    )
    broken = RunRow("two", "runs/two", None, None, None, None, None, "broken", ("x.json: empty",))
    document = runs_document([row, broken])
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document == {
        "runs": [
            {
                "run": "one",
                "path": "runs/one",
                "checkpoints": 2,
                "protocol": "compat",
                "provenance": "imported",
                "best": "c_1",
                "score": pytest.approx(0.39),
                "status": "ok",
                "problems": ["x.json: cut off"],
            },
            {
                "run": "two",
                "path": "runs/two",
                "checkpoints": None,
                "protocol": None,
                "provenance": None,
                "best": None,
                "score": None,
                "status": "broken",
                "problems": ["x.json: empty"],
            },
        ]
    }


def test_costs_that_may_not_be_compared_are_said_apart() -> None:
    values = {"baseline": BASE, "c_0": BETTER | {FPS: 1.0}}
    entries = [entry(name, run(values), "c_0") for name in ("one", "two")]
    devices = ("H100", "A100")
    facts = [replace(own.facts, device=device, has_costs=True) for own, device in zip(entries, devices, strict=True)]
    found = compare([replace(own, facts=fact) for own, fact in zip(entries, facts, strict=True)], catalogue=CATALOGUE)
    assert found.comparable
    assert found.cost_note == "speed and memory are not comparable between the runs: different device"
    assert to_document(found)["costs_comparable"] is False
    assert to_document(compare(entries, catalogue=CATALOGUE))["costs_comparable"] is True
