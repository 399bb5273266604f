"""The depth metrics under every alignment."""

from __future__ import annotations

import pytest
from support.native import ALIGNS, CHECKPOINTS, FRAMES_PER_WINDOW, WINDOWS, abs_rel, frame_rows, frames_of

from engine.analysis.ablation import ABLATION, ablation, alignment_means
from engine.catalogue import Catalogue

CATALOGUE = Catalogue()


def mean_error(checkpoint: str) -> float:
    errors = [abs_rel(checkpoint, window, frame) for window in range(WINDOWS) for frame in frames_of(window)]
    return sum(errors) / len(errors)


def test_by_formula() -> None:
    means = alignment_means(frame_rows().lazy(), "building").collect()
    assert set(means["checkpoint"]) == set(CHECKPOINTS)
    table = ablation(means, "checkpoint_1", "baseline", "building", ALIGNS, CATALOGUE)
    assert table.schema == ABLATION
    # Metrics that were not measured (mae, si_log) have no rows.
    assert table["metric"].unique(maintain_order=True).to_list() == [
        "depth.building.abs_rel",
        "depth.building.delta1",
        "depth.building.rmse",
    ]
    errors = table.filter(metric="depth.building.abs_rel")
    assert errors["align"].to_list() == list(ALIGNS)
    for index, row in enumerate(errors.rows(named=True)):
        assert row["value"] == pytest.approx(mean_error("checkpoint_1") + 0.1 * index)
        assert row["against"] == pytest.approx(mean_error("baseline") + 0.1 * index)
        assert row["delta_pct"] == pytest.approx(-5.0 / row["against"])
        assert row["change"] == "better"
        assert row["frames"] == WINDOWS * FRAMES_PER_WINDOW
    assert errors["failed"].to_list() == [0, 0, 0, FRAMES_PER_WINDOW]
    assert set(table.filter(metric="depth.building.delta1")["change"]) == {"better"}


def test_an_alignment_of_another_name_follows_and_nobody_beside_it_is_null() -> None:
    rows = frame_rows(["checkpoint_1"]).lazy()
    table = ablation(alignment_means(rows, "full").collect(), "checkpoint_1", None, "full", ("median",), CATALOGUE)
    assert table.filter(metric="depth.full.abs_rel")["align"].to_list() == ["median", "none", "scale", "scale_shift"]
    assert table["against"].null_count() == table["change"].null_count() == table.height


def test_nothing_measured_is_an_empty_table() -> None:
    means = alignment_means(frame_rows().lazy(), "road").collect()
    assert ablation(means, "checkpoint_1", "baseline", "road", ALIGNS, CATALOGUE).schema == ABLATION
    assert ablation(means, "checkpoint_1", "baseline", "road", ALIGNS, CATALOGUE).is_empty()


def test_only_the_columns_that_count_are_read() -> None:
    plan = alignment_means(frame_rows().lazy(), "building").explain()
    # 3 columns to group and filter by, 5 metrics, and whether the fit failed.
    assert "9/40 COLUMNS" in plan.replace("PROJECT ", "")
