"""How long verdicts take: ``python -m benchmarks.statistics``.

Made-up sums over windows of a whole run are tabulated, resampled and judged; beside it, SciPy's bootstrap of a few
of the differences, and how long it would take for all of them.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import polars as pl
import scipy.stats

from benchmarks.generate_runs import BASELINE, metric_keys
from engine.analysis.frontier import front_frequency
from engine.analysis.paired import paired_differences
from engine.analysis.resampling.judging import plan
from engine.analysis.resampling.sample import tabulate
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.ties import tie_group
from engine.catalogue import Catalogue
from engine.config import Config
from engine.schema import WINDOW_SUMS

FRAMES = 8
DRIVES = 9
WITH_SCIPY = 3  # differences that SciPy resamples; the rest is extrapolated
Result = TypeVar("Result")


def made_up_sums(checkpoints: int, metrics: int, windows: int, seed: int) -> pl.DataFrame:
    """Sums of a baseline and ``checkpoints - 1`` others: shared difficulty of windows, noise of their own."""
    random = np.random.default_rng(seed)
    weighted = list(Config().score.weights)
    keys = [*weighted, *(key for key in metric_keys(metrics + len(weighted)) if key not in weighted)][:metrics]
    names = [BASELINE, *(f"checkpoint_{number}" for number in range(checkpoints - 1))]
    drives = [f"drive_{window * DRIVES // windows}" for window in range(windows)]
    difficulty = random.uniform(0.2, 0.6, (metrics, 1, windows))
    means = difficulty + 0.1 * random.standard_normal((metrics, checkpoints, windows))
    size = metrics * checkpoints * windows
    return pl.DataFrame(
        {
            "checkpoint": pl.Series(names).repeat_by(windows).explode().to_list() * metrics,
            "metric": pl.Series(keys).repeat_by(checkpoints * windows).explode(),
            "drive": drives * (checkpoints * metrics),
            "window": np.tile(np.arange(windows), checkpoints * metrics),
            "frame": pl.repeat(None, size, dtype=pl.Int64, eager=True),
            "sum": FRAMES * means.ravel(),
            "m2": pl.repeat(0.1, size, eager=True),
            "count": pl.repeat(FRAMES, size, dtype=pl.Int64, eager=True),
        },
        schema=WINDOW_SUMS,
    )


def timed(what: str, work: Callable[[], Result]) -> Result:
    """Run it, print how long it took and the process's peak memory so far."""
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    print(f"{what:44} {seconds:8.3f} s   peak {_peak():6.0f} MB")
    return result


def scipy_seconds(sums: pl.DataFrame, resamples: int) -> float:
    """How long SciPy's bootstrap (BCa, single windows) of one difference takes."""
    text = sums.with_columns(pl.col("checkpoint").cast(pl.String))
    base = text.filter(checkpoint=BASELINE).partition_by("metric", maintain_order=True)[:WITH_SCIPY]
    other = text.filter(checkpoint="checkpoint_0").partition_by("metric", maintain_order=True)[:WITH_SCIPY]
    start = time.perf_counter()
    for first, second in zip(base, other, strict=True):
        difference = (second["sum"] - first["sum"]).to_numpy() / FRAMES
        scipy.stats.bootstrap((difference,), np.mean, n_resamples=resamples, rng=np.random.default_rng(0))
    return (time.perf_counter() - start) / len(base)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000.0  # Linux: kB


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.statistics", description=__doc__)
    parser.add_argument("--checkpoints", type=int, default=51, help="the baseline among them")
    parser.add_argument("--metrics", type=int, default=40)
    parser.add_argument("--windows", type=int, default=500)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    catalogue, weights = Catalogue(), Config().score.weights
    sums = timed(
        "making up the sums", lambda: made_up_sums(options.checkpoints, options.metrics, options.windows, options.seed)
    )
    print(f"{sums.height} rows, {sums.estimated_size() / 1e6:.0f} MB")
    sample = timed("tabulate", lambda: tabulate(sums))
    blocks = timed("plan (draw the resamples)", lambda: plan(sample, baseline=BASELINE, resamples=options.resamples))
    statistics = Statistics(sample, blocks, weights=weights, catalogue=catalogue)
    names = [name for name in sample.checkpoints if name != BASELINE]
    rows = timed(
        "paired_differences (intervals, verdicts)",
        lambda: paired_differences(statistics, baseline=BASELINE, checkpoints=names, catalogue=catalogue),
    )
    print(f"{rows.height} differences, blocks of {blocks.strata[0].length} windows")
    timed(
        "tie_group of the score",
        lambda: tie_group(statistics, objective="score", checkpoints=names, catalogue=catalogue),
    )
    keys = [key for key in ("depth.building.abs_rel", "depth.building.delta1") if key in sample.metrics]
    table = pl.DataFrame({"checkpoint": names} | {key: statistics.level(key, sample.rows(names)).value for key in keys})
    timed("front_frequency of two metrics", lambda: front_frequency(statistics, table, keys, catalogue=catalogue))
    one = scipy_seconds(sums, options.resamples)
    print(f"SciPy's bootstrap: {one:.3f} s a difference, {one * rows.height:.0f} s for all of them")


if __name__ == "__main__":
    main()
