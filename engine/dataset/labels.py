"""The official label ids of KITTI-360, and the regions that metrics are given for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

ROAD = 7
SIDEWALK = 8
BUILDING = 11
POLE = 17
VEGETATION = 21
TERRAIN = 22
SKY = 23
CAR = 26
TRASH_BIN = 39
UNLABELLED = -1  # a point of a dataset that has no labels

# Label id -> name. Ids are facts of the dataset; 8-bit label images hold them as they are.
NAMES: Mapping[int, str] = MappingProxyType(
    dict(
        enumerate(
            (
                "unlabeled",
                "ego vehicle",
                "rectification border",
                "out of roi",
                "static",
                "dynamic",
                "ground",
                "road",
                "sidewalk",
                "parking",
                "rail track",
                "building",
                "wall",
                "fence",
                "guard rail",
                "bridge",
                "tunnel",
                "pole",
                "polegroup",
                "traffic light",
                "traffic sign",
                "vegetation",
                "terrain",
                "sky",
                "person",
                "rider",
                "car",
                "truck",
                "bus",
                "caravan",
                "trailer",
                "train",
                "motorcycle",
                "bicycle",
                "garage",
                "gate",
                "stop",
                "smallpole",
                "lamp",
                "trash bin",
                "vending machine",
                "box",
                "unknown construction",
                "unknown vehicle",
                "unknown object",
            )
        )
    )
)

# Region -> the label ids in it; None is every point. A label image has 8 bits, so the complement is exact.
REGIONS: Mapping[str, Sequence[int] | None] = MappingProxyType(
    {
        "full": None,
        "building": (BUILDING,),
        "non_building": tuple(label for label in range(256) if label != BUILDING),
    }
)
# What a dataset without labels has.
UNLABELLED_REGIONS: Mapping[str, Sequence[int] | None] = MappingProxyType({"full": None})
