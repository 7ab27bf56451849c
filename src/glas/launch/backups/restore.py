"""Restore a backup: unpack it beside the data, compare it with its manifest, then replace the data."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from glas.domain.errors import ConfigurationError, WouldReplaceError
from glas.launch.backups.archive import MANIFEST, POSTGRESQL, BackupReport, unpack, verify
from glas.launch.backups.backup import is_on_servers
from glas.launch.backups.deletions import delete_files_again, known_deletions, log_in
from glas.launch.backups.encryption import Identity, decrypting, identities_in
from glas.launch.backups.server_restore import restore_servers
from glas.launch.exchange import SCRATCH, data_in, exchange
from glas.launch.lock import Holder, taken
from glas.settings import Settings


def restore(settings: Settings, archive: Path, *, identity: Path | None = None, force: bool = False) -> BackupReport:
    """Restore a backup, and repeat the deletions of people's data that were made after the backup.

    The target is the data directory, or PostgreSQL and S3; see `glas.launch.backups.server_restore`.

    Args:
        settings: the settings, which say where the data must be.
        archive: a file that `back_up` wrote.
        identity: file with a secret key that can decrypt the backup; None if the backup is not encrypted.
        force: whether to replace existing data.

    Raises:
        BackupError: the archive is damaged; nothing was changed.
        BackupEncryptedError: the archive is encrypted, and no secret key was given that can decrypt it.
        InvalidParameterError: the file `identity` contains no secret key.
        WouldReplaceError: the target contains data, and `force` is not set.
        DataDirectoryInUseError: a server uses the data directory.
        ConflictError: other programs are connected to the database.
        ConfigurationError: the database cannot be reached, or the backup was made in another mode than the mode of the
            settings (the modes are the embedded mode, and PostgreSQL with S3).
        OSError: the archive cannot be read, or the disk is full; nothing was changed.
    """
    identities = [] if identity is None else identities_in(identity)
    put = _restore_servers if is_on_servers(settings) else _restore_files
    with archive.open("rb") as file:
        return put(settings, archive.parent, file, identities, force=force)


def _restore_servers(
    settings: Settings, beside: Path, file: IO[bytes], identities: Sequence[Identity], *, force: bool
) -> BackupReport:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.data_dir, prefix=SCRATCH) as scratch:
        report, installation = _unpacked(file, identities, Path(scratch))
        n_forgotten = restore_servers(settings, Path(scratch), beside, installation, force=force)
    return replace(report, n_forgotten=n_forgotten)


def _restore_files(
    settings: Settings, beside: Path, file: IO[bytes], identities: Sequence[Identity], *, force: bool
) -> BackupReport:
    data_dir = settings.data_dir
    with taken(data_dir, Holder(os.getpid()), alone=True):
        old = data_in(data_dir)
        if old and not force:
            raise WouldReplaceError(
                f"{data_dir.absolute()} holds data already ({', '.join(path.name for path in old[:4])}); "
                "--force replaces it"
            )
        with tempfile.TemporaryDirectory(dir=data_dir, prefix=SCRATCH) as scratch:
            new = Path(scratch) / "new"
            new.mkdir()
            report, installation = _unpacked(file, identities, new)
            if (new / POSTGRESQL).exists():
                raise ConfigurationError(
                    "expected a backup of the embedded mode, got one of PostgreSQL: "
                    "set GLAS_DATABASE_URL and GLAS_S3_ENDPOINT to restore it there"
                )
            deletions = known_deletions(data_dir, beside, installation)
            n_forgotten = delete_files_again(new, deletions)
            log_in(new).write(installation or log_in(data_dir).installation(), deletions)
            (new / MANIFEST).unlink()
            exchange(data_dir, new)
    return replace(report, n_forgotten=n_forgotten)


def _unpacked(file: IO[bytes], identities: Sequence[Identity], directory: Path) -> tuple[BackupReport, str | None]:
    """Unpack a backup into an empty directory and compare it with its manifest; `verify` describes the result."""
    with decrypting(file, identities) as plain:
        unpack(plain, directory)
    return verify(directory)
