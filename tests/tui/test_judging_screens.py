"""What screens show of what was judged: bands, parts of the sample, the scale, and runs that are not comparable."""

from __future__ import annotations

from pathlib import Path

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
