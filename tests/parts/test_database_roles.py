"""Roles in a real PostgreSQL: what each part may do, and what it may not do."""

import asyncio
import base64
import os

import psycopg
import pytest
from psycopg import errors, sql
from pydantic import SecretStr
from sqlalchemy import make_url

from glas.clients.db_assist import DbAssistClient
from glas.db import migrations, roles
from glas.db.session import open_database
from glas.db.tables import Base
from glas.domain.errors import ConfigurationError
from glas.domain.messages import Score
from glas.domain.object_keys import audio_key
from glas.domain.people import Purpose, Role
from glas.durable import Durable, Queue, Work, postgres_place
from glas.settings import Settings
from tests.conftest import Postgres
from tests.parts.conftest import PASSWORDS, as_role
from tests.parts.voices import open_db_assist, send, sha256, someone

LEDGER_CHANGES = (
    "DELETE FROM transactions",
    "TRUNCATE transactions",
    "UPDATE transactions SET amount_hundredths = 100",
    "UPDATE transactions SET user_id = 1",
    "ALTER TABLE transactions DISABLE TRIGGER ALL",
    "DROP TRIGGER transactions_no_delete ON transactions",
    "SET session_replication_role = replica",
)
AUDIT_CHANGES = (
    "DELETE FROM audit",
    "TRUNCATE audit",
    "UPDATE audit SET action = 'ban'",
    "UPDATE audit SET after = NULL",
    "DROP TRIGGER audit_no_update ON audit",
)
DEFINITIONS = (
    "DROP TABLE chats",
    "ALTER TABLE users ADD COLUMN more text",
    "CREATE TABLE more (id int)",
    "CREATE TEMPORARY TABLE more (id int)",
    "CREATE SCHEMA more",
    "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE ROLE more",
    "CREATE INDEX more ON users (locale)",
    "DROP VIEW training_messages",
    "UPDATE alembic_version SET version_num = 'none'",
    "DELETE FROM users",
    "DELETE FROM tombstones",
)


async def upgraded(url: str, passwords: dict[str, str]) -> None:
    database = open_database(make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        await migrations.upgrade(database, passwords=passwords)
    finally:
        await database.close()


def is_refused(url: str, statement: str) -> bool:
    """Return whether the server refuses a statement because of missing rights, and for no other reason."""
    with psycopg.connect(url) as connection:
        try:
            connection.execute(statement.encode())
        except errors.InsufficientPrivilege:
            return True
        connection.rollback()
    return False


@pytest.mark.parametrize("statement", [*LEDGER_CHANGES, *AUDIT_CHANGES, *DEFINITIONS])
def test_db_assist_defines_nothing_and_only_appends_to_the_books(empty_postgres: str, statement: str) -> None:
    """Even an injected SQL statement could not change payments or entries of the audit."""
    assert is_refused(as_role(empty_postgres, roles.APP), statement)
    assert not is_refused(empty_postgres, statement)


async def test_forgetting_works_with_the_rights_of_db_assist(empty_postgres: str, settings: Settings) -> None:
    """The words of a person are deleted and the ledger entry stays; only the note of a grant changes in it."""
    told = settings.model_copy(update={"database_url": SecretStr(as_role(empty_postgres, roles.APP))})
    person, admin = someone(), someone()
    async with open_db_assist(told) as client:
        for tg_id in (person, admin):
            await client.register(tg_id)
        await client.set_role(admin, Role.ADMIN)
        sent = await send(client, person)
        await client.rate(sent.id, person, Score.BEST)
        await client.grant(admin, person, 500, reason="от друга", key="one")
        await client.forget(person)
        assert (await client.check_ledger()).is_balanced
    with psycopg.connect(empty_postgres) as owner:
        entries = owner.execute("SELECT reason, note FROM transactions ORDER BY id").fetchall()
        messages = owner.execute("SELECT count(*) FROM transcriptions").fetchone()
        tombstones = owner.execute("SELECT transcription_id FROM tombstones").fetchall()
    assert entries == [("rating", None), ("grant", None)]
    assert (messages, tombstones) == ((0,), [(sent.id,)])


async def test_the_export_role_reads_only_those_who_agreed(empty_postgres: str, settings: Settings) -> None:
    """The view has no Telegram ids, no people who have refused later, and no forwarded messages."""
    told = settings.model_copy(update={"database_url": SecretStr(as_role(empty_postgres, roles.APP))})
    agreed, refused, silent = someone(), someone(), someone()
    async with open_db_assist(told) as client:
        sent = {tg_id: await _sent_by(client, tg_id) for tg_id in (agreed, refused, silent)}
        await send(client, agreed, forwarded=True)
        for tg_id, answers in ((agreed, (False, True)), (refused, (True, False))):
            for answer in answers:
                await client.set_consent(tg_id, Purpose.TRAINING, granted=answer, text_version="1")
    export = as_role(empty_postgres, roles.EXPORT)
    with psycopg.connect(export) as connection:
        found = connection.execute("SELECT * FROM training_messages")
        columns = {column.name for column in found.description or ()}
        assert [row[0] for row in found] == [sent[agreed]]
    assert not {name for name in columns if name.endswith("_id") or name.startswith("tg_")}
    for table in (*Base.metadata.tables, "alembic_version"):
        assert is_refused(export, f"TABLE {table}"), table
    assert is_refused(export, "DELETE FROM transcriptions")
    assert is_refused(export, "CREATE TABLE more (id int)")


async def _sent_by(client: DbAssistClient, tg_id: int) -> int:
    await client.register(tg_id)
    sent = await send(client, tg_id)
    await client.archive(sent.id, audio_key=audio_key(sent.id, "ogg"), sha256=sha256("sound"), size_bytes=5)
    return sent.id


async def test_durable_work_needs_only_schemas_of_its_own(postgres: Postgres) -> None:
    """The role `work` can read none of our tables; it becomes the owner of schemas of an older version."""
    url = await asyncio.to_thread(postgres.create, f"roles_work_{os.getpid()}")
    await _run_once(url, "one")
    await upgraded(url, PASSWORDS)
    worker = as_role(url, roles.WORK)
    await _run_once(worker, "two")
    with psycopg.connect(worker) as connection:
        rows = connection.execute("SELECT workflow_uuid FROM durable_tg_bot.workflow_status ORDER BY 1").fetchall()
    assert rows == [("one",), ("two",)]
    for table in Base.metadata.tables:
        assert is_refused(worker, f"TABLE {table}"), table
    assert is_refused(as_role(url, roles.APP), "SELECT * FROM durable_tg_bot.workflow_status")


async def _run_once(url: str, name: str) -> None:
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    durable = Durable(postgres_place(url, "tg_bot"), slot="roles")
    durable.workflow("work", work)
    durable.queue(Queue("queue", 1))
    await durable.start()
    try:
        await durable.enqueue(Work("queue", "work", name, ()))
        await asyncio.wait_for(done.wait(), 20)
    finally:
        await durable.close()


async def test_an_owner_without_superuser_sets_the_roles_twice_and_takes_rights_back(postgres: Postgres) -> None:
    """The server is like one that another person administers; a second call only removes superfluous rights."""
    name = f"roles_owned_{os.getpid()}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        owner, database = sql.Identifier(f"{name}_owner"), sql.Identifier(name)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(owner))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
    url = as_role(postgres.url(name), "owner")
    await _run_once(url, "one")
    await upgraded(url, {})
    await upgraded(url, PASSWORDS)
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("GRANT DELETE ON transactions TO {}").format(sql.Identifier(f"{name}_app")))
    assert not is_refused(as_role(url, roles.APP), "DELETE FROM transactions")
    await upgraded(url, {})
    assert is_refused(as_role(url, roles.APP), "DELETE FROM transactions")
    await _run_once(as_role(url, roles.WORK), "two")


async def test_a_role_that_may_more_is_not_used(postgres: Postgres) -> None:
    """A role that exists for another purpose is refused, because db_assist would get its rights."""
    name = f"roles_mighty_{os.getpid()}"
    url = await asyncio.to_thread(postgres.create, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} SUPERUSER").format(sql.Identifier(f"{name}_app")))
    with pytest.raises(ConfigurationError, match=f"{name}_app to be an ordinary role"):
        await upgraded(url, PASSWORDS)


def test_a_password_is_stored_as_the_server_itself_would(postgres: Postgres) -> None:
    """The library libpq makes an equal verifier from the same salt, so the password is accepted."""
    with psycopg.connect(postgres.url("postgres")) as connection:
        connection.execute("CREATE ROLE roles_scram LOGIN PASSWORD 'a-password-of-tests'")
        row = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'roles_scram'").fetchone()
        connection.rollback()
    assert row is not None
    stored = str(row[0])
    salt = stored.split("$")[1].split(":")[1]

    assert roles.scram_verifier("a-password-of-tests", salt=base64.b64decode(salt)) == stored


def test_a_name_that_the_server_would_cut_is_refused() -> None:
    """Otherwise two databases with long names would share their roles."""
    assert roles.name_of(roles.EXPORT, "glas") == "glas_export"
    with pytest.raises(ConfigurationError, match="56 bytes"):
        roles.name_of(roles.APP, "d" * 60)
