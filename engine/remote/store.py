"""A folder in an object store, by fsspec: the few things that are asked of it, and its errors in sentences."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from engine.atomic import atomic_path, atomic_write_bytes
from engine.errors import LorascopeError, RemoteError
from engine.i18n import gettext as _
from engine.remote.url import LOCAL
from engine.results.writing import not_written

T = TypeVar("T")

PAUSES = (1.0, 4.0, 10.0)  # seconds before another try of what may be a lost connection

_S3 = ("s3", "s3a")
# Errors that another try does not mend, by the names of botocore's and the Google and Azure clients' classes.
_NO_CREDENTIALS = frozenset(
    {
        *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"),
        *("TokenRetrievalError", "UnauthorizedSSOTokenError", "SSOTokenLoadError", "InvalidConfigError"),
        *("DefaultCredentialsError", "ClientAuthenticationError"),
    }
)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})  # of a disk; no store says so
_MODIFIED = ("LastModified", "mtime", "updated", "last_modified", "created")
_TAGS = ("ETag", "etag", "md5Hash", "content_md5")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a store.

    Attributes:
        size: bytes.
        tag: what changes with its contents: the store's hash of it, else when it was written.
    """

    size: int
    tag: str


class Remote:
    """A folder in an object store.

    A file that is written appears whole or not at all: stores do that by themselves, and of a local folder
    (``file://``) it is seen to here. What may be a lost connection is tried again after each of some pauses.

    Args:
        url: ``s3://bucket/folder``, or of any other store that fsspec knows.
        pauses: seconds before another try; none for a single one.

    Raises:
        RemoteError: fsspec or what it needs for this store is not installed, or there is no such kind of store.
    """

    def __init__(self, url: str, *, pauses: Sequence[float] = PAUSES) -> None:
        self.url = url.rstrip("/")
        scheme = url.partition("://")[0].lower()
        self._is_local = scheme in LOCAL
        self._pauses = () if self._is_local else tuple(pauses)
        try:
            import fsspec

            # What others write meanwhile must be seen.
            self._fs, self._root = fsspec.url_to_fs(self.url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise _cannot_open(self.url, scheme, error) from None
        except Exception as error:  # a client that finds no credentials may say so at once
            raise explain(self.url, error) from error

    def read(self, name: str) -> bytes | None:
        """A file's contents; ``None`` where it is not there.

        Raises:
            RemoteError: the store cannot be reached, or refuses.
        """
        try:
            data: bytes = self._tried(lambda: self._fs.cat_file(self._path(name)))
        except FileNotFoundError:
            return None
        return data

    def write(self, name: str, data: bytes) -> None:
        """Write a file.

        Raises:
            RemoteError: as :meth:`read`.
        """
        if self._is_local:
            self._tried(lambda: atomic_write_bytes(self._local(name), data))
        else:
            self._tried(lambda: self._fs.pipe_file(self._path(name), data))

    def put(self, name: str, file: Path) -> None:
        """Write a file from one of this machine.

        Raises:
            RemoteError: as :meth:`read`.
            FileNotFoundError: the file of this machine is not there.
        """
        if self._is_local:
            self._tried(lambda: atomic_write_bytes(self._local(name), file.read_bytes()))
        else:
            self._tried(lambda: self._fs.put_file(str(file), self._path(name)))

    def get(self, name: str, file: Path) -> bool:
        """Bring a file here, in one step; False where it is not there any more.

        Args:
            name: relative to the folder; empty for what is a file itself.
            file: where to; its folder must be there.

        Raises:
            RemoteError: as :meth:`read`.
            DataError: it cannot be written here.
        """
        try:
            with atomic_path(file) as temporary:
                self._tried(lambda: self._fs.get_file(self._path(name), str(temporary)))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise not_written(file, error) from error
        except RemoteError as error:
            if isinstance(cause := error.__cause__, OSError) and cause.errno in _FULL:
                raise not_written(file, cause) from cause
            raise
        return True

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; those that are not there are no matter.

        Raises:
            RemoteError: as :meth:`read`.
        """
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                self._tried(partial(self._fs.rm_file, self._path(name)))

    def list(self) -> dict[str, Entry]:
        """The files at and below the folder, by names relative to it; the name of what is a file itself is empty.

        Raises:
            RemoteError: as :meth:`read`; also where there is no such bucket.
        """
        try:
            found: dict[str, dict[str, Any]] = self._tried(lambda: self._fs.find(self._root, detail=True))
        except FileNotFoundError:
            return {}
        root = self._root.strip("/")
        entries = {}
        for path, about in found.items():
            name = str(path).strip("/").removeprefix(root).lstrip("/")
            entries[name] = Entry(int(about.get("size") or 0), _tag(about))
        return entries

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else str(self._root)

    def _local(self, name: str) -> Path:
        path = Path(self._path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _tried(self, action: Callable[[], T]) -> T:
        """Do something, again after a pause where the connection may be to blame.

        Raises:
            FileNotFoundError: there is no such file.
            RemoteError: anything else that the store does.
        """
        for pause in (*self._pauses, None):
            try:
                return action()
            except FileNotFoundError as error:
                if _code(error) == "NoSuchBucket":
                    raise explain(self.url, error) from error
                raise
            except Exception as error:
                if pause is None or _is_final(error):
                    raise explain(self.url, error) from error
            time.sleep(pause)
        raise AssertionError  # the last try returns or raises


def explain(url: str, error: BaseException) -> RemoteError:
    """What went wrong with a store, in a sentence with its remedy."""
    if isinstance(error, RemoteError):
        return error
    reason = " ".join(str(error).split()) or type(error).__name__
    if _code(error) == "NoSuchBucket":
        return RemoteError(
            _("{url}: there is no such bucket").format(url=url),
            _("create it, or check its name and the endpoint (AWS_ENDPOINT_URL)"),
        )
    if _names(error) & _NO_CREDENTIALS:
        return RemoteError(
            _("{url}: no credentials were found ({reason})").format(url=url, reason=reason),
            _("set them as for the store's own tools, for S3 AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret"),
        )
    if isinstance(error, PermissionError):
        return RemoteError(
            _("{url}: permission denied ({reason})").format(url=url, reason=reason),
            _("check the credentials and the bucket's policy"),
        )
    return RemoteError(
        _("{url} cannot be reached ({reason})").format(url=url, reason=reason),
        _("check the network and the endpoint, and try again"),
    )


def _cannot_open(url: str, scheme: str, error: Exception) -> LorascopeError:
    if isinstance(error, ImportError) and (scheme in _S3 or error.name == "fsspec"):
        said = _("{url} needs {package}, which is not installed")
        return RemoteError(
            said.format(url=url, package=error.name or "s3fs"),
            "pip install 'lorascope[s3]'",
        )
    reason = " ".join(str(error).split())
    return RemoteError(
        _("{url} cannot be opened ({reason})").format(url=url, reason=reason),
        _("check its scheme, e.g. s3://, and install what fsspec needs for it"),
    )


def _is_final(error: Exception) -> bool:
    """Whether another try cannot help."""
    full = isinstance(error, OSError) and error.errno in _FULL
    return full or isinstance(error, PermissionError | RemoteError) or bool(_names(error) & _NO_CREDENTIALS)


def _code(error: BaseException) -> str:
    """The store's own word for an error, where it has one."""
    response = getattr(error.__cause__, "response", None) or getattr(error, "response", None)
    found = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    return str(found)


def _names(error: BaseException) -> set[str]:
    """The classes of an error and of what it comes from; the clients' own are not imported for their names."""
    names: set[str] = set()
    seen: BaseException | None = error
    while seen is not None:
        names |= {kind.__name__ for kind in type(seen).__mro__}
        seen = seen.__cause__
    return names


def _tag(about: dict[str, Any]) -> str:
    for key in (*_TAGS, *_MODIFIED):
        if about.get(key) is not None:
            return str(about[key])
    return ""
