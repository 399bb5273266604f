"""Natural order, steps, baseline names, storable text and folder names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.results.names import baseline_among, natural_key, step_of, storable, unique_name


def test_numbers_in_names_compare_as_numbers() -> None:
    names = ["run_10", "run_2", "Run_1", "run_02", "a", "run", "run_2b", "10", "9"]
    assert sorted(names, key=natural_key) == ["9", "10", "a", "run", "Run_1", "run_02", "run_2", "run_2b", "run_10"]


@given(st.text(), st.text())
def test_natural_order_tells_any_two_texts_apart(a: str, b: str) -> None:
    assert (natural_key(a) == natural_key(b)) == (a == b)
    assert (natural_key(a) < natural_key(b)) == (not natural_key(a) >= natural_key(b))


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_natural_order_follows_the_number(a: int, b: int) -> None:
    assert (natural_key(f"x{a}y") < natural_key(f"x{b}y")) == (a < b)


def test_a_name_of_digits_longer_than_python_converts_is_ordered() -> None:
    assert natural_key("1" * 5000) < natural_key("2" * 5000)
    assert step_of("checkpoint_" + "1" * 5000) is None


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("checkpoint_34", 34),
        ("checkpoint-1200.pt", 1200),
        ("Checkpoint 7", 7),
        ("ckpt34_ema", 34),
        ("checkpoint_0", 0),
        ("epoch=3-step=1200", 1200),
        ("epoch=3-step=1200.ckpt", 1200),
        ("global_step_500", 500),
        ("iter_0500", 500),
        ("epoch_3", 3),
        ("checkpoint_34_r16", 34),
        ("lora_r16_checkpoint_34", 34),
        ("lora_34", 34),
        ("model-0034.safetensors", 34),
        ("34", 34),
        ("step_2k", 2000),
        ("ckpt.34", 34),
        ("lora_final", None),
        ("checkpoint.pt", None),
        ("baseline", None),
        ("lora_r16", None),
        ("lr_1e-05", None),
        ("dropout_0.5", None),
        ("checkpoint_0.5", None),
        ("checkpoint_10b", None),
        ("", None),
        ("checkpoint_9223372036854775807", 2**63 - 1),
        ("checkpoint_9223372036854775808", None),
        ("step_9223372036854775807k", None),
        ("checkpoint_٣", None),
    ],
)
def test_step(name: str, step: int | None) -> None:
    assert step_of(name) == step


@given(st.text())
def test_step_of_any_text_is_a_64_bit_number_or_none(name: str) -> None:
    step = step_of(name)
    assert step is None or 0 <= step < 2**63


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["checkpoint_1", "Baseline"], "Baseline"),
        (["pretrained", "base"], "base"),
        (["BASE", "baseline"], "baseline"),
        (["pretrained.pt", "x"], "pretrained.pt"),
        (["Baseline", "baseline"], "Baseline"),
        (["base_line", "database", "baseline_2"], None),
        ([], None),
    ],
)
def test_baseline(names: list[str], expected: str | None) -> None:
    assert baseline_among(names) == expected


@given(st.text(alphabet=st.characters()))
def test_storable_keeps_what_utf8_can_hold(text: str) -> None:
    kept = storable(text)
    kept.encode()
    assert storable(kept) == kept
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert kept == text


def test_storable_shows_bytes_and_surrogates() -> None:
    assert storable(b"caf\xe9".decode("utf-8", "surrogateescape")) == "caf\\xe9"
    assert storable("a\ud800") == "a\\ud800"


def test_repeated_names_get_numbers() -> None:
    taken = {"a #2"}
    assert [unique_name("a", taken) for _ in range(3)] == ["a", "a #3", "a #4"]
