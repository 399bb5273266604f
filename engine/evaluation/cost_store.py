"""The costs of a run on disk: what is there, whether more may be put beside it, and putting it there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from engine.errors import DataError, UsageError
from engine.evaluation.plan import BASELINE
from engine.inference.cost import Cost
from engine.results import layout
from engine.results.costs import baseline_of, missing_costs, read_costs, subjects
from engine.results.native import read_metadata
from engine.results.problems import ProblemLog
from engine.results.writer import write_metadata, write_table
from engine.schema import MEASURED_COST, CostInfo

_MB = 1e6
# Two measurements that differ in one of these do not belong into one table.
_SETTINGS = (
    "device",
    "dtype",
    "image_width",
    "image_height",
    "frames",
    "threads",
    "warmup",
    "repeats",
    "libraries",
    "weights_sha256",
)
_HASH = 64  # characters of a SHA-256
_SHOWN = 12  # of them


class CostStore:
    """``cost.parquet`` and its description in ``metadata.json``. The run's lock is held by whoever uses it.

    Args:
        run: the run's folder.

    Raises:
        DataError: its metadata cannot be read.
    """

    def __init__(self, run: Path) -> None:
        log = ProblemLog()
        metadata = read_metadata(run, log)
        if metadata is None:
            raise DataError(f"{run}: {log.result()[0]}", "costs are measured for runs that evaluate has made")
        self._run = run
        self._metadata = metadata
        self._log = ProblemLog()
        self._costs = read_costs(run, self._log)
        self.baseline = baseline_of(metadata) or BASELINE

    def check_base(self, weights: str) -> None:
        """Refuse other base weights than the run's.

        Args:
            weights: their hash, as :func:`engine.inference.weights.state_sha256` gives it.

        Raises:
            DataError: the run records another.
        """
        wanted = self._metadata.model.weights_sha256
        if wanted is not None and weights != wanted:
            raise DataError(
                f"the base weights are not those of {self._run}: their hash is {_short(weights)}, "
                f"the run's {_short(wanted)}",
                "name the run's own with --base, or its --base-seed",
            )

    def begin(self, info: CostInfo, *, again: bool) -> None:
        """Make the run say how its costs are measured; rows that were measured so stay, unless ``again``.

        Raises:
            UsageError: rows are there that were measured otherwise.
            DataError: rows are there that cannot be read; the folder cannot be written to.
        """
        if not again:
            self._check_same(info)
        if again or self._costs.is_empty():
            # No row may lie beside a description that is not its own, whenever this process ends.
            _remove(self._run / layout.COST)
            self._costs = self._costs.clear()
            self._metadata = self._metadata.model_copy(update={"cost": info})
            write_metadata(self._run, self._metadata)

    def missing(self, checkpoints: Sequence[str], *, merged: bool) -> dict[str, list[bool]]:
        """What is not measured: the baseline or a checkpoint -> unmerged (``False``), merged (``True``) or both."""
        todo: dict[str, list[bool]] = {}
        names = [self.baseline, *checkpoints]
        for name, state in missing_costs(self._costs, names, self.baseline, merged=merged):
            todo.setdefault(name, []).append(state)
        return todo

    def holds_checkpoints(self) -> bool:
        """Whether there is a row of anything but the baseline."""
        return not set(self._costs["checkpoint"]) <= {self.baseline}

    def append(self, rows: pl.DataFrame) -> None:
        """Write rows of schema ``MEASURED_COST`` beside those that are there, in the run's order.

        Raises:
            DataError: the folder cannot be written to.
        """
        names = dict.fromkeys([self.baseline, *subjects(self._metadata), *self._costs["checkpoint"]])
        places = {name: place for place, name in enumerate(names)}
        place = pl.col("checkpoint").replace_strict(places, default=len(places), return_dtype=pl.Int64)
        self._costs = pl.concat([self._costs, rows]).sort(place, "merged", maintain_order=True)
        write_table(self._run, layout.COST, self._costs)

    def _check_same(self, info: CostInfo) -> None:
        problems = self._log.result()
        if problems:
            raise DataError(f"{self._run}: {problems[0]}", "measure everything anew with --again")
        if self._costs.is_empty():
            return
        before = self._metadata.cost
        if before is None:
            raise UsageError(
                f"{self._run} holds costs that were not measured by lorascope cost", "replace them with --again"
            )
        changed = [
            f"{name.replace('_', ' ')} {_short(getattr(before, name))} is now {_short(getattr(info, name))}"
            for name in _SETTINGS
            if getattr(before, name) != getattr(info, name)
        ]
        if changed:
            raise UsageError(
                f"{self._run} holds costs that were measured otherwise ({'; '.join(changed)})",
                "measure everything anew with --again, or use the same settings",
            )


def cost_row(name: str, merged: bool, cost: Cost, adapter_bytes: int, parameters: int) -> pl.DataFrame:
    """A row of schema ``MEASURED_COST``.

    Args:
        name: the checkpoint.
        merged: whether its LoRA was merged.
        cost: what was measured.
        adapter_bytes: of its tensors; MB here are 1e6 bytes.
        parameters: how many numbers were trained.
    """
    values = {
        "checkpoint": name,
        "merged": merged,
        "fps": cost.fps,
        "latency_sec": cost.latency,
        "latency_p95_sec": cost.latency_p95,
        "vram_mb": None if cost.memory is None else cost.memory / _MB,
        "adapter_mb": adapter_bytes / _MB,
        "trainable_params": parameters,
        "times_sec": list(cost.times),
    }
    return pl.DataFrame([values], schema=MEASURED_COST)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be removed ({error.strerror or error})", "check the folder's rights"
        ) from error


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {version}" for name, version in value.items())
    text = str(value)
    return text[:_SHOWN] if len(text) == _HASH else text
