"""Windows of consecutive frames, their strata, and seeded sampling."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from engine.dataset.model import Stratum, Window
from engine.errors import UsageError

RICH_SHARE = 0.30
MIXED_SHARE = 0.10
# How a stratified sample is divided; what a stratum lacks goes to the others.
STRATUM_SHARES = {Stratum.RICH: 0.5, Stratum.MIXED: 0.3, Stratum.ROAD: 0.2}

Sampling = Literal["uniform", "stratified"]


def cut_windows(frames: Iterable[int], seq_len: int, stride: int) -> list[tuple[int, ...]]:
    """Cut frame numbers of one drive into windows that never cross a gap.

    Every run of consecutive numbers starts a new window at its first frame and goes on every ``stride`` frames; frames
    at the end of a run that fill no window are in none.

    Args:
        frames: frame numbers, in any order.
        seq_len: frames in a window, at least 1.
        stride: frames from one window's start to the next, at least 1.

    Returns:
        Windows in ascending order.

    Raises:
        UsageError: ``seq_len`` or ``stride`` is below 1.
    """
    if seq_len < 1 or stride < 1:
        raise UsageError(f"windows of {seq_len} frames every {stride} are not possible", "both are at least 1")
    ordered = np.unique(np.fromiter(frames, dtype=np.int64))
    windows: list[tuple[int, ...]] = []
    for run in np.split(ordered, np.flatnonzero(np.diff(ordered) != 1) + 1):
        starts = range(0, run.size - seq_len + 1, stride)
        windows += [tuple(run[start : start + seq_len].tolist()) for start in starts]
    return windows


def centre_frame(frames: Sequence[int]) -> int:
    """The frame whose labels give a window its stratum: the middle one, the later of two."""
    return frames[len(frames) // 2]


def stratum(building_share: float) -> Stratum:
    """The stratum of a share of building pixels in [0, 1]."""
    if building_share >= RICH_SHARE:
        return Stratum.RICH
    return Stratum.MIXED if building_share >= MIXED_SHARE else Stratum.ROAD


def sample(
    windows: Sequence[Window], max_seqs: int | None, *, sampling: Sampling = "uniform", seed: int = 0
) -> list[Window]:
    """Draw windows once for a whole run: the same arguments always give the same windows.

    ``uniform``: without replacement, every window alike. ``stratified``: 50/30/20 over rich, mixed and road; what a
    stratum lacks goes to the others in the same proportions.

    Args:
        windows: what to draw from.
        max_seqs: how many at most; ``None`` for all.
        sampling: how to draw.
        seed: of the draw.

    Returns:
        The windows drawn, in their original order, with ids from 0.

    Raises:
        UsageError: ``max_seqs`` is below 1, ``sampling`` is unknown, or windows without strata are to be stratified.
    """
    if max_seqs is not None and max_seqs < 1:
        raise UsageError(f"a sample of {max_seqs} windows is not possible", "ask for at least 1")
    if sampling not in ("uniform", "stratified"):
        raise UsageError(f"unknown sampling {sampling!r}", "choose uniform or stratified")
    if sampling == "stratified" and any(window.stratum is None for window in windows):
        raise UsageError("this dataset has no labels, so no strata to sample by", "choose uniform sampling")
    if max_seqs is None or max_seqs >= len(windows):
        chosen = np.arange(len(windows))
    else:
        random = np.random.default_rng(seed)
        if sampling == "uniform":
            chosen = random.choice(len(windows), max_seqs, replace=False)
        else:
            chosen = _stratified(windows, max_seqs, random)
    return [replace(windows[index], id=number) for number, index in enumerate(np.sort(chosen).tolist())]


def fingerprint(windows: Iterable[Window]) -> str:
    """A stable hash of what is evaluated: drive, frames and stratum of every window, in whatever order they come.

    Returns:
        SHA-256, 64 hexadecimal digits.
    """
    rows = sorted(
        json.dumps([window.drive, list(window.frames), window.stratum and window.stratum.value], ensure_ascii=True)
        for window in windows
    )
    return hashlib.sha256("\n".join(rows).encode("ascii")).hexdigest()


def quotas(available: dict[Stratum, int], total: int) -> dict[Stratum, int]:
    """How many windows each stratum gives to a stratified sample.

    Args:
        available: windows in each stratum.
        total: windows wanted.

    Returns:
        Numbers that add up to ``min(total, all available)``, none above what is available.
    """
    given = dict.fromkeys(STRATUM_SHARES, 0)
    wanted = min(total, sum(available.values()))
    while (missing := wanted - sum(given.values())) > 0:
        open_strata = [name for name in STRATUM_SHARES if given[name] < available.get(name, 0)]
        for name, more in _apportion({name: STRATUM_SHARES[name] for name in open_strata}, missing).items():
            given[name] = min(given[name] + more, available[name])
    return given


def _apportion(weights: dict[Stratum, float], total: int) -> dict[Stratum, int]:
    """Largest remainders: whole numbers in proportion to the weights that add up to ``total``."""
    scale = total / sum(weights.values())
    shares = {name: int(weight * scale) for name, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda name: shares[name] - weights[name] * scale)
    for name in by_remainder[: total - sum(shares.values())]:
        shares[name] += 1
    return shares


def _stratified(
    windows: Sequence[Window], total: int, random: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    members = {
        name: np.array([index for index, window in enumerate(windows) if window.stratum == name], dtype=np.int64)
        for name in STRATUM_SHARES
    }
    counts = quotas({name: indices.size for name, indices in members.items()}, total)
    return np.concatenate([random.choice(members[name], count, replace=False) for name, count in counts.items()])
