"""Get the key that signs sessions: from the settings, or from a file that is created at the first start."""

import os
import secrets
from pathlib import Path
from typing import Final

import structlog

from glas.system.files import make_directory, to_disk

FILE: Final = "web-secret"
_N_BYTES: Final = 32

_log = structlog.stdlib.get_logger("glas.web")


def secret_key(given: str | None, data_dir: Path) -> bytes:
    """Return the key that signs sessions.

    Args:
        given: the key from the settings. If it is None, the key is read from a file, which is created if it is missing.
        data_dir: directory that contains this file. If the file can be neither read nor created, a random key is made,
            which only this process uses.
    """
    if given is not None:
        return given.encode()
    path = data_dir / FILE
    try:
        make_directory(data_dir)
        if not path.exists():
            _write(path, secrets.token_urlsafe(_N_BYTES))
        if found := path.read_bytes().strip():
            return found
        reason = "the file is empty"
    except OSError as error:
        reason = type(error).__name__
    _log.warning(
        "the key of sessions cannot be stored; people must sign in again after each start", file=FILE, reason=reason
    )
    return secrets.token_bytes(_N_BYTES)


def _write(path: Path, text: str) -> None:
    """Create the file with the key so that only its owner can read it.

    If another process has created the file since this process looked for it, the file is not changed.
    """
    draft = path.with_name(f"{FILE}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    to_disk(path.parent)
