"""Encrypt a backup with age (https://age-encryption.org/v1) during writing, or decrypt a backup during reading.

A backup passes through a pipe. The caller writes or reads the tar at one end of the pipe. At the other end, a thread
encrypts or decrypts the tar. So the directory of the backup never contains an unencrypted copy, and only a few blocks
are in memory.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from glas.domain.errors import BackupEncryptedError, BackupError, ConfigurationError, InvalidParameterError

Recipient: TypeAlias = Any
Identity: TypeAlias = Any

_HEADER: Final = b"age-encryption.org/v1\n"
_AGE_LINE: Final = "AGE-SECRET-KEY-"
_SSH_START: Final = b"-----BEGIN"
# What pyrage says if none of the identities fits.
_NO_MATCH: Final = "No matching keys found"
_PART_BYTES = 1024 * 1024


def recipients_of(public_keys: Sequence[str]) -> list[Recipient]:
    """Parse the public keys for which a backup is encrypted: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`.

    Raises:
        InvalidParameterError: a text in `public_keys` is not such a key.
        ConfigurationError: the package pyrage is missing.
    """
    return [_recipient(key.strip()) for key in public_keys]


def _recipient(key: str) -> Recipient:
    pyrage = _pyrage()
    kind = pyrage.ssh if key.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(key)
    except pyrage.RecipientError as error:
        raise InvalidParameterError(
            f"expected a public key age1…, ssh-ed25519 … or ssh-rsa …, got {key[:24]!r}: {error}", param="recipient"
        ) from error


def identities_in(path: Path) -> list[Identity]:
    """Read secret keys from a file: keys that `age-keygen` made, or one SSH key without a passphrase.

    Raises:
        InvalidParameterError: the file contains no such key. The error message does not show the contents of the file.
        ConfigurationError: the package pyrage is missing.
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    pyrage = _pyrage()
    try:
        if content.startswith(_SSH_START):
            return [pyrage.ssh.Identity.from_buffer(content)]
        lines = [line.strip() for line in content.decode(errors="replace").splitlines()]
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line.startswith(_AGE_LINE)]
    except pyrage.IdentityError as error:
        raise InvalidParameterError(f"expected a secret key in {path}: {error}", param="identity") from error
    if not found:
        raise InvalidParameterError(
            f"expected a line {_AGE_LINE}… or an SSH key without a passphrase in {path}, got neither",
            param="identity",
        )
    return found


@contextmanager
def encrypting(target: IO[bytes], recipients: Sequence[Recipient]) -> Iterator[IO[bytes]]:
    """Open a context with a file: everything that is written into this file is encrypted and written into `target`.

    If `recipients` is empty, nothing is encrypted: the file is `target` itself.

    Raises:
        OSError: the target cannot be written.
    """
    if not recipients:
        yield target
        return
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(_encrypt, reading, target, recipients)
        try:
            with os.fdopen(writing, "wb") as plain:
                yield plain
        except BrokenPipeError:
            done.result()  # raises the error that ended the thread
            raise
        done.result()


def _encrypt(reading: int, target: IO[bytes], recipients: Sequence[Recipient]) -> None:
    pyrage = _pyrage()
    with os.fdopen(reading, "rb") as plain:
        try:
            pyrage.encrypt_io(plain, target, recipients)
        except pyrage.EncryptError as error:
            # The keys are valid, so only reading or writing can fail. pyrage keeps only the message of such an error.
            raise OSError(f"cannot write the encrypted backup: {error}") from error


@contextmanager
def decrypting(source: IO[bytes], identities: Sequence[Identity]) -> Iterator[IO[bytes]]:
    """Open a context with a file that has the decrypted content of `source`.

    If `source` is not encrypted, the file has the same content as `source`. The content may be used only after the
    context has ended without an error, because only the end of `source` shows that the content is complete.

    Raises:
        BackupEncryptedError: `source` is encrypted, and none of the secret keys in `identities` can decrypt it.
        BackupError: `source` is incomplete or changed.
    """
    start = source.read(len(_HEADER))
    source.seek(0)
    if start != _HEADER:
        yield source
        return
    if not identities:
        raise BackupEncryptedError("expected --identity with a file of secret keys, since the backup is encrypted")
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(_decrypt, source, writing, identities)
        with os.fdopen(reading, "rb") as plain:
            try:
                yield plain
                while plain.read(_PART_BYTES):
                    pass
            except Exception:
                plain.close()  # ends the thread if it still writes
                done.result()  # if the thread failed, raises its error, which caused the error of the reader
                raise
        done.result()


def _decrypt(source: IO[bytes], writing: int, identities: Sequence[Identity]) -> None:
    pyrage = _pyrage()
    try:
        with os.fdopen(writing, "wb") as plain:
            pyrage.decrypt_io(source, plain, identities)
    except BrokenPipeError:
        return  # the reader has stopped reading
    except (pyrage.DecryptError, OSError) as error:
        if str(error) == _NO_MATCH:
            raise BackupEncryptedError("expected a secret key for which the backup is encrypted, got others") from error
        raise BackupError(f"expected a whole encrypted backup, got a cut or changed one: {error}") from error


def _pyrage() -> Any:
    try:
        import pyrage  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise ConfigurationError(
            "expected the package pyrage for encryption: pip install 'glas-asr[backup]'"
        ) from error
    return pyrage
