"""Costs as tables: for the terminal, for programs, and for a report; and what is to be said about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from engine.analysis.costs import MergeEffect, merge_effect
from engine.catalogue import Catalogue
from engine.i18n import gettext as _
from engine.i18n import listing, pgettext
from engine.schema import COST, CostInfo
from engine.text import counted
from tui.cli.cells import Cell, Column
from tui.cli.evaluate_display import failed_checkpoint
from tui.cli.gather import some
from tui.cli.output import FlatTable
from tui.format import MISSING, metric_number, number

if TYPE_CHECKING:
    from tui.cli.screen import Screen

_MS = 1000.0
# Where the slowest passes take so many times the median, something else was at work.
_UNSTEADY = 1.5
# MB; a process' own CUDA context takes about half of it.
_OTHERS = 1000.0
_LEAST_REPEATS = 6  # below it, a median has no 95 % interval
_FIGURES = ("fps", "latency_sec", "latency_p95_sec", "vram_mb")


@dataclass(frozen=True)
class Costs:
    """The costs of a run.

    Attributes:
        run: its name.
        path: its folder.
        info: how they were measured; ``None`` for figures from elsewhere.
        table: frame of schema :data:`engine.schema.MEASURED_COST`.
        names: the models in the run's order.
        missing: those of them that are not measured, or not both ways.
        failed: checkpoint -> why it could not be measured just now.
    """

    run: str
    path: Path
    info: CostInfo | None
    table: pl.DataFrame
    names: Sequence[str]
    missing: Sequence[str]
    failed: Mapping[str, str]

    @property
    def rows(self) -> dict[tuple[str, bool], dict[str, Any]]:
        """The figures by (name, merged); of two for the same, the first counts."""
        found: dict[tuple[str, bool], dict[str, Any]] = {}
        for row in self.table.drop_nulls(["checkpoint", "merged"]).iter_rows(named=True):
            found.setdefault((row["checkpoint"], row["merged"]), row)
        return found

    @property
    def effect(self) -> MergeEffect | None:
        """What merging does to the speed."""
        return merge_effect(self.table)


def circumstances(info: CostInfo | None) -> str:
    """On what, in what and how often was measured, in a line."""
    if info is None:
        return _("not measured by lorascope cost: how is not recorded")
    threads = [counted(info.threads, "thread")] if info.threads else []
    device = listing([f"CPU: {info.device}", *threads]) if info.kind == "cpu" else str(info.device)
    parts = [
        device,
        info.dtype,
        _("{count} frames of {width}x{height} ({images})").format(
            count=info.frames, width=info.image_width, height=info.image_height, images=info.images
        ),
        _("{count} repetitions after {warmup} to warm up").format(count=info.repeats, warmup=info.warmup),
        listing(f"{name} {version}" for name, version in info.libraries.items()),
    ]
    return "  ·  ".join(part for part in parts if part)


def remarks(costs: Costs) -> list[str]:
    """What has to be known to read the figures, in sentences."""
    info = costs.info
    said = [merging(costs)] if any(merged for _name, merged in costs.rows) else []
    if info is not None and info.vram_note:
        said.append(_("memory is not measured: {reason}").format(reason=info.vram_note))
    ratios = costs.table.filter(pl.col("latency_sec") > 0).select(pl.col("latency_p95_sec") / pl.col("latency_sec"))
    worst = max((ratio for (ratio,) in ratios.iter_rows() if ratio is not None), default=0.0)
    if worst > _UNSTEADY:
        text = _(
            "the repetitions vary: p95 is up to {ratio} times the median, as where something else uses the "
            "device; measure on a quiet machine with --again"
        )
        said.append(text.format(ratio=f"{worst:.1f}"))
    if info is not None and (info.others_mb or 0.0) > _OTHERS:
        text = _("{size} MB of the device were taken when measuring began: it was not alone there")
        said.append(text.format(size=f"{info.others_mb:.0f}"))
    if costs.missing:
        said.append(_("not measured, or not both ways: {names}").format(names=some(costs.missing)))
    return said


def failures(costs: Costs) -> list[str]:
    """What could not be measured just now, and why, in sentences."""
    return [_("failed: {what}").format(what=failed_checkpoint(name, why)) for name, why in costs.failed.items()]


def merging(costs: Costs) -> str:
    """What merging does to the speed, as far as the spread of the repetitions lets one say."""
    effect = costs.effect
    if effect is None:
        text = _("whether merging changes the speed cannot be told from fewer than {count} repetitions")
        return text.format(count=_LEAST_REPEATS)
    of = counted(effect.checkpoints, "checkpoint")
    if not effect.faster and not effect.slower:
        text = _("merged and unmerged differ by no more than the spread of the repetitions in any of {checkpoints}")
        return text.format(checkpoints=of)
    ways = [_("faster in {count}").format(count=effect.faster)] if effect.faster else []
    ways += [_("slower in {count}").format(count=effect.slower)] if effect.slower else []
    text = _(
        "merged is {ways} of {checkpoints} by more than the spread of the repetitions; over all, it is "
        "{ratio} times as fast as unmerged"
    )
    if effect.ratio < 1:
        text = _(
            "merged is {ways} of {checkpoints} by more than the spread of the repetitions; over all, it is "
            "{ratio} times as slow as unmerged"
        )
    ratio = effect.ratio if effect.ratio >= 1 else 1 / effect.ratio
    both = pgettext("between things that go together", " and ").join(ways)
    return text.format(ways=both, checkpoints=of, ratio=f"{ratio:.2f}")


def draw(screen: Screen, costs: Costs) -> None:
    """How it was measured, the table, and what has to be known about it."""
    screen.outside(costs.run, "bold")
    screen.outside(screen.words(circumstances(costs.info)), "dim")
    screen.table(_columns(costs), [_row(costs, name) for name in costs.names if _measured(costs, name)])
    for remark in remarks(costs):
        screen.paragraph(screen.words(remark))
    for failure in failures(costs):
        screen.paragraph(screen.words(failure))


def _columns(costs: Costs) -> list[Column]:
    columns = [Column(_("checkpoint"), outside=True, least=12)]
    for state in _states(costs):
        columns += [
            Column("FPS", "right", group=(merged_word(state),)),
            Column("p50 ms", "right"),
            Column("p95 ms", "right", rank=4 if state else 3),
            *([Column(_heading("vram_mb"), "right", rank=1 if state else 0)] if _has_memory(costs) else []),
        ]
    return [
        *columns,
        Column(_heading("adapter_mb"), "right", group=("",)),
        Column(_heading("trainable_params"), "right", rank=2),
    ]


def _heading(figure: str) -> str:
    return Catalogue().get(f"performance.{figure}").heading


def _row(costs: Costs, name: str) -> list[Cell | str]:
    rows = costs.rows
    cells: list[Cell | str] = [name]
    for state in _states(costs):
        row = rows.get((name, state), {})
        cells += [
            _figure(row, "fps"),
            number(_ms(row.get("latency_sec")), 1),
            number(_ms(row.get("latency_p95_sec")), 1),
            *([_figure(row, "vram_mb")] if _has_memory(costs) else []),
        ]
    either = rows.get((name, False)) or rows.get((name, True)) or {}
    return [*cells, number(either.get("adapter_mb"), 2), _count(either.get("trainable_params"))]


def full_table(costs: Costs) -> FlatTable:
    """A row per model and state, every figure in full, with what it was measured on."""
    info = costs.info or CostInfo()
    settings = {
        "device": info.device,
        "kind": info.kind,
        "dtype": info.dtype,
        "image_width": info.image_width,
        "image_height": info.image_height,
        "frames": info.frames,
        "warmup": info.warmup,
        "repeats": info.repeats,
    }
    types = {name: pl.String if name in ("device", "kind", "dtype") else pl.Int64 for name in settings}
    return FlatTable(
        costs.table.select(
            pl.lit(costs.run).alias("run"),
            *COST.names(),
            *(pl.lit(value, types[name]).alias(name) for name, value in settings.items()),
        )
    )


def report_table(costs: Costs) -> FlatTable:
    """A row per model, unmerged beside merged, rounded."""
    names = [name for name in costs.names if _measured(costs, name)]
    rows = costs.rows
    columns = [pl.Series("checkpoint", names, pl.String)]
    headers: dict[str, str] = {}
    digits: dict[str, int] = {}
    catalogue = Catalogue()
    for state in _states(costs):
        for figure in _FIGURES:
            if figure == "vram_mb" and not _has_memory(costs):
                continue
            key = f"{figure}.{merged_word(state)}"
            metric = catalogue.get(f"performance.{figure}")
            values = [rows.get((name, state), {}).get(figure) for name in names]
            columns.append(pl.Series(key, values, pl.Float64))
            headers[key], digits[key] = f"{metric.title}, {merged_word(state)}", metric.digits
    for figure in ("adapter_mb", "trainable_params"):
        either = [rows.get((name, False)) or rows.get((name, True)) or {} for name in names]
        columns.append(pl.Series(figure, [row.get(figure) for row in either], COST[figure]))
        headers[figure] = catalogue.get(f"performance.{figure}").title
    digits["adapter_mb"] = 2
    return FlatTable(pl.DataFrame(columns), headers=headers, digits=digits)


def document(costs: Costs) -> dict[str, Any]:
    """The JSON document."""
    effect = costs.effect
    return {
        "run": costs.run,
        "path": str(costs.path),
        "measured": costs.info.model_dump(mode="json") if costs.info else None,
        "rows": list(costs.rows.values()),
        "merging": {
            "checkpoints": effect.checkpoints,
            "faster": effect.faster,
            "slower": effect.slower,
            "ratio": effect.ratio,
        }
        if effect
        else None,
        "missing": list(costs.missing),
        "failed": [{"checkpoint": name, "why": why} for name, why in costs.failed.items()],
        "notes": remarks(costs),
    }


def _states(costs: Costs) -> list[bool]:
    return sorted({merged for _name, merged in costs.rows})


def merged_word(merged: bool) -> str:
    """How a model was measured, in a word."""
    return _("merged") if merged else _("unmerged")


def _measured(costs: Costs, name: str) -> bool:
    return any((name, state) in costs.rows for state in (False, True))


def _has_memory(costs: Costs) -> bool:
    return costs.table["vram_mb"].count() > 0


def _figure(row: Mapping[str, Any], name: str) -> str:
    return metric_number(row.get(name), Catalogue().get(f"performance.{name}"))


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * _MS


def _count(value: int | None) -> str:
    return MISSING if value is None else f"{value:,}"
