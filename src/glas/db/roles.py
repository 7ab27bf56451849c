"""Create roles of PostgreSQL: each part of Glas connects with a role that has only the rights that this part needs.

* The owner of the database: `glas migrate` connects with this role. It may do everything, and makes the tables and the
  other roles.
* `<database>_app`: db_assist connects with this role. It may read and write rows, but only append rows to the ledger,
  the audit and the tombstones. It may not execute DDL.
* `<database>_work`: tg_bot and data_loader connect with this role. It may read the revision of the tables, and it owns
  the schemas of DBOS (the library for durable work).
* `<database>_export`: programs for analyses or training connect with this role. It may read the view
  `training_messages`.

An upgrade of the tables first calls `prepare`, then changes the tables, and then calls `grant`. Both functions can be
called several times. `grant` first removes all rights, so that rights of an older version do not remain.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, text

from glas.db.tables import AuditRow, Base, ChangeCounterRow, InstallationRow, TombstoneRow, TransactionRow, UserRow
from glas.domain.errors import ConfigurationError

APP: Final = "app"
WORK: Final = "work"
EXPORT: Final = "export"
ROLES: Final = (APP, WORK, EXPORT)
VIEW: Final = "training_messages"

# PostgreSQL cuts longer names off.
_MAX_NAME_BYTES = 63
# The number of iterations that PostgreSQL itself uses: the minimum of RFC 7677.
_SCRAM_ITERATIONS = 4096
_MIGHTY = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
_ALL = "SELECT, INSERT, UPDATE, DELETE"
_RIGHTS: Final = {
    # /forget removes the administrator's note; nothing else of an entry ever changes.
    TransactionRow.__tablename__: "SELECT, INSERT, UPDATE (note)",
    AuditRow.__tablename__: "SELECT, INSERT",
    TombstoneRow.__tablename__: "SELECT, INSERT",
    # A row without a name stays, since ledger entries refer to it.
    UserRow.__tablename__: "SELECT, INSERT, UPDATE",
    ChangeCounterRow.__tablename__: "SELECT, UPDATE",
    InstallationRow.__tablename__: "SELECT",
}
# A person's last decision about training counts, as in `glas.db_assist.changes`. People are identified by the numbers
# of their rows, not by Telegram ids.
_VIEW_SQL = """
CREATE VIEW training_messages WITH (security_barrier) AS
SELECT message.id, message.user_id AS speaker, message.creation_datetime, message.media_kind, message.duration_s,
    message.text AS hypothesis, message.model, message.model_version, message.confidence, message.score,
    correction.reference, correction.rank,
    message.audio_key, message.audio_sha256, message.audio_size_bytes
FROM transcriptions AS message
LEFT JOIN corrections AS correction ON correction.transcription_id = message.id AND correction.rank <> 'doubtful'
WHERE message.status = 'done' AND NOT message.is_forwarded
    AND (
        SELECT consent.granted FROM consents AS consent
        WHERE consent.user_id = message.user_id AND consent.purpose = 'training'
        ORDER BY consent.id DESC LIMIT 1
    )
    AND NOT EXISTS (
        SELECT 1 FROM reviews AS review
        WHERE review.transcription_id = message.id AND review.verdict = 'other_voice'
    )
"""


def name_of(role: str, database: str) -> str:
    """Return the name of a role in PostgreSQL. The name begins with the name of the database.

    This is necessary because all databases of a server have the same roles.

    Raises:
        ConfigurationError: the name would be longer than PostgreSQL permits.
    """
    name = f"{database}_{role}"
    if len(name.encode()) > _MAX_NAME_BYTES:
        raise ConfigurationError(
            f"expected a database name of at most {_MAX_NAME_BYTES - len(EXPORT) - 1} bytes, since names of roles "
            f"begin with it, got {len(database.encode())}"
        )
    return name


def prepare(connection: Connection) -> None:
    """Drop the view `training_messages`, because PostgreSQL refuses to change columns on which a view depends."""
    connection.execute(text(f"DROP VIEW IF EXISTS {VIEW}"))


def grant(connection: Connection, passwords: Mapping[str, str]) -> None:
    """Create the view `training_messages` and the roles that have passwords; set the rights of all roles.

    Args:
        connection: a connection to PostgreSQL as the owner of the tables, in a transaction; the tables must have the
            newest revision.
        passwords: the passwords to set; the keys of the dictionary are names in `ROLES`. The passwords of other
            existing roles do not change.
    """
    connection.execute(text(_VIEW_SQL))
    database = str(connection.scalar(text("SELECT current_database()")))
    for role, password in passwords.items():
        _make(connection, name_of(role, database), password)
    found = [role for role in ROLES if _exists(connection, f"{database}_{role}")]
    if not found:
        return
    on_database = _quoted(connection, database)
    connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    connection.execute(text(f"REVOKE CREATE, TEMPORARY ON DATABASE {on_database} FROM PUBLIC"))
    for role in found:
        name = _quoted(connection, name_of(role, database))
        connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}"))
        connection.execute(text(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {name}"))
        connection.execute(text(f"REVOKE ALL ON DATABASE {on_database} FROM {name}"))
        connection.execute(text(f"GRANT CONNECT ON DATABASE {on_database} TO {name}"))
        match role:
            case "app":
                _grant_app(connection, name)
            case "work":
                # `glas doctor` compares the revision of the tables; the durable engine makes its schemas itself.
                connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {name}"))
                connection.execute(text(f"GRANT SELECT ON alembic_version TO {name}"))
                connection.execute(text(f"GRANT CREATE ON DATABASE {on_database} TO {name}"))
                _hand_over(connection, name_of(role, database))
            case _:
                connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {name}"))
                connection.execute(text(f"GRANT SELECT ON {VIEW} TO {name}"))


def scram_verifier(password: str, *, salt: bytes | None = None, iterations: int = _SCRAM_ITERATIONS) -> str:
    """Return the SCRAM verifier of a password (RFC 5802), which PostgreSQL stores instead of the password.

    Glas sends this verifier to the server, and not the password, because the server may write statements into its log.
    The password must be ASCII, because other characters would have to be normalised (SASLprep) before the verifier is
    computed.
    """
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _make(connection: Connection, name: str, password: str) -> None:
    quoted = _quoted(connection, name)
    if not _exists(connection, name):
        connection.execute(text(f"CREATE ROLE {quoted}"))
    # Only a superuser may remove such attributes from a role. So a role that has them is refused instead.
    if connection.scalar(text(f"SELECT {_MIGHTY} FROM pg_roles WHERE rolname = :name"), {"name": name}):  # noqa: S608
        raise ConfigurationError(
            f"expected the role {name} to be an ordinary role, got a role with more rights: drop it"
        )
    # `exec_driver_sql` is used, because colons of the verifier must not be read as parameters. The verifier contains no
    # quotation mark.
    connection.exec_driver_sql(f"ALTER ROLE {quoted} LOGIN PASSWORD '{scram_verifier(password)}'")


def _exists(connection: Connection, name: str) -> bool:
    return connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}) is not None


def _grant_app(connection: Connection, name: str) -> None:
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {name}"))
    for table in Base.metadata.tables:
        connection.execute(text(f"GRANT {_RIGHTS.get(table, _ALL)} ON {table} TO {name}"))
    connection.execute(text(f"GRANT SELECT ON alembic_version TO {name}"))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}"))


def _hand_over(connection: Connection, name: str) -> None:
    """Make a role the owner of the schemas of DBOS, the library for durable work, and of their contents.

    This is necessary because schemas that an older version of Glas created have another owner.
    """
    schemas = connection.scalars(
        text(
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'durable\\_%' AND nspowner <> CAST(:name AS regrole)"
        ),
        {"name": _quoted(connection, name)},
    ).all()
    if not schemas:
        return
    quoted = _quoted(connection, name)
    # An owner that is not a superuser may give objects only to roles of which it is a member.
    connection.execute(text(f"GRANT {quoted} TO CURRENT_USER"))
    for schema in schemas:
        connection.execute(text(f"ALTER SCHEMA {_quoted(connection, schema)} OWNER TO {quoted}"))
        for kind, thing in connection.execute(_THINGS, {"schema": schema}).all():
            connection.exec_driver_sql(f"ALTER {kind} {thing} OWNER TO {quoted}")


# A sequence of a column gets the owner of its table, and cannot be given to another owner separately.
_THINGS: Final = text("""
SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass::text
FROM pg_class AS thing
WHERE relnamespace = CAST(quote_ident(:schema) AS regnamespace) AND relkind IN ('r', 'p', 'v', 'S') AND NOT EXISTS (
    SELECT 1 FROM pg_depend WHERE objid = thing.oid AND deptype IN ('a', 'i') AND thing.relkind = 'S'
)
UNION ALL
SELECT 'ROUTINE', oid::regprocedure::text FROM pg_proc
WHERE pronamespace = CAST(quote_ident(:schema) AS regnamespace)
""")


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
