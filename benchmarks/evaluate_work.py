"""What no evaluation can do without, each alone: a read, a truth, a trunk per window; a suffix, a scoring per model."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import polars as pl
import torch
from torch import Tensor

from benchmarks.evaluate_model import Target, Trunk, preparation, run_suffix, run_trunk
from engine.dataset.model import Preparation, PreparedWindow
from engine.evaluation.plan import BASELINE, CHANCE, ORACLE, Plan
from engine.evaluation.predictors import chance
from engine.evaluation.previews import preview_windows, write_preview
from engine.evaluation.record import CURVE_SHARDS
from engine.evaluation.shard import ScoredWindow
from engine.inference.contract import Prediction, no_grad_predict
from engine.inference.lora import AdapterBank
from engine.inference.pose_encoding import decode
from engine.inference.tiny import TinyModel, TinyNetwork, build
from engine.results import layout
from engine.results.writer import write_frames, write_slices, write_table
from engine.scoring.oracle import oracle
from engine.scoring.truth import WindowTruth, prepare_truth
from engine.scoring.window import curve_rows, rows, score_window, slice_rows

DEVICE = torch.device("cpu")

READING, TRUTH, TRUNKS, SUFFIXES = "reading", "truth", "trunks", "suffixes"
SCORING, PICTURES, WRITING = "scoring", "pictures", "writing"
# In the order of the table.
WORK = (READING, TRUTH, TRUNKS, SUFFIXES, SCORING, PICTURES, WRITING)


class Clock:
    """Adds up wall-clock seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - begin


@dataclass(frozen=True, eq=False)
class Models:
    """The base with its checkpoints, switched by hand.

    Attributes:
        network: the module of the built-in model.
        bank: the checkpoints on it.
        target: what they change.
    """

    network: TinyNetwork
    bank: AdapterBank
    target: Target

    @classmethod
    def load(cls, plan: Plan, target: Target) -> Models:
        """The models of a plan."""
        model = build(plan.config.base, None)
        bank = AdapterBank(model)
        for source in plan.checkpoints:
            bank.add(source)
        return cls(model.module, bank, target)

    @property
    def names(self) -> tuple[str, ...]:
        """The baseline, then the checkpoints."""
        return (BASELINE, *self.bank.names)

    @property
    def preparation(self) -> Preparation:
        """How images are prepared for them."""
        return preparation(self.network.config)

    def switch(self, name: str) -> None:
        """Be this model."""
        if name == BASELINE:
            self.bank.baseline()
        else:
            self.bank.activate(name)

    def finish(self, images: Tensor, trunk: Trunk) -> Prediction:
        """The prediction of the model that is active, from the trunk's outputs."""
        found = run_suffix(self.network, images, trunk, self.target)
        height, width = images.shape[-2:]
        extrinsics, intrinsics = decode(found["pose_enc"], (height, width))
        return Prediction(found["depth"].squeeze(-1), found["depth_conf"], extrinsics, intrinsics)

    def check_parts(self, images: Tensor) -> None:
        """Make sure that trunk and suffix together are the model.

        Raises:
            AssertionError: they give another prediction than the model, by a single bit.
        """
        with torch.inference_mode():
            self.switch(BASELINE)
            trunk = run_trunk(self.network, images, self.target)
        for name in self.names[:2]:
            self.switch(name)
            whole = no_grad_predict(TinyModel(self.network), images, torch.float32)
            with torch.inference_mode():
                parts = self.finish(images, trunk)
            for field in ("depth", "confidence", "world_to_camera", "intrinsics"):
                if not torch.equal(getattr(parts, field), getattr(whole, field)):
                    raise AssertionError(f"{name}: trunk and suffix give another {field} than the whole model")


def truth_of(plan: Plan, prepared: PreparedWindow) -> WindowTruth:
    """The truth of a window of the street, as an evaluation prepares it."""
    dataset = plan.dataset
    return prepare_truth(
        prepared,
        dataset.regions,
        DEVICE,
        plane_region="building",
        seed=plan.config.seed,
        classes=dataset.classes,
    )


def score(plan: Plan, name: str, prediction: Prediction, truth: WindowTruth) -> ScoredWindow:
    """Rows, slices and curves of one prediction."""
    scores = score_window(prediction, truth, align_scope=plan.config.align_scope, align=plan.config.align)
    return ScoredWindow(name, rows(scores, name), slice_rows(scores, name), curve_rows(scores, name))


def write_scored(scored: Sequence[ScoredWindow], to: Path, shard: int) -> None:
    """Write the rows and slices of a shard's windows."""
    for name in dict.fromkeys(one.checkpoint for one in scored):
        own = [one for one in scored if one.checkpoint == name]
        write_frames(to, name, pl.concat([one.frames for one in own]), f"{shard:06d}")
        write_slices(to, name, pl.concat([one.slices for one in own]), f"{shard:06d}")


def pseudo(prepared: PreparedWindow, chance_depth: float) -> Iterator[tuple[str, Prediction]]:
    """The predictions of the two pseudo-checkpoints."""
    yield ORACLE, oracle(prepared, DEVICE)
    yield CHANCE, chance(prepared, chance_depth, DEVICE)


def unavoidable(plan: Plan, models: Models, chance_depth: float, to: Path) -> dict[str, float]:
    """Do the work once, one thing after the other and nothing twice.

    Args:
        plan: the windows.
        models: the base and its checkpoints.
        chance_depth: metres, of the pseudo-checkpoint ``chance``.
        to: where rows and pictures are written.

    Returns:
        Seconds of each of :data:`WORK`, over all windows.
    """
    clock = Clock()
    pictured = preview_windows(plan.windows)
    for number, shard in enumerate(plan.shards):
        scored: list[ScoredWindow] = []
        for window in shard:
            with clock(READING):
                prepared = plan.dataset.load(window, models.preparation)
            with torch.inference_mode():
                with clock(TRUTH):
                    truth = truth_of(plan, prepared)
                images = torch.as_tensor(prepared.images, device=DEVICE)[None]
                models.bank.baseline()
                with clock(TRUNKS):
                    trunk = run_trunk(models.network, images, models.target)
                predictions = _predictions(clock, models, images, trunk)
                for name, prediction in chain(predictions, pseudo(prepared, chance_depth)):
                    with clock(SCORING):
                        scored.append(score(plan, name, prediction, truth))
                    if window.id in pictured:
                        with clock(PICTURES):
                            write_preview(to, name, prepared, prediction.depth[0].float().cpu().numpy())
        with clock(WRITING):
            write_scored(scored, to, number)
            curves = pl.concat([one.curves for one in scored])
            write_table(to / CURVE_SHARDS / f"{number:06d}", layout.CURVES, curves)
    return dict(clock.seconds)


def _predictions(clock: Clock, models: Models, images: Tensor, trunk: Trunk) -> Iterator[tuple[str, Prediction]]:
    for name in models.names:
        with clock(SUFFIXES):
            models.switch(name)
            prediction = models.finish(images, trunk)
        yield name, prediction
