"""What to measure the cost of: put together from a run and what only the user knows, or from an evaluation's plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from engine.dataset.model import Stratum, Window
from engine.dataset.open import open_dataset
from engine.errors import DataError, UsageError
from engine.evaluation.config import DEVICES, is_device
from engine.evaluation.cost_images import Images, SyntheticImages, WindowImages
from engine.evaluation.plan import Plan
from engine.inference.checkpoints import CheckpointSource, discover_checkpoints
from engine.results import layout
from engine.results.parquet import has_schema, scan
from engine.results.problems import ProblemLog
from engine.results.reading import PARQUET_ERRORS, why_unreadable
from engine.schema import WINDOWS, Role, RunMetadata

WARMUP, REPEATS = 3, 20
PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True, slots=True)
class Passes:
    """How a cost is measured.

    Attributes:
        warmup: passes before each timing.
        repeats: timed passes.
        merged: whether checkpoints are measured merged, too.
        again: measure anew what was measured before.
    """

    warmup: int = WARMUP
    repeats: int = REPEATS
    merged: bool = True
    again: bool = False


@dataclass(frozen=True, eq=False)
class CostRequest:
    """Everything that it takes to measure the costs of a run.

    Attributes:
        run: its folder.
        model: the family.
        base: the base's weights, or ``None``.
        base_seed: of random ones, or ``None``.
        training: configuration of checkpoints that have none, or ``None``.
        dtype: ``fp32`` or ``bf16``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        checkpoints: where they are, in the run's order.
        images: what the passes see.
        passes: how many.
        unreachable: checkpoints of the run that are not there: name -> why.
    """

    run: Path
    model: str
    base: Path | None
    base_seed: int | None
    training: Path | None
    dtype: str
    device: str
    checkpoints: tuple[CheckpointSource, ...]
    images: Images
    passes: Passes = field(default_factory=Passes)
    unreachable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """What the user says; ``None`` means what the run says.

    Attributes:
        base, base_seed, training, model, dtype, device: as in :class:`CostRequest`.
        checkpoints: a folder to look for them in, instead of where they were.
        data: the dataset's root, for a window of the run.
        size: (width, height) of synthetic images instead.
        seq_len: frames of those.
    """

    base: Path | None = None
    base_seed: int | None = None
    training: Path | None = None
    model: str | None = None
    dtype: str | None = None
    device: str | None = None
    checkpoints: Path | None = None
    data: Path | None = None
    size: tuple[int, int] | None = None
    seq_len: int | None = None


def request_from_plan(plan: Plan, passes: Passes) -> CostRequest:
    """The costs of what an evaluation evaluates, on its own first window."""
    config = plan.config
    return CostRequest(
        run=config.to,
        model=config.model,
        base=config.base,
        base_seed=config.base_seed,
        training=config.training,
        dtype=config.dtype,
        device=config.devices[0],
        checkpoints=plan.checkpoints,
        images=WindowImages(plan.dataset, plan.windows, config.prepare, config.size),
        passes=passes,
    )


def request_from_run(run: Path, metadata: RunMetadata, given: Given, passes: Passes) -> CostRequest:
    """The costs of a run, from what it recorded and what is given.

    Raises:
        UsageError: something is neither recorded nor given, or what is given contradicts itself.
        DataError: data or the folder of the checkpoints are not there or not readable.
    """
    model = given.model or metadata.model.name
    if model is None:
        raise UsageError(f"{run} does not say which model it is of", "name it with --model")
    dtype = given.dtype or metadata.device.dtype or PRECISIONS[0]
    if dtype not in PRECISIONS:
        raise UsageError(f"{run} was computed in {dtype!r}, which is not known here", "choose one with --dtype")
    device = given.device or "auto"
    if not is_device(device):
        raise UsageError(f"--device {device!r} is no device", f"write {DEVICES}")
    sources, unreachable = _sources(run, metadata, given)
    return CostRequest(
        run=run,
        model=model,
        base=given.base,
        base_seed=given.base_seed,
        training=given.training,
        dtype=dtype,
        device=device,
        checkpoints=tuple(sources),
        images=_images(run, metadata, given),
        passes=passes,
        unreachable=unreachable,
    )


def _images(run: Path, metadata: RunMetadata, given: Given) -> Images:
    if given.size is not None:
        if given.data is not None:
            raise UsageError("--size makes synthetic images, --data reads real ones", "give one of them")
        frames = given.seq_len or metadata.protocol.seq_len
        if frames is None:
            raise UsageError(f"{run} does not say how long its windows are", "name their frames with --seq-len")
        return SyntheticImages(*given.size, frames)
    if given.data is None:
        raise UsageError(
            "the size of the images is not known",
            "name the run's data with --data, or a size of synthetic images with --size WIDTHxHEIGHT",
        )
    if given.seq_len is not None:
        raise UsageError("--seq-len is for synthetic images; the run's own windows have their length", "leave it out")
    windows = _windows(run)
    return WindowImages(
        open_dataset(given.data), windows, metadata.protocol.prepare or "fit", metadata.model.image_size
    )


def _windows(run: Path) -> list[Window]:
    path, log = run / layout.WINDOWS, ProblemLog()
    remedy = "give a size of synthetic images with --size"
    if not path.is_file():
        raise DataError(f"{run} does not say which windows it is of: it has no {layout.WINDOWS}", remedy)
    try:
        table = scan([path], WINDOWS).collect() if has_schema(path, layout.WINDOWS, WINDOWS, log) else None
    except PARQUET_ERRORS as error:
        raise DataError(f"{path}: {why_unreadable(error)}", remedy) from None
    if table is None:
        raise DataError(str(log.result()[0]), remedy)
    strata = {stratum.value: stratum for stratum in Stratum}
    rows = table.drop_nulls(["window", "drive", "frames"]).with_columns(pl.col("frames").list.drop_nulls())
    return [
        Window(window, drive, tuple(frames), strata.get(stratum))
        for window, drive, frames, stratum in rows.select("window", "drive", "frames", "stratum").iter_rows()
    ]


def _sources(run: Path, metadata: RunMetadata, given: Given) -> tuple[list[CheckpointSource], dict[str, str]]:
    """Where the run's checkpoints are now, and why the others cannot be found."""
    infos = [info for info in metadata.checkpoints if info.role is Role.CHECKPOINT]
    found: list[CheckpointSource] = []
    unreachable: dict[str, str] = {}
    exclude = [given.base] if given.base is not None else []
    there = (
        {source.name: source for source in discover_checkpoints(given.checkpoints, exclude=exclude)}
        if given.checkpoints is not None
        else {}
    )
    for info in infos:
        if given.checkpoints is not None:
            if info.name in there:
                found.append(there[info.name])
            else:
                unreachable[info.name] = f"it is not in {given.checkpoints}"
        elif info.path is None:
            unreachable[info.name] = "the run does not say where it is; name the folder with --checkpoints"
        else:
            try:
                (source,) = discover_checkpoints(run / info.path)
            except DataError as error:
                unreachable[info.name] = error.message + "; name the folder with --checkpoints"
            except ValueError:
                unreachable[info.name] = f"{run / info.path} holds several checkpoints"
            else:
                found.append(CheckpointSource(info.name, source.path, source.kind))
    return found, unreachable
