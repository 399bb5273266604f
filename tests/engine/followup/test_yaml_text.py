"""Values replaced in the text of a YAML file: everything else stays, byte for byte."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.training import TRAINING

from engine.errors import DataError
from engine.followup.yaml_text import YamlText, number_text, plain, quoted


def changed_lines(before: str, after: str) -> list[str]:
    """The lines that differ, as a diff shows them."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_nothing_asked_nothing_changed() -> None:
    assert YamlText(TRAINING, "t").render() == TRAINING


def test_values_are_replaced_where_they_stand() -> None:
    document = YamlText(TRAINING, "t")
    document.replace(("max_epochs",), "4")
    document.replace(("lora", "alpha"), "16")
    document.replace(("optim", "options", "lr", 0, "scheduler", "schedulers", 1, "start_value"), "1.0e-05")
    document.replace(("checkpoint", "resume_checkpoint_path"), quoted("/a b/ü.pt"))
    after = document.render()
    assert changed_lines(TRAINING, after) == [
        "-max_epochs: 50",
        "+max_epochs: 4",
        "-  alpha: 32",
        "+  alpha: 16",
        "-  resume_checkpoint_path: /weights/model.pt",
        '+  resume_checkpoint_path: "/a b/ü.pt"',
        "-              start_value: 5e-5",
        "+              start_value: 1.0e-05",
    ]


def test_items_of_a_block_keep_their_comments() -> None:
    document = YamlText(TRAINING, "t")
    document.replace_items(("lora", "target_modules"), [["depth_head.*"], ["a.1[6-9].x", "b"], [], ["c"], ["d", "e"]])
    after = document.render()
    assert after.partition("target_modules:\n")[2].partition("\n\n")[0].splitlines() == [
        '    - "depth_head.*"',
        '    - "a.1[6-9].x"',
        '    - "b"   # 16 to 19',
        '    - "c"',
        '    - "d"',
        '    - "e"',
    ]
    assert yaml.safe_load(after)["lora"]["target_modules"] == ["depth_head.*", "a.1[6-9].x", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("lora: {t: [a, 'b', c], r: 1} # x\n", 'lora: {t: ["a", "new"], r: 1} # x\n'),
        ("lora:\n  t: [\n    a, # one\n    b]\n", 'lora:\n  t: ["a", "new"]\n'),
        ("lora:\n  t:\n  - a\n  - b", "lora:\n  t:\n  - a\n  - new"),
        ("lora:\r\n  t:\r\n  - a\r\n  - b\r\nz: 1\r\n", "lora:\r\n  t:\r\n  - a\r\n  - new\r\n  - more\r\nz: 1\r\n"),
    ],
)
def test_lists_of_every_style(text: str, after: str) -> None:
    document = YamlText(text, "t")
    count = len(yaml.safe_load(text)["lora"]["t"])
    new = ["new", "more"] if "\r" in text else ["new"]
    document.replace_items(("lora", "t"), [["a"], new, []][:count])
    assert document.render() == after


def test_a_single_text_in_place_of_a_list() -> None:
    document = YamlText("lora: {t: a.*}\n", "t")
    document.replace_items(("lora", "t"), [["b", "c"]])
    assert document.render() == 'lora: {t: ["b", "c"]}\n'


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a: 1", "a: 1\nnew: 4\n"),
        ("a: 1\n# end\n", "a: 1\n# end\nnew: 4\n"),
        ("  a: 1\n", "  a: 1\n  new: 4\n"),
        ('{"a": {"b": 1}}\n', '{"a": {"b": 1}, "new": 4}\n'),
        ("\ufeffa: 1\n", "a: 1\nnew: 4\n"),
    ],
)
def test_a_key_is_added_at_the_top_level(text: str, after: str) -> None:
    document = YamlText(text, "t")
    document.append("new", "4")
    assert document.render() == after


def test_anchors_stay() -> None:
    document = YamlText("base: &rate 1e-4\nuse: *rate\nother: &x !!float 2\n", "t")
    document.replace(("base",), "1.0e-05")
    document.replace(("use",), "1.0e-05")
    document.replace(("other",), "3")
    assert document.render() == "base: &rate 1.0e-05\nuse: *rate\nother: &x !!float 3\n"


def test_what_is_shared_is_not_changed_in_secret() -> None:
    document = YamlText("base: &rate 1e-4\nuse: *rate\n", "train.yaml")
    document.replace(("use",), "1.0e-05")
    with pytest.raises(DataError, match=r"train\.yaml: base would change, too"):
        document.render()
    document = YamlText("one: &list [a, b]\nlora: {t: *list}\n", "train.yaml")
    document.replace_items(("lora", "t"), [["a"], []])
    with pytest.raises(DataError, match=r"one\[1\] would change"):
        document.render()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1", "no valid YAML"),
        ("a: 1\n---\nb: 2\n", "no valid YAML"),
        ("- a\n", "holds no settings"),
        ("", "holds no settings"),
        ("a: \x00", "no valid YAML"),
        ("a: *b", "no valid YAML"),
        ("a: &a [*a]\n", "too many values"),
        ("a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
        ), "too many values"),
    ],
)  # fmt: skip
def test_what_is_no_configuration(text: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        YamlText(text, "train.yaml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        YamlText.read(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9\n")
    with pytest.raises(DataError, match="no text in UTF-8"):
        YamlText.read(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e-4", 1e-4), ("1.0e-4", 1e-4), ("5", 5.0), (".5", 0.5), ("'1e-4'", None), ("1_000", None), ("x", None),
        (".nan", None), ("nan", None), (".inf", None), ("inf", None), ("true", None), ("~", None), ("${lr}", None),
    ],
)  # fmt: skip
def test_numbers(text: str, number: float | None) -> None:
    (scalar,) = YamlText(f"a: {text}", "t").scalars
    assert scalar.number == number
    assert scalar.is_reference == text.startswith("$")


@settings(deadline=None)
@given(st.floats(min_value=1e-300, max_value=1e300))
def test_every_reader_takes_a_number_for_one(value: float) -> None:
    text = number_text(value)
    found = yaml.safe_load(text)  # of YAML 1.1, which wants a point before an exponent
    assert isinstance(found, int | float) and found == pytest.approx(value, rel=1e-11)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-4 * 0.2, "2.0e-05"), (32 * 0.5, "16"), (8 * 0.3, "2.4"), (0.1 * 3, "0.3"), (1.5e-7, "1.5e-07"), (0.0, "0")],
)
def test_numbers_as_they_are_written(value: float, text: str) -> None:
    assert number_text(value) == text


@settings(deadline=None)
@given(st.text())
def test_texts_come_back(text: str) -> None:
    for write in (plain, quoted):
        try:
            assert yaml.safe_load(f"- {write(text)}\n") == [text]
        except yaml.YAMLError:
            # Characters that YAML does not allow at all; render() refuses them.
            assert any(not (c in "\t\n\r\x85" or " " <= c <= "~" or c >= "\xa0") or c >= "\ud800" for c in text)


VALUES = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.text("ab: #'\"\n-é", max_size=8),
)
KEYS = st.text("abcdefg_", min_size=1, max_size=6)
DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)),
    min_size=1,
)


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


@settings(deadline=None)
@given(DOCUMENTS, st.sampled_from([None, True, False]), st.data())
def test_one_value_changes_and_no_other(content: dict[str, Any], flow: bool | None, data: st.DataObject) -> None:
    text = yaml.safe_dump(content, default_flow_style=flow, allow_unicode=True)
    document = YamlText(text, "t")
    if not document.scalars:
        return
    scalar = data.draw(st.sampled_from(document.scalars))
    document.replace(scalar.path, "12345")
    after = yaml.safe_load(document.render())
    assert at(after, scalar.path) == 12345
    parent = at(after, scalar.path[:-1])
    parent[scalar.path[-1]] = at(content, scalar.path)
    assert after == content
