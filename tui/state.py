"""What the user has chosen: selection, filter, sort, basket. Textual-free, saved per folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from engine.atomic import atomic_write_bytes
from engine.i18n import mark
from engine.state_folder import state_folder

View = Literal["percent", "delta", "scale", "absolute"]
VIEWS: tuple[View, ...] = get_args(View)
VIEW_NAMES: dict[View, str] = {
    "percent": mark("percent"),
    "delta": mark("delta"),
    "scale": mark("scale"),
    "absolute": mark("absolute"),
}
SCREENS = ("runs", "compare", "trends", "pick", "checkpoint", "launch")
BEST = "best"
NO_BAND = "none"  # as the run whose band Trends shows


@dataclass(slots=True)
class Block:
    """One column block of Compare: a run, and a checkpoint's name or ``best`` (by the objective)."""

    run: str
    checkpoint: str = BEST


@dataclass(slots=True)
class Limit:
    """One limit of Pick: a metric's key, ``>=`` or ``<=``, and the value."""

    metric: str
    operator: Literal[">=", "<="]
    value: float


@dataclass(slots=True)
class BasketItem:
    """A checkpoint put aside for export, with the choice that led to it."""

    run: str
    checkpoint: str
    objective: str | None = None
    where: str | None = None
    considered: int = 0
    rejected: int = 0


@dataclass(slots=True)
class ViewState:
    """Everything that the next start in the same folder restores.

    Runs are named by their path. ``blocks`` is empty until the user arranges Compare by hand; then it wins over
    ``marked``.
    """

    screen: str = "runs"
    cursor_run: str = ""
    marked: list[str] = field(default_factory=list)
    runs_sort: str = ""
    runs_filter: str = ""
    baselines: dict[str, str] = field(default_factory=dict)
    objective: str = "score"
    view: View = "percent"
    metrics: str = ""
    only_different: bool = False
    blocks: list[Block] = field(default_factory=list)
    preset: str = "score"
    trend_metrics: list[str] = field(default_factory=list)
    trend_band: str = ""
    region: str = "building"
    limits: list[Limit] = field(default_factory=list)
    where: str = ""
    pareto: list[str] = field(default_factory=list)
    pick_run: str = ""
    checkpoint_run: str = ""
    checkpoint: str = BEST
    checkpoint_page: str = "table"
    checkpoint_metric: str = ""
    checkpoint_against: str = ""
    frames_order: str = "worst"
    basket: list[BasketItem] = field(default_factory=list)
    checkpoint_dirs: dict[str, str] = field(default_factory=dict)
    launch: dict[str, str] = field(default_factory=dict)
    launch_page: str = ""
    launch_job: str = ""
    launch_detail: str = ""

    def toggle_mark(self, run: str) -> None:
        """Mark a run, or take its mark away."""
        if run in self.marked:
            self.marked.remove(run)
        else:
            self.marked.append(run)

    def in_basket(self, run: str, checkpoint: str) -> bool:
        """Whether the checkpoint lies in the basket."""
        return any(item.run == run and item.checkpoint == checkpoint for item in self.basket)

    def toggle_basket(self, item: BasketItem) -> bool:
        """Put a checkpoint into the basket or take it out; returns whether it is in now."""
        if self.in_basket(item.run, item.checkpoint):
            self.basket = [b for b in self.basket if (b.run, b.checkpoint) != (item.run, item.checkpoint)]
            return False
        self.basket.append(item)
        return True


def state_file(roots: Sequence[Path]) -> Path:
    """Where the view of these folders is kept (``$XDG_STATE_HOME/lorascope``)."""
    text = "\n".join(sorted(str(root) for root in roots))
    return state_folder() / f"view-{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}.json"


def preferences_file() -> Path:
    """Where choices that hold everywhere are kept: the theme."""
    return state_folder() / "preferences.json"


def load_state(path: Path) -> ViewState:
    """The saved view; a fresh one where there is none. A damaged file costs only what is damaged in it."""
    raw = _read_json(path)
    state = ViewState()
    for entry in fields(ViewState):
        value = raw.get(entry.name)
        restored = _restore(entry.name, value, getattr(state, entry.name))
        if restored is not None:
            setattr(state, entry.name, restored)
    return state


def save_state(path: Path, state: ViewState) -> bool:
    """Save the view atomically; False where the folder cannot be written (a convenience must not stop the user)."""
    return _write_json(path, asdict(state))


def load_preferences() -> dict[str, Any]:
    """Choices that hold everywhere."""
    return _read_json(preferences_file())


def save_preferences(preferences: dict[str, Any]) -> bool:
    """Save the choices that hold everywhere; False where that is not possible."""
    return _write_json(preferences_file(), preferences)


def _restore(name: str, value: Any, default: Any) -> Any:
    """``value`` in the form of the field, or None where it does not fit."""
    try:
        if name == "blocks":
            return [Block(str(item["run"]), str(item["checkpoint"])) for item in value]
        if name == "limits":
            return [
                Limit(str(item["metric"]), item["operator"], float(item["value"]))
                for item in value
                if item["operator"] in (">=", "<=")
            ]
        if name == "basket":
            return [BasketItem(**item) for item in value]
    except (TypeError, KeyError, ValueError):
        return None
    if type(value) is not type(default):
        return None
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    if isinstance(value, dict):
        return {str(k): v for k, v in value.items() if isinstance(v, str)}
    if (name == "view" and value not in VIEWS) or (name == "screen" and value not in SCREENS):
        return None
    return value


def _read_json(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return raw if isinstance(raw, dict) else {}


def _write_json(path: Path, value: dict[str, Any]) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_bytes(path, json.dumps(value, indent=1).encode())
    except OSError:
        return False
    return True
