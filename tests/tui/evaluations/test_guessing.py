"""Presets, what lies in a folder, and paths that are completed."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import load_config
from tui.evaluations.completing import complete, suggest
from tui.evaluations.guessing import as_texts, guess, read_presets

TOML = """
[score.weights]
"depth.building.delta1" = 1.0

[evaluate]
data = "KITTI-360"
seq_len = 4
sharing = false

[launch.presets.quick]
model = "tiny"
max_seqs = 10
cost = true
base = "/abs/base.pt"
"""


def test_presets_are_the_keys_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "lorascope.toml").write_text(TOML)
    (tmp_path / "deep").mkdir()
    presets = read_presets(start=tmp_path / "deep")
    assert presets.begin == {"data": str(tmp_path / "KITTI-360"), "seq_len": "4", "sharing": "no"}
    assert presets.named == {"quick": {"model": "tiny", "max_seqs": "10", "cost": "yes", "base": "/abs/base.pt"}}
    assert presets.notices == ()
    # The other settings of the file are read as ever.
    assert load_config(tmp_path / "lorascope.toml").score.weights == {"depth.building.delta1": 1.0}


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("[evaluate]\nfoo = 1\n", "[evaluate]: there is no setting 'foo'"),
        ("evaluate = 3\n", "[evaluate] must be a table"),
        ("[launch.presets]\nquick = 3\n", "[launch.presets.quick] must be a table"),
    ],
)
def test_what_is_wrong_with_presets_is_told(tmp_path: Path, text: str, notice: str) -> None:
    (tmp_path / "lorascope.toml").write_text(text)
    (told,) = read_presets(start=tmp_path).notices
    assert notice in told


@pytest.mark.parametrize("text", [None, "[evaluate", "launch = 3\n", "[launch]\npresets = 1\n"])
def test_without_presets_there_are_none(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "lorascope.toml").write_text(text)
    presets = read_presets(start=tmp_path)
    assert (presets.begin, presets.named) == ({}, {})


def test_settings_as_texts() -> None:
    assert as_texts({"seed": 3, "cluster": True, "only": None, "protocol": "v1"}) == {"seed": "3", "cluster": "yes"}


def test_what_lies_in_a_folder(tmp_path: Path) -> None:
    assert guess(tmp_path) == {}
    (tmp_path / "my_street").mkdir()
    (tmp_path / "my_street" / "street.json").write_text("{}")
    (tmp_path / "run7").mkdir()
    for number in (1, 2):
        (tmp_path / "run7" / f"epoch_{number}.pt").touch()
    (tmp_path / "vggt.pt").touch()
    (tmp_path / "results" / "my_street").mkdir(parents=True)
    assert guess(tmp_path) == {
        "data": str(tmp_path / "my_street"),
        "checkpoints": str(tmp_path / "run7"),
        "base": str(tmp_path / "vggt.pt"),
        "to": str(tmp_path / "results" / "my_street_2"),
    }
    # A folder that is called so goes first.
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "only.pt").touch()
    assert guess(tmp_path)["checkpoints"] == str(tmp_path / "checkpoints")


def test_a_dataset_that_one_stands_in(tmp_path: Path) -> None:
    (tmp_path / "calibration").mkdir()
    assert guess(tmp_path)["data"] == str(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("check_1", "check_2", "check_10", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "check.pt").touch()
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def test_paths_are_completed_as_far_as_it_is_clear(folder: Path) -> None:
    found = complete(f"{folder}/c", folders=True)
    assert (found.text, found.candidates) == (f"{folder}/check_", ("check_1/", "check_2/", "check_10/"))
    assert complete(f"{folder}/c", folders=False).text == f"{folder}/check"
    assert complete(f"{folder}/o", folders=True).text == f"{folder}/other/"
    assert complete(f"{folder}/x", folders=True).text == f"{folder}/x"
    assert complete(f"{folder}/nowhere/x", folders=True).candidates == ()


def test_hidden_folders_are_named_to_be_found(folder: Path) -> None:
    assert ".hidden/" not in complete(f"{folder}/", folders=True).candidates
    assert complete(f"{folder}/.h", folders=True).text == f"{folder}/.hidden/"


def test_a_home_folder_keeps_its_sign(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert complete("~/oth", folders=True).text == "~/other/"
    assert suggest("~/oth", folders=True) == "~/other/"


def test_relative_paths_start_where_one_stands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert complete("oth", folders=True).text == "other/"
    assert suggest("check_1", folders=True) == "check_1/"
    assert suggest("", folders=True) is None
    assert suggest("other/", folders=True) is None


@pytest.mark.parametrize("text", ["\0", "a" * 5000, "//", "~nobody/x"])
def test_nothing_typed_is_an_error(text: str) -> None:
    assert complete(text, folders=True).text.startswith(text)
    suggest(text, folders=False)
