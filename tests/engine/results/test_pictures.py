"""Pictures of frames: found by their names, split into panels, refused in words where they are none."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from support.native import write_picture

from engine.errors import DataError
from engine.results.pictures import find_pictures, read_picture


def test_pictures_are_found_in_order(tmp_path: Path) -> None:
    for window, frame in ((10, 3), (2, 30), (2, 4)):
        write_picture(tmp_path, "checkpoint_1", window, frame)
    for name in ("w1.png", "w1-2.jpg", "x1-2.png", "w1-2.png.tmp", "w-1-2.png"):
        (tmp_path / "previews" / "checkpoint_1" / name).write_bytes(b"")
    found = find_pictures(tmp_path, "checkpoint_1")
    assert [(picture.window, picture.frame) for picture in found] == [(2, 4), (2, 30), (10, 3)]
    assert find_pictures(tmp_path, "checkpoint_2") == []
    assert find_pictures(tmp_path, "../..") == []


def test_a_checkpoint_whose_name_is_no_folder_name(tmp_path: Path) -> None:
    write_picture(tmp_path, "lora%2F1", 0, 1)
    assert [picture.frame for picture in find_pictures(tmp_path, "lora/1")] == [1]


def test_panels_by_their_own_titles(tmp_path: Path) -> None:
    titles = ("image", "inverse depth", "depth error", "normals")
    panels = read_picture(write_picture(tmp_path, "a", 0, 1, titles=titles))
    assert tuple(panel.title for panel in panels) == titles
    assert [panel.size for panel in panels] == [(160, 40)] * 4
    assert [panel.scaled(1, 1) for panel in panels] == [
        [[(128, 128, 128)]],
        [[(255, 0, 0)]],
        [[(0, 255, 0)]],
        [[(0, 0, 255)]],
    ]


def test_pictures_of_before_panels_were_named(tmp_path: Path) -> None:
    panels = read_picture(write_picture(tmp_path, "a", 0, 1))
    assert [panel.title.split(":")[0] for panel in panels] == ["image", "inverse depth", "depth error"]


@pytest.mark.parametrize(("height", "titles", "count"), [(7, "", 1), (7, "a\nb", 1), (9, "a\nb", 3), (8, "a\nb", 2)])
def test_titles_that_do_not_fit_are_not_believed(tmp_path: Path, height: int, titles: str, count: int) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("panels", titles)
    Image.new("RGB", (4, height)).save(tmp_path / "w0-0.png", pnginfo=info)
    assert len(read_picture(tmp_path / "w0-0.png")) == count


def test_scaling_takes_the_mean(tmp_path: Path) -> None:
    picture = Image.new("L", (4, 2))
    picture.putdata([0, 100, 50, 50, 200, 100, 50, 250])
    picture.save(tmp_path / "w0-0.png")
    (panel,) = read_picture(tmp_path / "w0-0.png")
    assert panel.scaled(2, 1) == [[(100, 100, 100), (100, 100, 100)]]
    assert panel.scaled(4, 2)[1] == [(200,) * 3, (100,) * 3, (50,) * 3, (250,) * 3]


def png_of_size(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no readable PNG"),
        (b"GIF89a", "no readable PNG"),
        (png_of_size(8, 6), "no readable PNG"),
        (png_of_size(8, 6)[:30], "no readable PNG"),
        (png_of_size(30_000, 30_000), "30000 x 30000 pixels is no small picture"),
        (None, "is gone"),
    ],
)
def test_what_is_no_picture_is_said(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "previews" / "a" / "w0-0.png"
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read_picture(path)
    assert str(error.value).startswith("previews/a/w0-0.png: ")


def test_a_cut_picture_is_refused(tmp_path: Path) -> None:
    path = write_picture(tmp_path, "a", 0, 1)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match="no readable PNG"):
        read_picture(path)
