"""Settings from files and options, the journal under kills, and what counts as the same run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.evaluation.config import make_config
from engine.evaluation.journal import Journal, replay
from engine.evaluation.prior import difference


def test_options_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "evaluate.toml"
    file.write_text('[evaluate]\ndata = "data"\nto = "run"\nseed = 3\nmax_seqs = 9\n', "utf-8")
    config = make_config({"seed": 4, "max_seqs": None}, file=file)
    assert (config.seed, config.max_seqs, config.run_name) == (4, 9, "run")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"seq_len": 0}, "--seq-len"),
        ({"dtype": "fp64"}, "--dtype"),
        ({"device": "tpu"}, "auto, cpu, cuda or cuda:N"),
        ({"max_seqs": -1}, "--max-seqs"),
        ({"protocol": "compat"}, "--protocol"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_wrong_value_names_its_option(values: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        make_config({"data": "d", "to": "r", **values})


def test_a_wrong_value_in_the_file_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "evaluate.toml"
    file.write_text("[evaluate]\nseq_len = 0\n", "utf-8")
    with pytest.raises(ConfigError, match=r"evaluate\.toml: seq_len"):
        make_config({"data": "d", "to": "r"}, file=file)


def test_settings_hold_names_and_nothing_that_does_not_matter(tmp_path: Path) -> None:
    one = make_config({"data": tmp_path / "a" / "kitti", "to": "x", "device": "cpu", "readers": 1})
    other = make_config({"data": tmp_path / "b" / "kitti", "to": "y", "device": "auto", "readers": 4})
    assert one.settings() == other.settings()
    assert str(tmp_path) not in str(one.settings())


def test_events_come_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append("started", settings={"seed": 0}, chance_depth=9.5)
    journal.append("shard", shard=1, seconds=2.0, failed_windows={"4": "gone"}, failed_checkpoints={"c": "bad"})
    journal.append("finished")
    state = replay(journal.events())
    assert state.settings == {"seed": 0}
    assert state.chance_depth == 9.5
    assert state.shards == {1}
    assert state.failed_windows == {4: "gone"}
    assert state.failed_checkpoints == {"c": "bad"}
    assert (state.seconds, state.finished) == (2.0, True)


@given(st.integers(0, 400), st.binary(max_size=30))
def test_a_line_cut_short_costs_only_itself(tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    journal = Journal(path)
    for number in range(3):
        journal.append("shard", shard=number, seconds=1.0, failed_windows={}, failed_checkpoints={})
    whole = path.read_bytes()
    kept = whole[: min(cut, len(whole))]
    path.write_bytes(kept + junk.replace(b"\n", b""))
    journal.append("shard", shard=9, seconds=1.0, failed_windows={}, failed_checkpoints={})
    shards = replay(journal.events()).shards
    assert 9 in shards
    assert set(range(kept.count(b"\n"))) <= shards <= {0, 1, 2, 9}


def test_differences_are_named() -> None:
    old = {"seed": 0, "checkpoint_files": {"a": 1, "b": 2}}
    assert difference(old, old) == ""
    assert difference(old, {"seed": 1, "checkpoint_files": {"a": 1, "b": 2}}) == "seed 0 is now 1"
    assert "checkpoints b" in difference(old, {"seed": 0, "checkpoint_files": {"a": 1}})
