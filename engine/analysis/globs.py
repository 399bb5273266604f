"""Choosing metrics by a few typed words."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from engine.catalogue import ALIASES, Catalogue, Metric


def match_metrics(pattern: str, keys: Iterable[str], catalogue: Catalogue) -> list[str]:
    """The keys that a pattern means.

    A pattern is a list of terms with commas between; each adds what it matches, or with ``!`` before it takes it away
    (a list that begins with ``!`` starts from everything). Case does not matter. A term with ``*``, ``?`` or ``[`` is a
    glob over the whole key. Any other term means, by the first of these that gives anything:

    1. the key itself, or a dotted part of it (``building`` is not ``non_building``);
    2. an alias (``ate``, ``vram_gb``);
    3. a metric's label or title (``AbsRel``, ``δ<1.25``, ``RMSE m · full``);
    4. a substring of key or label.

    Args:
        pattern: what was typed; blank means every metric.
        keys: the metrics to choose from.
        catalogue: labels.

    Returns:
        Matching keys in the order of ``keys``; empty if nothing matches.
    """
    available = list(dict.fromkeys(keys))
    terms = [term for part in pattern.split(",") if (term := part.strip())]
    if not terms:
        return available
    chosen = set(available) if terms[0].startswith("!") else set()
    for term in terms:
        if term.startswith("!"):
            chosen -= _match(term[1:].strip(), available, catalogue)
        else:
            chosen |= _match(term, available, catalogue)
    return [key for key in available if key in chosen]


def _match(term: str, keys: list[str], catalogue: Catalogue) -> set[str]:
    wanted = term.lower()
    if not wanted:
        return set()
    if any(character in wanted for character in "*?["):
        return {key for key in keys if fnmatchcase(key.lower(), wanted)}
    alias = ALIASES.get(wanted)
    labels = {key: _labels(catalogue.get(key)) for key in keys}
    return (
        {key for key in keys if wanted == key.lower() or wanted in key.lower().split(".")}
        or {key for key in keys if alias and key in alias.keys}
        or {key for key in keys if wanted in labels[key]}
        or {key for key in keys if wanted in key.lower() or any(wanted in label for label in labels[key][:2])}
    )


def _labels(metric: Metric) -> tuple[str, ...]:
    """What a metric is called: in English, and in the user's language with and without its region."""
    english = f"{metric.label} {metric.unit}".strip()
    region = f" · {metric.region}" if metric.region else ""
    return metric.label.lower(), metric.shown.lower(), f"{english}{region}".lower(), metric.title.lower()
