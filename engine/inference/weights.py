"""Weights files into tensors, without running anything that a file contains; and strict, accounted loading.

``.safetensors`` holds tensors only. ``.pt``, ``.pth`` and ``.bin`` are pickles and are read by torch's restricted
unpickler, which knows tensors and plain containers and refuses everything else.
"""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from engine.errors import DataError
from engine.text import listed, visible
from engine.training_config import SAFETENSORS_SUFFIX, WEIGHT_SUFFIXES

# Under which key trainers put the weights beside their own state, best first.
_MODEL_KEYS = ("model", "state_dict", "model_state_dict")
# What wrappers (data parallel, compilation) put before every name.
_WRAPPERS = ("module.", "_orig_mod.")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file, by name, on the CPU.

    A ``.pt`` file may hold them at the top or under ``model``, ``state_dict`` or ``model_state_dict``; what a trainer
    stores beside those (optimizer, step) is left unread. Prefixes of wrappers (``module.``, ``_orig_mod.``) are
    removed where every name has them. Tensors may be views of the mapped file: clone what is kept.

    Raises:
        DataError: no such file, unreadable, corrupt, holds Python objects, or no tensors.
    """
    shown = visible(str(path))
    suffix = path.suffix.lower()
    if suffix not in WEIGHT_SUFFIXES:
        raise DataError(f"{shown} is no weights file", f"known endings are {', '.join(WEIGHT_SUFFIXES)}")
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise DataError(f"{shown}: {error.strerror}", "check the path") from None
    found = _read_safetensors(path, shown) if suffix == SAFETENSORS_SUFFIX else _read_torch(path, shown)
    if not found:
        raise DataError(f"{shown} holds no tensors", "check that it is a checkpoint")
    return _without_wrappers(found)


def read_metadata(path: Path) -> dict[str, str]:
    """The text metadata of a ``.safetensors`` file; empty where it has none.

    Raises:
        DataError: no such file, unreadable or corrupt.
    """
    shown = visible(str(path))
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except OSError as error:
        raise DataError(f"{shown}: {error.strerror or error}", "check the path") from None
    except SafetensorError as error:
        raise DataError(f"{shown} is no valid safetensors file ({error})", "copy it again") from None


def load_strictly(
    module: nn.Module, tensors: Mapping[str, Tensor], source: Path, unused_prefixes: Iterable[str] = ()
) -> None:
    """Copy ``tensors`` into ``module``: every parameter and buffer gets one, and every tensor is used.

    Args:
        module: the network.
        tensors: by the module's own names.
        source: the file, for messages.
        unused_prefixes: tensors under these belong to parts that the module was built without.

    Raises:
        DataError: names are missing or left over, or a shape differs; names the first of them.
    """
    prefixes = tuple(unused_prefixes)
    wanted = module.state_dict()
    given = {name: tensor for name, tensor in tensors.items() if not name.startswith(prefixes)}
    check_fit({name: tensor.shape for name, tensor in wanted.items()}, given, source, "the model")
    module.load_state_dict(given, strict=True)


def check_fit(wanted: Mapping[str, torch.Size], given: Mapping[str, Tensor], source: Path, whose: str) -> None:
    """Refuse tensors that are not exactly the wanted ones.

    Args:
        wanted: name -> shape.
        given: name -> tensor.
        source: the file, for messages.
        whose: what the names belong to, e.g. ``"the model"``.

    Raises:
        DataError: with the first names and how many more.
    """
    shown = visible(str(source))
    missing = [name for name in wanted if name not in given]
    left_over = [name for name in given if name not in wanted]
    if missing or left_over:
        parts = [
            *([f"lacks {listed(missing)}"] if missing else []),
            *([f"holds {listed(left_over)}, which {whose} does not have"] if left_over else []),
        ]
        raise DataError(f"{shown} does not fit {whose}: it {' and '.join(parts)}", "check model and checkpoint")
    wrong = [name for name, shape in wanted.items() if given[name].shape != shape]
    if wrong:
        name = wrong[0]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise DataError(
            f"{shown} does not fit {whose}: {visible(name)} is {shape_text(given[name].shape)} "
            f"instead of {shape_text(wanted[name])}{more}",
            "check model and checkpoint",
        )


def shape_text(shape: torch.Size) -> str:
    """``64x3x14x14``; ``scalar`` for no dimensions."""
    return "x".join(str(side) for side in shape) or "scalar"


def state_sha256(module: nn.Module) -> str:
    """A hash of a module's weights: names, types, shapes and values; the same for every file format and device."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name}|{tensor.dtype}|{shape_text(tensor.shape)}|".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _read_safetensors(path: Path, shown: str) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError) as error:
        raise DataError(f"{shown} is no valid safetensors file ({error})", "copy it again") from None


def _read_torch(path: Path, shown: str) -> dict[str, Tensor]:
    try:
        # Mapping spares the gigabytes of a full checkpoint of which a few megabytes are kept.
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError:
        raise DataError(
            f"{shown} is corrupt or holds Python objects besides tensors, which are never loaded",
            "save the state dict alone: torch.save(model.state_dict(), path)",
        ) from None
    except Exception as error:
        # A damaged pickle or archive can end in any exception, from EOFError to IndexError.
        reason = visible(str(error).partition("\n")[0]) or type(error).__name__
        raise DataError(f"{shown} cannot be read: {reason}", "copy it again") from None
    tensors = _state_dict(found)
    if tensors is None:
        raise DataError(
            f"{shown} holds no state dict (neither at the top nor under {', '.join(_MODEL_KEYS)})",
            "save model.state_dict()",
        )
    for name, value in tensors.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise DataError(f"{shown}: {visible(str(name))} is no tensor", "save model.state_dict()")
    return {str(name): value for name, value in tensors.items() if isinstance(value, Tensor)}


def _state_dict(found: object) -> Mapping[object, object] | None:
    if not isinstance(found, Mapping):
        return None
    for key in _MODEL_KEYS:
        inner = found.get(key)
        if isinstance(inner, Mapping):
            return inner
    return found if all(isinstance(value, Tensor) for value in found.values()) else None


def _without_wrappers(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in _WRAPPERS:
        if all(name.startswith(prefix) for name in tensors):
            return _without_wrappers({name.removeprefix(prefix): tensor for name, tensor in tensors.items()})
    return tensors
