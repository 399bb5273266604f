"""Sums over windows from values by window and frame, and simulated runs whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.analysis.resampling.blocks import Blocks, draw
from engine.analysis.resampling.judging import plan
from engine.analysis.resampling.sample import WindowSample, tabulate
from engine.analysis.resampling.statistics import Statistics
from engine.schema import WINDOW_SUMS

Floats = npt.NDArray[np.float64]
KEY = "depth.building.delta1"


def window_rows(values: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], drives: Sequence[str]) -> pl.DataFrame:
    """Sums of ``{checkpoint: {metric: [window][frame]}}``; ``drives`` names every window's."""
    rows = [
        _row(name, key, drives[window], window, None, np.array(frames))
        for name, metrics in values.items()
        for key, windows in metrics.items()
        for window, frames in enumerate(windows)
        if len(frames)
    ]
    return pl.DataFrame(rows, schema=WINDOW_SUMS, orient="row")


def frame_rows(
    values: Mapping[str, Mapping[str, Sequence[Mapping[int, float]]]], drives: Sequence[str]
) -> pl.DataFrame:
    """The same with one row per frame, ``[window]{frame: value}``: for checkpoints that differ in frames."""
    rows = [
        _row(name, key, drives[window], window, frame, np.array([value]))
        for name, metrics in values.items()
        for key, windows in metrics.items()
        for window, frames in enumerate(windows)
        for frame, value in frames.items()
    ]
    return pl.DataFrame(rows, schema=WINDOW_SUMS, orient="row")


def arrays(values: Mapping[str, Mapping[str, Floats]], drives: Sequence[str], frames: int = 8) -> pl.DataFrame:
    """Sums of ``{checkpoint: {metric: means of windows}}``, every window of that many equal frames; fast."""
    parts = [
        pl.DataFrame(
            {
                "checkpoint": [name] * len(means),
                "metric": [key] * len(means),
                "drive": drives,
                "window": np.arange(len(means)),
                "frame": [None] * len(means),
                "sum": means * frames,
                "m2": np.zeros(len(means)),
                "count": [frames] * len(means),
            },
            schema=WINDOW_SUMS,
        )
        for name, metrics in values.items()
        for key, means in metrics.items()
    ]
    return pl.concat(parts)


def drives_of(drives: int, windows: int) -> list[str]:
    """``windows`` windows in each of so many drives."""
    return [f"drive_{number}" for number in range(drives) for _ in range(windows)]


def ar1(random: np.random.Generator, shape: tuple[int, ...], rho: float) -> Floats:
    """Stationary AR(1) series with unit variance along the last axis."""
    noise = random.standard_normal(shape)
    series = noise.copy()
    for step in range(1, shape[-1]):
        series[..., step] = rho * series[..., step - 1] + np.sqrt(1.0 - rho * rho) * noise[..., step]
    return series


def sample_of(values: Mapping[str, Mapping[str, Floats]], drives: Sequence[str]) -> WindowSample:
    """:func:`arrays` as a sample."""
    return tabulate(arrays(values, drives))


def planned(
    sample: WindowSample, *, baseline: str | None = "baseline", resamples: int = 500, **more: object
) -> Statistics:
    """Statistics over resamples that were planned for the sample."""
    return Statistics(sample, plan(sample, baseline=baseline, resamples=resamples), **more)  # type: ignore[arg-type]


def single_windows(sample: WindowSample, resamples: int = 500, seed: int = 0) -> Blocks:
    """Resamples of single windows."""
    return draw(sample.drives, 1, resamples=resamples, seed=seed)


def _row(name: str, key: str, drive: str, window: int, frame: int | None, values: Floats) -> tuple[object, ...]:
    return name, key, drive, window, frame, values.sum(), ((values - values.mean()) ** 2).sum(), len(values)
