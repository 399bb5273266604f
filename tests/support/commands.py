"""What a command printed and how it ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout, after a success."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The lines on stdout, after a success."""
        assert self.code == 0, self.err
        return self.out.splitlines()

    def failed(self, code: int, *words: str) -> None:
        """Assert that it ended with ``code`` and one sentence that holds ``words``, and printed nothing."""
        assert self.code == code, self.out + self.err
        assert self.out == ""
        assert self.err.startswith("lorascope: ")
        assert len(self.err.splitlines()) == 1, self.err
        missing = [word for word in words if word not in self.err]
        assert not missing, self.err


Command = Callable[..., Done]
