"""What one folder holds, and what that makes it: a run, a data folder, or something to look below."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from engine.results import layout
from engine.results.model import RunKind, RunRef
from engine.results.names import storable
from engine.results.sniff import HEADER_BYTES

MAX_ENTRIES = 100_000  # entries read of one folder
MANY_MEDIA = 200  # images, scans and weights that make a folder a data folder

_DATA_FOLDERS = frozenset(
    {
        *("data_poses", "data_rect", "data_rgb", "data_timestamps", "calibration", "velodyne_points", "previews"),
        *("node_modules", "__pycache__", "site-packages", "venv", "env", "virtualenv", "lost+found"),
    }
)
_DATA_PREFIXES = ("data_2d_", "data_3d_")
_MEDIA_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".exr", ".ppm", ".pgm", ".mp4"),
    *(".bin", ".ply", ".pcd", ".las", ".laz", ".npy", ".npz", ".pfm", ".pt", ".pth", ".safetensors"),
)


@dataclass(slots=True)
class Listing:
    """The names in one folder; what a link leads to counts as what it is.

    Attributes:
        files: regular files.
        folders: folders.
        links: which of both are links.
        media: how many images, scans and weights there are.
        cut: whether the folder holds more than :data:`MAX_ENTRIES` entries, of which the rest is missing here.
    """

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    media: int = 0
    cut: bool = False

    def add(self, entry: os.DirEntry[str]) -> None:
        """Sort one entry in; links to nowhere or to themselves, sockets and pipes are left out."""
        try:
            if entry.is_dir():
                self.folders.add(entry.name)
            elif entry.is_file():
                self.files.add(entry.name)
                self.media += entry.name.lower().endswith(_MEDIA_ENDINGS)
            if entry.is_symlink():
                self.links.add(entry.name)
        except OSError:
            return

    @property
    def is_data(self) -> bool:
        """Whether this is a folder of images, scans or weights, or a Python environment: no runs lie below it."""
        return self.media >= MANY_MEDIA or "pyvenv.cfg" in self.files

    @property
    def tables(self) -> list[str]:
        """The files that could be tables by their names."""
        return [name for name in self.files if is_table(name) and not name.startswith(".")]


def list_folder(folder: Path) -> Listing:
    """What ``folder`` holds.

    Raises:
        OSError: it cannot be read.
    """
    listing = Listing()
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number >= MAX_ENTRIES:
                listing.cut = True
                break
            listing.add(entry)
    return listing


def is_table(name: str) -> bool:
    """Whether a file of this name can be a table."""
    return name.lower().endswith(layout.TABLE_ENDINGS)


def is_skipped(name: str) -> bool:
    """Whether a folder of this name is never walked into: hidden, raw data, or other programs' code."""
    lowered = name.lower()
    return name.startswith(".") or lowered in _DATA_FOLDERS or lowered.startswith(_DATA_PREFIXES)


def run_name(path: Path) -> str:
    """What to call the run in this folder."""
    return storable(path.name or str(path))


def run_in(folder: Path, listing: Listing) -> RunRef | None:
    """The native or legacy run that ``folder`` is, if it is one.

    Args:
        folder: the folder, absolute.
        listing: what it holds.
    """
    if _is_native(folder, listing):
        return RunRef(folder, run_name(folder), RunKind.NATIVE, _count_frame_folders(folder, listing))
    results = sum(name.endswith(layout.LEGACY_JSON_ENDING) for name in listing.files)
    if results or layout.LEGACY_TABLE in listing.files:
        return RunRef(folder, run_name(folder), RunKind.LEGACY, results or None)
    return None


def _is_native(folder: Path, listing: Listing) -> bool:
    if layout.METADATA not in listing.files:
        return False
    if not layout.NATIVE_SIGNS.isdisjoint(listing.files | listing.folders):
        return True
    try:
        with (folder / layout.METADATA).open("rb") as file:
            return b'"schema_version"' in file.read(HEADER_BYTES)
    except OSError:
        return True  # loading it says why it cannot be read


def _count_frame_folders(folder: Path, listing: Listing) -> int | None:
    if layout.FRAMES not in listing.folders:
        return None
    try:
        return len(list_folder(folder / layout.FRAMES).folders) or None
    except OSError:
        return None  # a hint only; loading reports it
