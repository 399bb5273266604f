"""What a loaded run's tables tell about themselves: metrics that some checkpoints lack, samples that differ."""

from __future__ import annotations

import polars as pl

from engine.catalogue import Catalogue, Group, region_shown
from engine.i18n import gettext as _
from engine.i18n import mark, ngettext
from engine.results.problems import ProblemLog, some
from engine.schema import Role

_LISTED = 5  # sets of checkpoints with missing metrics that are listed; more are put together
_CATALOGUE = Catalogue()
# Cost is no frame's; how many frames have a point that the next one sees depends on the prediction, not on the sample.
_OWN_COUNTS = (Group.PERFORMANCE, Group.PHOTOMETRIC)


def check_missing_metrics(name: str, checkpoints: pl.DataFrame, summary: pl.DataFrame, log: ProblemLog) -> None:
    """Warn of metrics that only some checkpoints have.

    Checkpoints without any result, oracle and chance are not asked for.

    Args:
        name: the run's name, for messages.
        checkpoints: frame of schema ``CHECKPOINTS``.
        summary: frame of schema ``SUMMARY``.
        log: where the warnings go.
    """
    asked = _compared(checkpoints).join(summary.select("checkpoint").unique(), on="checkpoint", how="semi")
    names = asked["checkpoint"]
    having = (
        summary.join(asked, on="checkpoint", how="semi")
        .group_by("metric", maintain_order=True)
        .agg(pl.col("checkpoint").unique())
        .filter(pl.col("checkpoint").list.len() < names.len())
    )
    lacking: dict[tuple[str, ...], list[str]] = {}
    for metric, present in having.iter_rows():
        here = set(present)
        lacking.setdefault(tuple(n for n in names if n not in here), []).append(metric)
    if len(lacking) > _LISTED:
        metrics = having["metric"]
        said = _("{count} metrics are missing from some checkpoints: {metrics}")
        log.warning(name, said.format(count=metrics.len(), metrics=some(metrics)))
        return
    for without, metrics_missing in lacking.items():
        said = ngettext(
            "{metrics} is missing from {count} of {total} checkpoints: {names}",
            "{metrics} are missing from {count} of {total} checkpoints: {names}",
            len(metrics_missing),
        )
        log.warning(
            name,
            said.format(metrics=some(metrics_missing), count=len(without), total=names.len(), names=some(without)),
        )


def check_samples(name: str, checkpoints: pl.DataFrame, summary: pl.DataFrame, log: ProblemLog) -> None:
    """Warn where the number of frames that a mean is over differs between checkpoints: their samples differ.

    Per region, the range of the metric with the most frames is told.

    Args:
        name: the run's name, for messages.
        checkpoints: frame of schema ``CHECKPOINTS``.
        summary: frame of schema ``SUMMARY``.
        log: where the warnings go.
    """
    ranges = (
        summary.join(_compared(checkpoints), on="checkpoint", how="semi")
        .drop_nulls("count")
        .group_by("metric", maintain_order=True)
        .agg(pl.col("count").min().alias("least"), pl.col("count").max().alias("most"))
        .filter(pl.col("least") < pl.col("most"))
    )
    widest: dict[str, tuple[int, int]] = {}
    for metric, least, most in ranges.iter_rows():
        entry = _CATALOGUE.get(metric)
        if entry.group in _OWN_COUNTS:
            continue
        if entry.region:
            what = _("{region} frames").format(region=region_shown(entry.region))
        else:
            what = _("{group} counts").format(group=entry.group.shown)
        if what not in widest or most > widest[what][1]:
            widest[what] = (least, most)
    for what, (least, most) in widest.items():
        log.warning(
            name,
            _("{what} differ between checkpoints: {least} to {most}").format(what=what, least=least, most=most),
            remedy=mark("read small differences with care, the samples are not the same"),
        )


def _compared(checkpoints: pl.DataFrame) -> pl.DataFrame:
    """The checkpoints that are measured against each other: all but the pseudo-checkpoints."""
    return checkpoints.filter(pl.col("role").is_in([Role.BASELINE, Role.CHECKPOINT])).select("checkpoint")
