"""Dump and load a PostgreSQL database with PostgreSQL's programs `pg_dump` and `pg_restore`.

Both programs get the password in their environment, because everybody on a machine can read the arguments of a process.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Final

from sqlalchemy import URL

from glas.domain.errors import BackupError, ConfigurationError

# Our tables, and those of the durable engine.
_SCHEMAS: Final = ("--schema=public", "--schema=durable_*")
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")
_PART_BYTES = 16 * 1024 * 1024


def program(name: str, server_version: int) -> str:
    """Find `pg_dump` or `pg_restore`.

    Args:
        name: `pg_dump` or `pg_restore`.
        server_version: major version of the server, for example 17.

    Returns:
        The path of the program.

    Raises:
        ConfigurationError: the program is missing, or older than the server.
    """
    path = shutil.which(name)
    if path is None:
        raise ConfigurationError(f"expected the program {name} of PostgreSQL {server_version} or newer, found none")
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - ours
    found = _VERSION.search(told)
    if found is None or int(found[1]) < server_version:
        raise ConfigurationError(
            f"expected {name} of PostgreSQL {server_version} or newer, like the server, found {told.strip()} at {path}"
        )
    return path


def dump(pg_dump: str, url: URL) -> Iterator[bytes]:
    """Yield a consistent dump of Glas's schemas, in parts of 16 MiB; other processes may write during the dump.

    Args:
        pg_dump: path of the program `pg_dump`.
        url: URL of the database.

    Raises:
        ConfigurationError: the server refuses the dump, or the role in the URL has no right to read everything.
    """
    arguments = [pg_dump, "--format=custom", *_SCHEMAS, "--no-owner", "--no-privileges", *_address(url)]
    with _started(arguments, url, stdout=subprocess.PIPE) as (process, complaints):
        if process.stdout is not None:
            while part := process.stdout.read(_PART_BYTES):
                yield part
        if process.wait() != 0:
            raise ConfigurationError(f"pg_dump failed: {_complaint(complaints)}")


def load(pg_restore: str, url: URL, parts: Iterable[bytes]) -> None:
    """Load a dump, in one transaction, into a database that does not have the schemas of the dump.

    Args:
        pg_restore: path of the program `pg_restore`.
        url: URL of the database.
        parts: the bytes of the dump, in parts.

    Raises:
        BackupError: the data is not a dump, or the server refuses it; the database is unchanged.
    """
    arguments = [pg_restore, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", *_address(url)]
    with _started(arguments, url, stdin=subprocess.PIPE) as (process, complaints):
        if process.stdin is not None:
            try:
                with process.stdin as dumped:
                    for part in parts:
                        dumped.write(part)
            except BrokenPipeError:
                pass  # pg_restore ended early; its error message contains the reason
        if process.wait() != 0:
            raise BackupError(f"pg_restore failed: {_complaint(complaints)}")


@contextmanager
def _started(
    arguments: list[str], url: URL, *, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.DEVNULL
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """Open a context in which a program runs; at the end of the context, the program is ended.

    Yields:
        The process, and a file that contains the error messages of the program.
    """
    environment = dict(os.environ)
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(  # noqa: S603 - the arguments are ours
            arguments, stdin=stdin, stdout=stdout, stderr=complaints, env=environment
        ) as process,
    ):
        try:
            yield process, complaints
        finally:
            process.kill()


def _address(url: URL) -> list[str]:
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    # If a password is necessary and missing, the program must fail and not ask for the password.
    return ["--no-password", "--dbname", plain.render_as_string(hide_password=False)]


def _complaint(complaints: IO[bytes]) -> str:
    """Return the first error in a program's messages.

    Other lines are not returned, because they may quote rows with ids and words of people.
    """
    complaints.seek(0)
    lines = complaints.read(64 * 1024).decode(errors="replace").splitlines()
    return next((line for line in lines if "error:" in line), "no reason is given")
