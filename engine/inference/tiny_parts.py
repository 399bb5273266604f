"""The parts of the small built-in model. Modules carry VGGT's names, so that LoRA target patterns fit both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# The usual statistics of natural images, so that a base trained elsewhere sees what it expects.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
_TAPS = 4


class Attention(nn.Module):
    """Multi-head self-attention over the tokens of each batch entry, [N, T, C] -> [N, T, C]."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return out


class Mlp(nn.Module):
    """Two layers with GELU."""

    def __init__(self, dim: int, hidden: int, out: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, out)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class Block(nn.Module):
    """A pre-norm transformer block, [N, T, C] -> [N, T, C]."""

    def __init__(self, dim: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, mlp_ratio * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class PatchEmbed(nn.Module):
    """Images [N, 3, H, W] to patch tokens [N, P, C] with their position added, encoded within each image.

    Args:
        dim: width of a token.
        heads: attention heads of the encoder.
        patch: side of a patch in pixels.
        mlp_ratio: hidden width of a block's MLP in units of ``dim``.
        depth: blocks of the encoder; 0 for none.
    """

    def __init__(self, dim: int, heads: int, patch: int, mlp_ratio: int, depth: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=patch, stride=patch)
        self.norm = nn.LayerNorm(dim)
        self.blocks = nn.ModuleList(Block(dim, heads, mlp_ratio) for _ in range(depth))

    def forward(self, images: Tensor) -> Tensor:
        grid = self.proj(images)
        tokens: Tensor = self.norm(grid.flatten(2).transpose(1, 2))
        tokens = tokens + _positions(grid.shape[-2], grid.shape[-1], tokens)
        for block in self.blocks:
            tokens = block(tokens)
        return tokens


class Aggregator(nn.Module):
    """Tokens of all frames, mixed within each frame and across frames in turn.

    Args:
        dim: width of a token.
        depth: number of frame blocks, and of global blocks.
        heads: attention heads.
        patch: side of a patch in pixels.
        registers: tokens per frame beside the camera token and the patches.
        mlp_ratio: hidden width of a block's MLP in units of ``dim``.
        encoder_depth: blocks of the image encoder; 0 for none.
    """

    def __init__(
        self, dim: int, depth: int, heads: int, patch: int, registers: int, mlp_ratio: int, encoder_depth: int
    ) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(dim, heads, patch, mlp_ratio, encoder_depth)
        self.frame_blocks = nn.ModuleList(Block(dim, heads, mlp_ratio) for _ in range(depth))
        self.global_blocks = nn.ModuleList(Block(dim, heads, mlp_ratio) for _ in range(depth))
        # The first of each pair marks the reference frame, the second all others.
        self.camera_token = nn.Parameter(0.02 * torch.randn(1, 2, 1, dim))
        self.register_token = nn.Parameter(0.02 * torch.randn(1, 2, registers, dim))
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor, taps: Sequence[int]) -> tuple[list[Tensor], int]:
        """Run all blocks.

        Args:
            images: [B, S, 3, H, W], RGB in [0, 1].
            taps: after which blocks to keep the tokens, ascending.

        Returns:
            Tokens after each tap, frame and global part side by side, [B, S, T, 2C]; and how many tokens of a frame
            come before its patches.
        """
        kept, _ = self.mix(self.embed(images), taps, range(len(self.frame_blocks)))
        return kept, self.special

    @property
    def special(self) -> int:
        """How many tokens of a frame come before its patches: the camera token and the registers."""
        return self.camera_token.shape[2] + self.register_token.shape[2]

    def embed(self, images: Tensor) -> Tensor:
        """Images [B, S, 3, H, W] to what the first block gets, [B, S, T, C]."""
        batch, frames = images.shape[:2]
        normal = (images - self.get_buffer("mean")) / self.get_buffer("std")
        patches = self.patch_embed(normal.flatten(0, 1)).unflatten(0, (batch, frames))
        special = torch.cat([_per_frame(self.camera_token, frames), _per_frame(self.register_token, frames)], dim=2)
        return torch.cat([special.to(patches.dtype).expand(batch, -1, -1, -1), patches], dim=2)

    def mix(self, tokens: Tensor, taps: Sequence[int], blocks: Iterable[int]) -> tuple[list[Tensor], Tensor]:
        """Run some of the blocks.

        Args:
            tokens: what the first of them gets, [B, S, T, C].
            taps: after which blocks to keep the tokens.
            blocks: their numbers, consecutive and ascending.

        Returns:
            Tokens after each tap among ``blocks``, frame and global part side by side, [B, S, T, 2C]; and the tokens
            after the last block, [B, S, T, C].
        """
        batch, frames = tokens.shape[:2]
        kept: list[Tensor] = []
        for index in blocks:
            within: Tensor = self.frame_blocks[index](tokens.flatten(0, 1)).unflatten(0, (batch, frames))
            tokens = self.global_blocks[index](within.flatten(1, 2)).unflatten(1, (frames, -1))
            if index in taps:
                kept.append(torch.cat([within, tokens], dim=-1))
        return kept, tokens


class CameraHead(nn.Module):
    """Camera tokens [B, S, C] to pose encodings [B, S, 9], relative to the first frame."""

    def __init__(self, dim: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.token_norm = nn.LayerNorm(dim)
        self.trunk = nn.Sequential(Block(dim, heads, mlp_ratio))
        self.trunk_norm = nn.LayerNorm(dim)
        self.pose_branch = Mlp(dim, dim // 2, 9)
        identity = torch.zeros(7)
        identity[6] = 1.0
        self.register_buffer("identity", identity, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        # Six decimal digits of a pose do not survive half precision.
        with torch.autocast(tokens.device.type, enabled=False):
            raw = self.pose_branch(self.trunk_norm(self.trunk(self.token_norm(tokens.float()))))
            identity = self.get_buffer("identity")
            motion = identity + raw[..., :7]
            motion = torch.cat([identity.expand_as(motion[:, :1]), motion[:, 1:]], dim=1)
            return torch.cat([motion, math.pi * torch.sigmoid(raw[..., 7:])], dim=-1)


class DepthHead(nn.Module):
    """Patch tokens of several blocks to depth and confidence at full resolution.

    Args:
        dim: width of the tokens.
        features: channels inside.
        blocks: number of blocks; four of them are tapped, evenly, the last one always.
        patch: side of a patch in pixels.
    """

    def __init__(self, dim: int, features: int, blocks: int, patch: int) -> None:
        super().__init__()
        count = min(_TAPS, blocks)
        self.taps = tuple((index + 1) * blocks // count - 1 for index in range(count))
        self.patch = patch
        self.norm = nn.LayerNorm(dim)
        self.projects = nn.ModuleList(nn.Conv2d(dim, features, 1) for _ in self.taps)
        self.refine = nn.Conv2d(features, features, 3, padding=1)
        # What patches are too coarse for: edges, straight from the image.
        self.image_skip = nn.Conv2d(3, features, 3, stride=2, padding=1)
        self.output_conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.output_conv2 = nn.Conv2d(features, 2, 1)

    def forward(self, tokens: Sequence[Tensor], images: Tensor) -> tuple[Tensor, Tensor]:
        """Decode.

        Args:
            tokens: of each tap, patches only, [B, S, P, C].
            images: [B, S, 3, H, W].

        Returns:
            Depth [B, S, H, W, 1] and confidence [B, S, H, W].
        """
        batch, frames, _, height, width = images.shape
        grid = (height // self.patch, width // self.patch)
        maps = [
            project(self.norm(tap).flatten(0, 1).transpose(1, 2).unflatten(2, grid))
            for project, tap in zip(self.projects, tokens, strict=True)
        ]
        fused = torch.stack(maps).sum(dim=0)
        fused = fused + self.refine(F.relu(fused))
        skip = self.image_skip(images.flatten(0, 1).to(fused.dtype))
        half = F.interpolate(fused, size=skip.shape[-2:], mode="bilinear", align_corners=False) + skip
        half = half + self.output_conv1(F.relu(half))
        # Interpolation and a pointwise layer commute, and two channels are cheaper to enlarge than all.
        out = F.interpolate(self.output_conv2(F.relu(half)).float(), size=(height, width), mode="bilinear")
        out = out.reshape(batch, frames, *out.shape[1:])
        return torch.exp(out[:, :, 0, :, :, None]), 1 + torch.exp(out[:, :, 1])


def _per_frame(token: Tensor, frames: int) -> Tensor:
    """[1, 2, T, C] -> [1, S, T, C]: the first entry for the first frame, the second for all others."""
    return torch.cat([token[:, :1], token[:, 1:].expand(-1, frames - 1, -1, -1)], dim=1)


def _positions(rows: int, columns: int, like: Tensor) -> Tensor:
    """Sines and cosines of row and column, [rows * columns, C]; any grid, nothing learned."""
    quarter = like.shape[-1] // 4
    steps = torch.arange(quarter, device=like.device, dtype=torch.float32)
    frequency = 100.0 ** (-steps / quarter)
    y = torch.arange(rows, device=like.device)[:, None] * frequency
    x = torch.arange(columns, device=like.device)[:, None] * frequency
    down = torch.cat([y.sin(), y.cos()], dim=-1)[:, None].expand(-1, columns, -1)
    across = torch.cat([x.sin(), x.cos()], dim=-1)[None].expand(rows, -1, -1)
    return torch.cat([down, across], dim=-1).flatten(0, 1).to(like.dtype)
