"""Slices: the comparison per drive, stratum and region, and wins that hide a loss."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from window_frames import KEY, Floats, arrays, drives_of, planned, sample_of

from engine.analysis.paired import paired_differences
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.slices import (
    SLICES,
    by_distance,
    by_drive,
    by_region,
    by_stratum,
    part_differences,
    region_differences,
    slice_statistics,
    sliced_differences,
)
from engine.catalogue import Catalogue
from engine.errors import DataError
from engine.schema import WINDOW_SUMS, WINDOWS, SliceKind, empty

CATALOGUE = Catalogue()
DRIVES = drives_of(3, 12)
FULL = "depth.full.delta1"


def windows_table(strata: list[str | None]) -> pl.DataFrame:
    rows = [(number, drive, [], stratum) for number, (drive, stratum) in enumerate(zip(DRIVES, strata, strict=True))]
    return pl.DataFrame(rows, schema=WINDOWS, orient="row")


def values_of(**shifts: Floats) -> dict[str, dict[str, Floats]]:
    random = np.random.default_rng(0)
    base = random.standard_normal(36)
    return {"baseline": {KEY: base}} | {
        name: {KEY: base + shift + 0.05 * random.standard_normal(36)} for name, shift in shifts.items()
    }


def compared(values: dict[str, dict[str, Floats]]) -> tuple[Statistics, pl.DataFrame, list[str]]:
    statistics = planned(sample_of(values, DRIVES))
    names = [name for name in values if name != "baseline"]
    overall = paired_differences(statistics, baseline="baseline", checkpoints=names, catalogue=CATALOGUE)
    return statistics, overall, names


def test_a_win_that_hides_a_loss_is_flagged() -> None:
    mixed = np.repeat([0.5, 0.5, -0.2], 12)
    values = values_of(mixed=mixed, even=np.full(36, 0.3), flat=np.zeros(36))
    statistics, overall, names = compared(values)
    assert overall["verdict"].to_list() == ["better", "better", "tied"]
    rows = sliced_differences(
        statistics,
        overall,
        by_drive(statistics.sample),
        by="drive",
        baseline="baseline",
        checkpoints=names,
        catalogue=CATALOGUE,
    )
    assert rows.schema == SLICES
    assert rows["slice"].to_list() == [drive for drive in ("drive_0", "drive_1", "drive_2") for _ in names]
    assert rows.filter("loses").select("checkpoint", "slice").rows() == [("mixed", "drive_2")]
    assert (rows["windows"] == 12).all()
    assert (rows["looks"] == 9).all()  # three checkpoints in three drives
    for row in rows.iter_rows(named=True):
        place = int(str(row["slice"])[-1])
        inside = slice(12 * place, 12 * place + 12)
        assert row["delta"] == pytest.approx((values[row["checkpoint"]][KEY] - values["baseline"][KEY])[inside].mean())
        assert row["value"] == pytest.approx(values[row["checkpoint"]][KEY][inside].mean())


def test_strata_are_joined_by_drive_and_window() -> None:
    strata: list[str | None] = [("rich", "mixed", None)[place % 3] for place in range(36)]
    loss = np.array([-0.3 if stratum == "rich" else 0.6 for stratum in strata])
    statistics, overall, names = compared(values_of(c=loss))
    table = windows_table(strata).sample(fraction=1.0, shuffle=True, seed=1)
    masks = by_stratum(statistics.sample, table)
    assert list(masks) == ["mixed", "rich"]
    assert masks["rich"].tolist() == [stratum == "rich" for stratum in strata]
    rows = sliced_differences(
        statistics, overall, masks, by="stratum", baseline="baseline", checkpoints=names, catalogue=CATALOGUE
    )
    assert dict(rows.select("slice", "verdict").rows()) == {"mixed": "better", "rich": "worse"}
    assert dict(rows.select("slice", "loses").rows()) == {"mixed": False, "rich": True}
    assert rows["by"].to_list() == ["stratum"] * 2


def test_a_slice_by_drive_is_that_drive_alone() -> None:
    """The interval in a slice is about the one that the drive's own windows give."""
    values = values_of(c=np.full(36, 0.2))
    statistics, overall, names = compared(values)
    rows = sliced_differences(
        statistics,
        overall,
        by_drive(statistics.sample),
        by="drive",
        baseline="baseline",
        checkpoints=names,
        catalogue=CATALOGUE,
    )
    alone = {name: {KEY: metrics[KEY][:12]} for name, metrics in values.items()}
    own = planned(sample_of(alone, DRIVES[:12]))
    (single,) = paired_differences(own, baseline="baseline", checkpoints=names, catalogue=CATALOGUE).to_dicts()
    assert rows["delta"][0] == pytest.approx(single["delta"])
    assert rows["error"][0] == pytest.approx(single["error"], rel=0.5)
    assert (rows["verdict"] == "better").all()


def test_small_slices_say_nothing() -> None:
    strata: list[str | None] = ["road"] * 3 + ["rich"] * 33
    statistics, overall, names = compared(values_of(c=np.full(36, 0.2)))
    rows = sliced_differences(
        statistics,
        overall,
        by_stratum(statistics.sample, windows_table(strata)),
        by="stratum",
        baseline="baseline",
        checkpoints=names,
        catalogue=CATALOGUE,
    )
    road = rows.row(by_predicate=pl.col("slice") == "road", named=True)
    assert (road["verdict"], road["ci95_low"], road["windows"], road["loses"]) == (None, None, 3, False)


def test_regions() -> None:
    values = values_of(c=np.full(36, 0.4))
    random = np.random.default_rng(3)
    for name, metrics in values.items():
        metrics[FULL] = random.standard_normal(1) * 0 + values["baseline"][KEY] - (0.3 if name == "c" else 0.0)
        metrics["depth.wall.delta1"] = metrics[KEY]
        metrics["pose.auc30"] = metrics[KEY]
    statistics, _, names = compared(values)
    overall = paired_differences(
        statistics, baseline="baseline", checkpoints=names, catalogue=CATALOGUE, metrics=[KEY, "pose.auc30"]
    )
    assert by_region(statistics.sample, KEY) == {
        "building": KEY,
        "full": FULL,
        "wall": "depth.wall.delta1",
    }
    assert by_region(statistics.sample, "pose.auc30") == {}
    rows = region_differences(statistics, overall, baseline="baseline", checkpoints=names, catalogue=CATALOGUE)
    assert rows.schema == SLICES
    assert rows.select("of", "slice", "metric", "verdict", "loses").rows() == [
        (KEY, "building", KEY, "better", False),
        (KEY, "full", FULL, "worse", True),
        (KEY, "wall", "depth.wall.delta1", "better", False),
    ]


def test_nothing_to_slice() -> None:
    statistics, overall, names = compared(values_of(c=np.zeros(36)))
    for checkpoints, slices in ((names, {}), ([], by_drive(statistics.sample))):
        rows = sliced_differences(
            statistics,
            overall,
            slices,
            by="drive",
            baseline="baseline",
            checkpoints=checkpoints,
            catalogue=CATALOGUE,
        )
        assert rows.is_empty()
        assert rows.schema == SLICES


def distance(part: str, region: str = "building") -> str:
    return f"depth.{region}/{part}.delta1"


def test_slices_by_distance_are_of_the_own_region_nearest_first() -> None:
    one = np.zeros(36)
    keys = [distance(part) for part in ("40+ m", "0-2 m", "10-20 m", "5-10 m")]
    keys += [distance("2-5 m", "full"), "depth.building/2-5 m.abs_rel", "depth.road.delta1"]
    sample = sample_of({"baseline": dict.fromkeys(keys, one)}, DRIVES)
    assert by_distance(sample, KEY) == {part: distance(part) for part in ("0-2 m", "5-10 m", "10-20 m", "40+ m")}
    assert by_distance(sample, FULL) == {"2-5 m": distance("2-5 m", "full")}
    assert by_distance(sample, "pose.auc30") == by_distance(sample, "depth.wall.delta1") == {}


def test_a_win_that_hides_a_loss_far_away_is_flagged() -> None:
    """In slices that are no parts of windows: in a sample of their own, over the same resamples."""
    values = values_of(c=np.full(36, 0.3), even=np.full(36, 0.3))
    statistics, overall, names = compared(values)
    near, far = distance("2-5 m"), distance("40+ m")
    parts = {
        name: {near: metrics[KEY], far: metrics[KEY] + (-0.6 if name == "c" else 0)} for name, metrics in values.items()
    }
    # The far one is in the windows of two drives alone.
    sums = arrays(parts, DRIVES).filter((pl.col("metric").cast(pl.String) == near) | (pl.col("window") < 24))
    own = slice_statistics(statistics, sums, CATALOGUE)
    assert own is not None
    assert own.blocks is statistics.blocks
    rows = part_differences(
        own, overall, by=SliceKind.DISTANCE, baseline="baseline", checkpoints=names, catalogue=CATALOGUE
    )
    assert rows.schema == SLICES
    assert rows.select("by", "slice", "of", "metric", "checkpoint", "verdict", "loses").rows() == [
        ("distance", "2-5 m", KEY, near, "c", "better", False),
        ("distance", "2-5 m", KEY, near, "even", "better", False),
        ("distance", "40+ m", KEY, far, "c", "worse", True),
        ("distance", "40+ m", KEY, far, "even", "better", False),
    ]
    assert rows["windows"].to_list() == [36, 36, 24, 24]
    assert rows["frames"].to_list() == [36 * 8, 36 * 8, 24 * 8, 24 * 8]
    assert (rows["looks"] == 4).all()
    expected = (values["c"][KEY] - 0.6 - values["baseline"][KEY])[:24].mean()
    assert rows["delta"][2] == pytest.approx(expected)
    # What is in all windows is judged as the whole sample is.
    (whole,) = overall.filter(checkpoint="c").select("delta", "ci95_low", "error").rows()
    assert rows.select("delta", "ci95_low", "error").row(0) == pytest.approx(whole)


def test_classes_stand_beside_whatever_region_is_asked_for() -> None:
    values = values_of(c=np.full(36, 0.4))
    statistics, overall, names = compared(values)
    parts = {
        name: {
            "depth.road.delta1": metrics[KEY],
            "depth.traffic sign.delta1": -metrics[KEY],
            "depth.road.mae": metrics[KEY],
        }
        for name, metrics in values.items()
    }
    own = slice_statistics(statistics, arrays(parts, DRIVES), CATALOGUE)
    assert own is not None
    rows = part_differences(
        own, overall, by=SliceKind.CLASS, baseline="baseline", checkpoints=names, catalogue=CATALOGUE
    )
    assert rows.select("by", "slice", "of", "verdict", "loses").rows() == [
        ("class", "road", KEY, "better", False),
        ("class", "traffic sign", KEY, "worse", True),
    ]


def test_no_slices_and_slices_of_other_windows() -> None:
    statistics, overall, names = compared(values_of(c=np.zeros(36)))
    assert slice_statistics(statistics, empty(WINDOW_SUMS), CATALOGUE) is None
    more = arrays({"baseline": {distance("2-5 m"): np.zeros(39)}}, drives_of(3, 13))
    with pytest.raises(DataError, match="windows that the sample does not hold"):
        slice_statistics(statistics, more, CATALOGUE)
    own = slice_statistics(statistics, arrays({"c": {distance("2-5 m"): np.zeros(36)}}, DRIVES), CATALOGUE)
    assert own is not None
    # Nobody to compare with in these slices.
    rows = part_differences(
        own, overall, by=SliceKind.DISTANCE, baseline="baseline", checkpoints=names, catalogue=CATALOGUE
    )
    assert rows.is_empty()
    assert rows.schema == SLICES
