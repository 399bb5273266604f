"""What an evaluation is going to do: windows, strata, checkpoints, shards. Reads no image and no weights."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from engine.dataset.model import Dataset, Window
from engine.dataset.open import open_dataset
from engine.dataset.windows import fingerprint, sample
from engine.errors import DataError, UsageError
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.journal import State
from engine.evaluation.prior import state_in
from engine.inference.checkpoints import CheckpointSource, choose, discover_checkpoints

# Rows that every evaluation has of its own.
BASELINE, ORACLE, CHANCE = "baseline", "oracle", "chance"
RESERVED = frozenset({BASELINE, ORACLE, CHANCE})


@dataclass(frozen=True, eq=False)
class Plan:
    """The work of one run.

    Attributes:
        config: the settings, with the split that was meant.
        dataset: opened.
        windows: the sample, in the order in which it is computed; their ids are their places in it.
        available: windows that the split has.
        fingerprint: of the sample.
        checkpoints: what is evaluated besides the baseline.
        left_out: frames that the dataset left out, by reason.
    """

    config: EvaluationConfig
    dataset: Dataset
    windows: tuple[Window, ...]
    available: int
    fingerprint: str
    checkpoints: tuple[CheckpointSource, ...]
    left_out: dict[str, int]

    @property
    def shards(self) -> list[tuple[Window, ...]]:
        """The windows in the groups that are written together."""
        size = self.config.shard
        return [self.windows[start : start + size] for start in range(0, len(self.windows), size)]

    @property
    def strata(self) -> Counter[str]:
        """How many windows of each stratum; empty where the dataset has no labels."""
        return Counter(window.stratum.value for window in self.windows if window.stratum)

    def settings(self) -> dict[str, object]:
        """What decides the numbers: the configuration, the sample, and the checkpoints' names and sizes."""
        return {
            **self.config.settings(),
            "fingerprint": self.fingerprint,
            "checkpoint_files": {source.name: _size(source) for source in self.checkpoints},
        }


def make_plan(config: EvaluationConfig) -> Plan:
    """Look at the data and the checkpoints, and draw the sample.

    Raises:
        DataError: the data or the checkpoints are not there or not readable, or the split has no window.
        UsageError: the base weights are not named.
    """
    if config.base is None and config.base_seed is None:
        raise UsageError(f"model {config.model!r} has no base weights", "name the file with --base")
    dataset = open_dataset(config.data, cache=config.cache)
    split = config.split or default_split(dataset)
    config = config.model_copy(update={"split": split})
    every = dataset.windows(split, seq_len=config.seq_len, stride=config.stride)
    if not every:
        raise DataError(
            f"{config.data}: split {split!r} has no window of {config.seq_len} consecutive frames",
            "check --split and --seq-len, and that poses, scans and labels are there",
        )
    drawn = sample(every, config.max_seqs, sampling=config.sampling, seed=config.seed)
    windows = tuple(Window(place, window.drive, window.frames, window.stratum) for place, window in enumerate(drawn))
    sources: list[CheckpointSource] = []
    if config.checkpoints is not None:
        exclude = [config.base] if config.base is not None else []
        sources = choose(discover_checkpoints(config.checkpoints, exclude=exclude), config.only)
        sources = sources[: config.limit_checkpoints]
        taken = [source for source in sources if source.name in RESERVED]
        if taken:
            raise UsageError(
                f"{taken[0].path}: a checkpoint cannot be called {taken[0].name!r}, which is a row of every evaluation",
                "rename it",
            )
    return Plan(config, dataset, windows, len(every), fingerprint(windows), tuple(sources), dict(dataset.left_out))


def default_split(dataset: Dataset) -> str:
    """The split that is evaluated where none is named: ``val``, or the only one that there is."""
    return "val" if "val" in dataset.splits else dataset.splits[0]


def _size(source: CheckpointSource) -> int:
    if source.path.is_dir():
        return sum(entry.stat().st_size for entry in source.path.iterdir() if entry.is_file())
    return source.path.stat().st_size


def prior_state(plan: Plan) -> State:
    """What an earlier start of the same evaluation left in its folder; that of nothing where there was none.

    Raises:
        UsageError: the folder holds a run with other settings, or one that was not made by evaluate.
        DataError: its journal cannot be read.
    """
    return state_in(plan.config.to, plan.settings())
