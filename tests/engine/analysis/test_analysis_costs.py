"""Whether costs may be compared, and what the repetitions say of merging."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.comparability import Facts, comparability
from engine.analysis.costs import MergeEffect, cost_settings, judge_costs, median_interval, merge_effect
from engine.schema import MEASURED_COST, CostInfo

INFO = CostInfo(
    device="GPU A",
    kind="cuda",
    dtype="bf16",
    image_width=518,
    image_height=154,
    frames=8,
    warmup=3,
    repeats=20,
    libraries={"torch": "2.13.0", "peft": "0.21.2"},
)
BEFORE = ("speed and memory are not comparable between the runs: ", "speed and memory may not be comparable")


def changed(**values: object) -> CostInfo:
    return INFO.model_copy(update=values)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"device": "GPU B"}, "device"),
        ({"dtype": "fp32"}, "precision"),
        ({"image_width": 224}, "image size"),
        ({"image_height": 518}, "image height"),
        ({"frames": 4}, "frames in a window"),
        ({"libraries": {"torch": "2.6.0", "peft": "0.21.2"}}, "torch version"),
        ({"libraries": {"torch": "2.13.0", "peft": "0.20.0"}}, "peft version"),
        ({"frames": 4, "device": "GPU B"}, "device, frames in a window"),
    ],
)
def test_each_setting_counts(values: dict[str, object], named: str) -> None:
    for infos in permutations([INFO, INFO, changed(**values)]):
        assert judge_costs([cost_settings(info) for info in infos]) == f"{BEFORE[0]}different {named}"


def test_what_does_not_decide_a_cost() -> None:
    other = changed(warmup=5, repeats=100, images="synthetic", others_mb=400.0, weights_sha256="x")
    assert judge_costs([cost_settings(INFO), cost_settings(other)]) is None
    assert judge_costs([cost_settings(INFO)]) is None
    assert judge_costs([]) is None


def test_threads_count_on_a_cpu() -> None:
    one, two = (cost_settings(changed(kind="cpu", device="CPU", threads=threads)) for threads in (1, 2))
    assert judge_costs([one, two]) == f"{BEFORE[0]}different CPU threads"
    assert judge_costs([one, one]) is None


def test_what_only_one_run_records() -> None:
    note = judge_costs([cost_settings(INFO), cost_settings(changed(frames=None, libraries={"torch": "2.13.0"}))])
    assert note == f"{BEFORE[1]} between the runs: frames in a window, peft version not recorded"


def test_a_cost_measured_apart_goes_before_what_the_evaluation_ran_on() -> None:
    one = Facts(
        "one",
        protocol="v1",
        device="GPU B",
        dtype="fp32",
        torch="2.6.0",
        image_size=518,
        sample_fingerprint="abc",
        has_costs=True,
    )
    apart = [replace(one, run=name, cost=INFO, device=name, torch=name) for name in ("one", "two")]
    assert comparability(apart).costs_comparable
    mixed = comparability([one, replace(one, run="two", cost=changed(device="GPU B", dtype="fp32"))])
    assert not mixed.costs_comparable
    assert mixed.notes[0] == f"{BEFORE[0]}different torch version"
    alike = changed(device="GPU B", dtype="fp32", libraries={"torch": "2.6.0", "peft": "0.21.2"})
    partly = comparability([one, replace(one, run="two", cost=alike)])
    assert partly.notes[0].endswith("image height, frames in a window, peft version not recorded")
    # Runs without costs have nothing to compare.
    assert comparability([replace(one, has_costs=False), replace(one, run="two", cost=INFO)]).notes == ()


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # The classical table of the sign test's intervals, e.g. Conover, Practical Nonparametric Statistics.
    [(6, 1, 6), (8, 1, 8), (9, 2, 8), (10, 2, 9), (12, 3, 10), (15, 4, 12), (20, 6, 15), (25, 8, 18)],
)
def test_intervals_of_a_median(count: int, low: int, high: int) -> None:
    values = [float(number) for number in range(count, 0, -1)]
    assert median_interval(values) == (low, high)


@given(st.integers(0, 60))
def test_an_interval_errs_in_at_most_five_percent(count: int) -> None:
    found = median_interval(map(float, range(count)))
    if found is None:
        assert count < 6
        return
    missed = int(found[0]) + 1  # values below the interval and its lower end
    error = 2 * sum(math.comb(count, k) for k in range(missed)) / 2**count
    tighter = 2 * sum(math.comb(count, k) for k in range(missed + 1)) / 2**count
    assert error <= 0.05 < tighter


def table(**times: tuple[list[float] | None, list[float] | None]) -> pl.DataFrame:
    """Costs of checkpoints with their unmerged and merged timings."""
    rows = [
        {"checkpoint": name, "merged": merged, "times_sec": values}
        for name, both in times.items()
        for merged, values in zip((False, True), both, strict=True)
        if values is not None
    ]
    return pl.DataFrame(rows, schema=MEASURED_COST)


def test_merging_is_judged_against_the_spread_of_the_repetitions() -> None:
    steady = [2.0, 2.01, 1.99, 2.0, 2.02, 1.98]
    faster = [value / 2 for value in steady]
    wild = [0.5, 1.0, 2.0, 2.0, 3.0, 9.0]
    assert merge_effect(table(a=(steady, faster))) == MergeEffect(1, 1, 0, 2.0)
    assert merge_effect(table(a=(faster, steady))) == MergeEffect(1, 0, 1, 0.5)
    assert merge_effect(table(a=(steady, wild), b=(steady, faster), c=(wild, faster))) == MergeEffect(3, 1, 0, 2.0)


def test_what_cannot_be_told_about_merging() -> None:
    few = [1.0] * 5
    assert merge_effect(table(a=(few, few))) is None
    assert merge_effect(table(baseline=([1.0] * 20, None))) is None
    assert merge_effect(table(a=(None, [1.0] * 20))) is None
    assert merge_effect(pl.DataFrame(schema=MEASURED_COST)) is None
    unknown = pl.DataFrame([{"checkpoint": "a", "merged": merged} for merged in (False, True)], schema=MEASURED_COST)
    assert merge_effect(unknown) is None
