"""Merged weights for an export: the base with a checkpoint's updates added, under the base's own names, and proven.

The proof is of what lies on the disk: the file is read back, loaded into the plain network, and that network's outputs
are compared with those of the base with LoRA layers, on an input drawn from a seed. Both passes are fp32 on the CPU.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import ExportError, UsageError
from engine.export.copying import hash_of, writing
from engine.export.locate import CheckpointFiles, CheckpointKind
from engine.export.selection import ExportedFile, MergedWeights, Selection
from engine.inference.checkpoints import CheckpointKind as SourceKind
from engine.inference.checkpoints import CheckpointSource
from engine.inference.contract import GeometryModel, Prediction, no_grad_predict
from engine.inference.families import build_model
from engine.inference.lora import AdapterBank
from engine.inference.weights import load_strictly, read_metadata, read_tensors, state_sha256
from engine.text import visible
from engine.training_config import SAFETENSORS_SUFFIX, LoraTraining, read_training

FOLDER, FILE = "merged", "model.safetensors"

# Largest difference of an output, in units of its own largest value. Adding B(Ax) to Wx and multiplying x by W + BA
# differ by rounding alone: in fp32 about 1e-7 for each layer that they pass.
TOLERANCE = 1e-4
# And in units of what the checkpoint changes at all: a merge that did nothing must not pass for a good one.
SHARE_OF_EFFECT = 0.1

# The seeded input: frames of so many patches.
_FRAMES, _HEIGHT, _WIDTH, _SEED = 2, 6, 8, 0
_OUTPUTS = ("depth", "confidence", "world_to_camera", "intrinsics")


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
        images = _images(model)
        plain = _outputs(model, images)
        bank.activate(source.name)
        unmerged = _outputs(model, images)
        with bank.merged(source.name) as module:
            tensors = {**self._unused(model), **module.state_dict()}
            _write(tensors, self._metadata(), place, final)
            digest = hash_of(place, final)
            back = read_tensors(place)
            _check_same(tensors, back, final)
        bank.release()
        self._tell(f"checking {name}")
        load_strictly(model.module, back, place, getattr(model, "unused_parts", ()))
        merged = _outputs(model, images)
        facts = {
            "dtype": _dtypes(tensors),
            "tensors": len(tensors),
            "parameters": sum(tensor.numel() for tensor in tensors.values()),
            "changed_modules": len(held.changed_modules),
            "model": self._base.model,
            "base": self._base.name,
            "base_sha256": self._sha256,
            "base_is_the_runs": bool(selection.about and selection.about.model.weights_sha256),
            "check": _judge(plain, unmerged, merged, images, name),
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
        """Of the file: what the base's says (the built-in model keeps its size there), else whose tensors they are.

        Not both: safetensors writes several entries in a random order, and equal weights would differ in their hash.
        """
        file = self._base.file
        said = read_metadata(file) if file is not None and file.suffix.lower() == SAFETENSORS_SUFFIX else {}
        return said or {"format": "pt"}

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


def _images(model: GeometryModel) -> Tensor:
    generator = torch.Generator().manual_seed(_SEED)
    return torch.rand(1, _FRAMES, 3, _HEIGHT * model.patch, _WIDTH * model.patch, generator=generator)


def _outputs(model: GeometryModel, images: Tensor) -> Prediction:
    return no_grad_predict(model, images, torch.float32)


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
        os.fsync(file.fileno())


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


def _judge(plain: Prediction, unmerged: Prediction, merged: Prediction, images: Tensor, name: str) -> dict[str, object]:
    """What the comparison found.

    Raises:
        ExportError: the merged model is not the unmerged one.
    """
    error, effect = _difference(merged, unmerged), _difference(plain, unmerged)
    # Written so that NaN fails, too.
    if not (error <= TOLERANCE and error <= SHARE_OF_EFFECT * effect):
        raise ExportError(
            f"{name}: the merged weights do not do what the checkpoint does: outputs differ by {error:.1e} of the "
            f"largest value; allowed are {TOLERANCE:g} and a tenth of the checkpoint's own effect, {effect:.1e}",
            "export without --merge; nothing was exported",
        )
    _, frames, _, height, width = images.shape
    return {
        "input": f"{frames} frames of {width}x{height} pixels, uniform in [0, 1], seed {_SEED}",
        "precision": "fp32",
        "device": "cpu",
        "outputs": list(_OUTPUTS),
        "tolerance": TOLERANCE,
        "max_difference": error,
        "effect": effect,
    }


def _difference(one: Prediction, other: Prediction) -> float:
    """The largest difference of any output, in units of the largest value of that output in ``other``."""
    found = 0.0
    for output in _OUTPUTS:
        a, b = getattr(one, output).double(), getattr(other, output).double()
        largest = float(b.abs().max())
        difference = float((a - b).abs().max()) / (largest or 1.0)
        if not difference <= found:
            found = difference
            if found != found:  # NaN: nothing more can be said
                break
    return found


def _dtypes(tensors: Mapping[str, Tensor]) -> str:
    names = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values()})
    return ", ".join(names)
