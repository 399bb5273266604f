"""The second objective: what to take among checkpoints that are tied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
from analysis_frames import CATALOGUE, run

from engine.analysis.ranking import Ranking, rank
from engine.analysis.second import LATENCY, recommendation

D1, AR = "depth.building.delta1", "depth.building.abs_rel"
BEST = "the best by value: neither cost nor spread tells them apart"
EVALUATED = "timed within the evaluation, beyond the scatter of latencies"


def advice(
    values: Mapping[str, Mapping[str, float | None]],
    tied: set[str],
    timings: Mapping[str, Sequence[float]] | None = None,
    frames: int = 8000,
) -> str:
    counts = {name: dict.fromkeys(metrics, frames) for name, metrics in values.items()}
    analysis = run(values, baseline=None, counts=counts)
    found = rank(analysis, objective=D1, catalogue=CATALOGUE)
    group = pl.col("checkpoint").is_in(list(tied))
    found = Ranking(
        found.objective, None, None, found.total, found.kept, found.rows.with_columns(tied_with_best=group), ()
    )
    return recommendation(found, analysis, {}, timings)


def passes(middle: float, noise: float = 0.01) -> list[float]:
    """Nine passes about a median; the sign test's interval goes from the second to the eighth."""
    return [middle * (1.0 + noise * step) for step in range(-4, 5)]


def test_the_cheapest_where_medians_differ_beyond_their_intervals() -> None:
    values = {"c_0": {D1: 0.5}, "c_1": {D1: 0.49}, "c_2": {D1: 0.1}}
    timings = {"c_0": passes(0.9), "c_1": passes(0.8), "c_2": passes(0.1)}
    # 0.9 x 0.97 = 0.873 is above 0.8 x 1.03 = 0.824.
    assert advice(values, {"c_0", "c_1"}, timings) == "2 of 3 tied; take c_1, the cheapest (0.8 s, timed alone)"
    # With three times the noise 0.9 x 0.91 = 0.819 is below 0.8 x 1.09 = 0.872; spreads of 0.05 and 0.049 are one, too.
    noisy = {"c_0": passes(0.9, 0.03), "c_1": passes(0.8, 0.03)}
    assert advice(values, {"c_0", "c_1"}, noisy) == f"2 of 3 tied; take c_0, {BEST}"


def test_less_than_two_per_cent_is_no_difference_however_still_the_clock() -> None:
    values = {"c_0": {D1: 0.4}, "c_1": {D1: 0.5}}
    still = {"c_0": passes(0.900, 0.0001), "c_1": passes(0.915, 0.0001)}
    assert advice(values, {"c_0", "c_1"}, still).endswith("take c_0, the steadiest (std 0.04)")


def test_the_steadiest_of_several_that_are_equally_cheap() -> None:
    values = {"c_0": {D1: 0.5}, "c_1": {D1: 0.45}, "c_2": {D1: 0.4}}
    timings = {"c_0": passes(0.8), "c_1": passes(0.81), "c_2": passes(1.2)}
    assert advice(values, {"c_0", "c_1", "c_2"}, timings) == (
        "3 of 3 tied; take c_1, the steadiest (std 0.045) of the 2 cheapest (0.8 s, timed alone)"
    )


def test_imported_latencies_must_differ_by_more_than_they_scatter() -> None:
    others = (0.90, 0.91, 0.92, 0.93, 0.94)
    values = {f"c_{number}": {D1: 0.1, LATENCY: value} for number, value in enumerate(others)}
    # Median 0.92, median absolute deviation 0.01: 3 x sqrt(2) x 1.4826 x 0.01 = 0.063.
    near = {**values, "c_8": {D1: 0.5, LATENCY: 0.92}, "c_9": {D1: 0.49, LATENCY: 0.87}}
    assert advice(near, {"c_8", "c_9"}).endswith(f"take c_8, {BEST}")
    far = {**values, "c_8": {D1: 0.49, LATENCY: 0.92}, "c_9": {D1: 0.5, LATENCY: 0.75}}
    assert advice(far, {"c_8", "c_9"}) == f"2 of 7 tied; take c_9, the cheapest (0.75 s, {EVALUATED})"


def test_a_few_imported_latencies_tell_nothing_of_their_scatter() -> None:
    values = {"c_0": {D1: 0.5, LATENCY: 0.9}, "c_1": {D1: 0.4, LATENCY: 0.1}}
    assert advice(values, {"c_0", "c_1"}) == "2 of 2 tied; take c_1, the steadiest (std 0.04)"
    partly = {"c_0": {D1: 0.5, LATENCY: 0.9}, "c_1": {D1: 0.4}}
    assert advice(partly, {"c_0", "c_1"}, {"c_0": passes(0.9)}) == "2 of 2 tied; take c_1, the steadiest (std 0.04)"


def test_steadier_only_beyond_chance() -> None:
    # 0.05 and 0.045 of 1,000 windows each: errors 0.05 / sqrt(1998) and 0.045 / sqrt(1998), together 0.0015; 1.96 of
    # them are 0.0029, less than the difference of 0.005. Of 250 windows they are 0.0059, more than it.
    values = {"c_0": {D1: 0.5}, "c_1": {D1: 0.45}}
    assert advice(values, {"c_0", "c_1"}, frames=8000).endswith("take c_1, the steadiest (std 0.045)")
    assert advice(values, {"c_0", "c_1"}, frames=2000).endswith(f"take c_0, {BEST}")
    # Nothing is known of the error of a spread that is over one window.
    assert advice(values, {"c_0", "c_1"}, frames=8).endswith(f"take c_0, {BEST}")


def test_the_steadiest_of_many_has_more_to_prove() -> None:
    # 2.94 errors apart: enough for one look (1.96), not for the steadiest of 30 (3.14).
    values = {"c_0": {D1: 0.5}, "c_1": {D1: 0.4555}}
    assert advice(values, {"c_0", "c_1"}, frames=8 * 1001).endswith("take c_1, the steadiest (std 0.0456)")
    many = {**values, **{f"c_{number}": {D1: 0.47} for number in range(2, 31)}}
    assert advice(many, set(many), frames=8 * 1001).endswith(f"take c_0, {BEST}")


def test_the_best_of_several_that_are_equally_cheap() -> None:
    values = {"c_0": {D1: 0.5}, "c_1": {D1: 0.49}, "c_2": {D1: 0.48}}
    timings = {"c_0": passes(1.2), "c_1": passes(0.8), "c_2": passes(0.81)}
    assert advice(values, {"c_0", "c_1", "c_2"}, timings) == (
        "3 of 3 tied; take c_1, the best by value of the 2 cheapest (0.8 s, timed alone)"
    )


def test_nothing_is_said_of_a_clear_winner() -> None:
    assert advice({"c_0": {D1: 0.5}, "c_1": {D1: 0.4}}, {"c_0"}) == ""


def test_the_spread_of_a_score_is_that_of_its_metrics() -> None:
    weights = {D1: 0.7, AR: 0.3}
    values = {"c_0": {D1: 0.5, AR: 1.0}, "c_1": {D1: 0.6, AR: 0.5}}
    analysis = run(values, baseline=None, weights=weights, counts={name: {D1: 8000, AR: 8000} for name in values})
    found = rank(analysis, objective="score", catalogue=CATALOGUE)
    found = Ranking("score", None, None, 2, 2, found.rows.with_columns(tied_with_best=pl.lit(True)), ())
    # 0.7 x 0.05 + 0.3 x 0.1 against 0.7 x 0.06 + 0.3 x 0.05
    assert recommendation(found, analysis, weights) == "2 of 2 tied; take c_1, the steadiest (std 0.057)"
