"""What screens show of what was judged: bands, parts of the sample, the scale, and runs that are not comparable."""

from __future__ import annotations

from pathlib import Path

from support.judged import write_judged_run
from support.pilot import Started, settled, text_of
from test_app import lorascope, press, shows
from textual.pilot import Pilot

from tui.widgets.plot import PlotView


def drawn_bands(pilot: Pilot[None]) -> list[str]:
    """The names of the bands of the figure that is shown."""
    figure = pilot.app.screen.query_one(PlotView).figure
    return [series.band_name for panel in figure.panels for series in panel.series if series.band is not None]


async def test_b_leads_from_band_to_band_and_to_none(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        await press(pilot, "3")
        alpha, beta = ([f"95 % of the change, unpaired · {name}"] for name in ("alpha", "beta"))
        await settled(pilot, lambda: drawn_bands(pilot) == alpha)
        for wanted in (beta, [], alpha):
            await press(pilot, "b")
            await settled(pilot, lambda wanted=wanted: drawn_bands(pilot) == wanted)  # type: ignore[misc]
        assert lorascope(pilot).session.state.trend_band.endswith("alpha")


async def test_trends_warn_of_runs_on_different_samples(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        await press(pilot, "3")
        await shows(pilot, "different samples: read changes, not values")


async def test_one_run_needs_no_warning(started: Started, example: Path) -> None:
    async with started(example / "alpha") as pilot:
        await press(pilot, "3")
        await settled(pilot, lambda: bool(drawn_bands(pilot)))
        assert "different samples" not in text_of(pilot)


async def test_compare_marks_and_names_the_parts_that_are_lost(started: Started, tmp_path: Path) -> None:
    async with started(write_judged_run(tmp_path / "judged")) as pilot:
        await press(pilot, "2", "down", "down")
        await shows(pilot, "! worse in drive 0005, region full")
        assert "▲!" in text_of(pilot)


async def test_pick_names_what_the_checkpoint_under_the_cursor_loses(started: Started, tmp_path: Path) -> None:
    async with started(write_judged_run(tmp_path / "judged")) as pilot:
        await press(pilot, "4")
        await shows(pilot, "! checkpoint_1: worse in drive 0005 (-5.1 %)")
        await press(pilot, "down")
        await settled(pilot, lambda: "worse in drive" not in text_of(pilot))


async def test_the_page_of_slices_has_verdicts(started: Started, tmp_path: Path) -> None:
    async with started(write_judged_run(tmp_path / "judged")) as pilot:
        session = lorascope(pilot).session
        session.state.checkpoint, session.state.checkpoint_metric = "checkpoint_1", "depth.building.abs_rel"
        session.state.checkpoint_page = "slices"
        await press(pilot, "5")
        await shows(pilot, "but worse in drive 0005 (+17.")
        assert "▼!" in next(line for line in text_of(pilot).splitlines() if line.split()[:1] == ["0005"])


async def test_values_that_may_not_be_compared_wait_for_an_override(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        session = lorascope(pilot).session
        session.state.view = "absolute"
        await press(pilot, "2")
        await shows(pilot, "different samples: changes are shown, not values (for those: A)")
        assert "Δ%" in text_of(pilot)
        await press(pilot, "A")
        await shows(pilot, "compared anyway, though not comparable: different samples")
        assert "Δ%" not in text_of(pilot)
        # It was for these runs: with another block of one of them it holds, with one run alone there is nothing to say.
        await press(pilot, "v")
        await shows(pilot, "compared anyway")
        await press(pilot, "right", "right", "right", "right", "x")
        await settled(pilot, lambda: "compared anyway" not in text_of(pilot))
        await press(pilot, "R")
        await shows(pilot, "different samples: read changes, not values")


async def test_the_runs_that_are_compared_are_guarded_on_runs_too(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        await shows(pilot, "different samples: read changes, not values")
        await press(pilot, "space")
        await settled(pilot, lambda: "different samples" not in text_of(pilot))


async def test_the_view_of_the_scale_and_why_a_metric_says_nothing(started: Started, tmp_path: Path) -> None:
    async with started(write_judged_run(tmp_path / "judged")) as pilot:
        await press(pilot, "2")
        await shows(pilot, "≈?")
        await press(pilot, "v", "v")
        await shows(pilot, "Δ pt")
        assert "63.3" in text_of(pilot)
        await press(pilot, *["down"] * 7)
        await shows(pilot, "? within noise of chance: it carries no information")
        await press(pilot, "5")
        await shows(pilot, "scale %")
        assert "69.6" in text_of(pilot)


async def test_an_imported_run_says_which_metrics_say_nothing(started: Started, example: Path) -> None:
    async with started(example / "alpha") as pilot:
        await press(pilot, "2", "slash", *"normals", "enter", "down", "down")
        await shows(pilot, "? near chance by construction in compat")
        await press(pilot, "v", "v")
        await settled(pilot, lambda: "Δ pt" not in text_of(pilot))
        session = lorascope(pilot).session
        session.state.checkpoint_metric = "normals.building.angular_mean"
        await press(pilot, "5")
        await settled(pilot, lambda: "? compat: normals are differences" in text_of(pilot))
        assert "scale %" not in text_of(pilot)
