"""Which jobs there are: below some folders, and those that this user started anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.errors import DataError, UnknownNameError
from engine.jobs import registry
from engine.jobs.files import JobFiles
from engine.jobs.record import job_id
from engine.jobs.snapshot import JobSnapshot, JobState
from engine.jobs.watch import JobWatch
from engine.results.folders import is_skipped, list_folder

_DEPTH = 6
_FOLDERS = 5_000


def find_jobs(paths: Sequence[Path] = (), *, known: bool = True) -> list[Path]:
    """The folders of jobs, each once: those at or below ``paths`` in natural order, then those that are remembered.

    Args:
        paths: folders; those that are not there are skipped.
        known: whether the jobs that this user started elsewhere are named, too.
    """
    found = {path: None for start in paths for path in _below(start.absolute())}
    if known:
        found.update({Path(entry.run): None for entry in registry.entries()})
    return [path for path in found if is_job(path)]


def look_at_all(runs: Sequence[Path]) -> list[JobSnapshot]:
    """A snapshot of each; one that cannot be read is a failed job with its reason."""
    found = []
    for run in runs:
        try:
            found.append(JobWatch(run).snapshot())
        except DataError as error:
            found.append(JobSnapshot(job_id(run), run, run.name, JobState.FAILED, why=str(error)))
    return found


def choose_job(word: str, paths: Sequence[Path] = ()) -> Path:
    """The folder of the job that a user means: its folder, its short name or the beginning of that, or its run's name.

    Raises:
        UnknownNameError: there is none, or there are several.
    """
    path = Path(word)
    if is_job(path.absolute()):
        return path.absolute()
    runs = find_jobs(paths)
    matches = [run for run in runs if run.name == word or (word and job_id(run).startswith(word))]
    if len(matches) != 1:
        raise UnknownNameError("job", word, [f"{job_id(run)} ({run.name})" for run in matches or runs])
    return matches[0]


def is_job(run: Path) -> bool:
    """Whether a folder holds a run that was or is evaluated here."""
    files = JobFiles(run)
    return files.record.is_file() or files.journal.is_file()


def _below(start: Path) -> Iterator[Path]:
    stack, left = [(start, 0)], _FOLDERS
    while stack and left:
        folder, depth = stack.pop()
        left -= 1
        if is_job(folder):
            yield folder
            continue
        try:
            listing = list_folder(folder)
        except OSError:
            continue
        if depth < _DEPTH and (depth == 0 or not listing.is_data):
            names = [name for name in listing.folders if not is_skipped(name) and name not in listing.links]
            stack += [(folder / name, depth + 1) for name in sorted(names, reverse=True)]
