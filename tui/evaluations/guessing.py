"""What the form begins with: presets of ``lorascope.toml``, and what lies in the folder that the user stands in.

``[evaluate]`` holds settings that every new form begins with, ``[launch.presets.NAME]`` settings that can be chosen by
name; the keys are those of ``lorascope evaluate --config``. Relative paths there start from the file's own folder.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.config import EVALUATE, LAUNCH, find_config
from engine.dataset.kinds import kind_of
from engine.errors import ConfigError, LorascopeError
from engine.i18n import gettext as _
from engine.inference.checkpoints import ADAPTER_CONFIG, discover_checkpoints, pattern_of
from tui.evaluations.fields import FIELDS

__all__ = ["Presets", "as_texts", "guess", "pattern_of", "read_presets"]

_DATA_NAMES = ("data", "KITTI-360", "kitti360", "street", "dataset")
_CHECKPOINT_NAMES = ("checkpoints", "ckpts", "lora", "adapters")
_BASE_NAMES = ("base.safetensors", "base.pt", "vggt.safetensors", "vggt.pt", "model.safetensors", "model.pt")
_RUNS = "results"


@dataclass(frozen=True, slots=True)
class Presets:
    """What ``lorascope.toml`` says of evaluations.

    Attributes:
        begin: field -> text that a new form begins with.
        named: name -> field -> text.
        notices: what is wrong with the file, in sentences.
    """

    begin: dict[str, str] = field(default_factory=dict)
    named: dict[str, dict[str, str]] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def read_presets(path: Path | None = None, *, start: Path | None = None) -> Presets:
    """The presets that apply; what is wrong with them is told, never raised.

    Args:
        path: a ``lorascope.toml`` that was named.
        start: where to look for one otherwise (default: the current folder).
    """
    found = path or find_config(start or Path.cwd())
    if found is None:
        return Presets()
    try:
        raw = tomllib.loads(found.read_text("utf-8"))
    except (OSError, ValueError):
        return Presets()  # who reads the other settings says so
    notices: list[str] = []

    def texts(table: object, place: str) -> dict[str, str]:
        if not isinstance(table, Mapping):
            notices.append(str(ConfigError(_("{path}: {place} must be a table").format(path=found, place=place))))
            return {}
        unknown = [str(key) for key in table if key not in FIELDS]
        if unknown:
            said = _("{path}: {place}: there is no setting {name}")
            notices.append(str(ConfigError(said.format(path=found, place=place, name=repr(unknown[0])))))
        return {key: _text(key, value, found.parent) for key, value in table.items() if key in FIELDS}

    launch = raw.get(LAUNCH, {})
    presets = launch.get("presets", {}) if isinstance(launch, Mapping) else {}
    named = presets.items() if isinstance(presets, Mapping) else ()
    return Presets(
        texts(raw.get(EVALUATE, {}), f"[{EVALUATE}]"),
        {str(name): texts(table, f"[{LAUNCH}.presets.{name}]") for name, table in named},
        tuple(notices),
    )


def as_texts(values: Mapping[str, object]) -> dict[str, str]:
    """Settings as they stand in a form; those that have no field are left out."""
    return {name: _text(name, value, None) for name, value in values.items() if name in FIELDS and value is not None}


def _text(name: str, value: object, folder: Path | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if folder is not None and FIELDS[name].kind.is_path and not text.startswith("~"):
        text = str(folder / text)
    return text


def guess(folder: Path) -> dict[str, str]:
    """What lies in a folder: a dataset, checkpoints, base weights; and a free name for the run.

    Args:
        folder: where the user stands. Looks at names only, at most one folder down.
    """
    found: dict[str, str] = {}
    for candidate in _candidates(folder, _DATA_NAMES):
        if _is_dataset(candidate):
            found["data"] = str(candidate)
            break
    for candidate in _candidates(folder, _CHECKPOINT_NAMES, itself=False):
        if _holds_checkpoints(candidate):
            found["checkpoints"] = str(candidate)
            break
    base = next((folder / name for name in _BASE_NAMES if (folder / name).is_file()), None)
    if base is not None:
        found["base"] = str(base)
    if "data" in found:
        found["to"] = str(_free(folder / _RUNS, Path(found["data"]).name))
    return found


def _candidates(folder: Path, names: tuple[str, ...], *, itself: bool = True) -> Iterator[Path]:
    yield from [folder] if itself else []
    yield from (folder / name for name in names)
    try:
        yield from sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return


def _is_dataset(folder: Path) -> bool:
    try:
        return kind_of(folder) is not None
    except OSError:
        return False


def _holds_checkpoints(folder: Path) -> bool:
    if not folder.is_dir() or _is_dataset(folder):
        return False
    try:
        sources = discover_checkpoints(folder)
    except LorascopeError:
        return False
    # A single file of weights may be anything; a folder that is called so, or several, are meant.
    return len(sources) > 1 or folder.name in _CHECKPOINT_NAMES or (folder / ADAPTER_CONFIG).is_file()


def _free(parent: Path, name: str) -> Path:
    number, path = 1, parent / (name or "run")
    while path.exists():
        number += 1
        path = parent / f"{name or 'run'}_{number}"
    return path
