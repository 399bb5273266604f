"""Draws the pictures of the README with the real app: one SVG of every screen, 120 x 40 characters.

::

    python docs/make_screenshots.py [PATH...] [--to docs] [--screen NAME...]

Without a path it shows the samples. ``screenshot.svg`` is Compare, the others are named after their screen.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

SIZE = (120, 40)
KEYS = {"runs": "1", "compare": "2", "trends": "3", "pick": "4", "checkpoint": "5"}
MAIN = "compare"
LIMIT_SECONDS = 60.0


async def draw(paths: Sequence[Path], screens: Sequence[str], folder: Path, theme: str | None) -> list[Path]:
    """Open the app on ``paths`` and save a picture of each of ``screens`` to ``folder``.

    Raises:
        TimeoutError: the runs were not read, or a screen did not come to rest, within a minute.
    """
    from tui.app import LorascopeApp

    app = LorascopeApp(paths, theme=theme)
    written = []
    async with asyncio.timeout(LIMIT_SECONDS), app.run_test(size=SIZE) as pilot:
        while app.session.discovering or len(app.session.overviews) < len(app.session.refs):
            await pilot.pause(0.05)
        for screen in screens:
            await pilot.press(KEYS[screen])
            picture = ""
            # A screen that still reads or draws in a thread looks different a moment later.
            while picture != (picture := app.export_screenshot(title="lorascope")):
                await pilot.pause(0.5)
            path = folder / ("screenshot.svg" if screen == MAIN else f"{screen}.svg")
            path.write_text(picture, "utf-8")
            written.append(path)
    return written


def main() -> None:
    """Read the command line, draw, name the files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("path", nargs="*", type=Path, help="runs to show (default: the samples)")
    parser.add_argument("--to", type=Path, default=Path(__file__).parent, help="folder (default: docs)")
    parser.add_argument("--screen", nargs="+", choices=tuple(KEYS), default=tuple(KEYS))
    parser.add_argument("--theme", default=None)
    options = parser.parse_args()
    for name in ("NO_COLOR", "LORASCOPE_PLAIN", "LORASCOPE_THEME"):
        os.environ.pop(name, None)
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    options.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state:  # no saved view of the person who draws, and none left behind
        os.environ["XDG_STATE_HOME"] = state
        import sample_results

        paths = options.path or [Path(sample_results.__file__).parent]
        for path in asyncio.run(draw(paths, options.screen, options.to, options.theme)):
            print(path)


if __name__ == "__main__":
    main()
