"""Every kernel of scoring on a street of real size, beside the time that reading its inputs once would take.

    python -m benchmarks.scoring
    python -m benchmarks.scoring --threads 1 2 --repeats 15 --street /tmp/street

Writes a street with the images and about the points of KITTI-360 (kept with ``--street DIR``), prepares one window of
eight frames at a width of 518 pixels, and scores a plausible prediction of it. How fast this machine reads and writes
memory is measured in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.dataset.model import Preparation, PreparedWindow
from engine.dataset.open import open_dataset
from engine.dataset.street_writer import write_street
from engine.geometry.alignment import ALIGNMENTS, Alignment, fit
from engine.geometry.sampling import inverse_depth, sample_depth
from engine.inference.contract import Prediction
from engine.scoring import truth as truths
from engine.scoring.depth import depth_metrics, scale_metrics
from engine.scoring.normals import normal_metrics
from engine.scoring.oracle import oracle
from engine.scoring.photometric import photometric_metrics
from engine.scoring.planarity import planarity_metrics
from engine.scoring.pose import pose_metrics
from engine.scoring.slices import SliceTally
from engine.scoring.window import WindowScores, curve_rows, rows, score_window, slice_rows

NATIVE = (1408, 376)
WIDTH, PATCH = 518, 14
SEQ_LEN = 8
UNIT = 0.03  # of the prediction, metres
LARGE = 64 << 20  # numbers of float32 that no cache holds


@dataclass(frozen=True)
class Kernel:
    """One thing to measure.

    Attributes:
        name: for the table.
        call: runs it.
        inputs: what it reads; every array in it is counted once.
    """

    name: str
    call: Callable[[], Any]
    inputs: Any


@dataclass(frozen=True)
class Memory:
    """Bytes per second of one thread count, reading and writing."""

    read: float
    write: float


def arrays(value: Any) -> Iterator[Tensor | np.ndarray]:
    """Every array that a value holds."""
    if isinstance(value, Tensor | np.ndarray):
        yield value
    elif isinstance(value, WindowScores):
        yield value.packed
    elif is_dataclass(value):
        for field in fields(value):
            yield from arrays(getattr(value, field.name))
    elif isinstance(value, dict):
        yield from arrays(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from arrays(one)


def size_of(value: Any) -> int:
    """Bytes of all arrays that a value holds."""
    distinct = {
        (array.data_ptr() if isinstance(array, Tensor) else array.ctypes.data, array.nbytes) for array in arrays(value)
    }
    return sum(size for _, size in distinct)


def timed(call: Callable[[], Any], repeats: int, device: torch.device) -> tuple[float, float]:
    """Medians of the time on the clock and of the processor's time of this process, seconds."""
    clock, spent = [], []
    for index in range(repeats + 1):
        begin, work = time.perf_counter(), time.process_time()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if index:  # the first one warms up
            clock.append(time.perf_counter() - begin)
            spent.append(time.process_time() - work)
    return statistics.median(clock), statistics.median(spent)


def memory(repeats: int, device: torch.device) -> Memory:
    """How fast a large array is added up, and filled."""
    large = torch.ones(LARGE, device=device)
    read, _ = timed(large.sum, repeats, device)
    write, _ = timed(lambda: large.fill_(2.0), repeats, device)
    return Memory(large.nbytes / read, large.nbytes / write)


def prepare(folder: Path, azimuths: int) -> tuple[PreparedWindow, dict[str, Any], dict[int, str]]:
    """One window of a street, which is written where there is none; its regions and its classes."""
    root = folder / "street"
    if not root.exists():
        write_street(root, drives={3: "val"}, frames=2 * SEQ_LEN, size=NATIVE, azimuths=azimuths)
    dataset = open_dataset(root)
    window = dataset.windows("val", seq_len=SEQ_LEN, stride=SEQ_LEN)[0]
    prepared = dataset.load(window, Preparation("fit", WIDTH, PATCH))
    return prepared, dict(dataset.regions), dict(dataset.classes)


def plausible(prepared: PreparedWindow, device: torch.device, seed: int = 0) -> Prediction:
    """Off by some fifteen per cent, smoothly, and by five from pixel to pixel; in another unit of length."""
    right = oracle(prepared, torch.device("cpu"))
    shape = right.depth.shape
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(shape[1], 1, 10, 37, generator=generator)
    bend = torch.nn.functional.interpolate(coarse, size=shape[2:], mode="bilinear")[None, :, 0]
    rough = torch.randn(shape, generator=generator)
    poses = right.world_to_camera * torch.tensor([1.0, 1.0, 1.0, UNIT])
    found = replace(right, depth=right.depth * torch.exp(0.15 * bend + 0.05 * rough) * UNIT, world_to_camera=poses)
    return Prediction(*(getattr(found, field.name).to(device) for field in fields(Prediction)))


def kernels(
    prepared: PreparedWindow, regions: dict[str, Any], classes: dict[int, str], device: torch.device
) -> list[Kernel]:
    """Everything that scoring a prediction does, each part alone, and the parts of preparing the truth."""
    truth = truths.prepare_truth(prepared, regions, device, classes=classes)
    assert truth.slices is not None
    plain = replace(truth, slices=None)
    prediction = plausible(prepared, device)
    inverse = inverse_depth(prediction.depth[0])
    predicted, valid = sample_depth(inverse.flatten(), truth.taps)
    alignment = fit(predicted, truth.depth, valid, (len(predicted),))
    scores = score_window(prediction, truth)
    extrinsics = prediction.world_to_camera[0].double().cpu()
    held = scores.values, scores.pose
    cell_of, region_cells = truths._cells(prepared, regions)
    cells = max(cell_of.values(), default=0) + 1
    frames = [truths._frame(prepared, index, cell_of, cells) for index in range(len(prepared.points))]
    one = predicted, valid
    # The compiled loops of a CPU read less of the truth than tensor operations do.
    depth: Any = (truth.depth, truth.log_depth)
    sliced: Any = truth.slices
    normal: Any = truth.normals
    planes: Any = truth.planes
    if device.type == "cpu":
        depth, sliced, normal = truth.depth, (truth.slices.points, truth.slices.membership), truth.normals.patches
        planes = planes and (planes.point, planes.ray, planes.slope, planes.offset, planes.pieces)
    return [
        Kernel("inverse depth", lambda: inverse_depth(prediction.depth[0]), prediction.depth),
        Kernel("sampling", lambda: sample_depth(inverse.flatten(), truth.taps), (inverse, truth.taps)),
        Kernel(
            "alignment fit",
            lambda: fit(predicted, truth.depth, valid, (len(predicted),)),
            (one, truth.depth),
        ),
        Kernel(
            "depth (aligned in it)",
            lambda: depth_metrics(predicted, valid, alignment, truth),
            (one, depth),
        ),
        Kernel(
            "depth with slices",
            lambda: sliced_depth(predicted, valid, alignment, truth),
            (one, depth, sliced),
        ),
        Kernel("scale", lambda: scale_metrics(predicted, truth.median_depth, truth.groups), predicted),
        Kernel("normals", lambda: normal_metrics(predicted, valid, alignment, truth), (one, normal)),
        Kernel("planarity", lambda: planarity_metrics(predicted, valid, alignment, truth), (one, planes)),
        Kernel(
            "photometric",
            lambda: photometric_metrics(prediction, inverse, predicted, truth),
            (predicted, inverse, truth.uv, truth.colour, truth.images),
        ),
        Kernel("pose", lambda: pose_metrics(extrinsics, truth.camera_to_world), (extrinsics, truth.camera_to_world)),
        Kernel("rows", lambda: rows(scores, "checkpoint"), held),
        Kernel("slice rows", lambda: slice_rows(scores, "checkpoint"), scores.sliced),
        Kernel("curve rows", lambda: curve_rows(scores, "checkpoint"), scores.curve),
        Kernel("the same, no slices", lambda: whole(prediction, plain), (prediction.depth, plain)),
        Kernel(TOTAL, lambda: whole(prediction, truth), (prediction.depth, truth)),
        Kernel(
            "truth: points",
            lambda: [truths._frame(prepared, index, cell_of, cells) for index in range(len(frames))],
            prepared.points,
        ),
        Kernel(
            "truth: normals",
            lambda: truths._normals(frames, prepared.native_size, region_cells, truth.groups, device),
            frames,
        ),
        Kernel(
            "truth: planes",
            lambda: truths._planes(prepared, frames, region_cells, truth.regions, "building", 0, device),
            frames,
        ),
        Kernel(
            "truth: all of it",
            lambda: truths.prepare_truth(prepared, regions, device, classes=classes),
            (prepared.points, prepared.images),
        ),
    ]


TOTAL = "one prediction"


def whole(prediction: Prediction, truth: truths.WindowTruth) -> None:
    """What one checkpoint costs on one window."""
    scores = score_window(prediction, truth)
    rows(scores, "checkpoint")
    slice_rows(scores, "checkpoint")
    curve_rows(scores, "checkpoint")


def sliced_depth(predicted: Tensor, valid: Tensor, alignment: Alignment, truth: truths.WindowTruth) -> Tensor:
    """The depth metrics, by slice too."""
    assert truth.slices is not None
    tally = SliceTally(truth.slices, ALIGNMENTS.index("median"))
    depth_metrics(predicted, valid, alignment, truth, tally)
    return tally.metrics()


def report(found: list[Kernel], threads: int, repeats: int, device: torch.device) -> None:
    """Measure and print."""
    torch.set_num_threads(threads)
    speed = memory(repeats, device)
    print(
        f"\n{device}, threads: {threads}; memory is read at {speed.read / 1e9:.1f} GB/s and written at "
        f"{speed.write / 1e9:.1f} GB/s; medians of {repeats}"
    )
    print(f"{'kernel':<22} {'ms':>8} {'CPU ms':>8} {'reads MB':>9} {'writes MB':>9} {'once ms':>8} {'times':>7}")
    total = 0.0
    for kernel in found:
        reads, writes = size_of(kernel.inputs), size_of(kernel.call())
        clock, spent = timed(kernel.call, repeats, device)
        once = reads / speed.read + writes / speed.write
        if kernel.name == TOTAL:
            total = clock
        print(
            f"{kernel.name:<22} {clock * 1e3:8.2f} {spent * 1e3:8.2f} {reads / 1e6:9.2f} {writes / 1e6:9.2f} "
            f"{once * 1e3:8.3f} {clock / once:7.1f}"
        )
    print(f"51 checkpoints on this window: {51 * total:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1], help="torch threads, one table each")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--azimuths", type=int, default=2000, help="of the scanner: how dense the points are")
    parser.add_argument("--street", type=Path, help="keep the street here, or use the one that is there")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, torch.inference_mode():
        prepared, regions, classes = prepare(arguments.street or Path(scratch), arguments.azimuths)
        points = [int(frame.usable.sum()) for frame in prepared.points]
        print(f"{len(points)} frames of {prepared.images.shape[-1]}x{prepared.images.shape[-2]}, {sum(points)} points")
        found = kernels(prepared, regions, classes, arguments.device)
        for threads in arguments.threads:
            report(found, threads, arguments.repeats, arguments.device)


if __name__ == "__main__":
    main()
