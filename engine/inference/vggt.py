"""VGGT, through its authors' package ``vggt``, which is not a dependency: it is imported when it is asked for."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from engine.errors import DataError
from engine.inference.contract import Prediction
from engine.inference.pose_encoding import decode
from engine.inference.weights import load_strictly, read_tensors

_FAMILY = "vggt"
_INSTALL = 'run pip install "vggt @ git+https://github.com/facebookresearch/vggt"'
_PATCH = 14
_SIZE = 518


class VggtModel:
    """VGGT as a :class:`~engine.inference.contract.GeometryModel`.

    Args:
        network: called with images [B, S, 3, H, W]; returns a mapping with ``depth`` [B, S, H, W, 1],
            ``depth_conf`` [B, S, H, W] and ``pose_enc`` [B, S, 9].
    """

    # Parts of the published weights that nothing here asks for: the network is built without them.
    unused_parts = ("point_head.", "track_head.")

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    @property
    def name(self) -> str:
        """``vggt``."""
        return _FAMILY

    @property
    def patch(self) -> int:
        """Image sides must be multiples of 14."""
        return _PATCH

    @property
    def default_size(self) -> int:
        """Images are 518 pixels wide."""
        return _SIZE

    @property
    def module(self) -> nn.Module:
        """The network."""
        return self._network

    def predict(self, images: Tensor) -> Prediction:
        """Run the network on images [B, S, 3, H, W]; see the contract."""
        found = cast(dict[str, Tensor], self._network(images))
        height, width = images.shape[-2:]
        extrinsics, intrinsics = decode(found["pose_enc"], (height, width))
        return Prediction(found["depth"].squeeze(-1), found["depth_conf"], extrinsics, intrinsics)


def build(weights: Path | None, seed: int | None) -> VggtModel:
    """The factory of the family: with weights from a file, or random ones from a seed (4.6 GB of memory either way).

    Raises:
        DataError: the package is not installed, or the weights do not fit.
    """
    network_class = _network_class()
    # The file is read first: a missing file should not cost the minute that building the network takes.
    tensors = None if weights is None else read_tensors(weights)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed or 0)
        try:
            network: nn.Module = network_class(enable_point=False, enable_track=False)
        except TypeError as error:  # a release without these switches
            raise DataError(f"the package 'vggt' cannot be used ({error})", _INSTALL) from None
    if weights is not None and tensors is not None:
        load_strictly(network, tensors, weights, VggtModel.unused_parts)
    return VggtModel(network.eval())


def _network_class() -> Any:
    try:
        return importlib.import_module("vggt.models.vggt").VGGT
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "vggt":
            raise DataError(f"the package 'vggt' needs {error.name!r}", f"run pip install {error.name}") from None
        raise DataError("the package 'vggt' is not installed", _INSTALL) from None
    except (ImportError, AttributeError) as error:
        raise DataError(f"the package 'vggt' cannot be used ({error})", _INSTALL) from None
