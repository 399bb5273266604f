"""What evaluating needs beyond browsing, and the sentence for a machine that lacks it."""

from __future__ import annotations

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
        package = _PACKAGES.get((error.name or "").partition(".")[0])
        if package is None:
            raise
        said = _("this command needs {package}, which cannot be imported ({reason})")
        if isinstance(error, ModuleNotFoundError):
            said = _("this command needs {package}, which is not installed")
        raise DataError(said.format(package=package, reason=error), "pip install 'lorascope[eval]'") from None
