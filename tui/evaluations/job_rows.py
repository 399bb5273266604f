"""Jobs as rows of grids: the list, and what is to be told of one of them. Textual-free."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from engine.i18n import gettext as _
from engine.i18n import mark
from engine.jobs.gpu import GpuUse
from engine.jobs.snapshot import JobSnapshot, JobState
from tui.format import distinct, duration, plain_text
from tui.text import cell_width
from tui.widgets.grid_model import Cell, Column

_BAR = 12
# State -> what it is called, and the role of the word. Every state is a word: no meaning is colour alone.
STATES: dict[JobState, tuple[str, str]] = {
    JobState.QUEUED: (mark("queued"), "muted"),
    JobState.STARTING: (mark("starting"), "accent"),
    JobState.RUNNING: (mark("running"), "accent"),
    JobState.STOPPING: (mark("stopping"), "warning"),
    JobState.STOPPED: (mark("stopped"), "warning"),
    JobState.FINISHED: (mark("finished"), "better"),
    JobState.FAILED: (mark("failed"), "error"),
    JobState.DEAD: (mark("dead"), "error"),
}
_PARTS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


def bar(share: float, width: int, *, plain: bool) -> str:
    """A progress bar.

    Args:
        share: 0 to 1.
        width: cells.
        plain: ASCII alone.
    """
    share = min(max(share, 0.0), 1.0)
    if plain:
        full = int(share * (width - 2))
        return f"[{'#' * full}{'.' * (width - 2 - full)}]"
    eighths = int(share * width * 8)
    full, part = divmod(eighths, 8)
    return f"{'█' * full}{_PARTS[part]}".ljust(width, "░")


def percent_done(job: JobSnapshot) -> str:
    """How much is done; only a finished job is at 100 %."""
    if not job.windows:
        return ""
    return f"{min(99, int(100 * job.share)) if job.windows_done < job.windows else 100} %"


def rate(job: JobSnapshot) -> str:
    """Windows a minute, while somebody works."""
    if not job.windows_per_minute or not job.state.alive:
        return ""
    return _("{number}/min").format(number=f"{job.windows_per_minute:.3g}")


def gpu_words(gpus: Sequence[GpuUse]) -> str:
    """Memory of some GPUs together, and their use."""
    if not gpus:
        return ""
    used, total = (sum(gpu.used_mb for gpu in gpus) / 1e3, sum(gpu.total_mb for gpu in gpus) / 1e3)
    told = [gpu.busy_pct for gpu in gpus if gpu.busy_pct is not None]
    busy = f" {sum(told) / len(told):.0f} %" if told else ""
    return f"{used:.1f}/{total:.0f} GB{busy}"


def when(time: str) -> str:
    """A moment in local time, without the date where it is today."""
    try:
        moment = datetime.fromisoformat(time).astimezone()
    except ValueError:
        return ""
    today = datetime.now().astimezone().date()
    return moment.strftime("%H:%M") if moment.date() == today else moment.strftime("%m-%d %H:%M")


def all_gpus(job: JobSnapshot) -> tuple[GpuUse, ...]:
    """The GPUs of all its workers, each once."""
    found = {(worker.host, gpu.index): gpu for worker in job.workers for gpu in worker.gpus}
    return tuple(found.values())


class JobRows:
    """The list of jobs.

    Args:
        jobs: as they are.
        plain: ASCII alone.
    """

    def __init__(self, jobs: Sequence[JobSnapshot], *, plain: bool) -> None:
        self._jobs = jobs
        self._plain = plain
        self._names = distinct([(job.name, job.run) for job in jobs])
        longest = max(map(cell_width, self._names), default=0)
        self.columns: Sequence[Column] = (
            Column("name", _("run"), min(max(longest, 10), 40), min_width=10, ellipsis="middle"),
            Column("state", _("state"), 8),
            Column("bar", _("progress"), _BAR),
            Column("share", "", 5, "right"),
            Column("windows", _("windows"), 9, "right"),
            Column("rate", _("rate"), 9, "right"),
            Column("left", _("left"), 10, "right"),
            Column("workers", _("workers"), 7, "right"),
            Column("gpu", "GPU", 15, "right"),
            Column("started", _("started"), 11),
            Column("host", _("host"), 12, min_width=6, ellipsis="middle"),
        )

    @property
    def row_count(self) -> int:
        """One row for every job."""
        return len(self._jobs)

    def row_key(self, row: int) -> str:
        """The run's folder."""
        return str(self._jobs[row].run)

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """Jobs have no headings."""
        return "row"

    def cells(self, row: int) -> Sequence[Cell]:
        """Name, state, how far, how fast, with what."""
        job = self._jobs[row]
        word, role = STATES[job.state]
        left = duration(job.seconds_left) if job.seconds_left is not None else ""
        shown = bar(job.share, _BAR, plain=self._plain) if job.windows else ""
        return (
            Cell(self._names[row]),
            Cell(_(word), role),
            Cell(shown, role if job.state.alive else "muted"),
            Cell(percent_done(job)),
            Cell(f"{job.windows_done}/{job.windows}" if job.windows else "", "muted"),
            Cell(rate(job)),
            Cell(left),
            Cell(str(len(job.workers)) if job.workers else "", "muted"),
            Cell(gpu_words(all_gpus(job)), "muted"),
            Cell(when(job.started), "muted"),
            Cell(job.host, "muted"),
        )


class TextRows:
    """Rows of cells that stand there as they are.

    Args:
        columns: what they are called.
        rows: the cells; a single string is a title across all columns.
        plain: ASCII alone.
    """

    def __init__(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell] | str], *, plain: bool) -> None:
        self.columns = columns
        self._rows = rows
        self._plain = plain

    @property
    def row_count(self) -> int:
        """As many as were given."""
        return len(self._rows)

    def row_key(self, row: int) -> str:
        """Its number."""
        return str(row)

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """Strings are titles."""
        return "heading" if isinstance(self._rows[row], str) else "row"

    def cells(self, row: int) -> Sequence[Cell]:
        """As given, in plain mode with the app's own signs in ASCII."""
        found = self._rows[row]
        cells = (Cell(found),) if isinstance(found, str) else found
        return [Cell(plain_text(cell.text), cell.role) for cell in cells] if self._plain else cells
