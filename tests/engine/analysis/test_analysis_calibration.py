"""The scale from chance to truth, and what is known of the existing system's metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.results import load_one
from window_frames import KEY, drives_of, planned, sample_of

from engine.analysis.calibration import CALIBRATION, calibrate
from engine.analysis.known_limits import LIMITS, Limit, known_limits
from engine.analysis.resampling.sample import tabulate
from engine.catalogue import Catalogue, Group
from engine.config import Config
from engine.results.sums import window_sums

CATALOGUE = Catalogue()
AR, RRA, SELF = "depth.building.abs_rel", "pose.rra5", "planarity.building.self_residual"
DRIVES = drives_of(3, 8)
SAMPLES = Path(__file__).resolve().parents[3] / "sample_results"


def test_readings() -> None:
    random = np.random.default_rng(0)

    def around(mean: float) -> np.ndarray:
        return mean + 0.05 * random.standard_normal(24)

    values = {
        "oracle": {KEY: around(0.98), AR: around(0.05), RRA: around(0.9), SELF: around(0.5)},
        "chance": {KEY: around(0.40), AR: around(0.65), RRA: around(0.88), SELF: around(0.1)},
        "baseline": {KEY: around(0.40), AR: around(0.35), RRA: around(0.5), SELF: around(0.3)},
        "worse": {KEY: around(0.20), AR: around(0.95), RRA: around(0.5), SELF: around(0.3)},
    }
    statistics = planned(sample_of(values, DRIVES))
    table = calibrate(
        statistics, chance="chance", oracle="oracle", checkpoints=["baseline", "worse"], catalogue=CATALOGUE
    )
    assert table.schema == CALIBRATION
    found = {(row["metric"], row["checkpoint"]): row for row in table.iter_rows(named=True)}
    readings = {place: row["reading"] for place, row in found.items()}
    assert readings == {
        (AR, "baseline"): "informative",
        (AR, "worse"): "below_chance",
        (KEY, "baseline"): "near_chance",
        (KEY, "worse"): "below_chance",
        (RRA, "baseline"): "no_scale",  # chance has less than twice the error of the truth
        (RRA, "worse"): "no_scale",
        (SELF, "baseline"): "no_scale",  # chance is better than the truth
        (SELF, "worse"): "no_scale",
    }
    means = {name: {key: array.mean() for key, array in metrics.items()} for name, metrics in values.items()}
    for key in (KEY, AR):
        ends = means["chance"][key], means["oracle"][key]
        for name in ("baseline", "worse"):
            row = found[key, name]
            assert (row["chance"], row["oracle"], row["value"]) == pytest.approx((*ends, means[name][key]))
            assert row["percent"] == pytest.approx(100 * (means[name][key] - ends[0]) / (ends[1] - ends[0]))
            assert row["percent_low"] < row["percent"] < row["percent_high"]
    assert found[AR, "baseline"]["percent"] == pytest.approx(50.0, abs=6.0)
    assert found[RRA, "baseline"]["percent"] is None


def test_without_both_ends_there_is_no_scale() -> None:
    values = {name: {KEY: np.random.default_rng(1).random(24)} for name in ("baseline", "chance")}
    statistics = planned(sample_of(values, DRIVES))
    table = calibrate(statistics, chance="chance", oracle="oracle", checkpoints=["baseline"], catalogue=CATALOGUE)
    assert table.is_empty()
    assert table.schema == CALIBRATION


def test_few_windows_leave_the_reading_open() -> None:
    values = {name: {KEY: np.full(3, mean)} for name, mean in (("baseline", 0.5), ("chance", 0.2), ("oracle", 1.0))}
    statistics = planned(sample_of(values, ["d"] * 3))
    (row,) = calibrate(
        statistics, chance="chance", oracle="oracle", checkpoints=["baseline"], catalogue=CATALOGUE
    ).to_dicts()
    assert row["percent"] == pytest.approx(37.5)
    assert (row["percent_low"], row["reading"]) == (None, None)


def test_the_samples_say_which_metrics_carry_nothing() -> None:
    """What the samples' README says by hand: cameras nearly blind, photometric and planarity at chance."""
    run = load_one(SAMPLES / "street_soft")
    statistics = planned(tabulate(window_sums(run)), weights=Config().score.weights)
    table = calibrate(statistics, chance="chance", oracle="oracle", checkpoints=["baseline"], catalogue=CATALOGUE)
    readings = dict(table.select("metric", "reading").rows())
    assert readings["photometric.building.inlier_ratio"] == "near_chance"
    assert readings["planarity.building.inlier_ratio"] == "near_chance"
    assert readings["depth.non_building.abs_rel"] == "informative"
    # The two metrics that the self-test calls uninformative, and no other.
    assert {key for key, reading in readings.items() if reading == "no_scale"} == {SELF, RRA}
    assert "scale.building.log_ratio" not in readings


def test_known_limits_are_those_of_the_existing_system_alone() -> None:
    keys = ["normals.building.angular_mean", "normals.full.angular_mean", "pose.ate_trans", KEY, "performance.fps"]
    limits = known_limits([*keys, "depth.building.pixels", "my.metric", "score"], "compat")
    assert list(limits) == keys
    assert limits["normals.building.angular_mean"].limit is Limit.NEAR_CHANCE
    assert limits["normals.building.angular_mean"].perfect == 81.0
    assert limits["normals.full.angular_mean"].perfect is None  # measured on buildings only
    assert limits["pose.ate_trans"].perfect == 3904.0
    assert "thousands of metres" in limits["pose.ate_trans"].reason
    assert limits[KEY].limit is Limit.DISTORTED
    assert known_limits(keys, "v1") == {}
    assert known_limits(keys, None) == {}


def test_every_limit_is_one_sentence_about_a_metric_that_there_is() -> None:
    groups = {group.value for group in Group}
    for name, limit in LIMITS.items():
        group, dot, metric = name.partition(".")
        assert group in groups
        key = f"{group}.building.{metric}" if group not in ("pose", "performance") else name
        assert not dot or CATALOGUE.get(key).known
        assert limit.reason
        assert not limit.reason.endswith(".")


def test_the_real_runs_have_their_notes(shared_data: Path) -> None:
    run = load_one(shared_data / "kitti360_lora" / "lora_kitti360_strategy_b")
    keys = run.summary["metric"].unique(maintain_order=True).to_list()
    limits = known_limits(keys, run.metadata.protocol.name)
    near = {key for key, limit in limits.items() if limit.limit is Limit.NEAR_CHANCE}
    assert near == {key for key in keys if key.split(".")[0] in ("normals", "planarity", "photometric", "pose")}
    # The baseline scores no worse than a perfect prediction would: the metric cannot tell the two apart.
    (delta1,) = run.summary.filter(checkpoint=run.baseline, metric=KEY)["mean"]
    assert delta1 == pytest.approx(limits[KEY].perfect, abs=0.01)
