"""When values of runs may stand beside each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from analysis_frames import run

from engine.analysis.comparability import ADVICE, Facts, comparability, count_note, facts_from, frame_counts
from engine.schema import DatasetInfo, DeviceInfo, ModelInfo, ProtocolInfo, RunMetadata

AR, D1, FPS = "depth.building.abs_rel", "depth.building.delta1", "performance.fps"

FULL = Facts(
    run="one",
    protocol="v1",
    align="median",
    align_scope="window",
    prepare="fit",
    image_size=518,
    dtype="bfloat16",
    device="GPU A",
    torch="2.13.0",
    sample_fingerprint="abc",
    baseline={AR: 1.7214, D1: 0.4},
    has_costs=True,
)
IMPORTED = Facts(run="one", protocol="compat", baseline={AR: 1.7214, D1: 0.4})


def test_runs_of_one_kind_are_comparable() -> None:
    for facts in ([], [FULL], [FULL, replace(FULL, run="two", baseline={AR: 9.0})]):
        verdict = comparability(facts)
        assert (verdict.comparable, verdict.costs_comparable, verdict.reasons, verdict.notes) == (True, True, (), ())
        assert verdict.headline == ""


@pytest.mark.parametrize(
    ("name", "value", "reason", "costs"),
    [
        ("protocol", "compat", "different protocols", True),
        ("align", "scale", "different alignments", True),
        ("align_scope", "frame", "different alignment scopes", True),
        ("prepare", "crop", "different image preparations", True),
        ("image_size", 224, "different image sizes", False),
        ("dtype", "float32", "different precisions", False),
        ("sample_fingerprint", "xyz", "different samples", True),
    ],
)
def test_each_difference_is_a_reason(name: str, value: object, reason: str, costs: bool) -> None:
    other = replace(FULL, run="two", **{name: value})  # type: ignore[arg-type]
    for facts in permutations([FULL, other, replace(FULL, run="three")]):
        verdict = comparability(facts)
        assert not verdict.comparable
        assert verdict.reasons == (reason,)
        assert verdict.headline == f"{reason}: read changes, not values"
        assert ADVICE in verdict.notes[0]
        assert verdict.costs_comparable is costs


@pytest.mark.parametrize(("name", "value"), [("device", "GPU B"), ("torch", "2.6.0")])
def test_costs_need_more_than_quality(name: str, value: str) -> None:
    verdict = comparability([FULL, replace(FULL, run="two", **{name: value})])  # type: ignore[arg-type]
    assert verdict.comparable
    assert not verdict.costs_comparable
    assert "speed and memory are not comparable" in verdict.notes[0]
    unknown = comparability([FULL, replace(FULL, run="two", **{name: None})])  # type: ignore[arg-type]
    assert not unknown.costs_comparable
    assert "not recorded" in unknown.notes[0]
    free = [replace(FULL, has_costs=False), replace(FULL, device="GPU B")]
    assert comparability(free).notes == ()


def test_imports_are_judged_by_their_baselines() -> None:
    same = comparability(
        [IMPORTED, replace(IMPORTED, run="two", baseline={AR: 1.7214 * (1 + 1e-8), D1: 0.4, "x": 1.0})]
    )
    assert same.comparable
    assert same.notes == (
        "samples are not recorded, but the baselines agree in all 2 shared quality metrics: presumably the same",
    )
    other = comparability([IMPORTED, replace(IMPORTED, run="two", baseline={AR: 1.7215, D1: 0.4})])
    assert (other.comparable, other.reasons) == (False, ("different samples",))
    assert "depth.building.abs_rel one: 1.7214, two: 1.7215" in other.notes[0]
    nothing = comparability([IMPORTED, replace(IMPORTED, run="two", baseline={})])
    assert (nothing.comparable, nothing.reasons) == (False, ("unknown samples",))
    half = comparability([replace(IMPORTED, sample_fingerprint="abc"), replace(IMPORTED, run="two")])
    assert half.comparable


def test_a_setting_that_one_run_does_not_record() -> None:
    other = replace(FULL, run="two", align=None)
    assert comparability([FULL, other]).comparable
    assert comparability([FULL, other]).notes[0].startswith("alignments are not recorded, but the baselines agree")
    verdict = comparability([FULL, replace(other, baseline={AR: 2.0})])
    assert verdict.reasons == ("different alignments",)


def test_different_protocols_say_nothing_of_the_sample() -> None:
    verdict = comparability([IMPORTED, replace(IMPORTED, run="two", protocol="v1", baseline={AR: 0.1})])
    assert verdict.reasons == ("different protocols",)
    assert verdict.notes[1] == "samples are not recorded"


def test_frame_counts() -> None:
    analysis = run(
        {
            "baseline": {AR: 1.0, D1: 1.0, "depth.full.mae": 1.0, FPS: 1.0},
            "c_0": {AR: 1.0, D1: 1.0, "depth.full.mae": 1.0, "normals.building.inlier_30": 0.1},
            "c_1": {AR: 1.0, "normals.building.inlier_30": 0.1},
            "oracle": {AR: 1.0},
        },
        roles={"oracle": "oracle"},
        counts={
            "baseline": {AR: 3338, D1: 3340},
            "c_0": {AR: 3178, D1: 3178, "normals.building.inlier_30": 3000},
            "c_1": {AR: 3418, "normals.building.inlier_30": 3001},
            "oracle": {AR: 9999},
        },
    )
    assert frame_counts(analysis.counts) == {
        "depth.building": (3178, 3418),
        "depth.full": (10, 10),
        "normals.building": (3000, 3001),
        "performance": (10, 10),
    }
    note = "checkpoints were evaluated on different frames, depth.building: 3178 to 3418 frames (and normals.building)"
    assert count_note(analysis.counts) == note
    facts = facts_from("b", RunMetadata(run="b"), analysis)
    assert comparability([facts]).notes == (f"b: {note}",)
    assert comparability([facts]).comparable
    assert count_note(run({"c_0": {AR: 1.0}, "c_1": {AR: 2.0, D1: None}}, baseline=None).counts) is None


def test_facts_of_a_run() -> None:
    metadata = RunMetadata(
        run="stored name",
        protocol=ProtocolInfo(name="v1", align="median", align_scope="window", prepare="fit"),
        dataset=DatasetInfo(sample_fingerprint="abc"),
        model=ModelInfo(image_size=518),
        device=DeviceInfo(name="GPU A", dtype="bfloat16", libraries={"torch": "2.13.0"}),
    )
    analysis = run(
        {"baseline": {AR: 1.7214, D1: 0.4, FPS: 2.0, "scale.building.log_ratio": 0.1, "own": 1.0}, "c_0": {AR: 1.0}}
    )
    assert facts_from("one", metadata, analysis) == replace(
        FULL,
        frame_counts={"depth.building": (10, 10), "scale.building": (10, 10), "performance": (10, 10), "own": (10, 10)},
    )
