"""A program on a pseudo-terminal of its own: what arrives there, when, and how many bytes it takes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

# What a modern terminal answers to the questions a program may ask at start; without answers it might wait.
_REPLIES = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # synchronised output: known, off
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",  # in-band resize: unknown
    b"\x1b[c": b"\x1b[?62;22c",  # device attributes: VT220 with colour
    b"\x1b[6n": b"\x1b[1;1R",  # cursor position
}
_LONGEST_QUESTION = max(map(len, _REPLIES))

# CSI sequences, then OSC/DCS/APC/PM/SOS strings, then two- and three-byte escapes.
_ESCAPES = re.compile(
    rb"\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]"
    rb"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)"
    rb"|\x1b[\x20-\x2f]*[\x30-\x7e]",
    re.DOTALL,
)


class Answer(NamedTuple):
    """What a program sent after a key: seconds to the first and to the last byte, and the bytes in between."""

    first: float | None
    last: float | None
    size: int


class PtySession:
    """Starts a program on a pseudo-terminal; use it in a ``with`` block.

    Args:
        command: the program and its arguments.
        columns: width in characters.
        rows: height in characters.
        env: environment variables to set besides those of this process and of a modern terminal.
        cwd: where to start it.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        columns: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
        for name in ("COLUMNS", "LINES"):
            environment.pop(name, None)
        self.received = bytearray()
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            cwd=cwd,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> PtySession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def text(self) -> str:
        """Everything received so far without escape sequences (in the order of arrival, not of the screen)."""
        return _ESCAPES.sub(b"", bytes(self.received)).decode("utf-8", "replace")

    def write(self, keys: bytes) -> None:
        """Type ``keys``."""
        os.write(self._master, keys)

    def wait_for(self, wanted: str, timeout: float = 60.0) -> float:
        """Seconds from the start of the program until ``wanted`` had arrived.

        Raises:
            TimeoutError: it did not, within ``timeout`` seconds from now or before the program ended.
        """
        deadline = time.perf_counter() + timeout
        while wanted not in self.text:
            if time.perf_counter() > deadline or self._read(0.25) is None:
                raise TimeoutError(f"{wanted!r} did not appear; the last output was: {self.text[-500:]!r}")
        return time.perf_counter() - self.started

    def settle(self, quiet: float = 0.3, limit: float = 10.0) -> Answer:
        """Read until nothing has come for ``quiet`` seconds, or for ``limit`` seconds altogether."""
        begin = time.perf_counter()
        first = last = None
        size = 0
        while time.perf_counter() - begin < limit:
            data = self._read(quiet)
            if not data:
                break
            last = time.perf_counter() - begin
            first = last if first is None else first
            size += len(data)
        return Answer(first, last, size)

    def wait(self, timeout: float = 20.0) -> int:
        """The exit code, once the program has ended by itself.

        Raises:
            subprocess.TimeoutExpired: it has not, within ``timeout`` seconds.
        """
        deadline = time.perf_counter() + timeout
        # A program whose output nobody reads may block on it and never end.
        while self._process.poll() is None and time.perf_counter() < deadline:
            self._read(0.05)
        return self._process.wait(timeout=0.1)

    def close(self) -> None:
        """End the program, if it still runs, and the terminal."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self.wait(timeout=3)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        os.close(self._master)

    def _read(self, timeout: float) -> bytes | None:
        """What arrives within ``timeout`` seconds: empty if nothing, ``None`` at the end of the program."""
        if not select.select([self._master], [], [], timeout)[0]:
            return b""
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # Linux reports the end of a pseudo-terminal as an error
            return None
        if not data:
            return None
        # A question may be cut in two by the reads: look at the end of the old bytes, too.
        tail = bytes(self.received[-(_LONGEST_QUESTION - 1) :])
        self.received += data
        for question, reply in _REPLIES.items():
            new = (tail[-(len(question) - 1) :] + data).count(question)
            if new:
                self.write(reply * new)
        return data
