"""What evaluating needs beyond browsing, and the sentence for a machine that lacks it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from engine.errors import DataError
from engine.i18n import activate, active, speaking
from engine.i18n import gettext as _

Watch = Callable[[Any], None]

# Import name -> what the extra `eval` calls it.
_PACKAGES = {
    "torch": "torch",
    "peft": "peft",
    "safetensors": "safetensors",
    "cv2": "opencv-python-headless",
}
_CLUSTER = ("dask", "distributed", "cryptography")


@contextmanager
def in_english() -> Iterator[Callable[[Watch], Watch]]:
    """Around work that writes files: what it says there is English, in all its threads.

    Yields:
        What lets a function that shows the progress speak the user's language meanwhile.
    """
    language = active()

    def spoken(watch: Watch) -> Watch:
        def show(event: Any) -> None:
            with speaking(language):
                watch(event)

        return show

    activate("en")
    try:
        yield spoken
    finally:
        activate(language)


@contextmanager
def needs_eval() -> Iterator[None]:
    """Around imports of the rooms that evaluate.

    Raises:
        DataError: a package of the extra ``eval`` is missing, or cannot be imported.
    """
    try:
        yield
    except ImportError as error:
        name = (error.name or "").partition(".")[0]
        package, extra = (name, "cluster") if name in _CLUSTER else (_PACKAGES.get(name), "eval")
        if package is None:
            raise
        said = _("this command needs {package}, which cannot be imported ({reason})")
        if isinstance(error, ModuleNotFoundError):
            said = _("this command needs {package}, which is not installed")
        raise DataError(said.format(package=package, reason=error), f"pip install 'lorascope[{extra}]'") from None


def check_eval() -> None:
    """Refuse what needs the extra ``eval`` where a package of it is not there; imports none of them.

    Raises:
        DataError: one is missing.
    """
    for name, package in _PACKAGES.items():
        if importlib.util.find_spec(name) is None:
            said = _("this command needs {package}, which is not installed").format(package=package)
            raise DataError(said, "pip install 'lorascope[eval]'")
