"""Store the state of the export: the position in the list of changes, the exported messages, the files to be written.

The index is a small SQLite file inside the export's directory. First, the directories of the messages on a page of
changes get their final names. Then the page and the cursor after the page are committed in one transaction. The
manifest and dataset files that must be written are marked in the index until they are written. So if an export is
killed, the next export completes it. If the index is lost, the next export is a full export.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from glas.data_loader.record import Record

MANIFEST = "manifest.jsonl"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    folder TEXT NOT NULL,
    shard TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    score INTEGER NOT NULL,
    confidence REAL,
    wer REAL,
    duration_s REAL NOT NULL,
    record TEXT NOT NULL,
    pass INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_shard ON messages (shard, id);
CREATE TABLE IF NOT EXISTS unwritten (file TEXT PRIMARY KEY);
"""

# Worst first: the largest error rate; then messages without a reference, by the lowest rating and confidence.
_WORST_FIRST = "wer IS NULL, wer DESC, CASE score WHEN 0 THEN 2.5 ELSE score END, confidence, id"


class Known(NamedTuple):
    """The row of the index about an exported message."""

    folder: str
    shard: str
    fingerprint: str
    record: Record


class Totals(NamedTuple):
    """The number of messages and of references in the export, and the total duration of its recordings in seconds."""

    n_messages: int
    n_references: int
    audio_s: float


class Position(NamedTuple):
    """Position of an export in the list of changes that db_assist returns.

    Attributes:
        cursor: cursor of db_assist after the last processed page; empty at the beginning.
        number: number of the current full export. Each message that it has processed is marked with this number.
        is_full: whether a full export has begun and not ended.
        full_at_s: time of the end of the last full export, seconds since 1970.
        options: the options that determine the exported files; if they change, the next export is a full export.
    """

    cursor: str = ""
    number: int = 0
    is_full: bool = False
    full_at_s: float = 0
    options: str = ""


@contextmanager
def open_index(path: Path) -> Iterator["Index"]:
    """Open a context with the index; if the index cannot be read, create a new one."""
    try:
        connection = _connect(path)
    except sqlite3.DatabaseError:
        path.unlink()
        connection = _connect(path)
    with closing(connection):
        yield Index(connection)


def _connect(path: Path) -> sqlite3.Connection:
    # Several threads use the connection, but only one at a time.
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        # What a person asked to be forgotten must not stay readable in the file's free pages.
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


class Index:
    """The open index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @property
    def position(self) -> Position:
        """Return the position of the export."""
        stored = dict(self._db.execute("SELECT name, value FROM state"))
        return Position(
            cursor=stored.get("cursor", ""),
            number=int(stored.get("number", "0")),
            is_full=stored.get("is_full", "0") == "1",
            full_at_s=float(stored.get("full_at_s", "0")),
            options=stored.get("options", ""),
        )

    def known(self, transcription_id: int) -> Known | None:
        """Return the row about a message; None if the message is not in the export."""
        row = self._db.execute(
            "SELECT folder, shard, fingerprint, record FROM messages WHERE id = ?", (transcription_id,)
        ).fetchone()
        if row is None:
            return None
        folder, shard, fingerprint, record = row
        return Known(folder, shard, fingerprint, Record.model_validate_json(record))

    def commit(
        self, position: Position, *, kept: Iterable[int] = (), changed: Iterable[Record] = (), gone: Iterable[int] = ()
    ) -> None:
        """Commit the result of a page of changes.

        Args:
            position: the position after the page.
            kept: ids of messages whose directories stay as they are.
            changed: messages whose directories were written.
            gone: ids of messages that are not in the export any more.
        """
        with self._transaction():
            self._set_position(position)
            self._db.executemany("UPDATE messages SET pass = ? WHERE id = ?", ((position.number, one) for one in kept))
            for record in changed:
                self._mark_files_of(record.id)
                self._db.execute(
                    "INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    _row(record, position.number),
                )
                self._mark_files_of(record.id)
            for transcription_id in gone:
                self._mark_files_of(transcription_id)
                self._db.execute("DELETE FROM messages WHERE id = ?", (transcription_id,))

    def left_behind(self, number: int) -> list[int]:
        """Return the ids of messages that the full export `number` has not processed; call this after the last page."""
        rows = self._db.execute("SELECT id FROM messages WHERE pass < ? ORDER BY id", (number,))
        return [transcription_id for (transcription_id,) in rows]

    def folders(self) -> set[str]:
        """Return the directories of all exported messages."""
        return {folder for (folder,) in self._db.execute("SELECT folder FROM messages")}

    def numbers(self) -> set[int]:
        """Return the ids of all exported messages."""
        return {number for (number,) in self._db.execute("SELECT id FROM messages")}

    def shards(self) -> list[str]:
        """Return the names of the dataset files that must exist."""
        return [shard for (shard,) in self._db.execute("SELECT DISTINCT shard FROM messages ORDER BY shard")]

    def records(self, shard: str) -> Iterator[Record]:
        """Return the messages of a dataset file in the order of their ids."""
        for (record,) in self._db.execute("SELECT record FROM messages WHERE shard = ? ORDER BY id", (shard,)):
            yield Record.model_validate_json(record)

    def worst_first(self) -> Iterator[Record]:
        """Return all messages in the order of the manifest: those with the worst texts first.

        Messages with a word error rate come first, in descending order of the rate. Other messages follow, those with
        the worst ratings first.
        """
        for (record,) in self._db.execute(f"SELECT record FROM messages ORDER BY {_WORST_FIRST}"):  # noqa: S608 - a constant
            yield Record.model_validate_json(record)

    def unwritten(self) -> list[str]:
        """Return the names of the manifest and dataset files that must be written; the manifest comes first."""
        rows = self._db.execute("SELECT file FROM unwritten ORDER BY file <> ?, file", (MANIFEST,))
        return [file for (file,) in rows]

    def mark(self, files: Iterable[str]) -> None:
        """Mark files (the manifest or dataset files) that must be written."""
        with self._transaction():
            self._db.executemany("INSERT OR IGNORE INTO unwritten VALUES (?)", ((file,) for file in files))

    def written(self, file: str) -> None:
        """Remove the mark of a file that was written."""
        self._db.execute("DELETE FROM unwritten WHERE file = ?", (file,))

    def totals(self) -> Totals:
        """Return the number of exported messages and references, and the total duration of the recordings."""
        row = self._db.execute("SELECT count(*), count(wer), coalesce(sum(duration_s), 0) FROM messages").fetchone()
        return Totals(*row)

    def _mark_files_of(self, transcription_id: int) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO unwritten SELECT shard FROM messages WHERE id = ?1 "
            "UNION SELECT ?2 FROM messages WHERE id = ?1",
            (transcription_id, MANIFEST),
        )

    def _set_position(self, position: Position) -> None:
        values = position._asdict() | {"is_full": int(position.is_full)}
        self._db.executemany(
            "INSERT OR REPLACE INTO state VALUES (?, ?)", ((name, str(value)) for name, value in values.items())
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _row(record: Record, number: int) -> tuple[object, ...]:
    return (
        record.id,
        record.folder,
        record.shard,
        record.fingerprint,
        int(record.score),
        record.hypothesis.confidence,
        record.wer,
        record.duration_s,
        record.model_dump_json(),
        number,
    )
