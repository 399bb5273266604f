"""The tables of a model card: metrics with their change, and costs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from engine.catalogue import Group
from engine.export.card_facts import CardFacts
from engine.export.escape import markdown_text

_BETTER = {"higher": "↑", "lower": "↓"}
_COST_COLUMNS = {
    "fps": "frames/s",
    "latency_sec": "latency p50 (s)",
    "latency_p95_sec": "latency p95 (s)",
    "vram_mb": "peak memory (MB)",
    "adapter_mb": "adapter (MB)",
    "trainable_params": "trained parameters",
}


def metric_table(facts: CardFacts) -> Iterator[str]:
    """Lines of Markdown: every metric of the baseline and of the checkpoint, with the change.

    A column of intervals or verdicts is there where the selection has any.
    """
    metrics = [metric for metric in facts.selection.metrics if not _is_cost(metric)]
    if not any(_number(metric["value"]) is not None for metric in metrics):
        yield "No metric of this checkpoint is recorded."
        return
    baseline = facts.selection.baseline
    head = ["metric", "better", f"baseline ({markdown_text(baseline)})" if baseline else "baseline", "this", "change"]
    intervals = any(_interval(metric) for metric in metrics)
    verdicts = any(metric.get("verdict") for metric in metrics) and intervals
    head += ["95 % interval of the change"] if intervals else []
    head += ["verdict"] if verdicts else []
    rows = []
    for metric in metrics:
        row = [
            _named(str(metric["key"]), metric),
            _BETTER.get(str(metric["direction"]), ""),
            _shown(metric["baseline"]),
            _shown(metric["value"]),
            _change(metric),
        ]
        row += [_interval(metric)] if intervals else []
        row += [markdown_text(str(metric.get("verdict") or ""))] if verdicts else []
        rows.append(row)
    yield from _table(head, rows, numbers=range(2, 5))
    yield ""
    yield "↑ more is better, ↓ less is better; the change is against the baseline."
    if verdicts:
        yield (
            "Intervals hold for all checkpoints of the run at once, as this one was chosen among them; better and "
            "worse are told from chance, tied means that no difference is shown."
        )
    if verdicts and facts.selection.basis:
        yield f"Verdicts: {markdown_text(facts.selection.basis)}."


def cost_table(facts: CardFacts) -> Iterator[str]:
    """Lines of Markdown: what the baseline and the checkpoint cost; none where nothing is known of it."""
    selection = facts.selection
    if selection.costs:
        used = [key for key in _COST_COLUMNS if any(_number(row.get(key)) is not None for row in selection.costs)]
        rows = [
            [
                "baseline" if row["checkpoint"] == selection.baseline else ("merged" if row["merged"] else "unmerged"),
                *(_shown(row.get(key)) for key in used),
            ]
            for row in sorted(selection.costs, key=lambda row: (row["checkpoint"] != selection.baseline, row["merged"]))
        ]
        yield from _table(["", *(_COST_COLUMNS[key] for key in used)], rows, numbers=range(1, len(used) + 1))
        return
    imported = [metric for metric in selection.metrics if _is_cost(metric) and _number(metric["value"]) is not None]
    if imported:
        rows = [
            [_named(str(metric["label"]), metric), _shown(metric["baseline"]), _shown(metric["value"])]
            for metric in imported
        ]
        yield from _table(["", "baseline", "this"], rows, numbers=range(1, 3))


def _named(name: str, metric: Mapping[str, object]) -> str:
    """A metric's name with its unit."""
    return markdown_text(f"{name} ({metric['unit']})" if metric["unit"] else name)


def _is_cost(metric: Mapping[str, object]) -> bool:
    return str(metric["key"]).startswith(f"{Group.PERFORMANCE}.")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: range) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join(' ---: ' if index in numbers else ' --- ' for index in range(len(head)))}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _change(metric: Mapping[str, object]) -> str:
    percent, delta = _number(metric["delta_pct"]), _number(metric["delta"])
    if percent is not None:
        return f"{percent:+.1f} %"
    return "" if delta is None else f"{delta:+.4g}"


def _interval(metric: Mapping[str, object]) -> str:
    """The interval of a metric's ``delta`` that its verdict goes by, else that of itself; empty where there is none."""
    found = metric.get("joint95") or metric.get("ci95")
    if not isinstance(found, list | tuple) or len(found) != 2:
        return ""
    low, high = map(_number, found)
    return "" if low is None or high is None else f"{low:+.4g} to {high:+.4g}"


def _shown(value: object) -> str:
    """A figure in four significant digits, without an exponent where it is large."""
    number = _number(value)
    if number is None:
        return ""
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def _number(value: object) -> float | None:
    """A number that can be printed; ``None`` for anything else."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None  # type: ignore[arg-type]
