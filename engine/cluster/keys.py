"""The certificate of a run: only who can read its key may work for the run, and nobody else hears what is said.

One self-signed certificate serves the scheduler and all workers; each proves to the other that it holds the key. It is
made when the run first needs it and lies in the run's folder, readable for its owner alone.
"""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.atomic import atomic_path
from engine.errors import DataError, UsageError
from engine.i18n import gettext as _
from engine.jobs.files import JobFiles
from engine.results.writing import not_written

_NAME = "lorascope-run"
_CERTIFICATE, _KEY = "certificate.pem", "key.pem"
_DAY = timedelta(days=1)
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


def make_keys(run: Path) -> None:
    """Make the run's certificate and key, where it has none.

    Raises:
        StorageError: they cannot be written.
    """
    folder = JobFiles(run).keys
    if (folder / _KEY).exists() and (folder / _CERTIFICATE).exists():
        return
    write_keys(run, *_pair())


def write_keys(run: Path, certificate: bytes, key: bytes) -> None:
    """Write a certificate and its key, PEM, to where they are looked for.

    Raises:
        StorageError: they cannot be written.
    """
    folder = JobFiles(run).keys
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        folder.chmod(_PRIVATE_FOLDER)
        for name, data in ((_KEY, key), (_CERTIFICATE, certificate)):
            write_private(folder / name, data)
    except OSError as error:
        raise not_written(folder, error) from error


def read_keys(run: Path) -> tuple[bytes, bytes]:
    """The run's certificate and key, PEM.

    Raises:
        DataError: they cannot be read.
    """
    folder = JobFiles(run).keys
    try:
        return (folder / _CERTIFICATE).read_bytes(), (folder / _KEY).read_bytes()
    except OSError as error:
        said = _("{path}: cannot be read ({reason})").format(path=folder, reason=error.strerror or error)
        raise DataError(said, _("work as the user who started the run")) from error


def forget_keys(run: Path) -> None:
    """Remove the run's certificate and key, so that its next start makes others."""
    for name in (_KEY, _CERTIFICATE):
        with contextlib.suppress(OSError):
            (JobFiles(run).keys / name).unlink(missing_ok=True)


def write_private(path: Path, data: bytes) -> None:
    """Write a file in one step that only its owner can read, at no moment anybody else.

    Raises:
        OSError: it cannot be written.
    """
    with atomic_path(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)


def security(run: Path) -> Any:
    """What Dask needs to talk for this run: ``distributed.Security``.

    Raises:
        UsageError: this user may not read the run's key, or others may.
        DataError: there is none.
    """
    from distributed import Security

    folder = JobFiles(run).keys
    key, certificate = folder / _KEY, folder / _CERTIFICATE
    try:
        mode = key.stat().st_mode
        key.read_bytes()
    except FileNotFoundError:
        said = _("{run}: nobody waits for workers there").format(run=run)
        raise DataError(said, _("start it with lorascope evaluate --cluster")) from None
    except OSError as error:
        said = _("{path}: cannot be read ({reason})").format(path=key, reason=error.strerror or error)
        raise UsageError(said, _("work as the user who started the run")) from None
    if mode & 0o077:
        remedy = _("chmod 600 it, or remove {folder} and start the job again").format(folder=folder)
        raise UsageError(_("{path}: others can read it").format(path=key), remedy)
    paths = {
        f"tls_{role}_{part}": str(path)
        for role in ("scheduler", "worker", "client")
        for part, path in (("cert", certificate), ("key", key))
    }
    return Security(tls_ca_file=str(certificate), require_encryption=True, **paths)


def _pair() -> tuple[bytes, bytes]:
    """A certificate and its key, PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks of machines differ: one that is behind must not find it not yet valid.
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 365 * _DAY)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private
