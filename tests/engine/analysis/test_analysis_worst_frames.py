"""Frames beside one another, in order, and their means by slices."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.store import windows

from engine.analysis.worst_frames import PAIRS, SLICE_MEANS, FrameOrder, pair_frames, rank_frames, slice_means
from engine.catalogue import Catalogue
from engine.errors import UsageError
from engine.schema import WINDOWS, empty

CATALOGUE = Catalogue()
ERROR = CATALOGUE.get("depth.building.abs_rel")
SHARE = CATALOGUE.get("depth.building.delta1")
FREE = CATALOGUE.get("depth.building.pixels")
SAMPLE = windows((0, "x", [1, 2], "rich"), (1, "x", [3], "road"), (0, "y", [1], "rich"))
SCHEMA = {"checkpoint": pl.String, "drive": pl.String, "window": pl.Int64, "frame": pl.Int64, "value": pl.Float64}


def values(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


def two() -> pl.DataFrame:
    """``a`` beside ``b``: it gains 0.1, loses 0.3, is equal; one frame each that the other lacks."""
    return values(
        ("a", "x", 0, 1, 0.2),
        ("a", "x", 0, 2, 0.6),
        ("a", "y", 0, 1, 0.5),
        ("a", "x", 1, 3, 0.4),
        ("b", "x", 0, 1, 0.3),
        ("b", "x", 0, 2, 0.3),
        ("b", "y", 0, 1, 0.5),
        ("b", "y", 0, 7, 0.9),
    )


def test_pairs_by_hand() -> None:
    pairs = pair_frames(two(), "a", "b", SAMPLE, ERROR)
    assert pairs.schema == PAIRS
    assert pairs.select("drive", "window", "frame", "stratum", "value", "against", "change").rows() == [
        ("x", 0, 1, "rich", 0.2, 0.3, "better"),
        ("x", 0, 2, "rich", 0.6, 0.3, "worse"),
        ("x", 1, 3, "road", 0.4, None, None),
        ("y", 0, 1, "rich", 0.5, 0.5, "equal"),
        ("y", 0, 7, "rich", None, 0.9, None),
    ]
    assert pairs["difference"].to_list() == [pytest.approx(-0.1), pytest.approx(0.3), None, 0.0, None]


def test_a_direction_turns_the_change() -> None:
    assert pair_frames(two(), "a", "b", SAMPLE, SHARE)["change"].to_list()[:2] == ["worse", "better"]
    assert pair_frames(two(), "a", "b", SAMPLE, FREE)["change"].to_list() == [None] * 5


def test_nothing_beside_it_and_no_windows() -> None:
    pairs = pair_frames(two(), "a", None, empty(WINDOWS), ERROR)
    assert pairs["against"].to_list() == [None] * 4
    assert pairs["stratum"].to_list() == [None] * 4


def test_windows_without_frames_are_paired_too() -> None:
    rows = values(("a", "x", 0, None, 1.0), ("b", "x", 0, None, 3.0), ("a", "x", 1, None, 2.0))
    pairs = pair_frames(rows, "a", "b", SAMPLE, CATALOGUE.get("pose.ate_trans"))
    assert pairs.select("window", "frame", "value", "against").rows() == [(0, None, 1.0, 3.0), (1, None, 2.0, None)]


def order(kind: FrameOrder, metric: object = ERROR, **more: Any) -> list[tuple[Any, ...]]:
    pairs = pair_frames(two(), "a", "b", SAMPLE, metric)  # type: ignore[arg-type]
    ranked = rank_frames(pairs, kind, metric, **more)  # type: ignore[arg-type]
    return ranked.select("rank", "drive", "frame").rows()


def test_orders_by_hand() -> None:
    assert order(FrameOrder.WORST) == [(1, "x", 2), (2, "y", 1), (3, "x", 3), (4, "x", 1)]
    assert order(FrameOrder.WORST, SHARE) == [(1, "x", 1), (2, "x", 3), (3, "y", 1), (4, "x", 2)]
    assert order(FrameOrder.LOST) == [(1, "x", 2), (2, "y", 1), (3, "x", 1)]
    assert order(FrameOrder.LOST, SHARE) == [(1, "x", 1), (2, "y", 1), (3, "x", 2)]
    assert order(FrameOrder.DIFFERENCE) == [(1, "x", 2), (2, "x", 1), (3, "y", 1)]
    assert order(FrameOrder.WORST, top=1) == [(1, "x", 2)]
    # Without a direction the greatest comes first, and nothing is lost.
    assert order(FrameOrder.WORST, FREE)[0] == (1, "x", 2)
    with pytest.raises(UsageError, match="no direction"):
        order(FrameOrder.LOST, FREE)


def test_slices_by_hand() -> None:
    means = slice_means(pair_frames(two(), "a", "b", SAMPLE, ERROR), ERROR)
    assert means.schema == SLICE_MEANS
    assert means.select("by", "slice", "windows", "count").rows() == [
        ("all", "all", 3, 4),
        ("drive", "x", 2, 3),
        ("drive", "y", 1, 1),
        ("stratum", "rich", 2, 3),
        ("stratum", "road", 1, 1),
    ]
    whole, x, y, rich, road = means.rows(named=True)
    assert (whole["value"], whole["against"]) == (pytest.approx(1.7 / 4), pytest.approx(2.0 / 4))
    assert whole["change"] == "better"
    assert whole["delta_pct"] == pytest.approx(-15.0)
    assert (x["value"], x["against"], x["change"]) == (pytest.approx(0.4), pytest.approx(0.3), "worse")
    assert (y["value"], y["against"]) == (0.5, pytest.approx(0.7))
    assert (rich["value"], rich["against"]) == (pytest.approx(1.3 / 3), pytest.approx(0.5))
    assert (road["value"], road["against"], road["change"]) == (0.4, None, None)


def test_a_run_without_strata_has_slices_by_drive_alone() -> None:
    means = slice_means(pair_frames(two(), "a", "b", empty(WINDOWS), ERROR), ERROR)
    assert set(means["by"]) == {"all", "drive"}


rows = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 2), st.integers(0, 3), st.floats(-5, 5)),
    unique_by=lambda row: row[:4],
    max_size=40,
)


@given(rows, st.sampled_from([ERROR, SHARE]), st.sampled_from(list(FrameOrder)))
def test_laws(found: list[tuple[Any, ...]], metric: Any, kind: FrameOrder) -> None:
    pairs = pair_frames(values(*found), "a", "b", SAMPLE, metric)
    assert pairs.height == len({row[1:4] for row in found})
    assert pairs.select("drive", "window", "frame").is_unique().all()
    ranked = rank_frames(pairs, kind, metric)
    assert ranked["rank"].to_list() == list(range(1, ranked.height + 1))
    deciding = ranked["value" if kind is FrameOrder.WORST else "difference"].to_list()
    sign = metric.direction.sign
    shown = [abs(v) if kind is FrameOrder.DIFFERENCE else -sign * v for v in deciding]
    assert shown == sorted(shown, reverse=True)
    assert rank_frames(pairs, kind, metric, top=3).equals(ranked.head(3))
    # The slices of one kind share all frames among them.
    means = slice_means(pairs, metric)
    assert means.filter(by="drive")["count"].sum() == pairs["value"].count()
