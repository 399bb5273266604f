"""What is wanted of a follow-up training, and what is known of the checkpoint that it begins from."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UsageError
from engine.text import visible

LR_FACTOR, ALPHA_FACTOR, EPOCHS = 0.2, 0.5, 4


@dataclass(frozen=True, slots=True)
class Wish:
    """How gentle the training is to be.

    Attributes:
        lr_factor: of every learning rate.
        alpha_factor: of LoRA's alpha.
        epochs: how many.
        freeze: branches that get no LoRA, as :func:`engine.followup.branches.parse_branches` gives them.
        start: the weights to begin from, instead of the checkpoint's own file.

    Raises:
        UsageError: a factor is not positive, or there are no epochs.
    """

    lr_factor: float = LR_FACTOR
    alpha_factor: float = ALPHA_FACTOR
    epochs: int = EPOCHS
    freeze: tuple[str, ...] = ()
    start: Path | None = None

    def __post_init__(self) -> None:
        for option, factor in (("--lr-factor", self.lr_factor), ("--alpha-factor", self.alpha_factor)):
            if not 0 < factor < math.inf:
                raise UsageError(f"{option} is {factor:g}", "give a positive number, below 1 for a gentler training")
        if self.epochs < 1:
            raise UsageError(f"--epochs is {self.epochs}", "give at least 1")


@dataclass(frozen=True, slots=True)
class Origin:
    """The checkpoint.

    Attributes:
        run, checkpoint: their names. Outside text.
        evidence: what speaks for it, in sentences.
        weights: its file, where it is a single one that a trainer can begin from.
        modules: the full names of the layers that it has LoRA on, where its file says them.
        rank, alpha, dropout: of its LoRA, where it or the run says so.
        target_modules: likewise; ends of names, or patterns over full names.
        learning_rate: of the training, where the run says it.
    """

    run: str
    checkpoint: str
    evidence: tuple[str, ...] = ()
    weights: Path | None = None
    modules: tuple[str, ...] = ()
    rank: int | None = None
    alpha: float | None = None
    dropout: float | None = None
    target_modules: tuple[str, ...] = ()
    learning_rate: float | None = None

    @property
    def merge_command(self) -> str:
        """The command that writes its merged weights."""
        run, checkpoint = (shlex.quote(visible(name)) for name in (self.run, self.checkpoint))
        return f"lorascope export {run} {checkpoint} --merge --base FILE --to DIR"
