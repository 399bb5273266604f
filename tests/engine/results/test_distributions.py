"""Distributions of metrics over frames: against an independent computation, and in bounded pieces."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from support.store import frame_row, frames

from engine.results import distributions as module
from engine.results.distributions import DISTRIBUTIONS, distribution, distributions

WHOLE = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
ODD = st.sampled_from([None, math.nan, math.inf, -math.inf])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "checkpoint": st.sampled_from(["a", "b", None]),
            "region": st.sampled_from(["building", "full", "", None]),
            "align": st.sampled_from(["median", "none", None]),
            "window": st.one_of(st.none(), st.integers(0, 2)),
            "drive": st.sampled_from(["d", "e"]),
            "pixels": st.one_of(st.none(), st.integers(0, 9)),
            "depth.mae": st.one_of(WHOLE, ODD),
            "photometric.error": st.one_of(WHOLE, ODD),
            "pose.ate_trans": st.one_of(WHOLE, ODD),
        }
    ),
    max_size=25,
)


def table(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Rows of the store."""
    return frames([frame_row("x") | row for row in rows])


def written(folder: Path, rows: pl.DataFrame, shards: int = 1) -> list[Path]:
    """Those rows as they stand, in some files."""
    each = -(-rows.height // shards) or 1
    files = []
    for number, start in enumerate(range(0, max(rows.height, 1), each)):
        files.append(folder / f"{number}.parquet")
        rows.slice(start, each).write_parquet(files[-1], row_group_size=3)
    return files


def expected(rows: Sequence[dict[str, Any]], alignment: str) -> dict[tuple[str, str], tuple[list[float], int]]:
    """(checkpoint, key) -> finite values, and how many were not finite; in plain Python."""
    found: dict[tuple[str, str], tuple[list[float], int]] = {}

    def add(checkpoint: str, key: str, value: float | None) -> None:
        values, wrong = found.setdefault((checkpoint, key), ([], 0))
        if value is not None and math.isfinite(value):
            values.append(float(value))
        elif value is not None:
            found[checkpoint, key] = values, wrong + 1

    poses: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if row["checkpoint"] is None or row["region"] is None:
            continue
        if row["region"] == "":
            poses.setdefault((row["checkpoint"], row["drive"], row["window"]), []).append(row)
        elif row["align"] == alignment:
            for key in ("depth.mae", "photometric.error"):
                group, _, name = key.partition(".")
                add(row["checkpoint"], f"{group}.{row['region']}.{name}", row[key])
            add(row["checkpoint"], f"depth.{row['region']}.pixels", row["pixels"])
    for candidates in poses.values():
        # The run's own alignment first, then others, then none; of equals the first.
        best = min(candidates, key=lambda row: 0 if row["align"] == alignment else 1 if row["align"] else 2)
        add(best["checkpoint"], "pose.ate_trans", best["pose.ate_trans"])
    return found


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, shards=st.integers(1, 3), column_bytes=st.sampled_from([1, 64, 2**20]))
def test_any_rows_give_what_plain_python_computes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], shards: int, column_bytes: int
) -> None:
    files = written(tmp_path_factory.mktemp("rows"), table(rows), shards)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "COLUMN_BYTES", column_bytes)
        found, present = distributions(files, "median")
    assert found.schema == DISTRIBUTIONS
    assert not found.select("checkpoint", "metric").is_duplicated().any()
    wanted = expected(rows, "median")
    of_frames = [row for row in rows if row["checkpoint"] and row["region"]]
    assert present == tuple(sorted({row["align"] for row in of_frames if row["align"]}))
    got = {(checkpoint, metric): rest for checkpoint, metric, *rest in found.rows()}
    for key, (values, wrong) in wanted.items():
        *known, count, found_wrong = got.pop(key)
        assert (count, found_wrong) == (len(values), wrong)
        if not values:
            assert known == [None] * 5
            continue
        exact = [Fraction(value) for value in values]
        mean = sum(exact) / len(exact)
        std = math.sqrt(sum((value - mean) ** 2 for value in exact) / len(exact))
        reference = [float(mean), std, statistics.median(values), min(values), max(values)]
        assert known == pytest.approx(reference, rel=1e-12, abs=1e-9)
    # The metrics that no row measured.
    assert all(rest[-2:] == [0, 0] for rest in got.values())


@pytest.mark.parametrize(
    "values",
    [
        [1.7e308, 1.7e308, -1.7e308],
        [1.7e308, 1.6e308],
        [-1.7e308, 1.7e308],
        [1e200, -1e200, 3e200],
        [1e-200, 2e-200, 4e-200],
        [5e-324, 0.0],
        [0.1] * 7,
        [0.0],
        [-3.0, 4.0, 0.0, 1.0],
    ],
)
def test_extreme_values_have_finite_statistics(values: list[float]) -> None:
    found = distribution(np.array(values))
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    assert found.mean == pytest.approx(float(mean), rel=1e-12, abs=1e-323)
    # math.sqrt of a quotient of whole numbers, which have no bounds.
    variance = sum((value - mean) ** 2 for value in exact) / len(exact)
    std = Fraction(math.isqrt(variance.numerator * variance.denominator * 4**1200), variance.denominator * 2**1200)
    assert found.std == pytest.approx(float(std), rel=1e-12, abs=1e-323)
    ordered = sorted(exact)
    median = (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2
    assert found.median == pytest.approx(float(median), rel=1e-12, abs=1e-323)
    assert (found.least, found.largest) == (min(values), max(values))


def test_equal_values_have_no_spread_and_their_own_mean() -> None:
    assert distribution(np.full(12_345, 0.1)) == (0.1, 0.0, 0.1, 0.1, 0.1)


@settings(deadline=None)
@given(columns=st.integers(0, 40), height=st.integers(1, 10**8))
def test_columns_held_at_once_fit_or_are_one(columns: int, height: int) -> None:
    names = [str(number) for number in range(columns)]
    batches = list(module._batches(names, height))
    assert [name for batch in batches for name in batch] == names
    assert all(len(batch) == 1 or 8 * height * len(batch) <= module.COLUMN_BYTES for batch in batches)


def test_pieces_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    rows = [
        frame_row("a", number, depth__mae=value, normals__inlier_30=1 - value, region=("building", "full")[number % 2])
        for number, value in enumerate(rng.uniform(size=400))
    ]
    files = written(tmp_path, frames(rows), 3)
    whole, _ = distributions(files, "median")
    monkeypatch.setattr(module, "COLUMN_BYTES", 1)
    assert_frame_equal(distributions(files, "median")[0], whole)


def test_files_that_change_between_two_looks_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = written(tmp_path, frames([frame_row("a", number, depth__mae=1.0) for number in range(5)]))
    parts = module._parts

    def replaced(rows: pl.LazyFrame) -> Any:
        found = parts(rows)
        written(tmp_path, frames([frame_row("a", number, depth__mae=1.0) for number in range(7)]))
        return found

    monkeypatch.setattr(module, "_parts", replaced)
    with pytest.raises(OSError, match="changed while it was read"):
        distributions(files, "median")
