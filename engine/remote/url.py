"""Names of folders in object stores: ``s3://bucket/results``, and the place here that their files are brought to.

Imports nothing heavy: every start asks whether a path is such a name.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from engine.errors import UsageError
from engine.i18n import gettext as _

_URL = re.compile(r"([a-z][a-z0-9+.\-]+)://?(?!/*$)", re.IGNORECASE)  # two letters and more: C: is a drive
LOCAL = ("file", "local")  # schemes of this machine's own files
_FOLDER = "remote"


def is_url(text: str) -> bool:
    """Whether this names a folder in an object store, or whatever else has a scheme of at least two letters."""
    match = _URL.match(text)
    return match is not None and "://" in text[: match.end()]


def url_of(path: Path) -> str | None:
    """The URL that was given as a path; ``None`` where it is a path of this machine.

    :class:`pathlib.Path` makes ``s3:/bucket`` of ``s3://bucket``. Where there is a folder of that name it is meant.
    """
    text = str(path)
    match = _URL.match(text)
    if match is None or os.path.lexists(path.parts[0]):
        return None
    scheme, rest = match.group(1).lower(), text[match.end(1) + 1 :].strip("/")
    return f"{scheme}:///{rest}" if scheme in LOCAL else f"{scheme}://{rest}"


def brought_folder() -> Path:
    """Where files that are brought here lie: ``lorascope/remote`` in the user's cache folder (``$XDG_CACHE_HOME``)."""
    from platformdirs import user_cache_path

    return user_cache_path("lorascope") / _FOLDER


def place_of(url: str) -> Path:
    """Where the files below a URL are brought to.

    Raises:
        ValueError: a part of it is no name of a file.
    """
    scheme, _separator, rest = url.partition("://")
    parts = [part for part in rest.split("/") if part]
    if not parts or not all(is_name(part) for part in parts):
        raise ValueError(url)
    return brought_folder().joinpath(scheme.lower(), *parts)


def origin_of(path: Path) -> str | None:
    """The URL whose files are brought to this place; ``None`` for any other path."""
    if _FOLDER not in path.parts:
        return None
    try:
        parts = path.relative_to(brought_folder()).parts
    except ValueError:
        return None
    if len(parts) < 2:
        return None
    return f"{parts[0]}://{'/' if parts[0] in LOCAL else ''}{'/'.join(parts[1:])}"


def shown(path: Path) -> str:
    """What to call a place: the URL that its files were brought from, else the path."""
    return origin_of(path) or str(path)


def opened(path: Path) -> Path:
    """The place that a given path or URL means here; nothing is brought.

    Raises:
        UsageError: a URL that cannot be one.
    """
    url = url_of(path)
    return path if url is None else checked_place(url)


def checked_place(url: str) -> Path:
    """As :func:`place_of`, for a URL that a user gave.

    Raises:
        UsageError: a part of it is no name of a file.
    """
    try:
        return place_of(url)
    except ValueError:
        said = _("{url} is no place of runs").format(url=url)
        raise UsageError(said, _("name a bucket, or a folder in it: s3://bucket/results")) from None


def is_name(part: str) -> bool:
    """Whether this can be the name of a file here: what lies in a store may be called anything."""
    return part not in ("", ".", "..") and not set(part) & {"\0", "/", "\\"} and len(os.fsencode(part)) < 256
