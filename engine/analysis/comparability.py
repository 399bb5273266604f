"""May the values of these runs stand beside each other, and if not, why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from engine.analysis.costs import cost_settings, judge_costs
from engine.analysis.overview import ID_COLUMNS, RunAnalysis
from engine.catalogue import Catalogue, Direction, Group
from engine.i18n import gettext as _
from engine.i18n import listing, mark, pgettext
from engine.schema import CostInfo, Role, RunMetadata

ADVICE = mark("read changes against each run's own baseline, not values")
# Two evaluations of one baseline on one sample agree to the last digits; other samples differ in the second or third.
_SAME = 1e-6

# Fact -> what it is called. Where known values of these differ, the metrics themselves mean different things.
_SETTINGS = {
    "protocol": mark("protocols"),
    "align": mark("alignments"),
    "align_scope": mark("alignment scopes"),
    "prepare": mark("image preparations"),
    "image_size": mark("image sizes"),
    "dtype": mark("precisions"),
}


@dataclass(frozen=True)
class Facts:
    """What decides whether a run's values may stand beside another's. ``None`` means not recorded.

    Attributes:
        run: the run's name.
        protocol: protocol name.
        align: alignment of the depth.
        align_scope: what one alignment is fitted on (window or frame).
        prepare: image preparation.
        image_size: width of the model's input, in pixels.
        dtype: precision of the inference.
        device: name of the device.
        torch: version of torch.
        sample_fingerprint: hash of the sampled windows.
        baseline: quality metrics of the baseline; costs and metrics without a direction are not among them.
        frame_counts: group and region -> least and most frames behind its means, over the checkpoints.
        has_costs: whether the run measured any.
        cost: how they were measured, where that was recorded apart; else device and so on are taken for theirs.
    """

    run: str
    protocol: str | None = None
    align: str | None = None
    align_scope: str | None = None
    prepare: str | None = None
    image_size: int | None = None
    dtype: str | None = None
    device: str | None = None
    torch: str | None = None
    sample_fingerprint: str | None = None
    baseline: Mapping[str, float] = field(default_factory=dict)
    frame_counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    has_costs: bool = False
    cost: CostInfo | None = None

    @property
    def cost_settings(self) -> dict[str, object]:
        """What decides the run's costs, as :func:`engine.analysis.costs.cost_settings` names it."""
        if self.cost is not None:
            return cost_settings(self.cost)
        return {
            "device": self.device,
            "precision": self.dtype,
            "image size": self.image_size,
            "torch version": self.torch,
        }  # names as in costs.py


@dataclass(frozen=True, slots=True)
class Comparability:
    """The verdict and its reasons.

    Attributes:
        comparable: whether quality values may be compared between the runs.
        costs_comparable: whether speed and memory may.
        reasons: why quality values may not, in a few words each (``different samples``); empty if they may.
        notes: whole sentences without a full stop: the reasons, what was presumed, costs, frame counts.
        cost_note: the one of them that says why costs may not be compared; empty if they may.
    """

    comparable: bool
    costs_comparable: bool
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    cost_note: str = ""

    @property
    def headline(self) -> str:
        """One short line for a screen; empty where values may be compared."""
        said = _("{reasons}: read changes, not values").format(reasons=listing(self.reasons))
        return said if self.reasons else ""


def facts_from(name: str, metadata: RunMetadata, analysis: RunAnalysis, *, catalogue: Catalogue | None = None) -> Facts:
    """The facts of one run.

    Args:
        name: what to call the run in notes.
        metadata: the run's metadata.
        analysis: the run's tables.
        catalogue: groups and directions; default the built-in metric table.
    """
    table = catalogue or Catalogue()
    baseline = {
        key: value
        for key, value in analysis.values(analysis.baseline).items()
        if value is not None
        and table.get(key).group not in (Group.SCORE, Group.PERFORMANCE)
        and table.get(key).direction is not Direction.NONE
    }
    return Facts(
        run=name,
        protocol=metadata.protocol.name,
        align=metadata.protocol.align,
        align_scope=metadata.protocol.align_scope,
        prepare=metadata.protocol.prepare,
        image_size=metadata.model.image_size,
        dtype=metadata.device.dtype,
        device=metadata.device.name,
        torch=metadata.device.libraries.get("torch"),
        sample_fingerprint=metadata.dataset.sample_fingerprint,
        baseline=baseline,
        frame_counts=frame_counts(analysis.counts),
        has_costs=any(table.get(key).group is Group.PERFORMANCE for key in analysis.metrics),
        cost=metadata.cost,
    )


def comparability(facts: Sequence[Facts]) -> Comparability:
    """Judge whether the values of several runs may be compared.

    Quality values are comparable where protocol, alignment, image preparation, image size, precision and sample are the
    same. Where a sample (or, in some of the runs, a setting) is not recorded, the baselines decide: the same weights on
    the same sample give the same figures, so if every quality metric that two baselines share agrees to 1e-6 relative,
    the rest is presumed to be the same. Costs are comparable where device, precision, image size and library versions
    agree (protocol, section 8), and, where they are recorded, frames in a window and threads of a CPU.

    Args:
        facts: one entry per run; a single run is comparable with itself.

    Returns:
        The verdict with its reasons; the order of the runs changes the order of names in them, nothing else.
    """
    reasons: list[str] = []
    notes: list[str] = []
    if len(facts) > 1:
        for name, plural in _SETTINGS.items():
            if len(_known(facts, name)) > 1:
                reasons.append(_("different {things}").format(things=_(plural)))
                said = _("different {things} ({figures}): {advice}")
                notes.append(said.format(things=_(plural), figures=_listing(facts, name), advice=_(ADVICE)))
        sample_reason, sample_note = _judge_samples(facts, settings_differ=bool(reasons))
        reasons += [sample_reason] if sample_reason else []
        notes += [sample_note] if sample_note else []
    cost_note = judge_costs([fact.cost_settings for fact in facts if fact.has_costs])
    notes += [cost_note] if cost_note else []
    notes += [f"{fact.run}: {note}" for fact in facts if (note := _count_sentence(fact.frame_counts))]
    return Comparability(
        comparable=not reasons,
        costs_comparable=cost_note is None,
        reasons=tuple(reasons),
        notes=tuple(notes),
        cost_note=cost_note or "",
    )


def frame_counts(counts: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """The least and the most frames behind the means of each group and region, over baseline and checkpoints.

    A checkpoint's count for ``depth.building`` is the largest among its metrics: single metrics may be undefined on a
    few frames more. Photometric counts are left out: they depend on what a prediction makes visible.

    Args:
        counts: wide counts, as in :attr:`RunAnalysis.counts`.
    """
    rows = counts.filter(pl.col("role").is_in([Role.BASELINE.value, Role.CHECKPOINT.value]))
    families: dict[str, list[pl.Series]] = {}
    for name in rows.columns:
        if name not in ID_COLUMNS and not name.startswith(f"{Group.PHOTOMETRIC}."):
            families.setdefault(name.rpartition(".")[0] or name, []).append(rows.get_column(name))
    ranges = {}
    for family, columns in families.items():
        # A list: importing numpy for a few numbers would take longer than everything else here.
        largest = pl.DataFrame(columns).max_horizontal().drop_nulls().to_list()
        if largest:
            ranges[family] = (min(largest), max(largest))
    return ranges


def count_note(counts: pl.DataFrame) -> str | None:
    """One sentence on frame counts that differ between the checkpoints of a run, or ``None`` where they do not.

    ``checkpoints were evaluated on different frames, depth.building: 3178 to 3418 frames (and normals.building)``
    """
    return _count_sentence(frame_counts(counts))


def _count_sentence(ranges: Mapping[str, tuple[int, int]]) -> str | None:
    uneven = [family for family, (least, most) in ranges.items() if least != most]
    if not uneven:
        return None
    first, *others = uneven
    least, most = ranges[first]
    if others:
        said = _(
            "checkpoints were evaluated on different frames, {metrics}: {least} to {most} frames (and {other_metrics})"
        )
    else:
        said = _("checkpoints were evaluated on different frames, {metrics}: {least} to {most} frames")
    return said.format(metrics=first, least=least, most=most, other_metrics=listing(others))


def _judge_samples(facts: Sequence[Facts], *, settings_differ: bool) -> tuple[str, str]:
    """A reason against comparing (or an empty text) and a note (or an empty text)."""
    fingerprints = _known(facts, "sample_fingerprint")
    if len(fingerprints) > 1:
        return _("different samples"), _("different samples: {advice}").format(advice=_(ADVICE))
    unrecorded = [fact.run for fact in facts if fact.sample_fingerprint is None]
    partly = [plural for name, plural in _SETTINGS.items() if _known(facts, name) and _unknown(facts, name)]
    if not unrecorded and not partly:
        return "", ""
    missing = (
        pgettext("of windows", "samples")
        if unrecorded
        else pgettext("between things that go together", " and ").join(map(_, partly))
    )
    if settings_differ:
        # The baselines differ for another reason: they cannot tell.
        return "", _("{things} are not recorded").format(things=missing)
    shared = set.intersection(*(set(fact.baseline) for fact in facts))
    if not shared:
        said = _("{things} are not recorded and the runs have no baseline metric in common that could tell: {advice}")
        return _("unknown {things}").format(things=missing), said.format(things=missing, advice=_(ADVICE))
    differing = sorted((key for key in shared if not _agree(fact.baseline[key] for fact in facts)), key=_telling)
    if differing:
        key = differing[0]
        figures = listing(f"{fact.run}: {fact.baseline[key]:.6g}" for fact in facts)
        reason = _("different samples") if unrecorded else _("different {things}").format(things=missing)
        said = _("{reason}: the baselines differ ({metric} {figures}): {advice}")
        return reason, said.format(reason=reason, metric=key, figures=figures, advice=_(ADVICE))
    said = _(
        "{things} are not recorded, but the baselines agree in all {count} shared quality metrics: presumably the same"
    )
    return "", said.format(things=missing, count=len(shared))


def _known(facts: Iterable[Facts], name: str) -> set[object]:
    return {value for fact in facts if (value := getattr(fact, name)) is not None}


def _unknown(facts: Iterable[Facts], name: str) -> bool:
    return any(getattr(fact, name) is None for fact in facts)


def _listing(facts: Iterable[Facts], name: str) -> str:
    return listing(f"{fact.run}: {getattr(fact, name) or _('not recorded')}" for fact in facts)


def _agree(values: Iterable[float]) -> bool:
    numbers = list(values)
    return math.isclose(min(numbers), max(numbers), rel_tol=_SAME, abs_tol=0.0)


def _telling(key: str) -> tuple[bool, str]:
    """Sort key: the metric that people know best first."""
    return (key != "depth.building.abs_rel", key)
