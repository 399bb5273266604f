"""The window that costs are measured on: one of the run's own, or synthetic images of a size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.dataset.model import Dataset, Float32, Preparation, Window
from engine.errors import DataError, UsageError
from engine.inference.contract import GeometryModel

SYNTHETIC = "synthetic"


class Images(Protocol):
    """Where the window comes from."""

    def load(self, model: GeometryModel) -> tuple[Float32, str]:
        """The images for a model, [S, 3, H, W], RGB in [0, 1], and what they are, in a word or three.

        Raises:
            LorascopeError: there are none, or not for this model.
        """


@dataclass(frozen=True, eq=False)
class WindowImages:
    """The first window of a sample that can be read, prepared as the run prepares it.

    Attributes:
        dataset: where it is.
        windows: the sample.
        mode: ``fit`` or ``crop``.
        size: width in pixels; ``None`` for the model's own.
    """

    dataset: Dataset
    windows: Sequence[Window]
    mode: str
    size: int | None

    def load(self, model: GeometryModel) -> tuple[Float32, str]:
        """See :class:`Images`."""
        preparation = Preparation(self.mode, self.size or model.default_size, model.patch)
        why = "there is none"
        for window in self.windows:
            try:
                return self.dataset.load(window, preparation).images, f"window {window.id}"
            except DataError as error:
                why = f"window {window.id}: {error}" if why == "there is none" else why
        raise DataError(f"none of the {len(self.windows)} windows can be read; {why}")


@dataclass(frozen=True, slots=True)
class SyntheticImages:
    """Noise of a size. The cost of a pass depends on the shape of its images, not on what they show.

    Attributes:
        width, height: in pixels.
        frames: of the window.
    """

    width: int
    height: int
    frames: int

    def load(self, model: GeometryModel) -> tuple[Float32, str]:
        """See :class:`Images`.

        Raises:
            UsageError: a side is no multiple of the model's patch.
        """
        sides = (self.width, self.height)
        if any(side < model.patch or side % model.patch for side in sides):
            fitting = "x".join(str(max(model.patch, side // model.patch * model.patch)) for side in sides)
            raise UsageError(
                f"image size {self.width}x{self.height} is no multiple of the patch of {model.patch} pixels",
                f"take {fitting}",
            )
        noise = np.random.default_rng(0).random((self.frames, 3, self.height, self.width), dtype=np.float32)
        return noise, SYNTHETIC
