"""The mirror of an evaluation in an object store: what lets hosts without the run's folder join.

``job/join.json`` holds the address of the job's present start, and the run's certificate and key, in one object, so
that they always belong together. Who may read it may work for the job, and with that run code as its user.
"""

from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.cluster.contact import Contact, withdraw, write_contact
from engine.cluster.keys import forget_keys, read_keys, write_keys
from engine.errors import RemoteError
from engine.remote.store import Remote
from engine.results.layout import JOB

JOIN = f"{JOB}/join.json"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a host must have to work for one start of a job.

    Attributes:
        contact: where the job is.
        certificate: PEM.
        key: PEM.
    """

    contact: Contact
    certificate: bytes
    key: bytes

    def encode(self) -> bytes:
        """As JSON."""
        return json.dumps(
            {
                **asdict(self.contact),
                "certificate": base64.b64encode(self.certificate).decode(),
                "key": base64.b64encode(self.key).decode(),
            }
        ).encode()

    def accept(self, folder: Path) -> None:
        """Write it into a private folder, as it would be in the run's own.

        Raises:
            StorageError: that cannot be written.
        """
        write_keys(folder, self.certificate, self.key)
        # Last: who waits for it then finds the keys.
        write_contact(folder, self.contact)


def decode(data: bytes) -> Invitation | None:
    """What :meth:`Invitation.encode` wrote; ``None`` for anything else."""
    try:
        raw: dict[str, Any] = json.loads(data)
        contact = Contact(str(raw["address"]), str(raw["start"]))
        return Invitation(contact, base64.b64decode(raw["certificate"]), base64.b64decode(raw["key"]))
    except (ValueError, TypeError, KeyError):
        return None


def invite(run: Path, mirror: str, contact: Contact) -> None:
    """Let hosts join that see the mirror.

    Raises:
        RemoteError: it cannot be written to.
    """
    certificate, key = read_keys(run)
    Remote(mirror).write(JOIN, Invitation(contact, certificate, key).encode())


def disinvite(run: Path, mirror: str) -> None:
    """The job has ended: nobody is waited for, and the key that lay in the store is good for nothing any more."""
    withdraw(run)
    # A store may keep versions of what is removed, and who read the key keeps it: the next start makes another.
    forget_keys(run)
    with contextlib.suppress(RemoteError):
        Remote(mirror).remove([JOIN])
