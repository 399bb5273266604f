"""The model card of an exported checkpoint: ``README.md`` as the Hugging Face Hub reads it.

The header and the ``model-index`` in it are made by the classes of ``huggingface_hub``, which is imported when a card
is written; the text is made here. What the run does not record is said to be so, never made up: no licence, no
identifier of a base model, no dataset.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from engine.export.card_body import body
from engine.export.card_facts import CardFacts
from engine.i18n import gettext as _
from engine.text import visible

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

FILE_NAME = "README.md"

_LIBRARY = "huggingface_hub"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
# What the Hub calls the tasks; what is no depth metric is of geometry.
_DEPTH_TASK, _GEOMETRY_TASK = "depth-estimation", "image-to-3d"
_DEPTH_GROUPS = ("depth", "scale")
# No results of an evaluation: costs are a machine's, the score is of whoever sets its weights.
_NO_RESULTS = ("performance", "score")


def why_no_card() -> str | None:
    """Why no card can be written here, in a sentence; ``None`` where one can."""
    try:
        from huggingface_hub import EvalResult, ModelCard, ModelCardData  # noqa: F401
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == _LIBRARY
        said = _("no model card was written: {library} cannot be imported ({reason}); {remedy}")
        if missing:
            said = _("no model card was written: {library} is not installed; {remedy}")
        return said.format(library=_LIBRARY, reason=visible(str(error)), remedy="pip install 'lorascope[card]'")
    return None


def model_card(facts: CardFacts) -> str:
    """The text of the card: a YAML header, then Markdown.

    Args:
        facts: what is known of the checkpoint.

    Raises:
        ImportError: ``huggingface_hub`` is not installed; see :func:`why_no_card`.
    """
    from huggingface_hub import ModelCard, ModelCardData

    results = _results(facts)
    data = ModelCardData(
        base_model=_hub_name(facts.adapter.base_model),
        library_name="peft" if facts.is_adapter else None,
        pipeline_tag=_DEPTH_TASK,
        tags=["lora", "lorascope"],
        # The name is the index's: without results it would stand in the header as a field that the Hub lacks.
        model_name=visible(f"{facts.selection.run}/{facts.selection.checkpoint}") if results else None,
        eval_results=results or None,
    )
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{body(facts)}"))


def _hub_name(name: str | None) -> str | None:
    """What an adapter calls its base, where that has the form of a name on the Hub and is no path."""
    return name if name is not None and _HUB_NAME.fullmatch(name) else None


def _results(facts: CardFacts) -> list[EvalResult]:
    """The checkpoint's own values of all metrics that have a direction."""
    from huggingface_hub import EvalResult

    dataset, protocol = facts.about.dataset, facts.about.protocol
    sample = {
        "sampling": dataset.sampling,
        "max_seqs": dataset.max_seqs,
        "seed": dataset.seed,
        "sample_fingerprint": dataset.sample_fingerprint,
    }
    how = f"{protocol.name}, alignment {protocol.align}" if protocol.align else protocol.name
    how += f" per {protocol.align_scope}" if protocol.align and protocol.align_scope else ""
    name = visible(dataset.name or "not recorded")
    results = []
    for metric in facts.selection.metrics:
        key, value = str(metric["key"]), metric["value"]
        group, _, rest = key.partition(".")
        if group in _NO_RESULTS or metric["direction"] == "none":
            continue
        if not isinstance(value, int | float) or not math.isfinite(value):
            continue
        region = rest.partition(".")[0] if rest.count(".") else ""
        results.append(
            EvalResult(
                task_type=_DEPTH_TASK if group in _DEPTH_GROUPS else _GEOMETRY_TASK,
                dataset_type=_slug(name),
                dataset_name=name,
                dataset_split=visible(dataset.split) if dataset.split else None,
                dataset_args={key: _shown(value) for key, value in sample.items() if value is not None} or None,
                metric_type=visible(key),
                metric_name=visible(f"{metric['label']} ({region})" if region else str(metric["label"])),
                metric_value=value,
                metric_config=visible(how),
            )
        )
    return results


def _shown(value: object) -> object:
    return visible(value) if isinstance(value, str) else value


def _slug(name: str) -> str:
    """A dataset's name as an identifier: lower case, words joined by dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "dataset"
