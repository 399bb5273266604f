"""Filters: what they keep, what they refuse, and that nothing else ever comes out of them."""

from __future__ import annotations

import polars as pl
import pytest
from analysis_frames import CATALOGUE, run
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.analysis.condition_tokens import MAX_TOKENS
from engine.analysis.ranking import rank
from engine.analysis.where import apply_where, parse_where
from engine.catalogue import ALIASES
from engine.errors import UnknownNameError, WhereError

TABLE = pl.DataFrame(
    {
        "checkpoint": ["baseline", "c_1", "c_2", "lora_final"],
        "role": ["baseline", "checkpoint", "checkpoint", "checkpoint"],
        "step": [None, 1, 2, None],
        "score": [0.26, 0.30, 0.35, None],
        "depth.building.abs_rel": [1.7, 0.7, 0.6, None],
        "depth.building.delta1": [0.40, 0.42, 0.0, 0.44],
        "depth.full.delta1": [0.6, 0.7, 0.7, 0.7],
        "performance.fps": [2.3, 1.1, 0.9, 1.0],
        "performance.vram_mb": [10240.0, 20000.0, 24000.0, 24001.0],
        "my metric": [1.0, 2.0, 3.0, 4.0],
        'q"t': [1.0, 2.0, 3.0, -4.0],
        "Mixed.Case": [1.0, 2.0, 3.0, 4.0],
    },
    schema_overrides={"step": pl.Int64},
)

KEPT = {
    "depth.building.abs_rel < 0.7 AND fps >= 1": [],
    "depth.building.abs_rel <= 0.7 AND fps >= 1": ["c_1"],
    "DELTA1 > 0.41": ["c_1", "lora_final"],  # an alias in any case means the building metric first
    "vram_gb <= 24": ["baseline", "c_1", "c_2"],
    "vram_gb = 20": ["c_1"],
    "Vram_Mb between 20000 and 24000": ["c_1", "c_2"],
    "abs_rel is null": ["lora_final"],
    "abs_rel IS NOT NULL and not score > 0.3": ["baseline", "c_1"],
    "abs_rel in (0.7, 1.7)": ["baseline", "c_1"],
    "step in (1, 3)": ["c_1"],
    "step NOT IN (1)": ["c_2"],
    "step = 2": ["c_2"],
    "step % 2 = 0": ["c_2"],
    "step / 2 = 0.5": ["c_1"],  # no integer division
    "1/2 > 0 and step = 1": ["c_1"],
    "checkpoint = 'c_1'": ["c_1"],
    "checkpoint IN ('c_1', 'baseline')": ["baseline", "c_1"],
    "checkpoint LIKE 'c%' and role = 'checkpoint'": ["c_1", "c_2"],
    "checkpoint not like 'c%'": ["baseline", "lora_final"],
    "checkpoint ilike 'LORA%'": ["lora_final"],
    "checkpoint = 'AND delta1 < '": [],
    "checkpoint <> 'it''s'": ["baseline", "c_1", "c_2", "lora_final"],
    "abs(abs_rel - 0.65) < 0.06": ["c_1", "c_2"],
    "(score > 0.34 or (fps > 2 and score < 0.3))": ["baseline", "c_2"],
    "score > 0.34 or fps > 2 and score < 0.3": ["baseline", "c_2"],
    "-score < -0.34": ["c_2"],
    "score - -1 > 1.34": ["c_2"],
    "not (score > 0.3)": ["baseline", "c_1"],
    "fps / delta1 > 2.3": ["baseline", "c_1"],  # c_2 divides by zero: not measured, not infinite
    "(delta1 - delta1) / (delta1 - delta1) > 0": [],
    "fps % (delta1 * 0) >= 0": [],
    "1 / abs(delta1 - 0.42) < 100": ["baseline", "c_2", "lora_final"],
    "round(abs_rel, 1) = 1.7": ["baseline"],
    "round(fps) = 2": ["baseline"],
    "least(fps, 1) = 1": ["baseline", "c_1", "lora_final"],
    "coalesce(abs_rel, 0) = 0": ["lora_final"],
    "length(checkpoint) = 3": ["c_1", "c_2"],
    "starts_with(checkpoint, 'c_')": ["c_1", "c_2"],
    '"depth.building.abs_rel" < 0.65': ["c_2"],
    '"my metric" >= 3': ["c_2", "lora_final"],
    '"q""t" < 0': ["lora_final"],
    "mixed.case > 3": ["lora_final"],
    "abs_rel != 0.7": ["baseline", "c_2"],
    "abs_rel <> 0.7": ["baseline", "c_2"],
    "abs_rel == 0.7": ["c_1"],
    "abs_rel < 1e-3": [],
    "fps > .95e0 and fps < 1.": [],
    "(score > 0.3) is true": ["c_2"],
    "(score > 0.3) is not true": ["baseline", "c_1"],
    "true": ["baseline", "c_1", "c_2", "lora_final"],
    "\n fps\t>=\n1 ": ["baseline", "c_1", "lora_final"],
    "score > 0.3 and null": [],
}


@pytest.mark.parametrize("text", KEPT)
def test_what_is_kept(text: str) -> None:
    expected = KEPT[text]
    kept, rejected = apply_where(TABLE, text)
    assert kept["checkpoint"].to_list() == expected
    assert rejected == TABLE.height - len(expected)
    assert kept.columns == TABLE.columns


UNKNOWN = {
    "fps >= 1 AND delta9 > 0.4": ("delta9", 14, "did you mean delta"),
    "depth.building.absrel < 0.7": ("depth.building.absrel", 1, "did you mean depth.building.abs_rel"),
    "score > 0.1 and (fps > 1 or ate < 2)": ("ate", 29, ""),  # an alias whose metric the run lacks
    "checkpoint = c_1": ("c_1", 14, ""),
    '"fpss" > 1': ("fpss", 1, "did you mean fps"),
    "abz(fps) > 1": ("abz", 1, "did you mean abs"),
    "pg_sleep(1) > 1": ("pg_sleep", 1, ""),
}


@pytest.mark.parametrize("text", UNKNOWN)
def test_unknown_names(text: str) -> None:
    name, column, remedy = UNKNOWN[text]
    with pytest.raises(UnknownNameError) as caught:
        parse_where(text, TABLE.columns)
    assert f"{name!r} in --where, column {column}" in str(caught.value)
    assert remedy in str(caught.value)


REFUSED = {
    "": "is empty",
    "   ": "is empty",
    "fps": "a value, not a condition",
    "fps + 1": "a value, not a condition",
    "null": "a value, not a condition",
    "'text'": "a value, not a condition",
    "1": "a value, not a condition",
    "select 1": "SELECT is not part of a condition",
    "SELECT * FROM self": "column 1: SELECT",
    "fps > 1; drop table x": "column 8: ';'",
    "fps > 1 -- comment": "comment in --where, column 9",
    "fps /* x */ > 1": "comment in --where, column 5",
    "fps > 1 order by fps": "column 9: AND, OR or a comparison is missing before 'order'",
    "fps > 1 as x": "column 9: AND, OR or a comparison is missing before 'as'",
    "fps > 1 score": "column 9: AND, OR or a comparison is missing before 'score'",
    "fps > 1_000": "column 8: AND, OR",
    "fps > 0x10": "column 8: AND, OR",
    "step in (select step from self)": "column 10: SELECT",
    "exists(select 1)": "column 1: one plain condition is wanted, without 'exists'",
    "case when fps > 1 then true end": "column 1: CASE",
    "cast(fps as int) > 1": "column 1: one plain condition is wanted, without 'cast'",
    "fps::int > 1": "column 4: ':'",
    "fps > :x": "column 7: ':'",
    "fps > ?": "column 7: '?'",
    "fps > $1": "column 7: '$'",
    "* > 1": "column 1: a metric or a value is missing before '*'",
    "max(fps) > 1": "column 1: max() looks at several checkpoints",
    "fps > AVG(fps)": "column 7: AVG() looks at several checkpoints",
    "row_number() over (order by fps) > 1": "row_number() looks at several checkpoints",
    "rank() > 1": "rank() looks at several checkpoints",
    "fps >": "ends after '>'",
    "fps > 1 and": "ends after 'and'",
    "fps not": "ends after 'not'",
    "fps is": "ends after 'is'",
    "fps is 1": "NULL, TRUE or FALSE must follow IS, not '1'",
    "fps not 1": "IN, BETWEEN or LIKE must follow NOT, not '1'",
    "fps in 1": "a list in parentheses must follow IN, not '1'",
    "fps in ()": "a metric or a value is missing before ')'",
    "fps in (1, )": "a metric or a value is missing before ')'",
    "checkpoint like fps": "LIKE needs a text in single quotes, not 'fps'",
    "(fps > 1": "column 1: '(' is never closed",
    "fps > 1)": "column 8: nothing was opened for ')'",
    "fps, 1": "column 4: AND, OR",
    "checkpoint = 'c_1": "column 14: the quote ' is never closed",
    '"fps > 1': 'column 1: the quote " is never closed',
    'checkpoint = "zzzz"': "put a text in single quotes",
    "fps > 1e999": "too large",
    "fps between 1": "cannot be read as a condition",
    "abs() > 1": "a metric or a value is missing before ')'",
    "abs(fps, 1) > 1": "cannot be read as a condition",
    "checkpoint > 1": "does not fit",
    "fps = 'x'": "does not fit",
    "fps and true": "does not fit",
    "0.5 < fps < 2": "column 11: comparisons are joined by AND, not by a second '<'",
    "abs(checkpoint) > 1": "does not fit",
    "(" * 40 + "fps > 1" + ")" * 40: "nested too deeply",
    " and ".join(["fps > 1"] * 100): "is too long",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(WhereError) as caught:
        parse_where(text, TABLE.columns)
    message = str(caught.value)
    assert REFUSED[text] in message
    assert "\n" not in message
    assert caught.value.exit_code == 2


def test_the_place_is_named() -> None:
    with pytest.raises(UnknownNameError, match="in the filter, column 3"):
        parse_where("  nothing > 1", TABLE.columns, place="the filter")


@pytest.mark.parametrize("name", ["*", "^fps$"])
def test_names_that_polars_would_expand_are_refused(name: str) -> None:
    table = pl.DataFrame({"checkpoint": ["c"], name: [1.0], "fps": [2.0]})
    with pytest.raises(WhereError, match="pattern"):
        apply_where(table, f'"{name}" > 0')


def test_the_longest_filter_is_still_quick_to_evaluate() -> None:
    text = " and ".join(["fps > 0.95"] * (MAX_TOKENS // 4))
    assert apply_where(TABLE, text)[0].height == 3


@given(value=st.floats(-1e6, 1e6), limit=st.floats(-1e6, 1e6))
def test_numbers_are_compared_as_they_were_written(value: float, limit: float) -> None:
    table = pl.DataFrame({"checkpoint": ["c"], "x": [value]})
    assert apply_where(table, f"x < {limit!r}")[0].height == (value < limit)
    assert apply_where(table, f"x = {value!r}")[0].height == 1
    assert apply_where(table, f"x in ({value!r}, {limit!r})")[0].height == 1


@given(st.text("abc.*^$\"' %_()[]é\\\n\x1b", min_size=1, max_size=8))
def test_a_quoted_name_is_that_column_or_refused(name: str) -> None:
    table = pl.DataFrame({"other": [1.0], name: [2.0]}) if name != "other" else pl.DataFrame({name: [2.0]})
    quoted = '"' + name.replace('"', '""') + '"'
    try:
        kept, _ = apply_where(table, f"{quoted} = 2")
    except WhereError:
        assert name == "*" or (name.startswith("^") and name.endswith("$"))
    else:
        assert kept.height == 1


@given(st.text(max_size=12))
def test_a_quoted_text_is_that_text(text: str) -> None:
    table = pl.DataFrame({"checkpoint": [text, text + "x"]})
    quoted = "'" + text.replace("'", "''") + "'"
    assert apply_where(table, f"checkpoint = {quoted}")[0].height == 1


WORDS = """
    and or not in between like ilike is null true false select from as case over exists interval date
    ( ( ) ) , ; -- /* = < > <= <> == + - * / % || :: : ? $1 @ # [ ] { } \\ . .. 1 0 2.5 .5 1e3 1e999 0x1 1_0
    'a' '' 'c%' '\\' ' " ` "fps" "" abs( round( coalesce( nullif( max( count( upper( x'1F' e'x' \x00 δ \u202e
"""
words = st.sampled_from([*TABLE.columns, *list(ALIASES)[:6], *WORDS.split()])


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.lists(words, max_size=12).map(" ".join), st.lists(words, max_size=8).map("".join), st.text(max_size=30)
    )
)
@example("1e0 like 'x'")
@example("0/0 > 1")
@example("NULL LIKE 'x'")
@example("coalesce(checkpoint, 1) = 1")
@example("greatest(true, false)")
@example("- - - 1 < 2")
def test_only_errors_with_a_sentence_come_out(text: str) -> None:
    try:
        kept, rejected = apply_where(TABLE, text)
    except (WhereError, UnknownNameError) as error:
        assert error.message
    else:
        assert kept.height + rejected == TABLE.height


def test_a_filtered_ranking_counts_what_it_rejects() -> None:
    analysis = run(
        {"baseline": {"depth.building.delta1": 0.1}, **{f"c_{i}": {"depth.building.delta1": i / 10} for i in range(5)}}
    )
    ranking = rank(analysis, objective="delta1", catalogue=CATALOGUE, where="delta1 >= 0.2 and step < 4")
    assert ranking.rows["checkpoint"].to_list() == ["c_3", "c_2"]
    assert (ranking.total, ranking.kept, ranking.rejected) == (5, 2, 3)
