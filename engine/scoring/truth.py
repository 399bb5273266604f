"""What scoring needs of a window that no prediction changes: computed once, used for every checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.dataset.model import PreparedWindow
from engine.geometry.cameras import rays, transform_positions
from engine.geometry.moments import laid_out
from engine.geometry.neighbourhoods import count_around, native_pixels, neighbourhoods
from engine.geometry.normals import PixelCloud, fit_patches, trusted
from engine.geometry.patch_kernel import PatchFrame, PatchRows
from engine.geometry.planes import find_planes
from engine.geometry.sampling import Taps, bilinear_taps, sample
from engine.scoring.groups import Groups
from engine.scoring.protocol import V1
from engine.scoring.slices import divide
from engine.scoring.truth_model import NormalTruth, PlaneTruth, WindowTruth

__all__ = ["NormalTruth", "PlaneTruth", "WindowTruth", "prepare_truth"]

BESIDE_JUMP = "points beside a depth jump"
OUTSIDE_IMAGE = "points outside the prepared image"
_EDGE = 1e-6  # pixels; a position may miss the last pixel centre by rounding


@dataclass(frozen=True, eq=False)
class _Frame:
    """Points of one frame that count, sorted by cell and native pixel; on the CPU."""

    uv: Tensor  # native
    position: Tensor  # in the prepared image
    depth: Tensor
    label: Tensor
    ray: Tensor
    pixel: Tensor
    unusable: Tensor  # native pixels of the points beside a depth jump
    cells: tuple[int, ...]  # points of every cell
    left_out: Counter[str]


def prepare_truth(
    prepared: PreparedWindow,
    regions: Mapping[str, Sequence[int] | None],
    device: torch.device,
    *,
    plane_region: str = "building",
    seed: int = 0,
    classes: Mapping[int, str] | None = None,
) -> WindowTruth:
    """Compute everything that does not depend on a prediction.

    Points beside a depth jump, and points outside the grid of pixel centres of the prepared images, do not count.

    Args:
        prepared: the window.
        regions: label ids of every region; ``None`` means every point.
        device: where predictions will be.
        plane_region: the region whose points are split into planes, where the dataset has it.
        seed: of the plane search; together with the frame's number it decides the planes.
        classes: names of label ids, by which depth is sliced beside distance: none of them where the dataset has no
            labels. ``None``: no slices at all.
    """
    height, width = prepared.images.shape[-2:]
    cell_of, region_cells = _cells(prepared, regions)
    cells_each = max(cell_of.values(), default=0) + 1
    frames = [_frame(prepared, index, cell_of, cells_each) for index in range(len(prepared.points))]
    groups = Groups.build([frame.cells for frame in frames], region_cells, device)
    depth = _join([frame.depth for frame in frames])
    position = _join([frame.position for frame in frames])
    number = torch.repeat_interleave(torch.tensor([len(frame.depth) for frame in frames]))
    images = _tensor(prepared.images, np.float32).to(device)
    flat = images.permute(0, 2, 3, 1).reshape(-1, 3).contiguous()
    cpu_taps = bilinear_taps(position, (height, width), number)
    taps = Taps(cpu_taps.index.to(device), cpu_taps.weight.to(device))
    true_depth = depth.float().to(device)
    return WindowTruth(
        window=prepared.window,
        regions=tuple(regions),
        size=(height, width),
        groups=groups,
        depth=true_depth,
        log_depth=depth.log().float().to(device),
        ray=_join([frame.ray for frame in frames]).float().to(device),
        uv=_by_column(position.float().to(device)),
        taps=taps,
        images=flat,
        colour=_by_column(sample(flat, taps)),
        median_depth=groups.medians(depth.to(device)),
        normals=_normals(frames, prepared.native_size, region_cells, groups, device),
        planes=_planes(prepared, frames, region_cells, tuple(regions), plane_region, seed, device),
        camera_to_world=_tensor(prepared.camera_to_world, np.float64),
        left_out=sum((frame.left_out for frame in frames), Counter[str]()),
        slices=None
        if classes is None
        else divide(groups, depth, _join([frame.label for frame in frames]).long(), regions, classes, device),
    )


def _cells(
    prepared: PreparedWindow, regions: Mapping[str, Sequence[int] | None]
) -> tuple[dict[int, int], list[list[int]]]:
    """The cell of every label, and the cells of every region. Labels that lie in the same regions share a cell."""
    labels = np.unique(np.concatenate([points.label for points in prepared.points])).tolist()
    held = {
        label: tuple(ids is None or label in ids for ids in regions.values())
        for label in (int(label) for label in labels)
    }
    patterns = sorted(set(held.values())) or [(False,) * len(regions)]
    cell_of = {label: patterns.index(pattern) for label, pattern in held.items()}
    return cell_of, [[cell for cell, pattern in enumerate(patterns) if pattern[r]] for r in range(len(regions))]


def _frame(prepared: PreparedWindow, index: int, cell_of: Mapping[int, int], cells_each: int) -> _Frame:
    points = prepared.points[index]
    uv = _tensor(points.uv, np.float64).reshape(-1, 2)
    usable = _tensor(points.usable, np.bool_)
    position = transform_positions(uv, _tensor(prepared.native_to_image, np.float64))
    last = torch.tensor(prepared.images.shape[:-3:-1], dtype=torch.float64) - 1  # (width, height) - 1
    inside = ((position >= -_EDGE) & (position <= last + _EDGE)).all(1)
    pixel = native_pixels(uv, prepared.native_size)
    table = np.zeros(max(cell_of, default=0) + 2, dtype=np.int64)  # the last entry is that of label -1
    table[list(cell_of)] = list(cell_of.values())
    cell = torch.from_numpy(table[points.label.astype(np.int64)])
    kept = (usable & inside).nonzero().squeeze(1)
    pixels = prepared.native_size[0] * prepared.native_size[1]
    kept = kept[(cell[kept] * pixels + pixel[kept]).argsort(stable=True)]
    intrinsics = _tensor(prepared.native_intrinsics[index], np.float64)
    cells = torch.bincount(cell[kept], minlength=cells_each).tolist()
    return _Frame(
        uv=uv[kept],
        position=position[kept],
        depth=_tensor(points.depth, np.float64)[kept],
        label=_tensor(points.label, np.int64)[kept],
        ray=rays(uv[kept], intrinsics),
        pixel=pixel[kept],
        unusable=pixel[~usable],
        cells=tuple(cells),
        left_out=Counter({BESIDE_JUMP: int((~usable).sum()), OUTSIDE_IMAGE: int((usable & ~inside).sum())}),
    )


def _normals(
    frames: Sequence[_Frame],
    size: tuple[int, int],
    region_cells: Sequence[Sequence[int]],
    groups: Groups,
    device: torch.device,
) -> NormalTruth:
    rule = V1.normals
    hoods, laid, frames_of, rays, normals, order, cells = [], [], [], [], [], [], []
    start = 0
    for frame in frames:
        hood = neighbourhoods(frame.pixel, size, rule.window)
        clean = hood.count >= rule.points
        if len(frame.unusable):
            clean &= count_around(frame.pixel, frame.unusable, size, rule.window) == 0
        kept = clean.nonzero().squeeze(1)
        hood = hood.subset(kept[hood.place[kept].argsort()])
        patches = fit_patches(frame.depth[None], frame.ray, hood)
        known = trusted(patches, hood, PixelCloud(frame.depth, frame.ray, frame.pixel, size[1]), rule)
        hood = hood.subset(known)
        cell = torch.repeat_interleave(torch.tensor(frame.cells))[hood.centre]
        ray = laid_out(frame.ray[hood.order, :2].t().float(), hood)
        hoods.append(hood.to(device))
        laid.append(ray.to(device))
        rays.append(frame.ray[hood.centre, :2].t().float().double().contiguous())
        normals.append(patches.normal[0][:, known].float().contiguous())
        by_cell = cell.argsort(stable=True)
        if device.type == "cpu":
            rank = torch.empty_like(by_cell, dtype=torch.int32)
            rank[by_cell] = torch.arange(len(cell), dtype=torch.int32)
            frames_of.append(PatchFrame(PatchRows.of(hood), ray, rays[-1], normals[-1], rank))
        order.append(start + by_cell)
        cells.append(tuple(torch.bincount(cell, minlength=len(frame.cells)).tolist()))
        start += len(cell)
    found = Groups.build(cells, region_cells, device)
    return NormalTruth(
        hoods=tuple(hoods),
        rays=tuple(laid),
        patches=tuple(frames_of),
        ray=_join(rays, dim=1).to(device),
        normal=_join(normals, dim=1).to(device),
        order=_join(order).to(device),
        groups=found,
        coverage=found.counts / groups.counts,
    )


def _planes(
    prepared: PreparedWindow,
    frames: Sequence[_Frame],
    region_cells: Sequence[Sequence[int]],
    regions: Sequence[str],
    plane_region: str,
    seed: int,
    device: torch.device,
) -> PlaneTruth | None:
    if plane_region not in regions:
        return None
    region = regions.index(plane_region)
    point, slope, offset, sizes, owner = [], [], [], [], []
    start = 0
    for index, (frame, number) in enumerate(zip(frames, prepared.window.frames, strict=True)):
        cell = torch.repeat_interleave(torch.tensor(frame.cells))
        held = torch.isin(cell, torch.tensor(region_cells[region], dtype=torch.int64)).nonzero().squeeze(1)
        generator = torch.Generator().manual_seed(((seed << 32) + number) % 2**63)
        cloud = frame.ray[held] * frame.depth[held, None]
        for plane in find_planes(cloud, generator, V1.planes):
            member = held[plane.member]
            point.append(start + member)
            slope.append(frame.ray[member] @ plane.normal)
            offset.append(plane.offset.expand(len(member)))
            sizes.append(len(member))
            owner.append(index)
        start += len(frame.depth)
    if not sizes:
        return None
    share = torch.zeros(len(sizes), len(frames), dtype=torch.float64)
    share[torch.arange(len(sizes)), owner] = torch.tensor(sizes, dtype=torch.float64)
    total = share.sum(0)
    held_points = _join(point).long()
    ray = torch.cat([frame.ray for frame in frames])[held_points]
    x, y, z = ray.unbind(1)
    ends = np.cumsum(sizes)
    return PlaneTruth(
        region=region,
        point=held_points.to(device),
        ray=_by_column(ray.to(device)),
        ray_products=torch.stack([x * x, x * y, x * z, y * y, y * z, z * z], dim=1).to(device),
        slope=_join(slope).double().to(device),
        offset=_join(offset).double().to(device),
        pieces=np.stack([ends - sizes, ends, owner], axis=1),
        groups=Groups.build([(size,) for size in sizes], [(0,)], device),
        frame_sizes=tuple(int(count) for count in total),
        share=torch.where(total > 0, share / total, 0.0).to(device),
        found=(total > 0).to(device),
    )


def _tensor(array: NDArray[Any], dtype: type[np.generic]) -> Tensor:
    """A copy: arrays of a dataset may be read-only, which torch does not know."""
    return torch.from_numpy(np.array(array, dtype=dtype))


def _by_column(values: Tensor) -> Tensor:
    """The same [N, C] with every column contiguous, as elementwise operations on columns want it."""
    return values.t().contiguous().t()


def _join(parts: Sequence[Tensor], dim: int = 0) -> Tensor:
    return torch.cat(list(parts), dim=dim) if parts else torch.zeros(0)
