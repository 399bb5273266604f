"""The self-test's verdicts, and that it notices an evaluator or an oracle that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.evaluating import write_small_street

from engine.catalogue import Catalogue
from engine.dataset.model import PreparedWindow
from engine.errors import DataError
from engine.evaluation import selftest as module
from engine.evaluation.selftest import MetricCheck, Verdict, check_metric, scaled, selftest
from engine.evaluation.selftest_limits import CLEARLY, EXACT, RENDERED, SCALED_SHARE
from engine.inference.contract import Prediction

ABS_REL, DELTA1, ATE = "depth.building.abs_rel", "depth.building.delta1", "pose.ate_trans"
SMALL = {"max_seqs": 1, "size": 168}


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_street(tmp_path_factory.mktemp("selftest") / "street")


def check(key: str, oracle: float | None, chance: float | None, scale: float | None = None, **options: bool):  # type: ignore[no-untyped-def]
    """The verdict on one metric; the scaled oracle is the oracle unless given."""
    scale = oracle if scale is None else scale
    aligns = [""] if key.startswith("pose") else ["scale", "median", "scale_shift"]
    means = {}
    for align in aligns:
        means |= {("oracle", key, align): oracle, ("chance", key, align): chance}
        means["scaled oracle", key, align] = scale
    table = EXACT if options.get("exact") else RENDERED
    return check_metric(Catalogue().get(key), means, table, strict=options.get("strict", True))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (check(ABS_REL, 0.001, 0.4), Verdict.OK),
        (check(ABS_REL, 0.006, 0.4), Verdict.FAILED),
        (check(ABS_REL, 0.001, 0.005 * CLEARLY), Verdict.OK),
        (check(ABS_REL, 0.001, 0.0099), Verdict.FAILED),
        (check(ABS_REL, 0.001, 0.0099, strict=False), Verdict.UNINFORMATIVE),
        (check(ABS_REL, 0.006, 0.0099, strict=False), Verdict.FAILED),
        (check(ABS_REL, None, None), Verdict.NOT_MEASURED),
        (check(DELTA1, 0.995, 0.5), Verdict.OK),
        (check(DELTA1, 0.985, 0.5), Verdict.FAILED),
        (check(DELTA1, 0.995, 0.99), Verdict.FAILED),
        (check(ATE, 1e-6, 2.0), Verdict.OK),
        (check(ATE, 2e-4, 2.0), Verdict.FAILED),
        (check("pose.rra5", 1.0, 1.0), Verdict.UNINFORMATIVE),
        (check("planarity.building.self_residual", 0.01, 0.0), Verdict.UNINFORMATIVE),
        (check("scale.building.log_ratio", 0.0, 0.1), Verdict.NO_LIMIT),
        (check("normals.full.coverage", 0.5, 0.5), Verdict.NO_LIMIT),
        (check("photometric.full.inlier_ratio", 0.6, 0.5, exact=True), Verdict.NO_LIMIT),
        (check("photometric.full.inlier_ratio", 0.6, 0.5), Verdict.FAILED),
    ],
)
def test_verdicts(found: MetricCheck, verdict: Verdict) -> None:
    assert found.verdict is verdict
    assert bool(found.why) == (verdict is Verdict.FAILED)


def test_a_scale_that_matters_fails_the_metric_wherever_it_must_not() -> None:
    allowed = 0.005 * SCALED_SHARE
    assert check(ABS_REL, 0.001, 0.4, 0.001 + 0.9 * allowed).verdict is Verdict.OK
    assert check(ABS_REL, 0.001, 0.4, 0.001 + 1.1 * allowed).verdict is Verdict.FAILED
    assert check("photometric.full.error", 0.1, 0.2, 0.15, exact=True).verdict is Verdict.FAILED
    # A metric of the scale itself must change with it.
    changed = check("scale.building.log_ratio", 0.0, 0.1, -1.3)
    assert changed.scaled_difference is None
    assert changed.verdict is Verdict.NO_LIMIT


def test_every_limited_metric_is_in_the_catalogue() -> None:
    catalogue = Catalogue()
    for name in RENDERED:
        group, _, metric = name.partition(".")
        key = name if group == "pose" else f"{group}.building.{metric}"
        assert catalogue.get(key).known
    assert set(EXACT) < set(RENDERED)


def test_scaled_is_the_same_scene_in_another_unit() -> None:
    generator = torch.Generator().manual_seed(1)
    right = Prediction(
        depth=torch.rand(1, 2, 3, 4, generator=generator),
        confidence=torch.ones(1, 2, 3, 4),
        world_to_camera=torch.rand(1, 2, 3, 4, generator=generator),
        intrinsics=torch.rand(1, 2, 3, 3, generator=generator),
    )
    other = scaled(right, 4.0)
    assert torch.equal(other.depth, 4 * right.depth)
    assert torch.equal(other.world_to_camera[..., :3], right.world_to_camera[..., :3])
    assert torch.equal(other.world_to_camera[..., 3], 4 * right.world_to_camera[..., 3])
    assert other.intrinsics is right.intrinsics


def test_a_report_on_data(street: Path) -> None:
    told: list[str] = []
    report = selftest(street, **SMALL, tell=told.append)
    assert (report.dataset, report.root_name, report.windows, report.frames) == ("street", "street", 1, 8)
    keys = [found.key for found in report.checks]
    assert len(keys) == len(set(keys)) >= 40
    assert {ABS_REL, "depth.full.abs_rel", "photometric.full.error", ATE} <= set(keys)
    assert not any("non_building" in key for key in keys)
    assert report.scale_matters == ()
    assert len(report.scale_free) == sum(found.limit is not None for found in report.checks)
    assert told == ["scoring window 1 of 1"]


@pytest.mark.parametrize(
    ("broken", "failing"),
    [
        # Every second column of the depth 30 % too far.
        (lambda p: replace(p, depth=p.depth * (1 + 0.3 * (torch.arange(p.depth.shape[-1]) % 2))), ABS_REL),
        # Cameras that turn the other way.
        (lambda p: replace(p, world_to_camera=p.world_to_camera * torch.tensor([1.0, 1.0, 1.0, -1.0])), ATE),
    ],
)
def test_a_wrong_oracle_fails(
    street: Path,
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[Prediction], Prediction],
    failing: str,
) -> None:
    right = module.oracle

    def wrong(prepared: PreparedWindow, device: object) -> Prediction:
        return broken(right(prepared, device))

    monkeypatch.setattr(module, "oracle", wrong)
    report = selftest(street, **SMALL)
    assert failing in {found.key for found in report.failed}


def test_an_unscaled_translation_is_noticed(street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module, "scaled", lambda prediction, factor: replace(prediction, depth=prediction.depth * factor)
    )
    changed = {found.key for found in selftest(street, **SMALL).scale_matters}
    assert "photometric.building.inlier_ratio" in changed
    assert not any(key.startswith(("depth.", "pose.")) for key in changed)


def test_real_sensors(shared_data: Path) -> None:
    clip = shared_data / "rgbd_clip"
    if not clip.is_dir():
        pytest.skip(f"no RGB-D clip at {clip}")
    report = selftest(clip, max_seqs=1, size=224)
    found = {check.key: check for check in report.checks}
    assert report.failed == ()
    assert found["depth.full.abs_rel"].oracle == pytest.approx(0, abs=1e-6)
    assert found["normals.full.angular_mean"].verdict is Verdict.OK
    assert found["photometric.full.inlier_ratio"].verdict is Verdict.NO_LIMIT
    assert found["photometric.full.inlier_ratio"].oracle > 0.9
    assert found["pose.ate_trans"].verdict is Verdict.NOT_MEASURED  # the hand moves less than half a metre
    assert not any("building" in key for key in found)


def test_data_without_a_window(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="window"):
        selftest(write_small_street(tmp_path / "street", frames=4))
