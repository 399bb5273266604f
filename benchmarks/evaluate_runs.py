"""Whole evaluations, timed: with sharing, without it, and checkpoint by checkpoint with everything done again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import torch
from torch import Tensor

from benchmarks.evaluate_work import DEVICE, pseudo, score, truth_of, write_scored
from engine.dataset.open import open_dataset
from engine.evaluation import runner, shard_function
from engine.evaluation.chance_depth import chance_depth as chance_depth_of
from engine.evaluation.journal import Event
from engine.evaluation.plan import BASELINE, CHANCE, ORACLE, Plan
from engine.evaluation.predictors import ModelPredictors
from engine.evaluation.previews import preview_windows, write_preview
from engine.evaluation.shard import ScoredWindow
from engine.inference.contract import Prediction
from engine.results import layout
from engine.results.writer import write_table
from engine.scoring.window import merge_curves


@dataclass
class RunTimes:
    """Seconds of one run.

    Attributes:
        total: all of it but for loading the models.
        loading: base and checkpoints.
        predicting: within forward passes, switching included.
        sharing: what the run said of sharing at its end; empty where it said nothing.
    """

    total: float = 0.0
    loading: float = 0.0
    predicting: float = 0.0
    sharing: dict[str, Any] = field(default_factory=dict)


def with_sharing(plan: Plan, on: bool, to: Path) -> Plan:
    """The same plan into another folder, with sharing switched on or off."""
    config = plan.config.model_copy(update={"sharing": on, "to": to})
    return replace(plan, config=config)


def evaluate(plan: Plan) -> RunTimes:
    """What ``lorascope evaluate`` does, in this process."""
    times = RunTimes()

    class Timed(ModelPredictors):
        def __init__(self, *args: Any) -> None:
            begin = time.perf_counter()
            super().__init__(*args)
            times.loading += time.perf_counter() - begin

        def add(self, *args: Any) -> None:
            begin = time.perf_counter()
            super().add(*args)
            times.loading += time.perf_counter() - begin

        def predict(self, *args: Any) -> Iterator[tuple[str, Prediction]]:
            found = super().predict(*args)
            while True:
                begin = time.perf_counter()
                one = next(found, None)
                times.predicting += time.perf_counter() - begin
                if one is None:
                    return
                yield one

    def watch(event: Event) -> None:
        if event.kind == "sharing":
            times.sharing = dict(event.data)

    begin = time.perf_counter()
    with mock.patch.object(shard_function, "ModelPredictors", Timed):
        runner.evaluate(plan.config, plan=plan, watch=watch)
    times.total = time.perf_counter() - begin - times.loading
    return times


def load_predictors(plan: Plan) -> ModelPredictors:
    """The models of a plan."""
    predictors = ModelPredictors(plan.config, DEVICE)
    for source in plan.checkpoints:
        predictors.add(source)
    return predictors


def forward_passes(predictors: ModelPredictors, images: Tensor, names: Sequence[str]) -> float:
    """Seconds of the forward passes of these models on one window, with nothing beside them."""
    begin = time.perf_counter()
    for _ in predictors.predict(images, names, _failed):
        pass
    return time.perf_counter() - begin


def naive(plan: Plan, predictors: ModelPredictors, names: Sequence[str]) -> float:
    """Evaluate one model after the other; each reads the data, prepares the truth and runs the whole model again.

    The baseline's pass scores the pseudo-checkpoints, too, as a single evaluation would.

    Args:
        plan: windows, and the folder that the rows are written to.
        predictors: without sharing; loading them is not part of it.
        names: the models.

    Returns:
        Seconds.
    """
    prepare = shard_function.preparation(plan.config, predictors)
    pictured = preview_windows(plan.windows)
    to = plan.config.to
    begin = time.perf_counter()
    chance_depth = chance_depth_of(open_dataset(plan.config.data), plan.windows, prepare)
    curves: list[pl.DataFrame] = []
    for name in names:
        dataset = open_dataset(plan.config.data)
        for number, shard in enumerate(plan.shards):
            scored: list[ScoredWindow] = []
            for window in shard:
                prepared = dataset.load(window, prepare)
                truth = truth_of(plan, prepared)
                images = torch.as_tensor(prepared.images, device=DEVICE)[None]
                predictions = [*predictors.predict(images, (name,), _failed)]
                if name == BASELINE:
                    predictions += pseudo(prepared, chance_depth)
                for label, prediction in predictions:
                    with torch.inference_mode():
                        scored.append(score(plan, label, prediction, truth))
                    if window.id in pictured:
                        write_preview(to, label, prepared, prediction.depth[0].float().cpu().numpy())
            write_scored(scored, to, number)
            curves += [one.curves for one in scored]
    write_table(to, layout.CURVES, merge_curves(curves))
    return time.perf_counter() - begin


def differences(one: Path, other: Path, names: Sequence[str]) -> tuple[list[str], int]:
    """In what two stores differ; every value of every row and curve must be equal.

    Args:
        one: a run's folder.
        other: another one.
        names: the models whose rows are compared, besides the pseudo-checkpoints.

    Returns:
        The names of the checkpoints and tables that differ, and how many rows were compared.
    """
    found: list[str] = []
    compared = 0
    every = [*names, ORACLE, CHANCE]
    for name in every:
        for table in (layout.FRAMES, layout.SLICES):
            rows, others = (pl.read_parquet(run / table / name / "*.parquet") for run in (one, other))
            compared += rows.height
            if rows.height == 0 or not rows.equals(others, null_equal=True):
                found.append(name if table == layout.FRAMES else f"{table}/{name}")
    curves, others = (
        pl.read_parquet(run / layout.CURVES)
        .filter(pl.col("checkpoint").is_in(every))
        .sort("checkpoint", "curve", "region", "x")
        for run in (one, other)
    )
    compared += curves.height
    if not curves.equals(others, null_equal=True):
        found.append(layout.CURVES)
    return found, compared


def _failed(name: str, why: str) -> None:
    raise RuntimeError(f"{name}: {why}")
