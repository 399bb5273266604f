"""Folder names made from outside text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text import safe_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("checkpoint_34", "checkpoint_34"),
        ("lr=1e-05", "lr=1e-05"),
        ("..", "%2E%2E"),
        (".hidden", "%2Ehidden"),
        ("-rf", "%2Drf"),
        ("end.", "end%2E"),
        ("a/b\\c", "a%2Fb%5Cc"),
        ("50%", "50%25"),
        ("a b\x1b\n", "a%20b%1B%0A"),
        ("建筑", "建筑"),
        ("\u202eabc", "%E2%80%AEabc"),
        ("", "%"),
    ],
)
def test_known_names(text: str, name: str) -> None:
    assert safe_name(text) == name


@given(st.text(max_size=300))
def test_a_name_is_one_plain_component(text: str) -> None:
    name = safe_name(text)
    assert 0 < len(name.encode()) <= 200
    assert not name.startswith((".", "-", "~")) and not name.endswith(".")
    assert name.isprintable() and not set(name) & set('/\\:*?"<>| \0')
    assert unicodedata.is_normalized("NFC", name)


@given(st.text(max_size=80), st.text(max_size=80))
def test_different_texts_get_different_names(one: str, other: str) -> None:
    assert (safe_name(one) == safe_name(other)) == (one == other)


def test_long_texts_stay_apart() -> None:
    names = {safe_name("x" * 5000 + tail) for tail in ("a", "b", "\n")}
    assert len(names) == 3
