"""Which views of a comparison are allowed, and what is said of runs that may not be compared."""

from __future__ import annotations

from dataclasses import replace

from engine.analysis.comparison import Cell, Column, Comparison, OnScale
from engine.catalogue import Catalogue
from tui.guarding import allowed_views, guard_words, next_view, shown_view

KEY = "depth.building.abs_rel"


def comparison(*, comparable: bool, scaled: bool = True) -> Comparison:
    scale = OnScale(0.8, 0.0, 40.0, 60.0, (50.0, 70.0), "informative") if scaled else None
    cell = Cell(KEY, 0.5, 0.3, -0.2, -40.0, None, None, None, None, 10, scale=scale)
    column = Column("r", "r", "v1", "evaluated", 1, "baseline", "c", cell, {KEY: cell})
    reasons = () if comparable else ("different samples",)
    headline = "" if comparable else "different samples: read changes, not values"
    metrics = (Catalogue().get(KEY),)
    return Comparison("score", metrics, (column, column), comparable, headline, (), reasons)


def test_values_of_comparable_runs_are_shown_in_every_view() -> None:
    found = comparison(comparable=True)
    assert allowed_views(found, anyway=False) == ("percent", "delta", "scale", "absolute")
    assert guard_words(found, "absolute", anyway=False, remedy="A") == ""


def test_values_of_others_wait_for_an_override() -> None:
    found = comparison(comparable=False)
    assert allowed_views(found, anyway=False) == ("percent", "delta")
    assert shown_view(found, "absolute", anyway=False) == "percent"
    assert guard_words(found, "absolute", anyway=False, remedy="A") == (
        "different samples: changes are shown, not values (for those: A)"
    )
    assert guard_words(found, "delta", anyway=False, remedy="A") == "different samples: read changes, not values"


def test_an_override_is_said() -> None:
    found = comparison(comparable=False)
    assert shown_view(found, "absolute", anyway=True) == "absolute"
    for view in allowed_views(found, anyway=True):
        assert guard_words(found, view, anyway=True, remedy="A") == (
            "compared anyway, though not comparable: different samples"
        )


def test_without_chance_and_oracle_there_is_no_scale() -> None:
    found = comparison(comparable=True, scaled=False)
    assert shown_view(found, "scale", anyway=False) == "percent"
    views = ["percent"]
    for _ in range(3):
        views.append(next_view(found, views[-1], anyway=False))  # type: ignore[arg-type]
    assert views == ["percent", "delta", "absolute", "percent"]
    assert next_view(replace(found, comparable=False), "absolute", anyway=False) == "percent"
