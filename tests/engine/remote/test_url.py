"""What names a folder in an object store, and where its files are brought to."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.remote.url import brought_folder, is_url, opened, origin_of, place_of, shown, url_of


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s3://bucket/results/run_a", "s3://bucket/results/run_a"),
        ("S3://bucket/a/", "s3://bucket/a"),
        ("file:///data/runs", "file:///data/runs"),
        ("memory://x", "memory://x"),
        ("results/run_a", None),
        ("/data/s3://x", None),
        ("C:/runs", None),
        ("s3:", None),
        (".", None),
    ],
)
def test_a_url_is_known_though_it_came_as_a_path(text: str, url: str | None) -> None:
    assert url_of(Path(text)) == url
    assert is_url(text) is (url is not None)


def test_a_folder_that_is_called_like_a_scheme_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:" / "bucket").mkdir(parents=True)
    assert url_of(Path("s3:/bucket")) is None
    assert url_of(Path("gs:/bucket")) == "gs://bucket"


@pytest.mark.parametrize("url", ["s3://bucket/results/run_a", "file:///data/runs", "memory://x"])
def test_a_place_is_called_by_its_url(url: str) -> None:
    place = place_of(url)
    assert place.is_relative_to(brought_folder())
    assert place.name == url.rsplit("/", 1)[-1]
    assert (origin_of(place), shown(place), opened(Path(url))) == (url, url, place)


def test_other_places_are_called_by_their_path(tmp_path: Path) -> None:
    for path in (tmp_path / "remote" / "s3" / "bucket", brought_folder(), brought_folder() / "s3", Path("remote/x/y")):
        assert origin_of(path) is None
        assert (shown(path), opened(path)) == (str(path), path)


@pytest.mark.parametrize("url", ["s3://", "s3://bucket/../x", "s3://bucket/a\0b"])
def test_what_cannot_be_a_folder_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="s3"):
        place_of(url)
