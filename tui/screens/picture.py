"""The picture of a frame, above the screen that asked for it. It is read and drawn only when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from engine.errors import LorascopeError
from engine.i18n import gettext as _
from engine.results.pictures import PictureRef
from engine.text import visible
from tui.format import plain_text
from tui.widgets.picture import PictureView

if TYPE_CHECKING:
    from engine.results.pictures import Panel

# Textual paints a new screen as often as the one below it had something to paint.
_SETTLE_SECONDS = 0.06


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame of which there are pictures.

    Attributes:
        title: window, frame and metric, in words.
        own: the checkpoint's.
        other: that of the checkpoint that it is compared with, if there is one.
        values: the metric's, of the checkpoint and of the other one; empty where there is none.
    """

    title: str
    own: PictureRef
    other: PictureRef | None = None
    values: tuple[str, str] = ("", "")


class PictureRead(Message):
    """A thread has read what was asked for."""

    def __init__(self, request: int, panels: Sequence[Panel], problem: str) -> None:
        super().__init__()
        self.request = request
        self.panels = panels
        self.problem = problem


class PictureScreen(Screen[None]):
    """Shows one picture after another.

    It covers the whole terminal and is no dialog: what lies below a dialog is drawn again and again with it.

    Args:
        shots: the frames that have pictures.
        at: the one to begin with.
        names: the checkpoint, and the one that it is compared with, if any.
        plain: ASCII alone.
    """

    BINDINGS: ClassVar = [
        Binding("escape,q,enter", "close", "close", show=False),
        Binding("right,l,n,right_square_bracket", "step(1)", "next", show=False),
        Binding("left,h,N,left_square_bracket", "step(-1)", "previous", show=False),
        Binding("space,a", "swap", "the other checkpoint", show=False),
        Binding("z", "zoom", "all at once", show=False),
        Binding("down,j,pagedown", "scroll(1)", "down", show=False),
        Binding("up,k,pageup", "scroll(-1)", "up", show=False),
    ]

    def __init__(self, shots: Sequence[Shot], at: int, names: Sequence[str], *, plain: bool) -> None:
        super().__init__()
        self._shots = shots
        self._at = at
        self._names = names
        self._plain = plain
        self._swapped = False
        self._request = 0
        self._shown = 0

    @property
    def is_drawn(self) -> bool:
        """Whether what was asked for last is on the screen."""
        return self._request > 0 and self._shown == self._request

    @property
    def view(self) -> PictureView:
        """The images."""
        return self.query_one(PictureView)

    def compose(self) -> ComposeResult:
        """Title, images, keys."""
        with Vertical(id="picture", classes="dialog"):
            yield Static(id="picture-title", classes="dialog-title")
            yield PictureView(plain=self._plain, id="picture-view")
            yield Static(id="line-hint")

    def on_mount(self) -> None:
        """Read the first one, as soon as a new screen has been painted for the last time: a picture is many bytes."""
        self.set_timer(_SETTLE_SECONDS, self._show)

    def on_resize(self) -> None:
        """How many panels are in sight has changed."""
        if self.is_drawn:
            self.call_after_refresh(self._tell)

    def _show(self) -> None:
        shot = self._shots[self._at]
        self._swapped = self._swapped and shot.other is not None
        ref = shot.other if self._swapped and shot.other else shot.own
        self._request += 1
        self.run_worker(partial(self._read, self._request, ref), group="picture", exclusive=True, thread=True)

    def _say(self, selector: str, text: str) -> None:
        self.query_one(selector, Static).update(Content(plain_text(text) if self._plain else text), layout=False)

    def _read(self, request: int, ref: PictureRef) -> None:
        """In a thread."""
        from engine.results.pictures import read_picture

        try:
            self.post_message(PictureRead(request, read_picture(ref.path), ""))
        except LorascopeError as error:
            self.post_message(PictureRead(request, (), str(error)))

    def on_picture_read(self, message: PictureRead) -> None:
        """Draw it, unless another one has been asked for since."""
        message.stop()
        if message.request == self._request:
            self._shown = self._request
            self.view.show(message.panels, message.problem)
            self._tell()

    def _tell(self) -> None:
        """Title and keys of what is on the screen."""
        shot = self._shots[self._at]
        figures = list(zip(self._names, shot.values, strict=False))
        (name, value), *others = reversed(figures) if self._swapped else figures
        beside = "".join(f" ({visible(one)} {figure})" for one, figure in others if figure)
        self._say("#picture-title", f"{visible(name)} · {shot.title} {value}{beside}")
        of = _("←→ {number} of {total}").format(number=self._at + 1, total=len(self._shots))
        keys = [of] if len(self._shots) > 1 else []
        if shot.other is not None:
            keys.append(_("space {checkpoint}").format(checkpoint=visible(self._names[0 if self._swapped else 1])))
        keys.append(_("z larger") if self.view.together else _("z all at once"))
        if self.view.hides:
            keys.append(_("↑↓ panels"))
        self._say("#line-hint", "   ".join([*keys, _("esc closes")]))

    def action_step(self, by: int) -> None:
        """Another frame."""
        if len(self._shots) > 1:
            self._at = (self._at + by) % len(self._shots)
            self._show()

    def action_swap(self) -> None:
        """The same frame of the other checkpoint, at the same place: what differs seems to move."""
        if self._shots[self._at].other is not None:
            self._swapped = not self._swapped
            self._show()

    def action_zoom(self) -> None:
        """All panels at once, or each as wide as possible."""
        self.view.toggle()
        self._tell()

    def action_scroll(self, panels: int) -> None:
        """Go on by a panel."""
        self.view.step(panels)

    def action_close(self) -> None:
        """Back to the screen."""
        self.dismiss()
