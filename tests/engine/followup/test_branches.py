"""Branches left out of LoRA: what remains is what the patterns meant without them, no more and no less."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UnknownNameError, UsageError
from engine.followup.branches import BRANCHES, is_frozen, narrow, parse_branches, uncovered

BLOCK = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
# The layers of VGGT that LoRA is put on, as far as they matter here.
VGGT = (
    *(f"aggregator.{kind}_blocks.{i}.{leaf}" for kind in ("frame", "global") for i in range(24) for leaf in BLOCK),
    *(f"camera_head.trunk.{i}.{leaf}" for i in range(4) for leaf in BLOCK),
    "camera_head.embed_pose", "camera_head.pose_branch.fc1", "camera_head.poseLN_modulation.1",
    *(f"depth_head.{name}" for name in ("projects.0", "scratch.layer1_rn", "scratch.output_conv1")),
)  # fmt: skip
TRAINED = (
    "depth_head.*", "aggregator.frame_blocks.1[6-9].*", "aggregator.frame_blocks.2[0-3].*",
    "aggregator.global_blocks.1[6-9].*", "aggregator.global_blocks.2[0-3].*",
)  # fmt: skip


def meant(patterns: list[str] | tuple[str, ...], modules: tuple[str, ...] = VGGT) -> set[str]:
    return {name for name in modules if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)}


def flat(groups: list[list[str]]) -> list[str]:
    return [one for group in groups for one in group]


def test_the_trainings_own_patterns() -> None:
    assert narrow(TRAINED, ("proj", "mlp")) == [
        ["depth_head.*"],
        ["aggregator.frame_blocks.1[6-9].attn.qkv"],
        ["aggregator.frame_blocks.2[0-3].attn.qkv"],
        ["aggregator.global_blocks.1[6-9].attn.qkv"],
        ["aggregator.global_blocks.2[0-3].attn.qkv"],
    ]
    assert narrow(TRAINED, ("depth_head",))[0] == [] and flat(narrow(TRAINED, ("depth_head",))) == [*TRAINED[1:]]
    assert narrow(TRAINED, ("frame_blocks",)) == [[TRAINED[0]], [], [], [TRAINED[3]], [TRAINED[4]]]


KNOWN_FORMS = (
    *TRAINED, "aggregator.frame_blocks.*", "aggregator.frame_blocks.*.attn.*", "aggregator.global_blocks.5.mlp.*",
    "camera_head.trunk.*.attn.qkv", "camera_head.trunk.*", "*.attn.proj", "aggregator.frame_blocks.?.mlp.fc1",
)  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(KNOWN_FORMS), min_size=1, unique=True),
    st.lists(st.sampled_from([*BRANCHES, "depth_head", "frame_blocks"]), min_size=1, unique=True),
    st.booleans(),
)
def test_what_remains_is_what_was_meant_without_the_branches(
    patterns: list[str], branches: list[str], known: bool
) -> None:
    wanted = {name for name in meant(patterns) if not is_frozen(name, branches)}
    modules = tuple(sorted(meant(patterns))) if known else ()
    try:
        found = narrow(patterns, branches, modules)
    except UsageError as error:
        message = str(error)
        if "nothing is left" in message:
            assert not wanted
        elif "may mean frozen layers" in message:
            assert not known and "*.attn.proj" in patterns
        else:
            assert "is trained there" in message and wanted == meant(patterns)
        return
    assert meant(flat(found)) == wanted


@pytest.mark.parametrize("pattern", ["*", "aggregator.*", "camera_head.*", "*attn*"])
def test_patterns_that_say_too_little_take_the_checkpoints_own_layers(pattern: str) -> None:
    modules = tuple(sorted(meant([pattern])))
    with pytest.raises(UsageError, match="may mean frozen layers and others"):
        narrow([pattern], ("proj",))
    assert flat(narrow([pattern], ("proj",), modules)) == [name for name in modules if not name.endswith(".attn.proj")]


def test_a_block_of_another_make_is_not_taken_for_vggts() -> None:
    """Its MLP has three layers: by VGGT's names one would be lost."""
    modules = tuple(f"blocks.0.{leaf}" for leaf in ("attn.qkv", "attn.proj", "mlp.w1", "mlp.w2"))
    assert narrow(["blocks.0.*"], ("proj",), modules) == [["blocks.0.attn.qkv", "blocks.0.mlp.w1", "blocks.0.mlp.w2"]]


def test_nothing_to_freeze_and_nothing_left() -> None:
    with pytest.raises(UsageError, match="no layer of camera_head is trained there; leave it out of --freeze"):
        narrow(TRAINED, ("camera_head",))
    with pytest.raises(UsageError, match="nothing is left to train without attn, mlp; freeze less"):
        narrow(TRAINED[1:], ("attn", "mlp"))


@pytest.mark.parametrize("name", ["q", "K", " v ", "v_proj", "query"])
def test_query_key_and_value_are_one_layer(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_branches(f"proj,{name}")
    assert str(caught.value) == (
        f"{name.strip().casefold()!r} cannot be frozen alone: query, key and value are one layer in VGGT (attn.qkv), "
        "and LoRA is put on whole layers; freeze attn.proj and the MLP with --freeze proj,mlp, or all attention with "
        "--freeze attn"
    )


def test_names_of_branches() -> None:
    assert parse_branches(" Proj, mlp,proj ,") == ("proj", "mlp")
    with pytest.raises(UnknownNameError, match="unknown branch 'prj' in --freeze; did you mean proj"):
        parse_branches("prj")
    with pytest.raises(UsageError, match="names no branch; known: qkv, proj"):
        parse_branches(" , ")


def test_layers_that_no_pattern_means() -> None:
    assert uncovered(["a.*"], ["a.b", "c", "d", "e", "f"]) == "c, d, e and 1 more"
    assert uncovered(["*"], ["a.b"]) == ""
