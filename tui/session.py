"""What the app knows: the found runs, their overviews, the loaded ones, and the user's choices. Textual-free."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.results.model import RunRef
from engine.text import counted
from tui.format import distinct, short_names
from tui.state import Block, ViewState, load_state, save_state, state_file

if TYPE_CHECKING:
    from engine.analysis.evidence import Evidence
    from engine.jobs.snapshot import JobSnapshot
    from tui.library import Library, Loaded

# Loaded runs that are kept at the same time; further ones are read again when they are looked at.
KEEP_LOADED = 64
# What judging needs of a run is much more than its figures; the least recently judged one is forgotten.
KEEP_JUDGED = 12
# Compare and Trends show all runs of a folder by themselves only where they are few.
SHOW_ALL_UP_TO = 4


@dataclass(frozen=True, slots=True)
class Overview:
    """One row of Runs.

    Attributes:
        key: the run's path as text.
        name: the run's own name; outside text.
        checkpoints: how many, without the baseline.
        protocol, provenance, status: as in the metadata; status as in :attr:`engine.results.model.Run.status`.
        best: the best checkpoint by score, if there is a score.
        score, baseline_score: composite scores, if any.
        curve: the score of every checkpoint in training order, for a sparkline.
        problems: in words.
    """

    key: str
    name: str
    checkpoints: int
    protocol: str
    provenance: str
    status: str
    best: str | None
    score: float | None
    baseline_score: float | None
    curve: tuple[float | None, ...]
    problems: tuple[str, ...]

    @property
    def delta_pct(self) -> float | None:
        """The best score's change against the baseline's, in percent; None where either is missing or that is 0."""
        if self.score is None or not self.baseline_score:
            return None
        return 100.0 * (self.score - self.baseline_score) / abs(self.baseline_score)


def broken_overview(ref: RunRef, why: str) -> Overview:
    """The row of a run that could not be analysed at all."""
    return Overview(
        key=str(ref.path),
        name=ref.name,
        checkpoints=ref.checkpoints or 0,
        protocol="",
        provenance="",
        status="broken",
        best=None,
        score=None,
        baseline_score=None,
        curve=(),
        problems=(why,),
    )


class Session:
    """The runs below some folders and the view of them.

    Args:
        roots: where to look; empty means the current folder, else the samples.
        config: a ``lorascope.toml`` that was named.
    """

    def __init__(self, roots: Sequence[Path], config: Path | None = None) -> None:
        self.roots = [root.absolute() for root in roots]
        self.config_path = config
        self.state_path = state_file(self.roots or [Path.cwd()])
        self.state_is_fresh = not self.state_path.exists()
        self.state: ViewState = load_state(self.state_path)
        self.refs: OrderedDict[str, RunRef] = OrderedDict()
        self.overviews: dict[str, Overview] = {}
        self.library: Library | None = None
        self.discovering = True
        self.samples = False
        # By their runs' paths; None before somebody looked.
        self.jobs: dict[str, JobSnapshot] | None = None
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._judged: OrderedDict[str, tuple[Loaded, Evidence | None]] = OrderedDict()

    @property
    def places(self) -> list[Path]:
        """The folders that it is about."""
        return self.roots or [Path.cwd()]

    def headline(self) -> str:
        """What is open, for the right end of the tabs."""
        count = len(self.refs)
        if self.discovering and not count:
            return _("looking …")
        where = _("samples") if self.samples else ", ".join(root.name or str(root) for root in self.roots)
        return f"{where or Path.cwd().name} · {counted(count, 'run')}"

    def save(self) -> bool:
        """Keep the view for the next start."""
        return save_state(self.state_path, self.state)

    def clear(self) -> None:
        """Forget what was found and read; the view stays."""
        self.refs.clear()
        self.overviews.clear()
        self._loaded.clear()
        self._judged.clear()
        self.discovering = True

    def add_refs(self, refs: Iterable[RunRef]) -> None:
        """Runs that discovery found."""
        for ref in refs:
            self.refs[str(ref.path)] = ref

    def take_jobs(self, jobs: Iterable[JobSnapshot]) -> list[JobSnapshot]:
        """The jobs as they are now, in the order in which they are shown; returns those that have ended since."""
        before, self.jobs = self.jobs or {}, {str(job.run): job for job in jobs}
        alive = {key for key, job in before.items() if job.state.alive}
        return [job for key, job in self.jobs.items() if key in alive and not job.state.alive]

    def job(self, key: str) -> JobSnapshot | None:
        """What is known of the job that computes or computed a run."""
        return (self.jobs or {}).get(key)

    def add_loaded(self, loaded: Loaded) -> None:
        """A run that was read; the least recently used one may be forgotten for it."""
        self._loaded[loaded.key] = loaded
        self._loaded.move_to_end(loaded.key)
        while len(self._loaded) > KEEP_LOADED:
            self._loaded.popitem(last=False)

    def add_judged(self, loaded: Loaded, evidence: Evidence | None) -> None:
        """What tells this run's changes from chance; ``None`` if judging it failed."""
        self._judged[loaded.key] = loaded, evidence
        self._judged.move_to_end(loaded.key)
        while len(self._judged) > KEEP_JUDGED:
            self._judged.popitem(last=False)

    def judged(self, loaded: Loaded) -> tuple[bool, Evidence | None]:
        """Whether this very reading of the run was judged, and what came of it."""
        of, evidence = self._judged.get(loaded.key, (None, None))
        return (True, evidence) if of is loaded else (False, None)

    def forget(self, key: str) -> None:
        """Read this run again when it is next looked at."""
        self._loaded.pop(key, None)

    def loaded(self, key: str) -> Loaded | None:
        """The run, if it is in memory."""
        found = self._loaded.get(key)
        if found is not None:
            self._loaded.move_to_end(key)
        return found

    def missing(self, keys: Iterable[str]) -> list[RunRef]:
        """Of these runs, those that have to be read first."""
        return [self.refs[key] for key in dict.fromkeys(keys) if key in self.refs and key not in self._loaded]

    def name(self, key: str) -> str:
        """The run's own name, as far as it is known yet."""
        overview = self.overviews.get(key)
        return overview.name if overview else self.refs[key].name

    def names(self, keys: Sequence[str]) -> list[str]:
        """Short names of several runs, told apart by their paths where names repeat."""
        unique = list(dict.fromkeys(keys))
        own = short_names(distinct([(self.name(key), Path(key)) for key in unique]))
        shortened = dict(zip(unique, own, strict=True))
        return [shortened[key] for key in keys]

    def usable(self, key: str) -> bool:
        """Whether the run exists and is not known to be broken."""
        overview = self.overviews.get(key)
        return key in self.refs and (overview is None or overview.status != "broken")

    def current_run(self) -> str | None:
        """The run under the cursor of Runs, else the first usable one."""
        if self.usable(self.state.cursor_run):
            return self.state.cursor_run
        return next((key for key in self.refs if self.usable(key)), None)

    def active_runs(self) -> list[str]:
        """The runs that Compare and Trends show: the marked ones; without marks all if few, else the current one."""
        marked = [key for key in self.state.marked if self.usable(key)]
        if marked:
            return marked
        usable = [key for key in self.refs if self.usable(key)]
        if len(usable) <= SHOW_ALL_UP_TO:
            return usable
        current = self.current_run()
        return [current] if current else []

    def blocks(self) -> list[Block]:
        """The column blocks of Compare: as arranged by hand, else the best checkpoint of every active run."""
        arranged = [block for block in self.state.blocks if self.usable(block.run)]
        return arranged or [Block(key) for key in self.active_runs()]
