"""Brings runs here from an object store: into a folder of the user's cache, where they are opened as any others.

A file is brought again only where its size or its tag has changed. What is no part of a run (weights, images, keys of
jobs) stays where it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from engine.atomic import atomic_write_bytes
from engine.errors import DataError
from engine.i18n import gettext as _
from engine.remote.published import PUBLISHED, decode
from engine.remote.store import Entry, Remote
from engine.remote.url import brought_folder, checked_place, is_name, origin_of, url_of
from engine.results import layout
from engine.results.folders import is_skipped
from engine.results.writing import not_written
from engine.text import counted

MOST = 100_000  # files of runs below one URL
AT_ONCE = 8  # a store answers slowly, and many at a time
_INDEX = ".index"
_ENDINGS = (*layout.TABLE_ENDINGS, ".json", ".jsonl")
_TRIES = 2  # a run that is published meanwhile is listed once more

# What is known of a file here: the store's size and tag of it, and when it was written here, ns.
_Known = dict[str, tuple[int, str, int]]

Tell = Callable[[str], None]


def bring_all(paths: Sequence[Path], tell: Tell = lambda _said: None, *, again: bool = False) -> list[Path]:
    """The paths, and for those that are URLs the places that their runs were brought to.

    Args:
        paths: as they were given.
        tell: called with a sentence before files are brought.
        again: also look again at what places that were brought before were brought from.

    Raises:
        DataError: as :func:`bring`.
        UsageError: a URL that cannot be one.
    """
    found = []
    for path in paths:
        url = url_of(path) or (origin_of(path) if again else None)
        found.append(path if url is None else bring(url, tell))
    return found


def bring(url: str, tell: Tell = lambda _said: None) -> Path:
    """Bring the runs at and below a URL here.

    Args:
        url: of a run, a table, or a folder above them.
        tell: called with a sentence before files are brought.

    Returns:
        Their place; it is called as the last part of the URL.

    Raises:
        RemoteError: the store cannot be reached, or refuses; what had come is kept.
        DataError: no run lies there; it cannot be written here.
        UsageError: a URL that cannot be one.
    """
    place = checked_place(url)
    remote = Remote(url)
    for _attempt in range(_TRIES):
        listed = {name: entry for name, entry in remote.list().items() if _is_wanted(name, url)}
        if not listed:
            raise DataError(_("{url}: no runs there").format(url=url), _("check the bucket and the folder in it"))
        if len(listed) > MOST:
            said = _("{url}: more than {count} files of runs").format(url=url, count=MOST)
            raise DataError(said, _("name a folder nearer to the runs"))
        if _bring_files(remote, place, listed, tell):
            break
    return place


def _is_wanted(name: str, url: str) -> bool:
    """Whether this can be part of a run."""
    parts = PurePosixPath(name or url).parts if name else (url.rsplit("/", 1)[-1],)
    if "/".join(parts) != (name or parts[0]) or not all(is_name(part) for part in parts):
        return False  # a name that would be another one, or none, here
    *folders, last = parts
    if layout.PREVIEWS in folders:
        return last.lower().endswith(".png")
    if layout.JOB in folders or any(is_skipped(folder) for folder in folders) or last.startswith("."):
        return False
    return last == layout.SUMMARY_CACHE or last.lower().endswith(_ENDINGS)


def _bring_files(remote: Remote, place: Path, listed: Mapping[str, Entry], tell: Tell) -> bool:
    """Make the place hold these files; False where one was gone before it came."""
    index = brought_folder() / _INDEX / f"{hashlib.sha256(remote.url.encode()).hexdigest()[:32]}.json"
    known = _read_index(index)
    due = [name for name, entry in listed.items() if not _is_here(place / name, entry, known.get(name))]
    if due:
        size = sum(listed[name].size for name in due)
        said = _("{url}: bringing {files}, {size} MB")
        tell(said.format(url=remote.url, files=counted(len(due), "file"), size=f"{size / 1e6:.1f}"))

    def one(name: str) -> bool:
        path = place / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise not_written(path, error) from error
        if not remote.get(name, path):
            return False
        known[name] = (listed[name].size, listed[name].tag, path.stat().st_mtime_ns)
        return True

    try:
        # What tells that a run is complete comes last.
        rest = [name for name in due if PurePosixPath(name).name != layout.METADATA]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            came = all([*threads.map(one, rest), *threads.map(one, sorted(set(due) - set(rest)))])
        _set_times(place, listed, known)
        if place.is_dir():
            _remove_others(place, listed)
    finally:
        _write_index(index, {name: stamp for name, stamp in known.items() if name in listed})
    return came


def _is_here(path: Path, entry: Entry, known: tuple[int, str, int] | None) -> bool:
    if known is None or known[:2] != (entry.size, entry.tag) or not entry.tag:
        return False
    try:
        status = path.stat()
    except OSError:
        return False
    # Another URL above or below this one may have brought it since.
    return (status.st_size, status.st_mtime_ns) == (entry.size, known[2])


def _set_times(place: Path, listed: Mapping[str, Entry], known: _Known) -> None:
    """Give files the times at which their run says that they were written."""
    for name in listed:
        if PurePosixPath(name).name != PUBLISHED:
            continue
        folder = PurePosixPath(name).parent
        published = decode((place / name).read_bytes()) if (place / name).is_file() else None
        for file, (size, modified) in published.files.items() if published else ():
            full = str(folder / file)
            if full in known and full in listed and listed[full].size == size and known[full][2] != modified:
                with contextlib.suppress(OSError):
                    os.utime(place / full, ns=(modified, modified))
                    known[full] = (*known[full][:2], (place / full).stat().st_mtime_ns)


def _remove_others(place: Path, listed: Iterable[str]) -> None:
    """Remove what the store does not hold any more."""
    kept = {place / name for name in listed}
    for folder, _folders, files in os.walk(place, topdown=False):
        for file in files:
            path = Path(folder) / file
            if path not in kept and not file.startswith("."):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it holds something
            Path(folder).rmdir()


def _read_index(path: Path) -> _Known:
    try:
        raw = json.loads(path.read_bytes())
        return {str(name): (int(size), str(tag), int(when)) for name, (size, tag, when) in raw.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_index(path: Path, known: _Known) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_bytes(path, json.dumps(known).encode())
    except OSError as error:
        raise not_written(path, error) from error
