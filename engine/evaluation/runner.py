"""Runs an evaluation: windows outside, checkpoints inside; writes the store as it goes, and goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from engine.atomic import TEMPORARY_SUFFIX
from engine.dataset.model import Dataset, Preparation, PreparedWindow, Window
from engine.errors import DataError, LorascopeError, UsageError
from engine.evaluation.ahead import ReadyWindow, reading
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.finish import finish_store
from engine.evaluation.journal import Event, Journal, State, replay
from engine.evaluation.lock import locked
from engine.evaluation.plan import Plan, difference, make_plan
from engine.evaluation.predictors import ModelPredictors, choose_device
from engine.evaluation.record import CURVE_SHARDS, describe
from engine.evaluation.shard import ShardResult, ShardWorker
from engine.inference.sharing import SharingReport
from engine.results import layout
from engine.results.writer import write_frames, write_metadata, write_slices, write_table
from engine.schema import WINDOWS

JOURNAL = "journal.jsonl"
# Windows whose ground truth gives the constant depth of `chance`, spread evenly over the sample.
CHANCE_WINDOWS = 8

Watch = Callable[[Event], None]


def evaluate(config: EvaluationConfig, *, watch: Watch = lambda _: None, plan: Plan | None = None) -> Path:
    """Evaluate, or go on with an evaluation that was interrupted.

    Finished shards are kept; the one that was interrupted is computed again and replaces what it had written. A bad
    checkpoint, window or frame costs only itself and is named in the journal and in ``metadata.json``.

    Args:
        config: the settings.
        watch: called with every event of the journal, after it was written.
        plan: made from the same configuration, to save making it twice.

    Returns:
        The run's folder.

    Raises:
        UsageError: the folder holds a run with other settings, or another process works on it.
        DataError: data, base weights or the folder cannot be read or written; no checkpoint is left.
    """
    plan = plan or make_plan(config)
    with locked(config.to):
        return _Run(plan, watch).go()


def prior_state(plan: Plan) -> State:
    """What an earlier start of the same evaluation left in its folder; that of nothing where there was none.

    Raises:
        UsageError: the folder holds a run with other settings, or one that was not made by evaluate.
        DataError: its journal cannot be read.
    """
    folder = plan.config.to
    state = replay(Journal(folder / JOURNAL).events())
    if state.settings is not None:
        changed = difference(state.settings, plan.settings())
        if changed:
            raise UsageError(
                f"{folder} holds an evaluation with other settings ({changed})",
                "choose another --to, or use the same settings",
            )
    elif (folder / layout.METADATA).exists():
        raise UsageError(f"{folder} holds a run that was not made by evaluate", "choose another --to")
    return state


def preparation(config: EvaluationConfig, predictors: ModelPredictors) -> Preparation:
    """How images are prepared for this model."""
    model = predictors.model
    return Preparation(config.prepare, config.size or model.default_size, model.patch)


class _Run:
    """One call of :func:`evaluate`."""

    def __init__(self, plan: Plan, watch: Watch) -> None:
        self._plan = plan
        self._config = plan.config
        self._folder = plan.config.to
        self._journal = Journal(self._folder / JOURNAL)
        self._watch = watch
        self._device = choose_device(plan.config.device)
        self._read_already: dict[int, PreparedWindow] = {}  # at most CHANCE_WINDOWS

    def _tell(self, kind: str, **data: Any) -> None:
        self._watch(self._journal.append(kind, **data))

    def go(self) -> Path:
        """Start or resume, compute what is missing, finish."""
        state = prior_state(self._plan)
        if state.finished:
            self._watch(Event("finished", {"already": True}))
            return self._folder
        predictors = ModelPredictors(self._config, self._device)
        prepare = preparation(self._config, predictors)
        state = self._begin(state, self._plan.settings(), prepare)
        problems = self._load_checkpoints(predictors, state)
        worker = ShardWorker(self._plan, predictors, self._device, chance_depth=state.chance_depth or 0.0)
        worker.drop(state.failed_checkpoints)
        self._describe("running", predictors, problems, state)
        done = len(state.shards)
        shared: SharingReport | None = None
        try:
            todo = [(number, shard) for number, shard in enumerate(self._plan.shards) if number not in state.shards]
            upcoming = [window for _, shard in todo for window in shard]
            with reading(self._reader(worker, prepare), upcoming, self._config.readers) as take:
                for number, windows in todo:
                    begin = time.perf_counter()
                    result = worker.compute(windows, take(windows))
                    self._write(number, result)
                    done += 1
                    seconds = time.perf_counter() - begin
                    # One line: what failed is part of what the shard is.
                    self._tell(
                        "shard",
                        shard=number,
                        done=done,
                        of=len(self._plan.shards),
                        seconds=round(seconds, 3),
                        failed_windows=result.failed_windows,
                        failed_checkpoints=result.failed_checkpoints,
                    )
                    shared = self._tell_sharing(predictors, shared)
        except KeyboardInterrupt:
            self._tell("stopped", done=done, of=len(self._plan.shards))
            raise
        self._tell_sharing(predictors, shared, last=True)
        state = replay(self._journal.events())
        apart = finish_store(self._folder, self._config.align)
        self._describe("done", predictors, problems, state)
        self._tell("finished", seconds=round(state.seconds, 3), **({"not_joined": apart} if apart else {}))
        return self._folder

    def _tell_sharing(
        self, predictors: ModelPredictors, told: SharingReport | None, *, last: bool = False
    ) -> SharingReport | None:
        """Say what is shared: at first, where there is a new notice, and at last; returns what was told last."""
        report = predictors.sharing
        if report is None or report == told or (told is not None and report.notices == told.notices and not last):
            return told
        self._tell(
            "sharing",
            modules=report.modules,
            reused=report.reused,
            peak_mb=round(report.peak_bytes / 1e6, 1),
            limit_mb=round(report.limit_bytes / 1e6, 1),
            notices=report.notices,
        )
        return report

    def _begin(self, state: State, settings: dict[str, object], prepare: Preparation) -> State:
        # What a killed process was writing: it never got its name.
        for stale in self._folder.rglob(f".*{TEMPORARY_SUFFIX}"):
            stale.unlink(missing_ok=True)
        if state.settings is None:
            depth = chance_depth(self._plan.dataset, self._plan.windows, prepare, self._read_already)
            write_table(self._folder, layout.WINDOWS, _window_table(self._plan.windows))
            self._tell("started", settings=settings, chance_depth=depth, windows=len(self._plan.windows))
        else:
            self._tell("resumed", done=len(state.shards), of=len(self._plan.shards))
        return replay(self._journal.events())

    def _load_checkpoints(self, predictors: ModelPredictors, state: State) -> dict[str, str]:
        """Load them; those that cannot be are named and left out."""
        problems: dict[str, str] = {}
        for source in self._plan.checkpoints:
            try:
                predictors.add(source)
            except LorascopeError as error:
                problems[source.name] = str(error)
                if source.name not in state.failed_checkpoints:
                    self._tell("checkpoint_failed", checkpoint=source.name, why=str(error))
        if self._plan.checkpoints and len(problems) == len(self._plan.checkpoints):
            name, why = next(iter(problems.items()))
            raise DataError(f"no checkpoint could be loaded; {name}: {why}")
        return problems

    def _reader(self, worker: ShardWorker, prepare: Preparation) -> Callable[[Window], ReadyWindow]:
        """Reads a window; on a device of its own the model leaves the CPU free, which prepares the truth meanwhile."""
        free = self._device.type != "cpu"

        def read(window: Window) -> ReadyWindow:
            prepared = self._read_already.pop(window.id, None) or self._plan.dataset.load(window, prepare)
            return ReadyWindow(prepared, worker.truth(prepared) if free else None)

        return read

    def _write(self, number: int, result: ShardResult) -> None:
        shard = f"{number:06d}"
        for name, rows in result.frames.items():
            write_frames(self._folder, name, rows, shard)
        for name, rows in result.slices.items():
            write_slices(self._folder, name, rows, shard)
        if result.curves is not None:
            write_table(self._folder / CURVE_SHARDS / shard, layout.CURVES, result.curves)

    def _describe(self, status: str, predictors: ModelPredictors, problems: dict[str, str], state: State) -> None:
        metadata = describe(
            self._plan,
            predictors,
            preparation(self._config, predictors),
            status,
            {**problems, **state.failed_checkpoints},
            state,
        )
        write_metadata(self._folder, metadata)


def chance_depth(
    dataset: Dataset,
    windows: Sequence[Window],
    prepare: Preparation,
    keep: dict[int, PreparedWindow] | None = None,
) -> float:
    """The median depth of the ground truth, in metres, over up to :data:`CHANCE_WINDOWS` windows of the sample.

    Args:
        dataset: where they are.
        windows: the sample.
        prepare: how images are prepared.
        keep: takes the windows that were read, by their ids.

    Raises:
        DataError: none of them can be read, or they hold no point.
        UsageError: images cannot be prepared like that.
    """
    places = np.unique(np.linspace(0, len(windows) - 1, min(CHANCE_WINDOWS, len(windows))).round().astype(int))
    depths, why = [], "no ground-truth points"
    for place in places:
        try:
            prepared = dataset.load(windows[int(place)], prepare)
        except DataError as error:
            why = str(error)
            continue
        depths += [points.depth[points.usable] for points in prepared.points]
        if keep is not None:
            keep[windows[int(place)].id] = prepared
    if not depths or not sum(map(len, depths)):
        raise DataError(f"the first windows have no ground truth: {why}")
    return float(np.median(np.concatenate(depths)))


def _window_table(windows: Sequence[Window]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "window": [window.id for window in windows],
            "drive": [window.drive for window in windows],
            "frames": [list(window.frames) for window in windows],
            "stratum": [window.stratum.value if window.stratum else None for window in windows],
        },
        schema=WINDOWS,
    )
