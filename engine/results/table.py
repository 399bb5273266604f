"""Reads any table with one row per checkpoint: CSV or Parquet, metrics as columns."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from engine.i18n import gettext as _
from engine.i18n import mark
from engine.results.columns import SummaryBuilder
from engine.results.grid import Grid, place_shown, read_grid
from engine.results.layout import NAME_COLUMNS, STEP_COLUMNS
from engine.results.names import step_of, storable, unique_name
from engine.results.problems import ProblemLog, shown, some
from engine.results.reading import Entry, Reading, imported
from engine.results.sniff import is_known_metric, metric_and_statistic

MAX_REPEATS = 100  # rows of one checkpoint beyond which a table does not have one row per checkpoint
_HEADER = mark("header")
_INDEX_HEADERS = frozenset({"", "index", "unnamed: 0"})  # an index column as other programs write it


def read_table(path: Path, name: str, log: ProblemLog) -> Reading:
    """Read a single table as a run. Problems go to ``log``; nothing is raised for what the file holds."""
    builder = SummaryBuilder(log)
    entries = add_table(path, storable(path.name), builder, log)
    return Reading(imported(name), entries, builder.frame())


def add_table(path: Path, file: str, builder: SummaryBuilder, log: ProblemLog, *, fill: bool = False) -> list[Entry]:
    """Add a table's numbers to ``builder``.

    The first of ``NAME_COLUMNS`` that the header has names the checkpoints (any case), else a first column of text.
    The others of them are no metrics; ``step`` or ``epoch`` beside a name tells the step. Every other column is a
    metric, ``<metric>.mean`` or the bare key, ``<metric>.std`` and so on being the rest of its distribution.

    Args:
        path: the file.
        file: its name in messages.
        builder: where the numbers go.
        log: where problems are reported.
        fill: only complete what the builder lacks.

    Returns:
        The checkpoints in the table's order; a repeated name gets a number (``checkpoint_5 #2``).
    """
    grid = read_grid(path, file, log)
    if grid is None:
        return []
    names = _name_column(grid, file, log)
    if names is None:
        return []
    entries = _entries(grid, names, file, log)
    columns = _metric_columns(grid, names, file, log)
    for row, entry in enumerate(entries):
        values: dict[str, dict[str, object]] = {}
        for metric, statistic, cells in columns:
            values.setdefault(metric, {})[statistic] = cells[row]
        place = f"{place_shown(grid.places[row])}, {entry.name}"
        for metric, statistics in values.items():
            builder.add(entry.name, metric, statistics, file, place, fill=fill)
    return entries


def _name_column(grid: Grid, file: str, log: ProblemLog) -> int | None:
    lowered = [column.lower() for column in grid.columns]
    known = next((lowered.index(name) for name in NAME_COLUMNS if name in lowered), None)
    if known is not None:
        return known
    if lowered[0] in _INDEX_HEADERS:
        return 0
    if any(isinstance(cell, str) for cell in grid.numbers(0)) and not is_known_metric(
        metric_and_statistic(grid.columns[0], grid.columns)[0]
    ):
        said = _("no column 'checkpoint': the first one, {column}, names the checkpoints")
        log.warning(file, said.format(column=shown(grid.columns[0])))
        return 0
    log.error(file, mark("no column names the checkpoints"), remedy=mark("call it 'checkpoint'"))
    return None


def _entries(grid: Grid, names: int, file: str, log: ProblemLog) -> list[Entry]:
    lowered = [column.lower() for column in grid.columns]
    steps = next((lowered.index(name) for name in STEP_COLUMNS if name in lowered), None)
    step_cells = grid.numbers(steps) if steps is not None else [None] * len(grid.rows)
    raw = [_text(row[names]) for row in grid.rows]
    repeats = Counter(name for name in raw if name.strip())
    if repeats and repeats.most_common(1)[0][1] > MAX_REPEATS:
        name, count = repeats.most_common(1)[0]
        said = _("{count} rows for {checkpoint}: not a table with one row per checkpoint")
        log.error(file, said.format(count=count, checkpoint=shown(name)))
        return []
    taken: set[str] = set()
    entries = []
    for name, cell, place in zip(raw, step_cells, grid.places, strict=True):
        if not name.strip():
            log.warning(
                file, mark("a row without a checkpoint's name is called after its place"), place=place_shown(place)
            )
        unique = unique_name(name if name.strip() else place, taken)
        step = _step(cell)
        entries.append(Entry(unique, step if step is not None else step_of(name)))
    repeated = [name for name, count in repeats.items() if count > 1]
    if repeated:
        said = _("more than one row for {names}: all are kept, the later ones as '#2' and so on")
        log.warning(file, said.format(names=some(map(shown, repeated))), remedy=mark("check which one is meant"))
    return entries


def _metric_columns(grid: Grid, names: int, file: str, log: ProblemLog) -> list[tuple[str, str, list[object]]]:
    """(metric, statistic, cells) of every column that holds a metric."""
    columns: list[tuple[str, str, list[object]]] = []
    seen: set[tuple[str, str]] = set()
    repeated: list[str] = []
    texts: list[str] = []
    unnamed = 0
    for index, column in enumerate(grid.columns):
        if index == names or column.lower() in NAME_COLUMNS:
            continue
        cells = grid.numbers(index)
        present = [cell for cell in cells if cell is not None]
        if not column:
            unnamed += bool(present)
            continue
        metric, statistic = metric_and_statistic(storable(column), grid.columns)
        if (metric, statistic) in seen:
            repeated.append(column)
        elif present and not is_known_metric(metric) and all(not _is_number(cell) for cell in present):
            texts.append(column)
        else:
            columns.append((metric, statistic, cells))
        seen.add((metric, statistic))
    if repeated:
        said = _("more than one column {names}: the first counts")
        log.warning(file, said.format(names=some(map(shown, repeated))), place=_HEADER)
    if texts:
        log.warning(file, _("no numbers in {names}: left out").format(names=some(map(shown, texts))), place=_HEADER)
    if unnamed:
        said = _("{count} columns without a name: left out").format(count=unnamed)
        log.warning(file, said, place=_HEADER, remedy=mark("name them"))
    if not columns:
        log.error(file, mark("no column holds a metric"), place=_HEADER)
    return columns


def _is_number(cell: object) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return storable(str(cell))


def _step(cell: object) -> int | None:
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return None
    if not 0 <= cell < 2**63 or (isinstance(cell, float) and not cell.is_integer()):  # also false for NaN
        return None
    return int(cell)
