"""Computes windows: every model and pseudo-checkpoint on each, scored against one preparation of the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl
import torch

from engine.dataset.model import PreparedWindow, Window
from engine.errors import DataError, LorascopeError
from engine.evaluation.ahead import ReadyWindow
from engine.evaluation.plan import CHANCE, ORACLE, Plan
from engine.evaluation.predictors import ModelPredictors, chance, first_line
from engine.evaluation.previews import preview_windows, write_preview
from engine.evaluation.transfer import start_fetch
from engine.inference.contract import Prediction
from engine.scoring.oracle import oracle
from engine.scoring.truth import WindowTruth, prepare_truth
from engine.scoring.window import WindowScores, curve_rows, rows, score_window, slice_rows


@dataclass
class ShardResult:
    """What a shard's windows gave.

    Attributes:
        frames: checkpoint -> rows of schema FRAMES.
        slices: checkpoint -> rows of schema FRAME_SLICES.
        curves: rows of schema CURVES of all checkpoints, one set per window; ``None`` without any.
        failed_windows: window id -> why it could not be read.
        failed_checkpoints: name -> why it could not be run.
        left_out: points left out, by reason.
    """

    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    slices: dict[str, pl.DataFrame] = field(default_factory=dict)
    curves: pl.DataFrame | None = None
    failed_windows: dict[int, str] = field(default_factory=dict)
    failed_checkpoints: dict[str, str] = field(default_factory=dict)


class ScoredWindow(NamedTuple):
    """What one checkpoint scored on one window.

    Attributes:
        checkpoint: its name.
        frames: rows of schema FRAMES.
        slices: rows of schema FRAME_SLICES.
        curves: rows of schema CURVES.
    """

    checkpoint: str
    frames: pl.DataFrame
    slices: pl.DataFrame
    curves: pl.DataFrame


class ShardWorker:
    """Computes shards with one set of models.

    Args:
        plan: the run.
        predictors: the base with its adapters.
        device: where predicting and scoring happen.
        chance_depth: metres, of the pseudo-checkpoint ``chance``.
    """

    def __init__(self, plan: Plan, predictors: ModelPredictors, device: torch.device, *, chance_depth: float) -> None:
        self._plan = plan
        self._predictors = predictors
        self._device = device
        self._chance_depth = chance_depth
        self._dropped: set[str] = set()
        self._pictured = preview_windows(plan.windows)

    def drop(self, names: Iterable[str]) -> None:
        """Leave these checkpoints out from now on."""
        self._dropped.update(names)

    def truth(self, prepared: PreparedWindow) -> WindowTruth:
        """What scoring needs of a window, on the device; may be called in another thread."""
        dataset, seed = self._plan.dataset, self._plan.config.seed
        # Where nothing is labelled as building, planes are looked for in everything.
        planes = "building" if "building" in dataset.regions else "full"
        with torch.inference_mode():
            return prepare_truth(
                prepared, dataset.regions, self._device, plane_region=planes, seed=seed, classes=dataset.classes
            )

    def compute(self, windows: Sequence[Window], loads: Iterator[ReadyWindow | str]) -> ShardResult:
        """Compute a shard.

        Args:
            windows: its windows.
            loads: for each the window, or why it could not be read.
        """
        result = ShardResult()
        scored: list[ScoredWindow] = []
        for window, ready in zip(windows, loads, strict=True):
            if isinstance(ready, str):
                result.failed_windows[window.id] = ready
                continue
            names = [name for name in self._predictors.names if name not in self._dropped]
            scored += self.compute_window(ready, names, result)
        for name in dict.fromkeys(one.checkpoint for one in scored):
            own = [one for one in scored if one.checkpoint == name]
            result.frames[name] = pl.concat([one.frames for one in own])
            result.slices[name] = pl.concat([one.slices for one in own])
        result.curves = pl.concat([one.curves for one in scored]) if scored else None
        return result

    def compute_window(
        self, ready: ReadyWindow, names: Sequence[str], result: ShardResult | None = None
    ) -> list[ScoredWindow]:
        """Score every model of ``names``, the oracle and chance on one window.

        Raises:
            DataError: the baseline itself cannot be run.
        """
        config = self._plan.config
        prepared = ready.prepared
        truth = ready.truth or self.truth(prepared)
        images = torch.as_tensor(prepared.images, device=self._device)[None]
        found = []
        # The scores of one checkpoint are fetched when the next one is under way, so that the device need not wait.
        waiting: list[tuple[str, Callable[[], WindowScores]]] = []

        def finish() -> None:
            name, fetch = waiting.pop()
            scores = fetch()
            found.append(ScoredWindow(name, rows(scores, name), slice_rows(scores, name), curve_rows(scores, name)))

        with torch.inference_mode():
            for name, prediction in self._predictions(prepared, truth, images, names, result):
                exact = truth.depth if name == ORACLE and prepared.dense_depth is None else None
                scores = score_window(
                    prediction, truth, align_scope=config.align_scope, align=config.align, at_points=exact
                )
                if waiting:
                    finish()
                waiting.append((name, start_fetch(scores)))
                if prepared.window.id in self._pictured and result is not None:
                    write_preview(config.to, name, prepared, prediction.depth[0].float().cpu().numpy())
            finish()
        return found

    def _predictions(
        self,
        prepared: PreparedWindow,
        truth: WindowTruth,
        images: torch.Tensor,
        names: Sequence[str],
        result: ShardResult | None,
    ) -> Iterator[tuple[str, Prediction]]:
        def failed(name: str, why: str) -> None:
            self._dropped.add(name)
            if result is not None:
                result.failed_checkpoints[name] = why

        try:
            yield from self._predictors.predict(images, names, failed)
        except LorascopeError:
            raise
        except Exception as error:
            raise DataError(
                f"the base model cannot run on window {prepared.window.id}: {first_line(error)}",
                "check --model and its package, --size, and the device's memory",
            ) from error
        yield ORACLE, oracle(prepared, self._device)
        yield CHANCE, chance(prepared, self._chance_depth, self._device)
