"""Messages and suggestions."""

from engine.errors import LorascopeError, UnknownNameError, UsageError, suggest

KEYS = ["depth.building.delta1", "depth.building.abs_rel", "pose.ate_trans", "score"]


def test_message_and_remedy_are_one_sentence() -> None:
    assert str(LorascopeError("a.json: truncated", "copy it again")) == "a.json: truncated; copy it again"
    assert str(LorascopeError("a.json: truncated")) == "a.json: truncated"


def test_exit_codes() -> None:
    assert LorascopeError("x").exit_code == 1
    assert UsageError("x").exit_code == 2
    assert UnknownNameError("metric", "x", []).exit_code == 2


def test_near_names_are_suggested_by_the_whole_and_by_the_last_part() -> None:
    assert suggest("depth.bulding.delta1", KEYS)[0] == "depth.building.delta1"
    assert suggest("delt1", KEYS) == ["depth.building.delta1"]
    assert suggest("SCORE", KEYS) == ["score"]
    assert suggest("zzz", KEYS) == []
    assert suggest("x", []) == []


def test_unknown_names_say_where_and_what_is_near_or_known() -> None:
    error = UnknownNameError("metric", "delt1", KEYS, "--where, column 4")
    assert str(error) == "unknown metric 'delt1' in --where, column 4; did you mean depth.building.delta1?"
    assert str(UnknownNameError("run", "zzz", ["a", "b"])) == "unknown run 'zzz'; known: a, b"
    assert str(UnknownNameError("run", "zzz", [f"qqq{n}" for n in range(50)])) == "unknown run 'zzz'"
