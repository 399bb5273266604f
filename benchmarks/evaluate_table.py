"""What ``benchmarks.evaluate`` has measured, as a table for people and as plain data for programs."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.evaluate_count import Counted, Part
from benchmarks.evaluate_model import VGGT_SHARES, Target
from benchmarks.evaluate_runs import RunTimes
from benchmarks.evaluate_work import READING, SCORING, SUFFIXES, TRUNKS, TRUTH, WORK

MOST_WORK = 1.15  # the shared run, in units of the unavoidable work
LEAST_SAVING = 0.87  # of what counting operations predicts
LEAST_NAIVE = 5.0  # the naive run, in units of the shared run


@dataclass
class Measured:
    """One target's measurements; lists have an entry for every repetition.

    Attributes:
        target: where LoRA sits.
        counted: operations of a window.
        windows: how many.
        work: seconds of every kind of unavoidable work.
        shared, unshared: evaluations with sharing on and off.
        alone_shared, alone_unshared: seconds of all forward passes of the first window, with nothing beside them.
        naive: seconds of the naive run, of all models.
        naive_models: of how many models it was really done.
        different: which checkpoints or tables of the unshared and of the naive run differ from the shared run's.
        compared: rows that were compared with the unshared, and with the naive run.
    """

    target: Target
    counted: Counted
    windows: int
    work: list[dict[str, float]] = field(default_factory=list)
    shared: list[RunTimes] = field(default_factory=list)
    unshared: list[RunTimes] = field(default_factory=list)
    alone_shared: list[float] = field(default_factory=list)
    alone_unshared: list[float] = field(default_factory=list)
    naive: float = 0.0
    naive_models: int = 0
    different: dict[str, list[str]] = field(default_factory=dict)
    compared: dict[str, int] = field(default_factory=dict)

    @property
    def models(self) -> int:
        """The base and its checkpoints."""
        return 1 + self.counted.checkpoints

    @property
    def unavoidable(self) -> list[float]:
        """Seconds of all unavoidable work together."""
        return [sum(one.values()) for one in self.work]

    @property
    def identical(self) -> bool:
        """Whether all runs gave the same results."""
        return not any(self.different.values())

    def ratios(self) -> dict[str, float]:
        """The figures that the benchmark is for, from medians."""
        shared = statistics.median(one.total for one in self.shared)
        unshared = statistics.median(one.total for one in self.unshared)
        in_run = [statistics.median(one.predicting for one in runs) for runs in (self.unshared, self.shared)]
        alone = statistics.median(self.alone_unshared) / statistics.median(self.alone_shared)
        parts = [(one[TRUNKS], one[SUFFIXES]) for one in self.work]
        return {
            "shared_to_unavoidable": shared / statistics.median(self.unavoidable),
            "counted_saving": self.counted.saving,
            # Of the trunk and the suffixes, timed apart: as much as any way of sharing can save on this machine.
            "possible_saving": statistics.median(
                (self.models * trunk + suffixes) / (trunk + suffixes) for trunk, suffixes in parts
            ),
            "saving_alone": alone,
            "saving_alone_of_counted": alone / self.counted.saving,
            "saving_in_run": in_run[0] / in_run[1],
            "saving_in_run_of_counted": in_run[0] / in_run[1] / self.counted.saving,
            "unshared_to_shared": unshared / shared,
            "naive_to_shared": self.naive / shared,
        }

    def goals(self) -> dict[str, bool]:
        """Goal in words -> whether it was reached."""
        ratios = self.ratios()
        return {
            f"shared run at most {MOST_WORK:g} of the unavoidable work": ratios["shared_to_unavoidable"] <= MOST_WORK,
            f"forward passes save at least {LEAST_SAVING:g} of what is counted": ratios["saving_alone_of_counted"]
            >= LEAST_SAVING,
            f"naive run at least {LEAST_NAIVE:g} shared runs": ratios["naive_to_shared"] >= LEAST_NAIVE,
            "identical results": self.identical,
        }

    def as_data(self) -> dict[str, Any]:
        """Everything, as plain data."""
        return {**asdict(self), "ratios": self.ratios(), "goals": self.goals()}


def machine() -> dict[str, Any]:
    """What the figures depend on besides the program."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def machine_lines(found: dict[str, Any]) -> list[str]:
    """The machine in a line, with a warning where something else runs on it."""
    line = (
        f"{found['cpu']}, {found['cores']} cores; torch {found['torch']} with {found['threads']} threads, "
        f"Python {found['python']}; load {found['load']:.1f} at the start"
    )
    busy = found["load"] > 0.5
    return [line, *(["Something else runs on this machine: seconds and ratios are not reliable."] if busy else [])]


def model_lines(parts: Sequence[Part]) -> list[str]:
    """Operations and speed of every part of the network."""
    total = sum(part.operations for part in parts)
    heads = sum(part.operations for part in parts if part.name.endswith("head"))
    lines = [f"{'part of a forward pass':<26}{'GFLOP':>9}{'share':>9}{'VGGT-1B':>9}{'ms':>9}{'GFLOP/s':>9}"]
    for part in parts:
        like = f"{VGGT_SHARES[part.name]:.1%}" if part.name in VGGT_SHARES else ""
        lines.append(
            f"{part.name:<26}{part.operations / 1e9:>9.2f}{part.operations / total:>9.1%}{like:>9}"
            f"{part.seconds * 1e3:>9.1f}{part.rate:>9.1f}"
        )
    lines.append(f"{'both heads':<26}{heads / 1e9:>9.2f}{heads / total:>9.1%}{VGGT_SHARES['heads']:>9.1%}")
    seconds = sum(part.seconds for part in parts)
    lines.append(f"{'all':<26}{total / 1e9:>9.2f}{1:>9.1%}{'':>9}{seconds * 1e3:>9.1f}{total / seconds / 1e9:>9.1f}")
    return lines


def target_lines(measured: Measured) -> list[str]:
    """The table of one target."""
    counted, ratios = measured.counted, measured.ratios()
    base = statistics.median(measured.unavoidable)
    models, windows = measured.models, measured.windows
    lines = [
        f"counted: {counted.base / 1e9:.1f} GFLOP, with LoRA {counted.adapted / 1e9:.1f}; {counted.shared:.2%} of them "
        f"are the trunk",
        f"counted saving of {models} models: {counted.saving:.2f}x (VGGT-1B: {measured.target.vggt_saving:g}x for 51)",
        "",
        f"{'':<40}{'seconds':>9}{'ratio':>8}   spread",
    ]
    times = dict.fromkeys((READING, TRUTH, TRUNKS), windows)
    times |= {SUFFIXES: windows * models, SCORING: windows * (models + 2)}
    for name in WORK:
        values = [one.get(name, 0.0) for one in measured.work]
        each = f", {times[name]} x {statistics.median(values) / times[name] * 1e3:.0f} ms" if name in times else ""
        lines.append(_line(f"  {name}{each}", values, base))
    lines.append(_line("unavoidable work", measured.unavoidable, base))
    lines.append(_line("shared run", [one.total for one in measured.shared], base))
    lines.append(_line("unshared run", [one.total for one in measured.unshared], base))
    sampled = "" if measured.naive_models == models else f", {measured.naive_models} of {models} models, multiplied"
    lines.append(_line(f"naive run{sampled}", [measured.naive], base))
    loading = [one.loading for one in (*measured.shared, *measured.unshared)]
    lines.append(_line("loading the models, in none of these", loading, None))
    lines += [
        "",
        f"{'forward passes, unshared / shared':<40}{'saving':>9}{'of counted':>12}",
        f"{'  counted operations':<40}{counted.saving:>8.2f}x",
        _saving("  trunk and suffixes timed apart", ratios["possible_saving"], counted.saving),
        _saving("  one window alone", ratios["saving_alone"], counted.saving)
        + f"   {_spread(measured.alone_unshared)} / {_spread(measured.alone_shared)} s",
        _saving("  within the runs", ratios["saving_in_run"], counted.saving),
        f"{'whole run, unshared / shared':<40}{ratios['unshared_to_shared']:>8.2f}x",
        f"{'naive / shared':<40}{ratios['naive_to_shared']:>8.2f}x",
    ]
    if told := measured.shared[-1].sharing:
        kept = f"{told['peak_mb']:.0f} MB of at most {told['limit_mb']:.0f} MB"
        lines.append(f"kept to share: {kept}, {told['modules']} modules, {told['reused']} calls answered")
        lines += [f"notice: {notice}" for notice in told["notices"]]
    for other, different in measured.different.items():
        rows = f"{measured.compared[other]} rows and curve points"
        said = f"differs in {', '.join(different)}" if different else "identical"
        lines.append(f"shared and {other} run: {rows} compared, {said}")
    lines += [f"{'ok    ' if reached else 'MISSED'} {goal}" for goal, reached in measured.goals().items()]
    return lines


def _line(label: str, values: Sequence[float], base: float | None) -> str:
    middle = statistics.median(values)
    ratio = f"{middle / base:>8.3f}" if base else f"{'':>8}"
    spread = f"   {_spread(values)}" if len(values) > 1 else ""
    return f"{label:<40}{middle:>9.2f}{ratio}{spread}"


def _saving(label: str, value: float, counted: float) -> str:
    return f"{label:<40}{value:>8.2f}x{value / counted:>12.3f}"


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.2f}" if len(values) == 1 else f"{min(values):.2f}-{max(values):.2f}"


def _cpu() -> str:
    """The processor's name; Python knows only its architecture on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
