"""Windows, strata and sampling: laws, and cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.model import Stratum, Window
from engine.dataset.windows import centre_frame, cut_windows, fingerprint, quotas, sample, stratum
from engine.errors import UsageError

STRATA = (Stratum.RICH, Stratum.MIXED, Stratum.ROAD)
windows_of = st.lists(st.sampled_from(STRATA), max_size=60).map(
    lambda strata: [Window(i, "d", (10 * i, 10 * i + 1), name) for i, name in enumerate(strata)]
)


def test_windows_by_hand() -> None:
    frames = [1, 2, 3, 4, 5, 7, 8, 9, 20, 30, 31, 32]
    assert cut_windows(frames, 3, 3) == [(1, 2, 3), (7, 8, 9), (30, 31, 32)]
    assert cut_windows(frames, 3, 2) == [(1, 2, 3), (3, 4, 5), (7, 8, 9), (30, 31, 32)]
    assert cut_windows(frames, 1, 4) == [(1,), (5,), (7,), (20,), (30,)]
    assert cut_windows([], 3, 3) == []


@given(st.sets(st.integers(0, 80)), st.integers(1, 9), st.integers(1, 9), st.randoms(use_true_random=False))
def test_windows_never_cross_a_gap(frames: set[int], seq_len: int, stride: int, random: object) -> None:
    windows = cut_windows(frames, seq_len, stride)
    for window in windows:
        assert list(window) == list(range(window[0], window[0] + seq_len))
        assert frames.issuperset(window)
    assert windows == sorted(set(windows))
    # By the definition: a start is a frame whose run began a multiple of the stride before it.
    starts = set()
    for frame in frames:
        first = frame
        while first - 1 in frames:
            first -= 1
        if (frame - first) % stride == 0 and all(frame + k in frames for k in range(seq_len)):
            starts.add(frame)
    assert {window[0] for window in windows} == starts


@pytest.mark.parametrize(("seq_len", "stride"), [(0, 1), (1, 0), (-1, 8)])
def test_impossible_windows(seq_len: int, stride: int) -> None:
    with pytest.raises(UsageError):
        cut_windows([1, 2], seq_len, stride)


def test_strata_at_their_borders() -> None:
    assert [stratum(share) for share in (0.0, 0.0999, 0.1, 0.2999, 0.3, 1.0)] == [
        Stratum.ROAD,
        Stratum.ROAD,
        Stratum.MIXED,
        Stratum.MIXED,
        Stratum.RICH,
        Stratum.RICH,
    ]
    assert centre_frame((5, 6, 7)) == 6 and centre_frame((4, 5, 6, 7)) == 6


@pytest.mark.parametrize(
    ("available", "total", "expected"),
    [
        ((100, 100, 100), 10, (5, 3, 2)),
        ((100, 100, 100), 7, (4, 2, 1)),  # 3.5, 2.1, 1.4: the largest remainder is rich's
        ((2, 100, 100), 10, (2, 5, 3)),  # rich lacks 3: 1.8 and 1.2 go to mixed and road
        ((0, 0, 100), 10, (0, 0, 10)),
        ((3, 3, 3), 100, (3, 3, 3)),
        ((0, 0, 0), 5, (0, 0, 0)),
    ],
)
def test_quotas_by_hand(available: tuple[int, ...], total: int, expected: tuple[int, ...]) -> None:
    found = quotas(dict(zip(STRATA, available, strict=True)), total)
    assert tuple(found[name] for name in STRATA) == expected


@given(st.tuples(*[st.integers(0, 40)] * 3), st.integers(1, 150))
def test_quotas_add_up(available: tuple[int, int, int], total: int) -> None:
    have = dict(zip(STRATA, available, strict=True))
    found = quotas(have, total)
    assert sum(found.values()) == min(total, sum(available))
    for name, share in zip(STRATA, (0.5, 0.3, 0.2), strict=True):
        assert 0 <= found[name] <= have[name]
        assert found[name] >= min(int(share * total), have[name])


@given(windows_of, st.integers(1, 70), st.sampled_from(["uniform", "stratified"]), st.integers(0, 2**32))
def test_samples_are_seeded_subsets_in_order(windows: list[Window], count: int, sampling: str, seed: int) -> None:
    drawn = sample(windows, count, sampling=sampling, seed=seed)  # type: ignore[arg-type]
    assert len(drawn) == min(count, len(windows))
    assert [window.id for window in drawn] == list(range(len(drawn)))
    frames = [window.frames for window in drawn]
    assert frames == sorted(set(frames))
    assert {window.frames for window in windows}.issuperset(frames)
    assert drawn == sample(windows, count, sampling=sampling, seed=seed)  # type: ignore[arg-type]


def test_seeds_differ_and_uniform_is_uniform() -> None:
    windows = [Window(i, "d", (i,), Stratum.ROAD) for i in range(20)]
    counts = np.zeros(20)
    for seed in range(400):
        for window in sample(windows, 5, seed=seed):
            counts[window.frames[0]] += 1
    assert counts.sum() == 2000
    assert abs(counts - 100).max() < 45  # five standard deviations
    assert sample(windows, 5, seed=1) != sample(windows, 5, seed=2)


def test_stratified_sample_has_its_shares() -> None:
    windows = [Window(i, "d", (i,), STRATA[i % 3]) for i in range(90)]
    drawn = sample(windows, 20, sampling="stratified", seed=5)
    assert [sum(window.stratum == name for window in drawn) for name in STRATA] == [10, 6, 4]


def test_all_windows_when_no_limit_or_a_high_one() -> None:
    windows = [Window(i + 4, "d", (i,), None) for i in range(3)]
    assert [window.frames for window in sample(windows, None)] == [(0,), (1,), (2,)]
    assert [window.id for window in sample(windows, 9)] == [0, 1, 2]


def test_wrong_samples() -> None:
    windows = [Window(0, "d", (1,), None)]
    with pytest.raises(UsageError, match="no labels"):
        sample(windows, 1, sampling="stratified")
    with pytest.raises(UsageError, match="at least 1"):
        sample(windows, 0)
    with pytest.raises(UsageError, match="unknown sampling"):
        sample(windows, 1, sampling="random")  # type: ignore[arg-type]


def test_fingerprint_is_of_the_content() -> None:
    one = Window(0, "a", (1, 2), Stratum.RICH)
    two = Window(1, "b", (1, 2), None)
    first = fingerprint([one, two])
    assert len(first) == 64
    assert first == fingerprint([two, one])
    assert first == fingerprint([Window(7, "a", (1, 2), Stratum.RICH), two])
    others = [
        [one],
        [one, one, two],
        [Window(0, "a", (1, 3), Stratum.RICH), two],
        [Window(0, "a", (1, 2), Stratum.ROAD), two],
        [Window(0, "c", (1, 2), Stratum.RICH), two],
        [],
    ]
    assert len({first, *(fingerprint(windows) for windows in others)}) == 7


def test_fingerprint_stays_the_same_between_versions() -> None:
    # Stored runs are compared by it: a change of this value makes all of them incomparable.
    assert fingerprint([Window(0, "drive", (1, 2, 3), Stratum.MIXED)]) == (
        "d5dd3ef2604e1f1eb5b2ae021ed5886f20d0ed7f9ae049077f466740755ab2a1"
    )
