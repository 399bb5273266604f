"""A big native store of per-frame rows, to measure opening with: see :mod:`benchmarks.store`.

Every checkpoint has the same frames. A metric's values are one noise per frame and region that all checkpoints share,
shifted in the order of frames from one to the next, around a level that follows a learning curve. Their mantissas are
as random as measured ones, so that the files compress no better than real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.generate_runs import BASELINE, learning_curves
from engine.catalogue import Catalogue, Group, frame_metric_names
from engine.results.joined import joined_name
from engine.results.joining import ROW_GROUP
from engine.results.layout import FRAMES as FRAMES_FOLDER
from engine.results.layout import METADATA
from engine.results.writer import write_metadata
from engine.schema import FRAMES, CheckpointInfo, ProtocolInfo, Provenance, Role, RunMetadata

ALIGN = "median"
REGIONS = ("building", "full", "non_building")  # the first is the one that the score looks at
SEQ_LEN = 8  # frames of a window, as in the protocol
SHARD = 4  # windows of a shard, as evaluate's default
DRIVES = 9
SPREAD = 0.35  # of a metric over frames, relative to its mean
SHIFT = 7919  # places in the order of frames, from one checkpoint to the next

Values = npt.NDArray[np.float64]


class StoreData:
    """Plausible rows of many checkpoints.

    Args:
        checkpoints: how many, the baseline among them.
        frames: per checkpoint and region.
        regions: one to three.
        seed: of everything that is random.
    """

    def __init__(self, checkpoints: int, frames: int, regions: int, seed: int = 0) -> None:
        if not (checkpoints > 1 and frames > 0 and 0 < regions <= len(REGIONS)):
            raise ValueError("at least two checkpoints, one frame, and one to three regions")
        self.names = [BASELINE, *(f"checkpoint_{number}" for number in range(1, checkpoints))]
        rng = np.random.default_rng(seed)
        self._regions = REGIONS[:regions]
        self._window = np.arange(frames) // SEQ_LEN
        self._windows = int(self._window[-1]) + 1
        self._columns = [(group, name) for group, names in frame_metric_names().items() for name in names]
        self._noise = [
            rng.standard_normal(self._windows if group is Group.POSE else frames * regions)
            for group, _ in self._columns
        ]
        keys = [f"{group}.{'' if group is Group.POSE else f'{REGIONS[0]}.'}{name}" for group, name in self._columns]
        self._bounds = [Catalogue().get(key).bounds for key in keys]
        self._levels = learning_curves(keys, checkpoints - 1, rng)

    def rows(self, number: int) -> pl.DataFrame:
        """The rows of one checkpoint, schema ``FRAMES``, window by window: frames and regions, then its pose."""
        values = {
            f"{group}.{name}": (group, self._values(index, number)) for index, (group, name) in enumerate(self._columns)
        }
        pixels = values.pop(f"{Group.DEPTH}.pixels")[1]
        regions, frames = len(self._regions), len(self._window)
        of_frames = pl.DataFrame(
            {
                "window": np.repeat(self._window, regions),
                "frame": np.repeat(np.arange(frames), regions),
                "region": np.tile(np.array(self._regions, dtype=object), frames),
                "align": np.full(frames * regions, ALIGN, dtype=object),
                "pixels": (pixels * 4000).astype(np.int64),
                "clamped": np.zeros(frames * regions, dtype=np.int64),
                **{key: found for key, (group, found) in values.items() if group is not Group.POSE},
            }
        )
        of_windows = pl.DataFrame(
            {
                "window": np.arange(self._windows),
                "region": np.full(self._windows, "", dtype=object),
                **{key: found for key, (group, found) in values.items() if group is Group.POSE},
            }
        )
        return (
            pl.concat([of_frames, of_windows], how="diagonal_relaxed")
            .sort("window", maintain_order=True)
            .with_columns(
                checkpoint=pl.lit(self.names[number]),
                drive=(pl.col("window") % DRIVES).cast(pl.String),
                degenerate=pl.lit(False),
            )
            .select(pl.col(column).cast(dtype) for column, dtype in FRAMES.items())
        )

    @property
    def shards(self) -> int:
        """How many shards an evaluation of these windows writes."""
        return -(-self._windows // SHARD)

    def _values(self, index: int, number: int) -> Values:
        noise = np.roll(self._noise[index], SHIFT * number)
        return np.clip(self._levels[number, index] * (1.0 + SPREAD * noise), *self._bounds[index])


def write_store(folder: Path, data: StoreData, *, threads: int) -> Iterator[int]:
    """Write the run as ``lorascope evaluate`` leaves it, without its cache; ``metadata.json`` comes last.

    Yields:
        How many checkpoints are written.
    """

    def write(number: int) -> None:
        path = folder / FRAMES_FOLDER / data.names[number] / joined_name(0, data.shards - 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        data.rows(number).write_parquet(path, row_group_size=ROW_GROUP)

    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(write, range(len(data.names))), 1):
            yield done
    checkpoints = [
        CheckpointInfo(name=name, role=Role.BASELINE if name == BASELINE else Role.CHECKPOINT) for name in data.names
    ]
    protocol = ProtocolInfo(align=ALIGN, seq_len=SEQ_LEN)
    metadata = RunMetadata(run=folder.name, provenance=Provenance.SYNTHETIC, protocol=protocol, checkpoints=checkpoints)
    write_metadata(folder, metadata)


def is_written(folder: Path) -> bool:
    """Whether a store was written whole into ``folder``."""
    return (folder / METADATA).is_file()
