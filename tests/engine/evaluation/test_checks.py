"""Which field is told to be wrong, before anything is started."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.jobs import write_started

from engine.evaluation import checks
from engine.evaluation.checks import check
from engine.evaluation.config import MODELS, EvaluationConfig
from engine.evaluation.journal import Journal
from engine.inference.checkpoints import choose, discover_checkpoints, pattern_of
from engine.results.layout import JOURNAL


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with all that an evaluation needs, by names alone."""
    (tmp_path / "street").mkdir()
    (tmp_path / "street" / "street.json").write_text("{}")
    (tmp_path / "checkpoints").mkdir()
    for number in (1, 2, 10):
        (tmp_path / "checkpoints" / f"checkpoint_{number}.pt").touch()
    (tmp_path / "base.pt").touch()
    (tmp_path / "empty").mkdir()
    return tmp_path


def right(place: Path, **changes: object) -> dict[str, object]:
    """Settings with which nothing is wrong, but for ``changes``; ``None`` leaves a field out."""
    values: dict[str, object] = {
        "data": place / "street",
        "checkpoints": place / "checkpoints",
        "base": place / "base.pt",
        "to": place / "results" / "run",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def test_right_settings_have_no_mistake(place: Path) -> None:
    checked = check(right(place, max_seqs="12", seed="3", dtype="bf16"))
    assert checked.mistakes == {}
    assert checked.found == checked.chosen == ("checkpoint_1", "checkpoint_2", "checkpoint_10")
    assert checked.config is not None and checked.config.max_seqs == 12


BAD = {
    "no data": ("data", None, "is missing"),
    "no such folder": ("data", "nowhere", "there is no folder"),
    "no dataset": ("data", "empty", "no dataset that lorascope knows"),
    "a file as data": ("data", "base.pt", "there is no folder"),
    "no such checkpoints": ("checkpoints", "nowhere", "No such file"),
    "no checkpoints there": ("checkpoints", "empty", "holds no checkpoints"),
    "not a checkpoint's name": ("only", "checkpoint_3", "unknown checkpoint 'checkpoint_3'"),
    "nothing between commas": ("only", "checkpoint_1,,", "names with commas between"),
    "no base": ("base", None, "has no base weights"),
    "no such base": ("base", "nowhere.pt", "there is no file"),
    "a base and a seed": ("base_seed", "3", "give one of the two"),
    "a model of that name": ("model", "vgtt", "unknown model 'vgtt'; did you mean vggt"),
    "a split of that name": ("split", "validation", "must be 'train', 'val', 'test' or 'all'"),
    "no windows": ("max_seqs", "0", "at least 1"),
    "windows in words": ("max_seqs", "many", "a whole number"),
    "sampling": ("sampling", "random", "'uniform' or 'stratified'"),
    "a broken seed": ("seed", "1.5", "a whole number"),
    "too long windows": ("seq_len", "201", "at most 200"),
    "no stride": ("stride", "0", "at least 1"),
    "alignment": ("align", "mean", "'none', 'scale', 'median' or 'scale_shift'"),
    "precision": ("dtype", "fp16", "'fp32' or 'bf16'"),
    "a device of that name": ("device", "gpu", "must be auto, cpu, cuda or cuda:N"),
    "a device twice": ("device", "cuda:0,cuda:0", "names a device twice"),
    "nobody works": ("workers", "0", "0 needs --cluster"),
    "no target": ("to", None, "is missing"),
    "a file as target": ("to", "base.pt", "is a file"),
    "the target below a file": ("to", "base.pt/run", "cannot be written to"),
    "no such training": ("training", "nowhere.yaml", "there is no file"),
    "a mirror on a disk": ("mirror", "/data/run", "must be a folder in an object store"),
    "a mirror without its package": ("mirror", "s3://bucket/run", "pip install 'lorascope[s3]'"),
    "data in a store": ("cache", "s3://bucket/cache", "s3://bucket/cache is no path of this machine: mount it"),
}
PATHS = {"data", "checkpoints", "base", "to", "training"}


@pytest.mark.parametrize(("field", "value", "words"), BAD.values(), ids=BAD.keys())
def test_a_mistake_is_told_of_its_field(
    place: Path, field: str, value: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = checks.find_spec
    monkeypatch.setattr(checks, "find_spec", lambda name: None if name == "s3fs" else real(name))
    given = str(place / value) if value is not None and field in PATHS else value
    checked = check(right(place, **{field: given}))
    assert set(checked.mistakes) == {field}
    assert words in checked.mistakes[field]
    assert (field in checked.missing) is (value is None)


def test_every_mistake_is_told_at_once(place: Path) -> None:
    checked = check(right(place, data=place / "nowhere", seed="x", only="checkpoint_9", device="gpu"))
    assert set(checked.mistakes) == {"data", "seed", "only", "device"}


def test_a_target_with_another_run_is_refused(place: Path) -> None:
    made_elsewhere = place / "legacy"
    made_elsewhere.mkdir()
    (made_elsewhere / "metadata.json").write_text("{}")
    assert "not made by evaluate" in check(right(place, to=made_elsewhere)).mistakes["to"]
    write_started(place / "other", shard=3)
    assert "other settings (" in check(right(place, to=place / "other")).mistakes["to"]


def test_the_same_evaluation_goes_on(place: Path) -> None:
    run = place / "results" / "run"
    config = EvaluationConfig.model_validate(right(place))
    run.mkdir(parents=True)
    # The first start knew the split that was meant, and the files.
    settings = {**config.settings(), "split": "val", "fingerprint": "f", "checkpoint_files": {"checkpoint_1": 0}}
    journal = Journal(run / JOURNAL)
    journal.append("started", settings=settings, chance_depth=9.0, windows=5)
    journal.append("shard", shard=0, seconds=1.0, failed_windows={}, failed_checkpoints={})
    checked = check(right(place))
    assert (checked.mistakes, checked.done) == ({}, 1)
    assert "seed 0 is now 4" in check(right(place, seed=4)).mistakes["to"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_target_is_refused(place: Path) -> None:
    (place / "empty").chmod(0o500)
    assert "cannot be written to" in check(right(place, to=place / "empty" / "run")).mistakes["to"]


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (None, ["checkpoint_1", "checkpoint_2", "checkpoint_10"]),
        ("checkpoint_2", ["checkpoint_2"]),
        ("checkpoint_10, checkpoint_1", ["checkpoint_1", "checkpoint_10"]),
        ("checkpoint_1*", ["checkpoint_1", "checkpoint_10"]),
        ("checkpoint_[12]", ["checkpoint_1", "checkpoint_2"]),
    ],
)
def test_checkpoints_are_chosen_by_name(place: Path, only: str | None, names: list[str]) -> None:
    assert [source.name for source in choose(discover_checkpoints(place / "checkpoints"), only)] == names
    assert check(right(place, only=only)).chosen == tuple(names)


@pytest.mark.parametrize("name", ["plain", "a*b", "who?", "r[1]", "a,b", " blank "])
def test_any_name_can_be_chosen(tmp_path: Path, name: str) -> None:
    for each in (name, "other", "axxb", "r1"):
        (tmp_path / f"{each}.pt").touch()
    chosen = choose(discover_checkpoints(tmp_path), pattern_of([name]))
    assert [source.name for source in chosen] == [name]


def test_the_models_are_those_that_can_be_built() -> None:
    pytest.importorskip("torch", reason="evaluating needs the extra `eval`")
    from engine.inference.families import FAMILIES

    assert set(MODELS) == set(FAMILIES)
