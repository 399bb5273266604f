"""A small model of VGGT's family: the same parts under the same module names, small enough for one CPU core.

A patch embedding, an image encoder where the size asks for one, blocks that attend within a frame and across all frames
in turn, a depth head that taps four of them, and a camera head on the camera tokens. LoRA target patterns written for
VGGT (``depth_head.*``, ``aggregator.frame_blocks.1[6-9].*``) mean the same parts here. The first frame is the
reference: its extrinsics are the identity.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import save
from torch import Tensor, nn

from engine.atomic import atomic_write_bytes
from engine.errors import DataError
from engine.inference.contract import Prediction
from engine.inference.pose_encoding import decode
from engine.inference.tiny_parts import Aggregator, CameraHead, DepthHead
from engine.inference.weights import load_strictly, read_metadata, read_tensors
from engine.text import visible

_FAMILY = "tiny"


@dataclass(frozen=True, slots=True)
class TinyConfig:
    """The size of the model.

    Attributes:
        embed_dim: width of a token; a multiple of 4 and of ``heads``.
        depth: number of frame blocks, and of global blocks.
        heads: attention heads.
        patch: side of a patch in pixels.
        features: channels of the depth head.
        registers: tokens per frame beside the camera token and the patches.
        mlp_ratio: hidden width of a block's MLP in units of ``embed_dim``.
        width: image width in pixels that the model is made for.
        encoder_depth: blocks of the image encoder, which sees one frame at a time; 0 for none.
    """

    embed_dim: int = 64
    depth: int = 6
    heads: int = 4
    patch: int = 14
    features: int = 24
    registers: int = 2
    mlp_ratio: int = 4
    width: int = 224
    encoder_depth: int = 0

    def __post_init__(self) -> None:
        sizes = {field.name: getattr(self, field.name) for field in fields(self)}
        if sizes.pop("encoder_depth") < 0 or min(sizes.values()) < 1:
            raise ValueError(f"sizes are positive, and encoder_depth is at least 0: {self}")
        if self.embed_dim % 4 or self.embed_dim % self.heads:
            raise ValueError(f"embed_dim is a multiple of 4 and of heads: {self}")


class TinyNetwork(nn.Module):
    """The network. Initial weights depend on the seed alone.

    Args:
        config: its size.
        seed: of the initial weights; the global random state is left as it was.
    """

    def __init__(self, config: TinyConfig, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.aggregator = Aggregator(
                config.embed_dim,
                config.depth,
                config.heads,
                config.patch,
                config.registers,
                config.mlp_ratio,
                config.encoder_depth,
            )
            self.camera_head = CameraHead(2 * config.embed_dim, config.heads, config.mlp_ratio)
            self.depth_head = DepthHead(2 * config.embed_dim, config.features, config.depth, config.patch)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Run the network.

        Args:
            images: [B, S, 3, H, W], RGB in [0, 1]; H and W multiples of the patch.

        Returns:
            ``depth`` [B, S, H, W, 1], positive; ``depth_conf`` [B, S, H, W], at least 1; ``pose_enc`` [B, S, 9].
        """
        taps, special = self.aggregator(images, self.depth_head.taps)
        depth, confidence = self.depth_head([tap[:, :, special:] for tap in taps], images)
        return {"depth": depth, "depth_conf": confidence, "pose_enc": self.camera_head(taps[-1][:, :, 0])}


class TinyModel:
    """The built-in model as a :class:`~engine.inference.contract.GeometryModel`."""

    def __init__(self, network: TinyNetwork) -> None:
        self._network = network

    @property
    def name(self) -> str:
        """``tiny``."""
        return _FAMILY

    @property
    def patch(self) -> int:
        """Image sides must be multiples of this."""
        return self._network.config.patch

    @property
    def default_size(self) -> int:
        """Image width in pixels that the model is made for."""
        return self._network.config.width

    @property
    def module(self) -> TinyNetwork:
        """The network."""
        return self._network

    def predict(self, images: Tensor) -> Prediction:
        """Run the network on images [B, S, 3, H, W]; see the contract."""
        found = cast(dict[str, Tensor], self._network(images))
        height, width = images.shape[-2:]
        extrinsics, intrinsics = decode(found["pose_enc"], (height, width))
        return Prediction(found["depth"].squeeze(-1), found["depth_conf"], extrinsics, intrinsics)


def build(weights: Path | None, seed: int | None) -> TinyModel:
    """The factory of the family: from a file, whose metadata tells the size, or of default size from a seed."""
    network = TinyNetwork(TinyConfig(), seed or 0) if weights is None else load(weights)
    return TinyModel(network.eval())


def save_network(network: TinyNetwork, path: Path) -> None:
    """Write weights and size to a ``.safetensors`` file, atomically.

    Raises:
        OSError: it cannot be written.
    """
    metadata = {"family": _FAMILY, "config": json.dumps(asdict(network.config))}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    atomic_write_bytes(path, save(tensors, metadata=metadata))


def load(path: Path) -> TinyNetwork:
    """Read a network that :func:`save_network` wrote.

    Raises:
        DataError: no such file, not one of this model, or its tensors do not fit its size.
    """
    shown = visible(str(path))
    if path.suffix.lower() != ".safetensors":
        raise DataError(f"{shown} is no base of model 'tiny'", "its bases are .safetensors files")
    metadata = read_metadata(path)
    if metadata.get("family") != _FAMILY:
        raise DataError(f"{shown} is no base of model 'tiny'", "check --model and --base")
    try:
        config = TinyConfig(**json.loads(metadata["config"]))
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(f"{shown}: its size cannot be read ({error})", "write it again") from None
    network = TinyNetwork(config)
    load_strictly(network, read_tensors(path), path)
    return network
