"""The constant depth of the pseudo-checkpoint ``chance``."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence

import numpy as np

from engine.dataset.model import Dataset, Preparation, PreparedWindow, Window
from engine.errors import DataError

# Windows whose ground truth gives it, spread evenly over the sample.
CHANCE_WINDOWS = 8


def chance_depth(
    dataset: Dataset,
    windows: Sequence[Window],
    prepare: Preparation,
    keep: MutableMapping[int, PreparedWindow] | None = None,
) -> float:
    """The median depth of the ground truth, in metres, over up to :data:`CHANCE_WINDOWS` windows of the sample.

    Args:
        dataset: where they are.
        windows: the sample.
        prepare: how images are prepared.
        keep: takes the windows that were read, by their ids.

    Raises:
        DataError: none of them can be read, or they hold no point.
        UsageError: images cannot be prepared like that.
    """
    places = np.unique(np.linspace(0, len(windows) - 1, min(CHANCE_WINDOWS, len(windows))).round().astype(int))
    depths, why = [], "no ground-truth points"
    for place in places:
        try:
            prepared = dataset.load(windows[int(place)], prepare)
        except DataError as error:
            why = str(error)
            continue
        depths += [points.depth[points.usable] for points in prepared.points]
        if keep is not None:
            keep[windows[int(place)].id] = prepared
    if not depths or not sum(map(len, depths)):
        raise DataError(f"the first windows have no ground truth: {why}")
    return float(np.median(np.concatenate(depths)))
