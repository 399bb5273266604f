"""A real terminal for tests: the program runs in tmux on a private socket, the test types and reads the screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

# Nothing of the user's own tmux.conf applies. A dead pane stays, so that its last screen can be read.
_CONFIG = """\
set -g default-terminal "tmux-256color"
set -s escape-time 0
set -g history-limit 2000
set -g status off
set -g remain-on-exit on
set -g remain-on-exit-format ""
"""
_TARGET = "main"
_POLL = 0.02
TMUX = shutil.which("tmux")


class Terminal:
    """One program in one terminal of a given size.

    Args:
        columns: width in characters.
        rows: height in characters.
    """

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self._size = (columns, rows)
        # Not pytest's tmp_path: the path of a Unix socket must stay below about 100 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="term-"))
        self._socket = self._folder / "socket"
        self._code = self._folder / "code"
        self._config = self._folder / "tmux.conf"
        self._config.write_text(_CONFIG)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(
        self, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        """Start ``command``; ``env`` is set inside the terminal, after tmux's own ``TERM``."""
        settings = [f"{name}={value}" for name, value in (env or {}).items()]
        columns, rows = self._size
        # The code is renamed into place, so that a reader never sees half of it.
        script = f'"$@"; echo $? > {self._code}.part; mv {self._code}.part {self._code}'
        self._tmux(
            *("-f", self._config, "new-session", "-d", "-s", _TARGET, "-x", columns, "-y", rows),
            *(["-c", cwd] if cwd else []),
            *("--", "sh", "-c", script, "sh", "env", *settings, *command),
        )

    def send(self, *keys: str) -> None:
        """Press keys by tmux's names: single characters, ``Enter``, ``Escape``, ``Tab``, ``Down``, ``C-q`` ..."""
        self._tmux("send-keys", "-t", _TARGET, "--", *keys)

    def type(self, text: str) -> None:
        """Type ``text`` literally."""
        self._tmux("send-keys", "-t", _TARGET, "-l", "--", text)

    def screen(self) -> list[str]:
        """The visible lines, without trailing blanks."""
        return self._tmux("capture-pane", "-p", "-t", _TARGET).split("\n")[:-1]

    def text(self) -> str:
        """The visible screen as one string."""
        return "\n".join(self.screen())

    def wait_for(self, wanted: str | Callable[[str], bool], timeout: float = 20.0) -> str:
        """The screen as soon as it holds ``wanted`` (or ``wanted(screen)`` is true).

        Raises:
            AssertionError: it did not within ``timeout`` seconds, or the program has ended; shows the last screen.
        """
        found = (lambda screen: wanted in screen) if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + timeout
        while True:
            if not self.running():  # nothing more can come but what is still on its way to the screen
                deadline = min(deadline, time.monotonic() + 0.5)
            screen = self.text()
            if found(screen):
                return screen
            if time.monotonic() > deadline:
                name = repr(wanted) if isinstance(wanted, str) else getattr(wanted, "__name__", "condition")
                ended = f" (it ended with exit code {self._code.read_text().strip()})" if self._code.exists() else ""
                raise AssertionError(f"{name} is not on the screen within {timeout} s{ended}:\n{screen}")
            time.sleep(_POLL)

    def wait_until_gone(self, unwanted: str, timeout: float = 20.0) -> str:
        """The screen as soon as it no longer holds ``unwanted``."""
        return self.wait_for(lambda screen: unwanted not in screen, timeout)

    def running(self) -> bool:
        """Whether the program has not ended."""
        return not self._code.exists()

    def exit_code(self, timeout: float = 20.0) -> int:
        """The exit code, once the program has ended.

        Raises:
            AssertionError: it still runs after ``timeout`` seconds; shows the screen.
        """
        deadline = time.monotonic() + timeout
        while self.running():
            if time.monotonic() > deadline:
                raise AssertionError(f"still running after {timeout} s:\n{self.text()}")
            time.sleep(_POLL)
        return int(self._code.read_text())

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size; the program is told by SIGWINCH."""
        self._tmux("resize-window", "-t", _TARGET, "-x", columns, "-y", rows)
        self._size = (columns, rows)

    def kill(self) -> None:
        """End the program and the terminal; leaves no file behind. Harmless when called twice."""
        subprocess.run([str(TMUX), "-S", str(self._socket), "kill-server"], capture_output=True, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tmux(self, *arguments: str | int | Path) -> str:
        environment = {name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE")}
        done = subprocess.run(
            [str(TMUX), "-u", "-S", str(self._socket), *map(str, arguments)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=30,
        )
        if done.returncode:
            raise AssertionError(f"tmux {arguments[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")
        return done.stdout.decode("utf-8", "replace")


OpenTerminal = Callable[..., Terminal]
