"""Reads a legacy run: a folder of ``<checkpoint>_metrics.json`` files and/or ``metrics_overall.csv``, in place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from engine.i18n import gettext as _
from engine.i18n import listing, mark
from engine.results.columns import SummaryBuilder
from engine.results.folders import list_folder
from engine.results.layout import LEGACY_JSON_ENDING, LEGACY_TABLE, STATISTICS
from engine.results.names import natural_key, step_of, storable
from engine.results.problems import ProblemLog, shown, some
from engine.results.reading import Entry, Reading, imported, read_bytes, why_unreadable
from engine.results.table import add_table

_LONGEST_INTEGER = 18  # digits; longer ones are floats, as Python refuses to read the longest
_STATISTICS = frozenset(STATISTICS)


def read_legacy(folder: Path, name: str, log: ProblemLog) -> Reading:
    """Read a legacy run. JSON wins over CSV, either alone is enough, and what JSON lacks CSV fills.

    Args:
        folder: the run's folder; nothing is written to it.
        name: what the run is called.
        log: where problems are reported; nothing is raised for what files hold.
    """
    try:
        listing = list_folder(folder)
    except OSError as error:
        log.error(name, why_unreadable(error))
        return Reading(imported(name))
    builder = SummaryBuilder(log)
    entries: dict[str, Entry] = {}
    for file in sorted((name for name in listing.files if name.endswith(LEGACY_JSON_ENDING)), key=natural_key):
        entry = _add_json(folder / file, builder, log)
        entries[entry.name] = entry
    if LEGACY_TABLE in listing.files:
        for entry in add_table(folder / LEGACY_TABLE, LEGACY_TABLE, builder, log, fill=True):
            entries.setdefault(entry.name, entry)
    if not entries and not listing.files & {LEGACY_TABLE}:
        said = _("no {files} and no {table} in the folder")
        log.error(name, said.format(files=f"*{LEGACY_JSON_ENDING}", table=LEGACY_TABLE))
    return Reading(imported(name), list(entries.values()), builder.frame())


def _add_json(path: Path, builder: SummaryBuilder, log: ProblemLog) -> Entry:
    file = storable(path.name)
    checkpoint = file.removesuffix(LEGACY_JSON_ENDING) or file
    data = read_bytes(path, file, log)
    problem = f"{file} could not be read" if data is None else _add_metrics(data, checkpoint, file, builder, log)
    return Entry(checkpoint, step_of(checkpoint), problem=problem)


def _add_metrics(data: bytes, checkpoint: str, file: str, builder: SummaryBuilder, log: ProblemLog) -> str | None:
    """Add what one file says; returns why it could not be read, if so."""
    repeated: list[str] = []

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) < len(pairs):
            repeated.extend(key for key, count in Counter(key for key, _value in pairs).items() if count > 1)
        return result

    try:
        content = json.loads(data, parse_int=_integer, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        place = _("line {line}, column {column}").format(line=error.lineno, column=error.colno)
        return _broken(_("not valid JSON: {reason}").format(reason=error.msg), file, log, place)
    except UnicodeDecodeError as error:
        return _broken(_("not UTF-8 text"), file, log, _("byte {place}").format(place=error.start))
    except RecursionError:
        return _broken(_("not a file of metrics: nested too deeply"), file, log)
    if not isinstance(content, dict):
        said = _("an object with metrics was expected, not {found}")
        return _broken(said.format(found=shown(content)), file, log)
    if repeated:
        said = _("given more than once: {names}; the last one counts")
        log.warning(file, said.format(names=some(map(shown, repeated))))
    for key, value in content.items():
        if not key:
            log.wrong_value(file, "", "''", _("a metric without a name"))
            continue
        values, reason = _statistics(value)
        metric = storable(key if isinstance(value, Mapping) else key.removesuffix(".mean"))
        if reason:
            log.wrong_value(file, "", metric, reason)
        builder.add(checkpoint, metric, values, file)
    return None


def _broken(message: str, file: str, log: ProblemLog, place: str = "") -> str:
    log.error(file, message, place=place, remedy=mark("write it again, or remove it"))
    return f"{file}: {message}"


def _statistics(value: object) -> tuple[Mapping[str, object], str]:
    """The statistics that a metric's value holds (a bare number is its mean), or why there are none."""
    if isinstance(value, dict):
        if value and _STATISTICS.isdisjoint(value):
            return {}, _("none of {names} in it").format(names=listing(STATISTICS))
        return value, ""
    return {"mean": value}, ""


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= _LONGEST_INTEGER else float(text)
