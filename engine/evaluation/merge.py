"""Merged weights for an export: the base with a checkpoint's updates added, under the base's own names, and proven.

The proof is of what lies on the disk: the file is read back, loaded into the plain network, and that network's outputs
are compared with those of the base with LoRA layers, on an input drawn from a seed. Both passes are fp32 on the CPU.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import ExportError, UsageError
from engine.evaluation.merge_proof import judge, outputs, seeded_images
from engine.export.copying import hash_of, writing
from engine.export.locate import CheckpointFiles, CheckpointKind
from engine.export.selection import ExportedFile, MergedWeights, Selection
from engine.inference.checkpoints import CheckpointKind as SourceKind
from engine.inference.checkpoints import CheckpointSource
from engine.inference.contract import GeometryModel
from engine.inference.families import build_model
from engine.inference.lora import AdapterBank
from engine.inference.weights import load_strictly, read_metadata, read_tensors, state_sha256
from engine.text import visible
from engine.training_config import SAFETENSORS_SUFFIX, LoraTraining, read_training

FOLDER, FILE = "merged", "model.safetensors"


@dataclass(frozen=True, slots=True)
class BaseWeights:
    """Where the base comes from; exactly one of ``file`` and ``seed``.

    Attributes:
        model: the family.
        file: its weights.
        seed: of random ones.
    """

    model: str
    file: Path | None = None
    seed: int | None = None

    @property
    def name(self) -> str:
        """What to call it: the file's name, never where it lies."""
        return self.file.name if self.file else f"random, seed {self.seed}"


class CheckpointMerger:
    """Merges the checkpoints of one run into its base; an :class:`engine.export.checkpoints.Merger`.

    Args:
        base: the base.
        training: the configuration for weights files that have none beside them.
        tell: called with what is being done, in words.
    """

    def __init__(
        self, base: BaseWeights, training: Path | None = None, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._base = base
        self._training_file = training
        self._training: LoraTraining | None = None
        self._tell = tell
        self._model: GeometryModel | None = None
        self._sha256 = ""

    def prepare(self, selections: Sequence[Selection]) -> None:
        """Load the base and see that it is the one that the checkpoints were evaluated on.

        Raises:
            DataError: the base or the training's configuration cannot be read, or does not fit the model.
            UsageError: the run was evaluated on another base, or another model.
        """
        self._training = read_training(self._training_file) if self._training_file else None
        self._tell("loading the base")
        self._model = self._build()
        self._sha256 = state_sha256(self._model.module)
        for selection in selections:
            wanted = selection.about.model.weights_sha256 if selection.about else None
            if wanted is not None and wanted != self._sha256:
                raise UsageError(
                    f"the base weights are not those of {visible(selection.run)}: their hash is {self._sha256[:12]}, "
                    f"the run's {wanted[:12]}",
                    "name the run's own with --base, or its --base-seed",
                )

    def merge(self, selection: Selection, files: CheckpointFiles, folder: Path, shown: Path) -> MergedWeights:
        """Write ``merged/model.safetensors`` below a folder and prove it; see the module.

        Raises:
            DataError: the checkpoint cannot be read or does not fit the base.
            ExportError: the file cannot be written, or what was written does not do what the checkpoint does.
        """
        name = visible(selection.checkpoint)
        self._tell(f"merging {name}")
        model = self._fresh()
        place, final = folder / FOLDER / FILE, shown / FOLDER / FILE
        with writing(final):
            place.parent.mkdir()
        bank = AdapterBank(model)
        source = _source(files)
        held = bank.add(source, self._training)
        images = seeded_images(model)
        plain = outputs(model, images)
        bank.activate(source.name)
        unmerged = outputs(model, images)
        with bank.merged(source.name) as module:
            tensors = {**self._unused(model), **module.state_dict()}
            _write(tensors, self._metadata(), place, final)
            digest = hash_of(place, final)
            back = read_tensors(place)
            _check_same(tensors, back, final)
        bank.release()
        self._tell(f"checking {name}")
        load_strictly(model.module, back, place, getattr(model, "unused_parts", ()))
        merged = outputs(model, images)
        facts = {
            "dtype": _dtypes(tensors),
            "tensors": len(tensors),
            "parameters": sum(tensor.numel() for tensor in tensors.values()),
            "changed_modules": len(held.changed_modules),
            "model": self._base.model,
            "base": self._base.name,
            "base_sha256": self._sha256,
            "base_is_the_runs": bool(selection.about and selection.about.model.weights_sha256),
            "check": judge(plain, unmerged, merged, images, name),
        }
        size = place.stat().st_size
        return MergedWeights(ExportedFile(f"{FOLDER}/{FILE}", size, digest), facts)

    def _fresh(self) -> GeometryModel:
        """A network with pristine weights: the prepared one for the first checkpoint, since the proof uses it up."""
        model, self._model = self._model, None
        if model is None:
            model = self._build()
            if state_sha256(model.module) != self._sha256:
                raise ExportError(
                    f"the base weights {visible(self._base.name)} changed during the export", "export again"
                )
        return model

    def _build(self) -> GeometryModel:
        base = self._base
        return build_model(base.model, weights=base.file, seed=base.seed)

    def _metadata(self) -> dict[str, str]:
        """Of the file: what the base's says (the built-in model keeps its size there), and whose tensors they are."""
        file = self._base.file
        said = read_metadata(file) if file is not None and file.suffix.lower() == SAFETENSORS_SUFFIX else {}
        return {**said, "format": "pt"}

    def _unused(self, model: GeometryModel) -> dict[str, Tensor]:
        """What the base's file holds of parts that the network is built without, so that nothing of it is lost."""
        parts = tuple(getattr(model, "unused_parts", ()))
        if self._base.file is None or not parts:
            return {}
        return {name: tensor for name, tensor in read_tensors(self._base.file).items() if name.startswith(parts)}


def _source(files: CheckpointFiles) -> CheckpointSource:
    if files.kind is CheckpointKind.ADAPTER:
        return CheckpointSource(files.path.name, files.files[0].parent, SourceKind.ADAPTER)
    return CheckpointSource(files.files[0].stem, files.files[0], SourceKind.WEIGHTS)


def _write(tensors: Mapping[str, Tensor], metadata: dict[str, str], place: Path, shown: Path) -> None:
    """Write the tensors in one file, and flush it.

    Raises:
        ExportError: the disk is full, or whatever else is wrong with it.
    """
    needed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    with writing(shown):
        if shutil.disk_usage(place.parent).free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    # The file format knows no tensor that is part of another, and no holes.
    owners: set[int] = set()
    apart = {}
    for name, tensor in tensors.items():
        storage = tensor.untyped_storage().data_ptr()
        whole = tensor.is_contiguous() and tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
        apart[name] = tensor.detach() if whole and storage not in owners else tensor.detach().clone().contiguous()
        owners.add(storage)
    try:
        save_file(apart, place, metadata=metadata)
    except SafetensorError as error:  # it wraps those of the operating system
        raise ExportError(
            f"{visible(str(shown))}: cannot be written ({visible(str(error))})",
            "free some space or choose another folder; nothing was exported",
        ) from None
    with writing(shown), place.open("r+b") as file:
        _sort_metadata(file)
        file.flush()
        os.fsync(file.fileno())


def _sort_metadata(file: BinaryIO) -> None:
    """Put the entries of a safetensors file's metadata in order: they are written in a random one.

    Equal weights then have equal hashes. The header keeps its length; what is left over is blank, as the format has it.
    """
    (length,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(length))
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) <= length:
        file.seek(8)
        file.write(text.ljust(length))


def _check_same(tensors: Mapping[str, Tensor], back: Mapping[str, Tensor], shown: Path) -> None:
    """Refuse a file that does not hold, bit for bit, what was written."""
    if tensors.keys() != back.keys() or not all(
        tensors[name].dtype == back[name].dtype and torch.equal(_bits(tensors[name]), _bits(back[name]))
        for name in tensors
    ):
        raise ExportError(
            f"{visible(str(shown))}: the merged weights read back differently", "check the disk and export again"
        )


def _bits(tensor: Tensor) -> Tensor:
    return tensor.detach().contiguous().flatten().view(torch.uint8)


def _dtypes(tensors: Mapping[str, Tensor]) -> str:
    names = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values()})
    return ", ".join(names)
