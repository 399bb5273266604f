"""Discovery for the app: in batches, with the samples where there is nothing else. Textual-free, runs in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.results.discovery import discover
from engine.results.model import RunRef

if TYPE_CHECKING:
    from tui.session import Session

BATCH = 200


def samples_folder() -> Path:
    """Where the sample runs that come with lorascope lie."""
    import sample_results

    return Path(sample_results.__file__).parent


def find_batches(session: Session) -> Iterator[tuple[list[RunRef], list[str]]]:
    """The runs below the session's folders, in batches, each with sentences for the user.

    Raises:
        DataError: a named path does not exist.
    """
    roots = session.roots or [Path.cwd()]
    batch: list[RunRef] = []
    found = False
    found_runs = discover(roots)
    for ref in found_runs:
        found = True
        batch.append(ref)
        if len(batch) >= BATCH:
            yield batch, []
            batch = []
    notices = [str(problem) for problem in found_runs.problems]
    if found or session.roots:
        yield batch, notices if found else [*notices, f"no runs below {', '.join(map(str, session.roots))}"]
        return
    session.samples = True
    yield list(discover([samples_folder()])), [f"no runs below {roots[0]}: these are lorascope's samples"]
