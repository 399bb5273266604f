"""Every part of a sample, wins that hide a loss, and how comparison and ranking say so."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from analysis_frames import CATALOGUE, WEIGHTS
from support.judged import DRIVES, write_judged_run
from support.results import load_one

from engine.analysis.comparability import Facts
from engine.analysis.compare import Comparison, Entry, compare, to_document
from engine.analysis.documents import rank_document
from engine.analysis.evidence import Evidence
from engine.analysis.losses import losses, winning
from engine.analysis.overview import RunAnalysis, analyse
from engine.analysis.ranking import rank
from engine.analysis.sliced import sliced, sliced_document
from engine.analysis.slices import SLICES
from engine.analysis.weighing import weigh
from engine.errors import NoFramesError, UnknownNameError
from engine.results.native import read_windows
from engine.results.sums import window_sums

AR, FULL, NORMALS = "depth.building.abs_rel", "depth.full.abs_rel", "normals.building.inlier_30"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunAnalysis, Evidence]:
    run = load_one(write_judged_run(tmp_path_factory.mktemp("runs") / "judged"))
    analysis = analyse(run.summary, run.checkpoints, baseline=run.baseline, catalogue=CATALOGUE, weights=WEIGHTS)
    evidence = weigh(
        analysis, run.summary, window_sums(run), catalogue=CATALOGUE, weights=WEIGHTS, windows=read_windows(run)
    )
    return analysis, evidence


def compared(judged: tuple[RunAnalysis, Evidence], *names: str) -> tuple[list[Entry], Comparison]:
    analysis, evidence = judged
    entries = [Entry("r", "r", "v1", "synthetic", analysis, Facts(run="r"), name, evidence) for name in names]
    return entries, compare(entries, catalogue=CATALOGUE, metrics=[AR, FULL, NORMALS])


def test_all_kinds_of_parts_are_asked(judged: tuple[RunAnalysis, Evidence]) -> None:
    rows = judged[1].slices([AR])
    assert rows.schema == SLICES
    parts = rows.select("by", "slice").unique(maintain_order=True).rows()
    assert parts == [
        *(("drive", drive) for drive in DRIVES),
        *(("stratum", "rich"), ("stratum", "road")),
        *(("region", "building"), ("region", "full")),
    ]
    assert not judged[1].knows_parts([AR])
    judged[1].scale([AR])
    assert judged[1].knows_parts([AR]) and not judged[1].knows_parts([AR, NORMALS])
    # Oracle and chance are in the sample and no looks.
    assert set(rows["checkpoint"]) == {"checkpoint_1", "checkpoint_2", "checkpoint_3"}
    assert rows.filter(by="drive")["looks"].unique().to_list() == [9]


def test_a_win_that_hides_losses_names_them(judged: tuple[RunAnalysis, Evidence]) -> None:
    rows = judged[1].slices([AR, NORMALS])
    found = losses(rows, "checkpoint_1")
    assert list(found) == [AR]
    drive, region = found[AR]
    assert (drive.by, drive.slice, drive.metric) == ("drive", DRIVES[2], AR)
    assert (region.by, region.slice, region.metric) == ("region", "full", FULL)
    assert drive.delta == pytest.approx(0.05, abs=0.002)
    assert region.delta == pytest.approx(0.06, abs=0.002)
    assert drive.joint95 is not None and 0 < drive.joint95[0] < drive.delta < drive.joint95[1]
    assert losses(rows, "checkpoint_2") == losses(rows, "checkpoint_3") == {}


def test_only_where_something_is_won_is_a_loss_looked_for(judged: tuple[RunAnalysis, Evidence]) -> None:
    assert winning(judged[1].differences([AR, NORMALS, FULL])) == [AR, FULL]
    assert judged[1].lost([NORMALS]).is_empty()
    assert set(judged[1].lost([AR, NORMALS])["of"]) == {AR}


def test_comparison_and_documents_carry_them(judged: tuple[RunAnalysis, Evidence]) -> None:
    _, comparison = compared(judged, "checkpoint_1", "checkpoint_2")
    one, two = comparison.columns
    assert [loss.by for loss in one.cells[AR].loses] == ["drive", "region"]
    assert two.cells[AR].loses == one.cells[FULL].loses == ()
    metrics = {metric["key"]: metric for metric in to_document(comparison)["runs"][0]["metrics"]}
    assert [(loss["by"], loss["slice"]) for loss in metrics[AR]["loses"]] == [("drive", DRIVES[2]), ("region", "full")]
    assert metrics[AR]["loses"][0]["delta_pct"] == pytest.approx(17, abs=1)
    assert metrics[FULL]["loses"] == []


def test_a_ranking_carries_them_where_it_is_asked_or_they_are_known(judged: tuple[RunAnalysis, Evidence]) -> None:
    analysis, evidence = judged
    ranking = rank(analysis, objective=AR, catalogue=CATALOGUE, evidence=evidence, parts=True)
    assert list(ranking.loses) == ["checkpoint_1"]
    first, second, *_ = rank_document(ranking, "r")["rows"]
    assert [loss["by"] for loss in first["loses"]] == ["drive", "region"]
    assert second["loses"] == []
    key = "depth.building.delta1"
    fresh = rank(analysis, objective=key, catalogue=CATALOGUE, evidence=evidence)
    assert fresh.loses == {}
    evidence.lost([key])
    evidence.scale([key])
    assert list(rank(analysis, objective=key, catalogue=CATALOGUE, evidence=evidence).loses) == ["checkpoint_1"]


def test_a_comparison_part_by_part(judged: tuple[RunAnalysis, Evidence]) -> None:
    entries, comparison = compared(judged, "checkpoint_1", "checkpoint_2")
    parts = sliced(comparison, entries, "drive")
    assert parts.names == DRIVES
    one, two = parts.columns
    assert [one[AR, drive].cell.verdict for drive in DRIVES] == ["better", "better", "worse"]
    assert [one[AR, drive].loses for drive in DRIVES] == [False, False, True]
    assert [two[AR, drive].cell.verdict for drive in DRIVES] == ["better"] * 3
    last = one[AR, DRIVES[2]]
    assert (last.windows, last.cell.n, last.metric) == (8, 16, AR)
    assert last.cell.value is not None and last.cell.baseline is not None
    assert last.cell.delta == pytest.approx(last.cell.value - last.cell.baseline)
    document = sliced_document(parts)[0][AR]
    assert [entry["slice"] for entry in document] == list(DRIVES)
    assert document[2]["loses"] is True and document[2]["joint95"][0] > 0


def test_regions_of_one_metric_are_told_once(judged: tuple[RunAnalysis, Evidence]) -> None:
    entries, comparison = compared(judged, "checkpoint_1")
    (column,) = sliced(comparison, entries, "region").columns
    assert {of for of, _ in column} == {AR, NORMALS}
    assert column[AR, "full"].metric == FULL


def test_what_cannot_be_parted_is_said(judged: tuple[RunAnalysis, Evidence]) -> None:
    entries, comparison = compared(judged, "checkpoint_1")
    with pytest.raises(UnknownNameError, match="did you mean drive"):
        sliced(comparison, entries, "drives")
    bare = [Entry("r", "r", "v1", "synthetic", judged[0], Facts(run="r"), "checkpoint_1")]
    with pytest.raises(NoFramesError):
        sliced(compare(bare, catalogue=CATALOGUE, metrics=[AR]), bare, "drive")


def test_a_kind_with_a_single_part_is_the_whole(tmp_path: Path, judged: tuple[RunAnalysis, Evidence]) -> None:
    evidence = judged[1]
    assert evidence.statistics is not None
    one = weigh(
        judged[0],
        evidence.summary,
        window_sums(load_one(write_judged_run(tmp_path / "one"))).filter(pl.col("drive").cast(pl.String) == DRIVES[0]),
        catalogue=CATALOGUE,
        weights=WEIGHTS,
    )
    assert set(one.slices([AR])["by"]) == {"region"}


def test_the_scale_by_hand(judged: tuple[RunAnalysis, Evidence]) -> None:
    analysis, _ = judged
    _, comparison = compared(judged, "checkpoint_1")
    (column,) = comparison.columns
    scale = column.cells[AR].scale
    assert scale is not None
    chance, oracle, baseline, value = (
        analysis.value(name, AR) or 0.0 for name in ("chance", "oracle", "baseline", "checkpoint_1")
    )
    assert (scale.chance, scale.oracle) == pytest.approx((chance, oracle))
    assert scale.value == pytest.approx(100 * (value - chance) / (oracle - chance))
    assert scale.baseline == pytest.approx(100 * (baseline - chance) / (oracle - chance))
    assert scale.interval is not None and scale.interval[0] < scale.value < scale.interval[1]
    assert (scale.reading, column.is_uninformative(AR)) == ("informative", False)
    normals = column.cells[NORMALS].scale
    assert normals is not None and abs(normals.value or 99.0) < 2.0
    assert (normals.reading, column.is_uninformative(NORMALS)) == ("near_chance", True)
    metrics = {metric["key"]: metric for metric in to_document(comparison)["runs"][0]["metrics"]}
    assert metrics[AR]["scale"] == {
        "chance": scale.chance,
        "oracle": scale.oracle,
        "baseline_pct": scale.baseline,
        "value_pct": scale.value,
        "ci95_pct": list(scale.interval),
        "reading": "informative",
    }


def test_without_the_parts_nothing_slow_is_asked(judged: tuple[RunAnalysis, Evidence]) -> None:
    analysis, evidence = judged
    fresh = weigh(analysis, evidence.summary, None, catalogue=CATALOGUE, weights=WEIGHTS)
    assert fresh.scale([AR]).is_empty() and fresh.slices([AR]).is_empty()
    entry = Entry("r", "r", "v1", "synthetic", analysis, Facts(run="r"), "checkpoint_1", evidence)
    plane = "planarity.full.inlier_ratio"
    quick = compare([entry], catalogue=CATALOGUE, metrics=[plane], parts=False)
    assert quick.columns[0].cells[plane].scale is None


def test_metrics_of_the_existing_system_are_told_apart_from_those_that_say_something(
    judged: tuple[RunAnalysis, Evidence],
) -> None:
    analysis, _ = judged
    entries = [
        Entry(name, name, protocol, "imported", analysis, Facts(run=name), "checkpoint_1")
        for name, protocol in (("old", "compat"), ("new", "v1"))
    ]
    found = compare(entries, catalogue=CATALOGUE, metrics=[AR, NORMALS])
    old, new = found.columns
    assert [old.is_uninformative(key) for key in (AR, NORMALS)] == [False, True]
    assert [new.is_uninformative(key) for key in (AR, NORMALS)] == [False, False]
    (note,) = [note for note in found.notes if "near chance by construction in compat" in note]
    assert note.startswith(f"{NORMALS}: ")
    metrics = {metric["key"]: metric["limit"] for metric in to_document(found)["runs"][0]["metrics"]}
    assert (metrics[NORMALS]["limit"], metrics[AR]["limit"]) == ("near_chance", "distorted")
