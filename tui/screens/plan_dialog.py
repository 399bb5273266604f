"""The plan of an evaluation, before it is started: what is evaluated, how long it takes, the command that does it."""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.errors import LorascopeError
from engine.i18n import gettext as _
from engine.text import visible
from tui.evaluations.plan_text import estimate_facts, plan_facts
from tui.format import plain_text
from tui.text import fit

if TYPE_CHECKING:
    from engine.evaluation.config import EvaluationConfig
    from tui.evaluations.desk import Desk

Answer = Literal["start", "queue"]
_LABEL = 12
_WIDTH = 76  # of a dialog, border and padding included


class PlanDialog(ModalScreen[Answer | None]):
    """Shows the plan as it becomes known; returns how to start, or None.

    Args:
        desk: makes the plan.
        config: the settings.
        command: the shell command that does the same.
        busy: whether a job is at work here: measuring beside it would mislead, and may want its memory.
        plain: ASCII alone.
    """

    BINDINGS: ClassVar = [
        Binding("escape,q", "back", "back", show=False),
        Binding("enter", "answer('start')", "start", show=False),
        Binding("w", "answer('queue')", "queue", show=False),
        Binding("m", "measure", "measure", show=False),
        Binding("y", "copy", "copy", show=False),
    ]

    class _Told(Message):
        """What the plan's process answered: facts, or a sentence why there are none."""

        def __init__(self, plan: Mapping[str, Any] | None, why: str, *, timed: bool) -> None:
            super().__init__()
            self.plan = plan
            self.why = why
            self.timed = timed

    def __init__(self, desk: Desk, config: EvaluationConfig, command: str, *, busy: bool, plain: bool) -> None:
        super().__init__()
        self._desk = desk
        self._config = config
        self._command = command
        self._busy = busy
        self._plain = plain
        self._left = threading.Event()
        self._facts: list[tuple[str, str]] = []
        self._estimate: list[tuple[str, str]] = []
        self._why = ""
        self._measuring = False

    @property
    def is_settled(self) -> bool:
        """Whether nothing more becomes known by itself."""
        return bool(self._why) or bool(self._facts and not self._measuring)

    def compose(self) -> ComposeResult:
        """Title, facts, command, keys."""
        with VerticalScroll(classes="dialog", id="plan"):
            yield Static(
                Content(visible(_("Plan of {name}").format(name=self._config.run_name))), classes="dialog-title"
            )
            yield Static(id="plan-facts")
            yield Static(id="line-hint")

    def on_mount(self) -> None:
        """Ask for the plan; and then, where that disturbs nobody, how long it takes."""
        self._ask(timed=False)
        self._draw()

    def on_unmount(self) -> None:
        """The process that measures is not wanted any more: what starts now needs its memory."""
        self._left.set()

    def _ask(self, *, timed: bool) -> None:
        self._measuring = timed

        def work() -> None:
            try:
                plan = self._desk.plan(self._config, timed=timed, given_up=self._left.is_set)
            except LorascopeError as error:
                told = self._Told(None, str(error), timed=timed)
            else:
                told = self._Told(plan, "", timed=timed)
            if not self._left.is_set():
                self.post_message(told)

        self.run_worker(work, thread=True, group="plan", exclusive=True)

    @on(_Told)
    def _take(self, event: _Told) -> None:
        """Show it."""
        event.stop()
        self._measuring = False
        if event.plan is None and event.timed:
            self._estimate = [(_("time"), _("not measured: {why}").format(why=event.why))]
        elif event.plan is None:
            self._why = event.why
        else:
            self._facts = plan_facts(event.plan)
            if event.timed:
                self._estimate = estimate_facts(event.plan)
            elif not self._busy:
                self._ask(timed=True)
        self._draw()

    def _draw(self) -> None:
        parts: list[str | tuple[str, str]] = []
        room = max(20, min(_WIDTH, int(self.app.size.width * 0.96)) - 4 - _LABEL)
        for label, fact in [*self._facts, *self._told_estimate()]:
            first, *more = textwrap.wrap(self._said(fact), room) or [""]
            parts += [(fit(self._said(label), _LABEL), "$foreground 60%"), f"{first}\n"]
            parts += [f"{'':{_LABEL}}{line}\n" for line in more]
        if self._why:
            parts.append((f"{self._said(self._why)}\n", "bold $error"))
        elif not self._facts:
            parts.append((self._said(_("making the plan …\n")), "$foreground 60%"))
        parts += ["\n", (self._said(_("The same in a shell:\n")), "$foreground 60%"), self._command]
        self.query_one("#plan-facts", Static).update(Content.assemble(*parts))
        hint = self.query_one("#line-hint", Static)
        hint.update(Content(self._said(f"\n{self._keys()}")))

    def _said(self, text: str) -> str:
        lines = "\n".join(map(visible, text.split("\n")))
        return plain_text(lines) if self._plain else lines

    def _told_estimate(self) -> list[tuple[str, str]]:
        if self._measuring:
            return [(_("time"), _("measuring: the model is loaded and one window evaluated …"))]
        if self._estimate or not self._facts:
            return self._estimate
        return [(_("time"), _("not measured beside the job that is at work here: m does it all the same"))]

    def _keys(self) -> str:
        if self._why:
            return _("esc back · y copy the command")
        wait = _("w start after the jobs before · ") if self._busy else ""
        return _("enter start · {wait}y copy the command · esc back").format(wait=wait)

    def action_answer(self, answer: Answer) -> None:
        """Start it, unless it cannot be."""
        if self._why:
            self.notify(_("it cannot be started like this: esc leads back to the form"), timeout=2.5)
            return
        self.dismiss(answer)

    def action_back(self) -> None:
        """Back to the form."""
        self.dismiss(None)

    def action_measure(self) -> None:
        """Measure beside the job that is at work."""
        if self._facts and not self._measuring:
            self._ask(timed=True)
            self._draw()

    def action_copy(self) -> None:
        """The command."""
        self.app.copy_to_clipboard(self._command)
        self.notify(_("command copied"), timeout=1.5)
