"""The saved view: round trip, damage, and choices."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tui.state import BasketItem, Block, Limit, ViewState, load_state, save_state, state_file


def test_round_trip(tmp_path: Path) -> None:
    state = ViewState(
        screen="pick",
        marked=["/a", "/b"],
        baselines={"/a": "checkpoint_0"},
        view="delta",
        blocks=[Block("/a", "checkpoint_3")],
        limits=[Limit("vram_gb", "<=", 24.0)],
        basket=[BasketItem("/a", "checkpoint_3", "score", "fps >= 1", 50, 12)],
        only_different=True,
    )
    path = tmp_path / "deep" / "view.json"
    assert save_state(path, state)
    assert load_state(path) == state


def test_a_missing_or_damaged_file_is_a_fresh_view(tmp_path: Path) -> None:
    path = tmp_path / "view.json"
    assert load_state(path) == ViewState()
    path.write_text("{", "utf-8")
    assert load_state(path) == ViewState()
    path.write_text("[1]", "utf-8")
    assert load_state(path) == ViewState()


def test_damage_costs_only_the_damaged_field(tmp_path: Path) -> None:
    path = tmp_path / "view.json"
    raw = {
        "view": "sideways",
        "screen": 7,
        "objective": "performance.fps",
        "limits": [{"metric": "x"}],
        "marked": [1, "/a"],
    }
    path.write_text(json.dumps(raw), "utf-8")
    state = load_state(path)
    assert state.view == "percent"
    assert state.screen == "runs"
    assert state.objective == "performance.fps"
    assert state.limits == []
    assert state.marked == ["/a"]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*ViewState.__dataclass_fields__, "other"]), json_values))
def test_no_content_of_the_file_can_stop_the_start(tmp_path_factory, raw) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.getbasetemp() / "view.json"
    path.write_text(json.dumps(raw), "utf-8")
    state = load_state(path)
    assert isinstance(state.marked, list)
    assert state.view in ("percent", "delta", "scale", "absolute")


def test_saving_where_nothing_can_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    assert not save_state(tmp_path / "file" / "view.json", ViewState())


def test_every_set_of_folders_has_a_view_of_its_own(tmp_path: Path) -> None:
    assert state_file([tmp_path / "a"]) != state_file([tmp_path / "b"])
    assert state_file([tmp_path / "a", tmp_path / "b"]) == state_file([tmp_path / "b", tmp_path / "a"])


def test_the_basket_toggles() -> None:
    state = ViewState()
    assert state.toggle_basket(BasketItem("/a", "x"))
    assert state.in_basket("/a", "x")
    assert not state.toggle_basket(BasketItem("/a", "x", objective="score"))
    assert state.basket == []
