"""Shared fixtures: a terminal-neutral environment, and the real data where it lies beside the project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from engine.i18n import activate, language_of

# Nothing here depends on how fast the machine is.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

_HERE = Path(__file__).resolve().parent


@pytest.fixture(autouse=True)
def neutral_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No colour settings, no user configuration and no saved view state leak into a test."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "LORASCOPE_PLAIN", "LORASCOPE_THEME", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("LANGUAGE", raising=False)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):  # but for the language, what they say of characters stays
        if language_of({name: os.environ.get(name, "")}) != "en":
            monkeypatch.setenv(name, "C.UTF-8")
    home = tmp_path_factory.mktemp("home")
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home))


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Every test begins in English, whatever the one before it spoke."""
    activate("en")
    yield
    activate("en")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data (``LORASCOPE_SHARED``, else ``../shared`` beside the project)."""
    shared = Path(os.environ.get("LORASCOPE_SHARED", _HERE.parent.parent / "shared"))
    data = shared / "data"
    if not (data / "kitti360_lora").is_dir():
        pytest.skip(f"no real data at {data}: put it there or set LORASCOPE_SHARED")
    return data
