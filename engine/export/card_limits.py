"""What the numbers of a model card do not say, by the protocol and the sample that they are of."""

from __future__ import annotations

from collections.abc import Iterator

from engine.export.card_facts import CardFacts
from engine.export.escape import markdown_text
from engine.schema import Provenance

_V1 = (
    "Only points with ground truth are judged: what a scanner does not see (glass, sky, what is far away) is not.",
    "Trajectories are aligned window by window (Sim(3)) before their errors are taken: drift over longer distances "
    "and the metric scale of the motion are not judged.",
    "Photometric consistency compares the model with itself: it can be high where the geometry is wrong.",
    "Quality was scored apart from speed and memory.",
)
# What is known of the system whose results are imported under this name.
_COMPAT = (
    "Windows are drawn anew for every checkpoint, so that baseline and checkpoint were not judged on the same frames.",
    "Ground-truth depth comes from accumulated scans whose points are averaged, placed by IMU poses that are taken for "
    "camera poses: most of it is off by several per cent.",
    "Normals are taken at pixels whose neighbours are mostly empty: even a perfect prediction scores near chance.",
    "Trajectory errors are not aligned and are in world coordinates: thousands of metres say nothing of the model.",
    "Photometric consistency mixes aligned depth with unaligned motion.",
    "FPS counts windows, not frames, and includes the loading of data.",
)
_ALIGNED = {
    "scale": "a factor",
    "median": "a factor",
    "scale_shift": "a factor and an offset",
}


def limits(facts: CardFacts) -> Iterator[str]:
    """Sentences on what the numbers leave open."""
    about = facts.about
    protocol = about.protocol
    if about.provenance is Provenance.SYNTHETIC:
        yield "The data are synthetic: nothing here says how the model does on real images."
    if about.provenance is Provenance.PUBLISHED:
        yield "The figures are as they were printed: rounded, of one evaluation each, without spread."
    if about.status != "done":
        yield "The evaluation had not ended when this was written: the figures may change."
    factor = _ALIGNED.get(protocol.align or "")
    if factor is not None:
        yield (
            f"Predicted depth was fitted to the ground truth by {factor} before it was scored "
            f"(alignment {protocol.align}): how metric the model is, is not judged by these errors."
        )
    known = {"v1": _V1, "compat": _COMPAT}.get(protocol.name)
    if known is None:
        yield "The protocol is not known to lorascope: ask those who made the figures what they mean."
    yield from known or ()
    if not any(metric.get("ci95") for metric in facts.selection.metrics):
        yield "No confidence intervals were computed: a small change may be chance."
    yield from _lost(facts)
    yield "It is one sample of one dataset: other places, seasons and cameras may give other numbers."


def _lost(facts: CardFacts) -> Iterator[str]:
    """The parts of the sample in which the checkpoint is worse than the baseline, although better as a whole."""
    for metric in facts.selection.metrics:
        loses = metric.get("loses")
        parts = ", ".join(f"{loss['by']} {loss['slice']}" for loss in loses) if isinstance(loses, list) else ""
        if parts:
            where = markdown_text(f"{metric['key']} in {parts}")
            yield f"Better as a whole, but worse in a part of the sample: {where}."
