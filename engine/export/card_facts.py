"""What a model card is written from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from engine.export.adapter import AdapterFacts
from engine.export.command import base_file, base_seed
from engine.export.locate import CheckpointKind
from engine.export.selection import ExportedFile, MergedWeights, Selection
from engine.schema import ProtocolInfo, RunMetadata


@dataclass(frozen=True)
class CardFacts:
    """An exported checkpoint.

    Attributes:
        selection: the checkpoint, and why it was chosen.
        kind: its form.
        files: what was copied, the weights first.
        adapter: what its configuration says, or for a weights file the training's that lies with it.
        kept: the name of the README that lay beside the weights, as it is in the export.
        merged: the merged weights, if there are any.
    """

    selection: Selection
    kind: CheckpointKind
    files: tuple[ExportedFile, ...]
    adapter: AdapterFacts = field(default_factory=AdapterFacts)
    kept: str | None = None
    merged: MergedWeights | None = None

    @property
    def is_adapter(self) -> bool:
        """Whether PEFT can load the folder as it is."""
        return self.kind is CheckpointKind.ADAPTER

    @property
    def weights(self) -> str:
        """The name of the weights file."""
        return self.files[0].name

    @cached_property
    def about(self) -> RunMetadata:
        """What the run says of itself."""
        selection = self.selection
        if selection.about is not None:
            return selection.about
        return RunMetadata(run=selection.run or "?", protocol=ProtocolInfo(name=selection.protocol or "?"))

    @property
    def family(self) -> str:
        """The model family in lower case; empty where it is not recorded."""
        return (self.about.model.name or "").casefold()

    @property
    def base_seed(self) -> int | None:
        """The seed of the base's random weights, where they are random."""
        return base_seed(self.about)

    @property
    def base_file(self) -> str | None:
        """The name of the file with the base's weights, where the run records one."""
        return base_file(self.about)

    @property
    def rank(self) -> int | None:
        """Of LoRA: the adapter's own, else the run's."""
        return self.adapter.rank if self.adapter.rank is not None else self.about.lora.rank

    @property
    def alpha(self) -> float | None:
        """Of LoRA: the adapter's own, else the run's."""
        return self.adapter.alpha if self.adapter.alpha is not None else self.about.lora.alpha

    @property
    def dropout(self) -> float | None:
        """In training: the adapter's own, else the run's."""
        return self.adapter.dropout if self.adapter.dropout is not None else self.about.lora.dropout

    @property
    def target_modules(self) -> tuple[str, ...]:
        """Where LoRA is: the adapter's own words, else the run's."""
        return self.adapter.target_modules or tuple(self.about.lora.target_modules or ())
