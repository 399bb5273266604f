"""A native run whose truth is known: what is better, what is tied, what loses a part, what carries no information."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.results.writer import write_run
from engine.schema import CheckpointInfo
from support.store import frame_row, frames, metadata, windows

DRIVES = tuple(f"2013_05_28_drive_000{number}_sync" for number in (3, 4, 5))
WINDOWS_PER_DRIVE = 8
FRAMES = 2
CHECKPOINTS = ("baseline", "checkpoint_1", "checkpoint_2", "checkpoint_3")
# AbsRel of buildings: what is added to the baseline's 0.3 in each drive.
SHIFTS = {
    "baseline": (0.0, 0.0, 0.0),
    "checkpoint_1": (-0.10, -0.10, 0.05),  # the mean is 0.05 better, the last drive is worse
    "checkpoint_2": (-0.04, -0.04, -0.04),  # better everywhere
    "checkpoint_3": (0.0, 0.0, 0.0),  # the same but for noise
    "oracle": (-0.29, -0.29, -0.29),
    "chance": (0.5, 0.5, 0.5),
}
# Of the full image, in every drive: what checkpoint_1 gains on buildings it loses elsewhere.
FULL = {"checkpoint_1": 0.06, "checkpoint_2": -0.04, "oracle": -0.29, "chance": 0.5}
# Normals below 30 degrees are where chance has them, for all but the truth.
INLIERS = {"oracle": 0.95}


def write_judged_run(folder: Path, *, run: str = "judged", checkpoints: Sequence[str] = CHECKPOINTS) -> Path:
    """Three drives of eight windows of two frames, strata in turn, and oracle and chance."""
    names = [*checkpoints, "oracle", "chance"]
    rows = []
    for name in names:
        random = np.random.default_rng(sum(map(ord, name)))
        for window in range(len(DRIVES) * WINDOWS_PER_DRIVE):
            drive = window // WINDOWS_PER_DRIVE
            level = 0.02 * np.sin(window)  # alike in all checkpoints: pairing takes it out
            for offset in range(FRAMES):
                noise = 0.004 * random.standard_normal(2)
                building = 0.3 + SHIFTS[name][drive] + level + noise[0]
                full = 0.3 + FULL.get(name, 0.0) + level + noise[1]
                rows += [
                    frame_row(
                        name,
                        10 * window + offset,
                        window=window,
                        drive=DRIVES[drive],
                        region=region,
                        pixels=100,
                        depth__abs_rel=error,
                        depth__delta1=1.0 - error,
                        normals__inlier_30=INLIERS.get(name, 0.1) + 0.02 * random.standard_normal(),
                        planarity__inlier_ratio=0.5,
                        photometric__inlier_ratio=0.5,
                    )
                    for region, error in (("building", building), ("full", full))
                ]
    sampled = (
        (window, DRIVES[window // WINDOWS_PER_DRIVE], [10 * window, 10 * window + 1], ("rich", "road")[window % 2])
        for window in range(len(DRIVES) * WINDOWS_PER_DRIVE)
    )
    described = metadata(*checkpoints)
    pseudo = [CheckpointInfo.model_validate({"name": name, "role": name}) for name in ("oracle", "chance")]
    about = described.model_copy(update={"run": run, "checkpoints": [*described.checkpoints, *pseudo]})
    write_run(folder, about, frames=frames(rows), windows=windows(*sampled))
    return folder
