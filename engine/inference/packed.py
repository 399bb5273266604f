"""Arguments and results of a module, taken apart into tensors and the rest: compared bit for bit, and given again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

_PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)
# Bits are compared as integers of the same width: -0.0 is not 0.0, and a NaN is itself.
_BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class _Slot:
    """Where a tensor was."""


_SLOT = _Slot()


@dataclass(frozen=True, slots=True)
class Packed:
    """A value of nested tuples, lists and dictionaries.

    Attributes:
        template: the value with a mark in the place of every tensor, and every plain value beside its type.
        tensors: the tensors, in the order of their marks.
    """

    template: object
    tensors: tuple[Tensor, ...]


def pack(value: object) -> Packed | None:
    """Take a value apart; ``None`` where it holds anything but plain values and dense tensors."""
    tensors: list[Tensor] = []

    def take(part: object) -> object:
        if isinstance(part, Tensor):
            if type(part) not in (Tensor, nn.Parameter) or part.layout is not torch.strided or part.is_quantized:
                raise TypeError
            tensors.append(part)
            return _SLOT
        kind = type(part)
        if kind is dict:
            return dict, tuple((key, take(value)) for key, value in cast(dict[object, object], part).items())
        if kind in (tuple, list):
            return kind, tuple(take(value) for value in cast(Iterable[object], part))
        if kind not in _PLAIN:
            raise TypeError
        return kind, part

    try:
        return Packed(take(value), tuple(tensors))
    except TypeError:
        return None


def unpack(template: object, tensors: Iterable[Tensor]) -> Any:
    """The value of a template again, in new containers, with these tensors in the places of its own."""
    left = iter(tensors)

    def build(part: Any) -> Any:
        if part is _SLOT:
            return next(left)
        kind, content = part
        if kind is dict:
            return {key: build(value) for key, value in content}
        if kind in (tuple, list):
            return kind(build(value) for value in content)
        return content

    return build(template)


@dataclass(frozen=True, slots=True)
class Kept:
    """A tensor as it was when it was kept. Nothing is copied where writes into it can be noticed.

    Attributes:
        tensor: the tensor itself, or a private copy.
        version: PyTorch's count of writes into the tensor and its views; ``None`` for a private copy.
    """

    tensor: Tensor
    version: int | None

    @classmethod
    def of(cls, tensor: Tensor, *, copy: bool = False) -> Kept:
        """Keep a tensor; one that was made in inference mode, where writes are not counted, as a copy."""
        if copy or tensor.is_inference():
            return cls(tensor.clone(), None)
        return cls(tensor, tensor._version)

    @property
    def intact(self) -> bool:
        """Whether nothing was written into it since."""
        return self.version is None or self.tensor._version == self.version

    def equals(self, other: Tensor) -> bool:
        """Whether ``other`` is the same to a kernel: shape, strides, type, device, and every bit.

        Tensors in the same memory are equal without a look at it.
        """
        mine = self.tensor
        if (mine.shape, mine.dtype, mine.device) != (other.shape, other.dtype, other.device) or not self.intact:
            return False
        if mine.stride() != other.stride():
            return False
        if mine.data_ptr() == other.data_ptr() and self.version is not None:
            return True
        return bit_equal(mine, other)

    def give(self) -> Tensor:
        """The tensor, or a copy of the private copy."""
        return self.tensor if self.version is not None else self.tensor.clone()


def bit_equal(first: Tensor, second: Tensor) -> bool:
    """Whether two tensors of one shape and type hold the same bits; waits for the device."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    if first.is_complex():
        first, second = torch.view_as_real(first.resolve_conj()), torch.view_as_real(second.resolve_conj())
    if first.is_floating_point():
        bits = _BITS[first.element_size()]
        first, second = first.view(bits), second.view(bits)
    return torch.equal(first, second)


def held_bytes(tensors: Iterable[Tensor]) -> dict[int, int]:
    """The memory that keeping these tensors holds: address of every storage -> its size in bytes."""
    storages = (tensor.untyped_storage() for tensor in tensors)
    return {storage.data_ptr(): storage.nbytes() for storage in storages}
