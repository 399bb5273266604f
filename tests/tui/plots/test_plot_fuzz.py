"""plotext ends the process on bad numbers: so whatever comes in, a process of its own must survive it."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import math, random
from tui.plots.palette import DARK
from tui.plots.render import render
from tui.plots.spec import HLine, Marker, PlotSpec, Series, VLine

random.seed(7)
ODD = [math.nan, math.inf, -math.inf, 1e300, -1e300, 1e-300, 5e-324, 0.0, -0.0, None]
ODD += [1.0, 1e100, 1.0000001e100, 1e6, 1.7e308]

def value():
    return random.choice(ODD) if random.random() < 0.5 else random.uniform(-1, 1) * 10 ** random.randint(-12, 12)

def position():
    v = value()
    return 0.0 if v is None else v

def series(n):
    return Series("s", tuple(position() for _ in range(n)), tuple(value() for _ in range(n)),
                  style=random.choice(["line", "dashed", "scatter"]),
                  band=(tuple(value() for _ in range(n)), tuple(value() for _ in range(n))))

many = tuple(map(float, range(10_000)))
noise = tuple(random.random() for _ in many)
specs = [
    PlotSpec("long", series=(Series("s", many, tuple(map(math.sin, many))),)),
    PlotSpec("unsorted", series=(Series("s", noise, tuple(random.random() for _ in many)),)),
    PlotSpec("same", series=(Series("s", (1.0,) * 100, (2.0,) * 100),), x_is_integer=True),
    PlotSpec("spike", series=(Series("s", many[:100], (0.5,) * 50 + (1e15,) + (0.6,) * 49),)),
    PlotSpec("wide x", series=(Series("s", (0.0, 1e99), (0.0, 1.0)),), x_is_integer=True),
]
for n in (0, 1, 2, 3, 10, 50) * 8:
    specs.append(PlotSpec("odd", series=tuple(series(n) for _ in range(3)), hlines=(HLine(position(), "h"),),
                          vlines=(VLine(position(), "v"),), markers=(Marker(position(), position(), "m"),),
                          x_is_integer=random.random() < 0.5, y_limits=random.choice([None, (position(), position())]),
                          y_names=random.choice([(), ("a", "b")])))
for spec in specs:
    for width, height in ((80, 20), (21, 5), (120, 36)):
        for plain in (False, True):
            text = render(spec, width, height, DARK, plain=plain)
            assert len(text.split("\\n")) == height
            assert "nan" not in text and "inf" not in text
print("survived", len(specs))
"""


def test_no_number_kills_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("survived")


def test_describing_a_plot_imports_no_library_of_plots_or_tables() -> None:
    program = (
        "import sys, tui.plots.spec, tui.plots.presets, tui.plots.sparkline, tui.plots.signs, tui.plots.readout,"
        " tui.plots.pareto, tui.plots.render, tui.widgets.plot\n"
        "print([name for name in ('plotext', 'polars', 'numpy', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
