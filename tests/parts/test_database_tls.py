"""Connections to PostgreSQL over TLS, which check the certificate of the server if the URL says so."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa
import trustme

from glas.db.session import open_database
from glas.durable.place import postgres_place
from tests import postgres
from tests.ports import free_port


class Secure(NamedTuple):
    """A PostgreSQL server that accepts only TLS, and files of two authorities."""

    port: int
    authority: Path
    other: Path

    def url(self, host: str, mode: str, authority: Path | None = None) -> str:
        root = "" if authority is None else f"&sslrootcert={authority}"
        return f"postgresql://postgres@{host}:{self.port}/postgres?sslmode={mode}{root}"


def programs() -> Path | None:
    """Return the directory of PostgreSQL's programs that speak TLS; those of the wheel do not."""
    for place in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        linked = subprocess.run(["ldd", place / "postgres"], capture_output=True, text=True, check=False).stdout
        if "libssl" in linked:
            return place
    return None


@pytest.fixture(scope="module")
def secure() -> Iterator[Secure]:
    """A server with a certificate for `localhost` only."""
    place = programs()
    if place is None:
        pytest.skip("no PostgreSQL with TLS on this machine (Debian: package postgresql)")
    with tempfile.TemporaryDirectory(prefix="glas-tls-") as directory:
        folder = Path(directory)
        data, authority = folder / "data", trustme.CA()
        made = Secure(free_port(), folder / "ca.pem", folder / "other.pem")
        authority.cert_pem.write_to_path(made.authority)
        trustme.CA().cert_pem.write_to_path(made.other)
        data.mkdir(mode=0o700)
        issued = authority.issue_cert("localhost")
        issued.private_key_pem.write_to_path(folder / "key.pem")
        issued.cert_chain_pems[0].write_to_path(folder / "server.pem")
        (folder / "key.pem").chmod(0o600)
        for one in (folder, data, folder / "key.pem", folder / "server.pem"):
            postgres.give(one)
        folder.chmod(0o755)
        _run(place / "initdb", "--no-sync", "--auth=trust", "--username=postgres", f"--pgdata={data}")
        (data / "pg_hba.conf").write_text("hostssl all all all trust\n", encoding="utf-8")
        told = {"ssl": "on", "ssl_cert_file": folder / "server.pem", "ssl_key_file": folder / "key.pem"}
        told |= {"listen_addresses": "localhost", "port": made.port, "unix_socket_directories": "", "fsync": "off"}
        options = " ".join(f"-c {name}='{value}'" for name, value in told.items())
        _run(place / "pg_ctl", "start", "--wait", f"--pgdata={data}", f"--log={data}/log", f"--options={options}")
        yield made
        _run(place / "pg_ctl", "stop", "--mode=immediate", f"--pgdata={data}")


def _run(program: Path, *arguments: str) -> None:
    user = postgres.user() if os.getuid() == 0 else None
    subprocess.run([program, *arguments], user=user, stdout=subprocess.DEVNULL, check=True, cwd="/")


async def version(url: str) -> str:
    """Return the version of TLS of a new connection for rows."""
    database = open_database(sa.make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        async with database.reading() as session:
            asked = sa.text("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            return str(await session.scalar(asked))
    finally:
        await database.close()


async def test_the_certificate_of_the_server_is_checked(secure: Secure) -> None:
    """The parameters are those of libpq, and mean the same for rows and for durable work."""
    for mode, authority in (("require", None), ("verify-ca", secure.authority), ("verify-full", secure.authority)):
        assert (await version(secure.url("localhost", mode, authority))).startswith("TLSv1")
    assert (await version(secure.url("127.0.0.1", "verify-ca", secure.authority))).startswith("TLSv1")
    for host, mode, authority in (
        ("localhost", "verify-full", secure.other),
        ("localhost", "verify-ca", secure.other),
        ("localhost", "verify-full", None),
        ("127.0.0.1", "verify-full", secure.authority),
        ("localhost", "disable", None),
    ):
        with pytest.raises((sa.exc.DBAPIError, OSError)):
            await version(secure.url(host, mode, authority))


def test_durable_work_reads_the_same_parameters(secure: Secure) -> None:
    for authority, is_known in ((secure.authority, True), (secure.other, False)):
        engine = postgres_place(secure.url("localhost", "verify-full", authority), "tg_bot").open()
        try:
            with engine.connect() as connection:
                assert connection.scalar(sa.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
                assert is_known
        except sa.exc.OperationalError:
            assert not is_known
        finally:
            engine.dispose()
