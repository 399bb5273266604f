"""Measures what the checkpoints of a run cost, apart from their quality, and writes it into the run as it goes.

One model at a time: the base is measured as the plain network that it is, before anything is injected; then each
checkpoint is read, injected, measured unmerged and merged, and taken out again, so that no other checkpoint's layers
are in the network or on the device. What is measured is on disk before the next one begins: a process that is killed
loses at most the model it was at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
import torch
from torch import Tensor

from engine import __version__
from engine.errors import DataError, LorascopeError, UsageError
from engine.evaluation.cost_request import CostRequest
from engine.evaluation.cost_store import CostStore, cost_row
from engine.evaluation.journal import Event, Journal
from engine.evaluation.lock import locked
from engine.evaluation.machine import device_name, library_versions
from engine.evaluation.predictors import choose_device, first_line
from engine.evaluation.runner import JOURNAL
from engine.inference.checkpoints import CheckpointSource
from engine.inference.contract import GeometryModel
from engine.inference.cost import Cost, measure
from engine.inference.families import build_model
from engine.inference.lora import AdapterBank
from engine.inference.meters import Meter, meter_of
from engine.inference.weights import state_sha256
from engine.schema import CostInfo
from engine.training_config import LoraTraining, read_training

Watch = Callable[[Event], None]
MakeMeter = Callable[[torch.device], Meter]

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
_MB = 1e6
# What decides how fast a pass is, beside the device; a family's own package has the family's name.
_LIBRARIES = ("torch", "peft")


@dataclass(frozen=True)
class CostReport:
    """What a call has done.

    Attributes:
        measured: the models that were measured now.
        failed: name -> why a checkpoint could not be.
    """

    measured: tuple[str, ...]
    failed: dict[str, str]


def measure_costs(
    request: CostRequest, *, watch: Watch = lambda _: None, make_meter: MakeMeter = meter_of
) -> CostReport:
    """Measure what is missing in a run's ``cost.parquet``, or all of it again.

    A checkpoint that cannot be read or run costs only itself. Events (``cost_started``, ``cost``, ``cost_failed``) go
    into the run's journal.

    Args:
        request: what, and how.
        watch: called with every event, after it was written.
        make_meter: clock and memory counter of a device.

    Raises:
        UsageError: the run holds costs that were measured with other settings; another process works on it; the
            request does not fit the model or the machine.
        DataError: the run, the base weights, the images or the folder cannot be read or written; the base cannot be
            run, or is not that of the run; no checkpoint could be measured.
    """
    if not request.run.is_dir():
        raise DataError(f"there is no run {request.run}", "evaluate first")
    with locked(request.run):
        return _Measuring(request, watch, make_meter).go()


class _Measuring:
    """One call of :func:`measure_costs`."""

    def __init__(self, request: CostRequest, watch: Watch, make_meter: MakeMeter) -> None:
        self._request = request
        self._store = CostStore(request.run)
        self._journal = Journal(request.run / JOURNAL)
        self._watch = watch
        self._device = _device(request.device)
        self._meter = make_meter(self._device)
        self._failed: dict[str, str] = {}

    def go(self) -> CostReport:
        """Load the base, measure model by model."""
        request = self._request
        others = self._meter.others_memory()  # before anything of this call is on the device
        training = read_training(request.training) if request.training else None
        seed = request.base_seed if request.base is None else None
        model = build_model(request.model, weights=request.base, seed=seed)
        weights = state_sha256(model.module)
        self._store.check_base(weights)
        images, what = request.images.load(model)
        info = self._info(images.shape, what, weights, others)
        self._store.begin(info, again=request.passes.again)
        sources = {source.name: source for source in request.checkpoints}
        todo = self._store.missing(list(sources), merged=request.passes.merged)
        self._tell("cost_started", of=len(todo), device=info.device, repeats=info.repeats)
        for name, why in request.unreachable.items():
            self._fail(name, why)
        measured: list[str] = []
        if todo:
            on_device = self._place(model, images)
            for name, states in todo.items():
                if name in sources:
                    rows = self._checkpoint(model, on_device, sources[name], states, training)
                else:
                    rows = self._base(model, on_device, name)
                if rows is not None:
                    self._store.append(rows)
                    measured.append(name)
                    self._tell("cost", checkpoint=name, done=len(measured), of=len(todo), rows=rows.to_dicts())
        if self._failed and not self._store.holds_checkpoints():
            name, why = next(iter(self._failed.items()))
            raise DataError(f"no checkpoint could be measured; {name}: {why}")
        return CostReport(tuple(measured), self._failed)

    def _base(self, model: GeometryModel, images: Tensor, name: str) -> pl.DataFrame:
        try:
            return cost_row(name, False, self._measure(model, images), 0, 0)
        except Exception as error:
            raise _cannot_run(error) from error

    def _checkpoint(
        self,
        model: GeometryModel,
        images: Tensor,
        source: CheckpointSource,
        states: Sequence[bool],
        training: LoraTraining | None,
    ) -> pl.DataFrame | None:
        """The rows of a checkpoint; ``None`` after saying why there are none."""
        bank = AdapterBank(model)
        try:
            held = bank.add(source, training)
            rows = []
            for merged in states:
                if merged:
                    with bank.merged(source.name):
                        cost = self._measure(model, images)
                else:
                    bank.activate(source.name)
                    cost = self._measure(model, images)
                rows.append(cost_row(source.name, merged, cost, held.bytes, held.parameters))
            return pl.concat(rows)
        except LorascopeError as error:
            self._fail(source.name, str(error))
        except Exception as error:  # whatever a model's own code raises costs only that model
            self._fail(source.name, f"the forward pass failed: {first_line(error)}")
        finally:
            bank.release()
        return None

    def _measure(self, model: GeometryModel, images: Tensor) -> Cost:
        passes = self._request.passes
        dtype = _DTYPES[self._request.dtype]
        return measure(model, images, dtype, self._meter, warmup=passes.warmup, repeats=passes.repeats)

    def _place(self, model: GeometryModel, images: object) -> Tensor:
        try:
            model.module.to(self._device)
            return torch.as_tensor(images, device=self._device)[None]
        except Exception as error:
            raise _cannot_run(error) from error

    def _info(self, shape: tuple[int, ...], images: str, weights: str, others: int | None) -> CostInfo:
        frames, _, height, width = shape
        kind = self._device.type
        passes = self._request.passes
        return CostInfo(
            device=device_name(self._device),
            kind=kind,
            dtype=self._request.dtype,
            image_width=width,
            image_height=height,
            frames=frames,
            images=images,
            threads=torch.get_num_threads() if kind == "cpu" else None,
            warmup=passes.warmup,
            repeats=passes.repeats,
            libraries=library_versions((*_LIBRARIES, self._request.model)),
            weights_sha256=weights,
            vram_note=self._meter.memory_note or None,
            others_mb=None if others is None else round(others / _MB, 1),
            measured=datetime.now(UTC),
            lorascope_version=__version__,
        )

    def _fail(self, name: str, why: str) -> None:
        self._failed[name] = why
        self._tell("cost_failed", checkpoint=name, why=why)

    def _tell(self, kind: str, **data: object) -> None:
        self._watch(self._journal.append(kind, **data))


def _cannot_run(error: Exception) -> DataError:
    return DataError(
        f"the base model cannot be run: {first_line(error)}",
        "check --model and its package, --size, and the device's memory",
    )


def _device(name: str) -> torch.device:
    device = choose_device(name)
    if device.type == "cuda" and device.index is not None and device.index >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise UsageError(f"--device {name}: this machine has {count} CUDA devices, numbered from 0", "choose another")
    return device
