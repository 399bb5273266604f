"""What evaluating needs beyond browsing, and the sentence for a machine that lacks it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import DataError

# Import name -> what the extra `eval` calls it.
_PACKAGES = {
    "torch": "torch",
    "peft": "peft",
    "safetensors": "safetensors",
    "cv2": "opencv-python-headless",
}
_CLUSTER = ("dask", "distributed", "cryptography")


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
        state = "is not installed" if isinstance(error, ModuleNotFoundError) else f"cannot be imported ({error})"
        raise DataError(f"this command needs {package}, which {state}", f"pip install 'lorascope[{extra}]'") from None


def check_eval() -> None:
    """Refuse what needs the extra ``eval`` where a package of it is not there; imports none of them.

    Raises:
        DataError: one is missing.
    """
    for name, package in _PACKAGES.items():
        if importlib.util.find_spec(name) is None:
            raise DataError(f"this command needs {package}, which is not installed", "pip install 'lorascope[eval]'")
