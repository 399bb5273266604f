"""The plan of an evaluation as lines of text, as far as it is known. Textual-free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.i18n import gettext as _
from engine.i18n import listing, ngettext
from engine.text import listed
from tui.format import duration

_FINGERPRINT_DIGITS = 16


def plan_facts(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and fact: what is evaluated.

    Args:
        plan: as :func:`engine.jobs.ask.ask_plan` returns it.
    """
    names = list(plan["checkpoints"])
    dataset = plan["dataset"]
    windows = ngettext(
        "{count} of {available}, of {frames} frames", "{count} of {available}, of {frames} frames", plan["windows"]
    ).format(count=plan["windows"], available=plan["available"], frames=plan["seq_len"])
    how = _("{sampling}, seed {seed}").format(sampling=plan["sampling"], seed=plan["seed"])
    drawn = how if plan["windows"] < plan["available"] else _("all of them")
    models = _("the baseline alone")
    if names:
        models = _("{count} and the baseline: {names}").format(count=len(names), names=listed(names, 4))
    shards = str(plan["shards"])
    if plan["shards_done"]:
        shards = _("{all}, {done} of them done already").format(all=plan["shards"], done=plan["shards_done"])
    facts = [
        (
            _("data"),
            _("{root} ({kind}), split {split}").format(
                root=dataset["root"], kind=dataset["name"], split=dataset["split"]
            ),
        ),
        (_("windows"), f"{windows} ({drawn})"),
        (_("strata"), listing(f"{name} {count}" for name, count in plan["strata"].items())),
        (_("left out"), listing(f"{count} × {reason}" for reason, count in plan["left_out"].items())),
        (_("checkpoints"), models),
        (_("shards"), shards),
        (_("sample"), str(plan["fingerprint"])[:_FINGERPRINT_DIGITS]),
        (_("write to"), str(plan["to"])),
    ]
    return [(label, fact) for label, fact in facts if fact]


def estimate_facts(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and fact: how long it takes and what it needs; of a plan that was timed."""
    if plan["seconds"] is None:
        return [(_("time"), _("not measured: {why}").format(why=_(plan.get("why_not") or "nothing is left to do")))]
    each = _("{time} for each window and all models").format(time=_seconds(plan["seconds_per_window"]))
    facts = [(_("time"), _("about {time}: {each}").format(time=duration(plan["seconds"]), each=each))]
    texts = (("memory_mb", _("{size} GB of main memory")), ("gpu_memory_mb", _("{size} GB of GPU memory")))
    told = [text.format(size=f"{plan[key] / 1e3:.1f}") for key, text in texts if plan.get(key)]
    if told:
        facts.append((_("memory"), _("{what}, measured on the first window").format(what=listing(told))))
    return facts


def _seconds(seconds: float) -> str:
    return _("{seconds} s").format(seconds=f"{seconds:.2g}") if seconds < 10 else duration(seconds)
