"""Leaving branches of a network out of LoRA: which patterns of ``target_modules`` remain.

A training names the layers of LoRA by patterns over full module names. They know no exception, so a pattern that means
frozen and other layers is replaced by patterns that mean the others alone: by the names of the layers that a
transformer block has in VGGT's family, or by the checkpoint's own layers, where it says them.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence

from engine.errors import UnknownNameError, UsageError
from engine.text import listed, visible

# The layers of a block, by the names that freezing goes by.
BRANCHES = {
    "qkv": ("attn.qkv",),
    "proj": ("attn.proj",),
    "attn": ("attn.qkv", "attn.proj"),
    "mlp": ("mlp.fc1", "mlp.fc2"),
}
# Parts of the network, which are one word of a module's name.
PARTS = ("frame_blocks", "global_blocks", "depth_head", "camera_head", "patch_embed")

_LAYERS = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
_FUSED = frozenset({"q", "k", "v", "q_proj", "k_proj", "v_proj", "query", "key", "value"})
# Patterns of which it is known what layers they mean: a block, its attention or MLP; heads without blocks.
_BLOCK = re.compile(r"(?P<block>(?:.+\.)?(?:frame_blocks|global_blocks|blocks|trunk)\.[^.]+)\.\*")
_BLOCKS = re.compile(r"(?P<block>(?:.+\.)?(?:frame_blocks|global_blocks|blocks|trunk)\.\*)")
_HALF = re.compile(r"(?P<block>.+)\.(?P<half>attn|mlp)\.\*")
_NO_BLOCKS = re.compile(r"(?:.+\.)?depth_head\.\*")


def parse_branches(text: str) -> tuple[str, ...]:
    """The branches that a list separated by commas names.

    Raises:
        UsageError: one cannot be frozen by the name of a layer, or is not known.
    """
    names = tuple(dict.fromkeys(word.strip().casefold() for word in text.split(",") if word.strip()))
    if not names:
        raise UsageError("--freeze names no branch", f"known: {', '.join((*BRANCHES, *PARTS))}")
    for name in names:
        if name in _FUSED:
            raise UsageError(
                f"{name!r} cannot be frozen alone: query, key and value are one layer in VGGT (attn.qkv), and LoRA is "
                "put on whole layers",
                "freeze attn.proj and the MLP with --freeze proj,mlp, or all attention with --freeze attn",
            )
        if name not in BRANCHES and name not in PARTS:
            raise UnknownNameError("branch", name, (*BRANCHES, *PARTS), "--freeze")
    return names


def is_frozen(module: str, branches: Sequence[str]) -> bool:
    """Whether a layer of that full name belongs to one of the branches."""
    words = module.split(".")
    ends = tuple(f".{layer}" for name in branches for layer in BRANCHES.get(name, ()))
    return f".{module}".endswith(ends) or any(name in words for name in branches if name in PARTS)


def narrow(patterns: Sequence[str], branches: Sequence[str], modules: Sequence[str] = ()) -> list[list[str]]:
    """What takes the place of each pattern so that the branches are left out.

    Args:
        patterns: over full module names, as :mod:`fnmatch` reads them.
        branches: of :func:`parse_branches`.
        modules: the checkpoint's own layers, where they are known; then the result is checked against them.

    Returns:
        For each pattern what replaces it: itself, nothing, or several.

    Raises:
        UsageError: a pattern means frozen and other layers and cannot be taken apart; nothing would be frozen, or
            nothing would be left.
    """
    found = [_narrowed(pattern, branches, modules) for pattern in patterns]
    named = ", ".join(branches)
    if [*patterns] == [one for group in found for one in group]:
        raise UsageError(f"no layer of {named} is trained there", "leave it out of --freeze")
    if not any(found):
        raise UsageError(f"nothing is left to train without {named}", "freeze less")
    return found


def _narrowed(pattern: str, branches: Sequence[str], modules: Sequence[str]) -> list[str]:
    meant = [name for name in modules if fnmatch.fnmatchcase(name, pattern)]
    left = [name for name in meant if not is_frozen(name, branches)]
    by_form = _by_form(pattern, branches)
    if by_form is not None and (
        not meant or [name for name in meant if any(fnmatch.fnmatchcase(name, one) for one in by_form)] == left
    ):
        return by_form
    if not meant:
        raise UsageError(
            f"the target {visible(pattern)!r} may mean frozen layers and others, and the checkpoint does not say which",
            "write its layers out in target_modules",
        )
    return [pattern] if left == meant else left


def _by_form(pattern: str, branches: Sequence[str]) -> list[str] | None:
    """What replaces a pattern of a known form; ``None`` for any other."""
    words = pattern.split(".")
    parts = [name for name in branches if name in PARTS]
    if any(part in words for part in parts):
        return []
    if parts and not any(part in words for part in PARTS):
        return None  # of which part it is, is not written out
    if len(parts) == len(branches):
        return [pattern]
    if match := _BLOCK.fullmatch(pattern) or _BLOCKS.fullmatch(pattern):
        layers = [f"{match['block']}.{layer}" for layer in _LAYERS]
    elif match := _HALF.fullmatch(pattern):
        layers = [f"{match['block']}.{layer}" for layer in _LAYERS if layer.startswith(match["half"])]
    elif pattern.endswith(tuple(f".{layer}" for layer in _LAYERS)):
        layers = [pattern]
    elif _NO_BLOCKS.fullmatch(pattern):
        return [pattern]
    else:
        return None
    left = [layer for layer in layers if not is_frozen(layer, branches)]
    return [pattern] if left == layers else left


def uncovered(patterns: Sequence[str], modules: Sequence[str]) -> str:
    """The layers that no pattern means, listed; empty where there are none."""
    return listed(name for name in modules if not any(fnmatch.fnmatchcase(name, one) for one in patterns))
