"""The second objective: what to take among checkpoints that are tied."""

from __future__ import annotations

import polars as pl
from analysis_frames import CATALOGUE, run

from engine.analysis.ranking import Ranking, rank
from engine.analysis.second import LATENCY, recommendation

D1, AR = "depth.building.delta1", "depth.building.abs_rel"


def ranking(values: dict[str, dict[str, float | None]], tied: set[str]) -> tuple[Ranking, str]:
    analysis = run(values, baseline=None)
    found = rank(analysis, objective=D1, catalogue=CATALOGUE)
    group = pl.col("checkpoint").is_in(list(tied))
    found = Ranking(
        found.objective, None, None, found.total, found.kept, found.rows.with_columns(tied_with_best=group), ()
    )
    return found, recommendation(found, analysis, {})


def test_the_cheapest_where_latencies_differ() -> None:
    values = {"c_0": {D1: 0.5, LATENCY: 0.9}, "c_1": {D1: 0.49, LATENCY: 0.8}, "c_2": {D1: 0.1, LATENCY: 0.1}}
    assert ranking(values, {"c_0", "c_1"})[1] == "2 of 3 tied; take c_1, the cheapest (0.8 s)"


def test_the_steadiest_where_they_cost_the_same_or_it_is_not_known() -> None:
    # Spreads are a tenth of the means.
    same = {"c_0": {D1: 0.5, LATENCY: 0.9}, "c_1": {D1: 0.4, LATENCY: 0.899}}
    assert ranking(same, {"c_0", "c_1"})[1] == "2 of 2 tied; take c_1, the steadiest (std 0.04)"
    partly = {"c_0": {D1: 0.5, LATENCY: 0.9}, "c_1": {D1: 0.4}}
    assert ranking(partly, {"c_0", "c_1"})[1] == "2 of 2 tied; take c_1, the steadiest (std 0.04)"


def test_nothing_is_said_of_a_clear_winner() -> None:
    assert ranking({"c_0": {D1: 0.5}, "c_1": {D1: 0.4}}, {"c_0"})[1] == ""


def test_the_spread_of_a_score_is_that_of_its_metrics() -> None:
    weights = {D1: 0.7, AR: 0.3}
    values = {"c_0": {D1: 0.5, AR: 1.0}, "c_1": {D1: 0.6, AR: 0.5}}
    analysis = run(values, baseline=None, weights=weights)
    found = rank(analysis, objective="score", catalogue=CATALOGUE)
    found = Ranking("score", None, None, 2, 2, found.rows.with_columns(tied_with_best=pl.lit(True)), ())
    # 0.7 x 0.05 + 0.3 x 0.1 against 0.7 x 0.06 + 0.3 x 0.05
    assert recommendation(found, analysis, weights) == "2 of 2 tied; take c_1, the steadiest (std 0.057)"
