"""Which windows a resample holds: blocks of neighbouring windows, drawn within each drive.

The design is the circular block bootstrap (Politis and Romano 1992), stratified by drive. Drawing whole drives would be
too coarse, as there are one to nine of them; drawing frames or single windows would take neighbours that resemble each
other for independent. Every drive keeps its share of the sample in every resample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.analysis.resampling.sample import Floats, Ints

RESAMPLES = 2000
SEED = 0

# A drive with fewer windows than this has no spread worth the name: such drives are put together.
_LEAST_WINDOWS = 3
# Blocks are not made longer than leaves this many degrees of freedom (blocks less drives).
_LEAST_FREEDOM = 10
_MOST_CORRELATION = 0.9
# Standard errors by which it is raised.
_CAUTION = 0.5
# Shorter series say too little of their correlation for its bias to be corrected.
_CORRECTED_LENGTH = 6

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Stratum:
    """The windows of one drive (or of several small ones) and the blocks drawn from them.

    Attributes:
        windows: places of its windows in the sample, in order, [n].
        length: windows in a block.
        blocks: blocks in a resample, at least 2 where n is.
        draws: how often the block that starts at a window was drawn, [n, resamples].
    """

    windows: Ints
    length: int
    blocks: int
    draws: Singles

    @property
    def share(self) -> float:
        """What a drawn block counts, so that the drive keeps its number of windows: n / (blocks * length)."""
        return len(self.windows) / (self.blocks * self.length)


@dataclass(frozen=True, eq=False)
class Blocks:
    """The resamples of a sample. The same windows, length and seed always give the same.

    Attributes:
        strata: by drive.
        weights: how often each window counts in each resample, [windows, resamples]; each column adds up to the number
            of windows.
        resamples: how many.
        seed: of the draw.
    """

    strata: tuple[Stratum, ...]
    weights: Floats
    resamples: int
    seed: int

    @property
    def freedom(self) -> int:
        """Degrees of freedom of a variance over blocks: blocks less drives."""
        return sum(stratum.blocks - 1 for stratum in self.strata)


def split(drives: Sequence[str]) -> list[Ints]:
    """The places of the windows of each drive. Drives of fewer than 3 windows are put together.

    If even together they are fewer than 3, they join the smallest of the others.
    """
    names = np.array(drives, dtype=object)
    groups = [np.flatnonzero(names == name) for name in dict.fromkeys(drives)]
    large = [group for group in groups if len(group) >= _LEAST_WINDOWS]
    small = [group for group in groups if len(group) < _LEAST_WINDOWS]
    if small:
        together = np.concatenate(small)
        if len(together) < _LEAST_WINDOWS and large:
            smallest = min(range(len(large)), key=lambda index: len(large[index]))
            large[smallest] = np.sort(np.concatenate([large[smallest], together]))
        else:
            large.append(together)
    return large


def autocorrelation(influence: Floats, strata: Sequence[Ints]) -> Floats:
    """Correlation of neighbouring windows within drives, raised by half a standard error: one per row, in [0, 0.9].

    Lag-1 autocorrelation about each drive's own mean, with the bias of a short series taken off to first order: its
    expectation is about rho - (1 + 3 rho) / n (Kendall 1954). Half a standard error, sqrt((1 - rho^2) / n) / 2, is
    added, since an interval that is too narrow does more harm than one that is too wide: of 8 windows with a
    correlation of 0.3, intervals cover 94 % with it and 89 % without. Negative correlations count as 0.

    Args:
        influence: [rows, windows].
        strata: places of windows, see :func:`split`.
    """
    products = np.zeros(len(influence))
    squares = np.zeros(len(influence))
    for places in strata:
        centred = influence[:, places] - influence[:, places].mean(axis=1, keepdims=True)
        products += (centred[:, 1:] * centred[:, :-1]).sum(axis=1)
        squares += (centred * centred).sum(axis=1)
    total = sum(map(len, strata))
    mean_length = total / max(1, len(strata))
    if mean_length <= 1:
        return np.zeros(len(influence))
    rho = np.divide(products, squares, out=np.zeros_like(products), where=squares > 0)
    rho *= mean_length / (mean_length - 1)
    if mean_length > _CORRECTED_LENGTH:
        rho = (rho + 1 / mean_length) / (1 - 3 / mean_length)
    rho = np.clip(rho, 0.0, _MOST_CORRELATION)
    raised = np.minimum(rho + _CAUTION * np.sqrt((1.0 - rho * rho) / total), _MOST_CORRELATION)
    return np.where(squares > 0, raised, 0.0)


def block_length(correlation: float, strata: Sequence[Ints]) -> int:
    """Windows in a block: the length with the least mean squared error of the variance for an AR(1) series.

    (6 rho^2 / (1 - rho^2)^2 * n)^(1/3), rounded up (Politis and White 2004 with the spectrum of an AR(1) series, which
    is Andrews 1991 for the Bartlett kernel); shorter where too few blocks would be left to tell a variance.

    Args:
        correlation: of neighbouring windows, in [0, 1).
        strata: places of windows.
    """
    sizes = [len(places) for places in strata]
    square = correlation * correlation
    wanted = int(np.ceil((6.0 * square / (1.0 - square) ** 2 * sum(sizes)) ** (1.0 / 3.0)))
    length = max(1, wanted)
    while length > 1 and sum(_blocks(size, length) - 1 for size in sizes) < _LEAST_FREEDOM:
        length -= 1
    return length


def draw(drives: Sequence[str], length: int, *, resamples: int = RESAMPLES, seed: int = SEED) -> Blocks:
    """Draw the resamples.

    Args:
        drives: the drive of every window, neighbours beside each other.
        length: windows in a block, at least 1; at most half of a drive is used.
        resamples: how many, at least 1.
        seed: of the draw.
    """
    random = np.random.default_rng(seed)
    weights = np.zeros((len(drives), resamples))
    strata = []
    for places in split(drives):
        size = len(places)
        used = _used(size, length)
        blocks = _blocks(size, length)
        starts = random.integers(0, size, (resamples, blocks)) + size * np.arange(resamples)[:, None]
        counts = np.bincount(starts.ravel(), minlength=size * resamples).reshape(resamples, size).T
        stratum = Stratum(places, used, blocks, np.ascontiguousarray(counts, dtype=np.float32))
        covered = sum(np.roll(counts, shift, axis=0) for shift in range(used))
        weights[places] = stratum.share * covered
        strata.append(stratum)
    return Blocks(tuple(strata), weights, resamples, seed)


def block_sums(influence: Floats, stratum: Stratum) -> Floats:
    """Sums over the circular blocks of a stratum, by their first window: [rows, windows] to [rows, n]."""
    values = influence[:, stratum.windows]
    if stratum.length == 1:
        return values
    wrapped = np.concatenate([values, values[:, : stratum.length - 1]], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(wrapped, stratum.length, axis=1)
    sums: Floats = windows.sum(axis=-1)
    return sums


def _used(size: int, length: int) -> int:
    return max(1, min(length, size // 2))


def _blocks(size: int, length: int) -> int:
    return max(min(size, 2), round(size / _used(size, length)))
