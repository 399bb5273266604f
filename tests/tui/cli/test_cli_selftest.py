"""``lorascope selftest``."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import Command
from support.evaluating import write_small_street

torch = pytest.importorskip("torch", reason="the self-test needs the extra `eval`")

VERDICTS = {"ok", "failed", "uninformative", "no limit", "not measured"}


@pytest.mark.e2e
def test_the_evaluator_proves_itself(lorascope: Command) -> None:
    done = lorascope("selftest", "--format", "json")
    assert list(done.json) == ["metrics"]
    assert all(list(entry) == ["key", "oracle", "chance", "verdict"] for entry in done.json["metrics"])
    found = {entry["key"]: entry for entry in done.json["metrics"]}
    assert {entry["verdict"] for entry in found.values()} <= VERDICTS - {"failed"}
    wanted = {
        "depth.building.abs_rel": (0.005, 0.1),
        "normals.building.angular_mean": (2.0, 20.0),
        "pose.ate_trans": (1e-4, 0.1),
        "pose.rpe_trans": (1e-4, 0.1),
    }
    for key, (limit, blind) in wanted.items():
        assert found[key]["oracle"] <= limit
        assert found[key]["chance"] >= blind
        assert found[key]["verdict"] == "ok"
    for key, limit in {
        "depth.building.delta1": 0.99,
        "normals.building.inlier_30": 0.98,
        "planarity.building.inlier_ratio": 0.97,
        "photometric.building.inlier_ratio": 0.97,
    }.items():
        assert found[key]["oracle"] >= limit
        assert found[key]["chance"] < 0.8
        assert found[key]["verdict"] == "ok"
    assert "scale: the oracle times 3.7 scores the same" in done.err


def test_on_own_data(lorascope: Command, tmp_path: Path) -> None:
    street = write_small_street(tmp_path / "street")
    done = lorascope("selftest", "--data", street, "--max-seqs", "1", "--size", "112")
    assert done.code in (0, 1)  # the smallest pictures need not reach the limits of the street
    text = done.out
    assert "self-test on street: 1 windows, 8 frames" in text
    assert "AbsRel" in text
    assert "scale: the oracle times 3.7 scores the same" in text
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_mistakes(lorascope: Command, tmp_path: Path) -> None:
    lorascope("selftest", "--data", tmp_path / "nowhere").failed(1, "nowhere")
    lorascope("selftest", "--data", tmp_path).failed(1, "no dataset")
    lorascope("selftest", "--max-seqs", "0").failed(2, "--max-seqs")
    street = write_small_street(tmp_path / "street", frames=4)
    lorascope("selftest", "--data", street).failed(1, "window")
    lorascope("selftest", "--data", street, "--size", "113").failed(1, "window")
