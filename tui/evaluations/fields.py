"""The fields of the form: what they are called, how they are filled in, what they are for. Textual-free."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.i18n import mark


class Kind(StrEnum):
    """How a field is filled in."""

    FOLDER = "folder"
    FILE = "file"
    TARGET = "target"  # a folder that need not be there
    TEXT = "text"
    CHOICE = "choice"
    NAMES = "names"  # of checkpoints

    @property
    def is_path(self) -> bool:
        """Whether what is typed names a file or folder."""
        return self in (Kind.FOLDER, Kind.FILE, Kind.TARGET)


YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: of :class:`engine.evaluation.config.EvaluationConfig`, or ``cost``.
        label: what it is called on screen.
        help: one sentence.
        kind: how it is filled in.
        empty: what it means when nothing is filled in.
        choices: what can be chosen.
        default: the choice that is meant when nothing is filled in; empty where that depends.
        more: whether it is shown only on request.
    """

    name: str
    label: str
    help: str
    kind: Kind = Kind.TEXT
    empty: str = ""
    choices: tuple[str, ...] = ()
    default: str = ""
    more: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """What left and right go through: nothing filled in stands for the default."""
        return self.choices if self.default else ("", *self.choices)


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together."""

    title: str
    fields: tuple[Field, ...]


SECTIONS = (
    Section(
        mark("What to evaluate"),
        (
            Field("data", mark("data"), mark("KITTI-360, a synthetic street, or RGB-D clips"), Kind.FOLDER),
            Field(
                "checkpoints",
                mark("checkpoints"),
                mark("folder with LoRA checkpoints, or one of them"),
                Kind.FOLDER,
                mark("none: the base model alone"),
            ),
            Field("only", mark("which"), mark("names with commas; * and ? as in a shell; c: list"), Kind.NAMES),
            Field("base", mark("base weights"), mark("the base model's weights, a local file"), Kind.FILE),
            Field(
                "base_seed",
                mark("base seed"),
                mark("random base weights, for tests alone"),
                empty=mark("none"),
                more=True,
            ),
            Field("model", mark("model"), mark("the model family"), Kind.CHOICE, "", ("vggt", "tiny"), "vggt"),
            Field(
                "training",
                mark("training"),
                mark("the training's YAML, for .pt files without their recipe"),
                Kind.FILE,
                mark("none"),
                more=True,
            ),
        ),
    ),
    Section(
        mark("Sample"),
        (
            Field(
                "split",
                mark("split"),
                mark("which frames"),
                Kind.CHOICE,
                mark("val, or all of RGB-D clips"),
                ("train", "val", "test", "all"),
            ),
            Field("max_seqs", mark("windows"), mark("how many to draw"), empty=mark("all of them")),
            Field(
                "sampling",
                mark("sampling"),
                mark("alike, or 50/30/20 over rich, mixed and road"),
                Kind.CHOICE,
                "",
                ("uniform", "stratified"),
                "uniform",
            ),
            Field("seed", mark("seed"), mark("of the draw"), empty="0"),
            Field("seq_len", mark("window length"), mark("frames in a window"), empty="8"),
            Field("stride", mark("stride"), mark("frames from one window to the next"), empty="8"),
        ),
    ),
    Section(
        mark("Scoring"),
        (
            Field(
                "align",
                mark("alignment"),
                mark("what summaries show; all four are computed"),
                Kind.CHOICE,
                "",
                ("none", "scale", "median", "scale_shift"),
                "median",
            ),
            Field(
                "align_scope",
                mark("alignment of"),
                mark("one fit for a window or for a frame"),
                Kind.CHOICE,
                "",
                ("window", "frame"),
                "window",
                more=True,
            ),
            Field(
                "prepare",
                mark("images"),
                mark("whole, or a square about the principal point"),
                Kind.CHOICE,
                "",
                ("fit", "crop"),
                "fit",
                more=True,
            ),
            Field("size", mark("image width"), mark("pixels"), empty=mark("the model's own"), more=True),
        ),
    ),
    Section(
        mark("Where to compute"),
        (
            Field(
                "dtype",
                mark("precision"),
                mark("of the forward pass; scoring is fp32"),
                Kind.CHOICE,
                "",
                ("fp32", "bf16"),
                "fp32",
            ),
            Field("device", mark("devices"), mark("cpu, cuda, cuda:0; several with commas"), empty="auto"),
            Field("workers", mark("workers"), mark("processes here, side by side"), empty=mark("one per device")),
            Field(
                "cluster",
                mark("cluster"),
                mark("let workers of other machines join"),
                Kind.CHOICE,
                "",
                YES_NO,
                "no",
            ),
            Field(
                "listen",
                mark("listen"),
                mark("address or interface for them"),
                empty=mark("found by itself"),
                more=True,
            ),
            Field(
                "mirror",
                mark("mirror"),
                mark("s3:// folder; its readers may run code as you"),
                empty=mark("none"),
                more=True,
            ),
            Field("shard", mark("shard"), mark("windows between two writes: what a kill costs"), empty="4", more=True),
            Field("shard_timeout", mark("time limit"), mark("seconds for a shard"), empty="3600", more=True),
            Field("readers", mark("readers"), mark("threads that read ahead"), empty="2", more=True),
            Field(
                "sharing",
                mark("sharing"),
                mark("compute once what checkpoints have in common"),
                Kind.CHOICE,
                "",
                YES_NO,
                "yes",
                more=True,
            ),
            Field(
                "sharing_memory",
                mark("sharing MB"),
                mark("memory for what is shared"),
                empty=mark("half of what is free"),
                more=True,
            ),
            Field("cache", mark("cache"), mark("keeps prepared ground truth"), Kind.TARGET, mark("none"), more=True),
        ),
    ),
    Section(
        mark("Result"),
        (
            Field("to", mark("write to"), mark("the run's folder; a started run goes on"), Kind.TARGET),
            Field("name", mark("run's name"), mark("how it is called"), empty=mark("its folder's"), more=True),
            Field(
                "cost",
                mark("cost"),
                mark("afterwards measure speed and memory of each checkpoint"),
                Kind.CHOICE,
                "",
                YES_NO,
                "no",
            ),
        ),
    ),
)
FIELDS = {field.name: field for section in SECTIONS for field in section.fields}
# No field of the configuration: said beside it when a job is started.
COST = "cost"
