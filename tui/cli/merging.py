"""``--merge`` of ``lorascope export``: its options, and the only way from there to the models."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UsageError
from engine.export.checkpoints import Merger
from engine.i18n import gettext as _
from tui.cli.extra import needs_eval
from tui.library import Loaded


@dataclass(frozen=True, slots=True)
class Merging:
    """Whether merged weights are wanted, and what it takes.

    Attributes:
        wanted: whether.
        base, base_seed: the base's weights, or the seed of random ones.
        model: the family; ``None`` means the run's.
        training: configuration of checkpoints that have none.
    """

    wanted: bool = False
    base: Path | None = None
    base_seed: int | None = None
    model: str | None = None
    training: Path | None = None

    def check(self) -> None:
        """Refuse options that do not go together.

        Raises:
            UsageError: with the remedy.
        """
        given = [
            option
            for option, value in (
                ("--base", self.base),
                ("--base-seed", self.base_seed),
                ("--model", self.model),
                ("--training", self.training),
            )
            if value is not None
        ]
        if not self.wanted and given:
            said = _("{option} is for merged weights").format(option=given[0])
            raise UsageError(said, _("add --merge or leave it out"))
        if self.wanted and self.base is None and self.base_seed is None:
            said = _("--merge needs the base weights")
            raise UsageError(said, _("name them with --base, or --base-seed for random ones"))
        if self.base is not None and self.base_seed is not None:
            raise UsageError(_("--base and --base-seed both say what the base is"), _("give one of them"))


def merger_for(loaded: Loaded, merging: Merging) -> Merger:
    """What merges the checkpoints of a run.

    Raises:
        UsageError: neither the run nor the options say which model it is of.
        DataError: the extra ``eval`` is not installed.
    """
    model = merging.model or (loaded.run.metadata.model.name or "").casefold()
    if not model:
        said = _("{run} does not say which model it is of").format(run=loaded.run.name)
        raise UsageError(said, _("name it with --model"))
    with needs_eval():
        from engine.evaluation.merge import BaseWeights, CheckpointMerger
    base = BaseWeights(model, merging.base, merging.base_seed)
    return CheckpointMerger(base, merging.training, tell=_step if sys.stderr.isatty() else lambda _: None)


def _step(words: str) -> None:
    """A step on a line of stderr that the next one overwrites."""
    print(f"\r{words + ' …':<60}\r", end="", file=sys.stderr, flush=True)
