"""What must be true of a data directory after the power went away; looked at without Glas."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from aiogram.types import Update

from glas.domain.object_keys import is_key
from glas.tg_bot.intake import work_for
from glas.tg_bot.pace import Pace
from tests.system.power import Moment
from tests.telegram.world import BOT_ID

_WORK = "SELECT workflow_uuid, status FROM workflow_status"
_ROWS = "SELECT id, chat_id, message_id, text, audio_key, audio_sha256 FROM transcriptions"
_WRONG_BALANCES = """
SELECT id FROM users WHERE cash_hundredths <>
    (SELECT coalesce(sum(amount_hundredths), 0) FROM transactions WHERE user_id = users.id)
"""
_PAID_TWICE = "SELECT transcription_id FROM transactions GROUP BY transcription_id, reason HAVING count(*) > 1"


class _Row(NamedTuple):
    id: int
    chat_id: int
    message_id: int
    text: str | None
    audio_key: str | None
    audio_sha256: str | None


def faults(data: Path, moment: Moment, *, forgotten: int) -> Iterator[str]:
    """Yield what is lost or wrong.

    Args:
        data: the data directory.
        moment: when the power went.
        forgotten: a person who asks to be forgotten; what is known of them may be gone at any time.
    """
    try:
        (found,) = _asked(data / "durable-tg_bot.sqlite", _WORK)
        work = {str(name): str(status) for name, status in found}
        found, balances, payments = _asked(data / "glas.db", _ROWS, _WRONG_BALANCES, _PAID_TWICE)
        rows, wrong = [_Row(*row) for row in found], [*balances, *payments]
    except sqlite3.DatabaseError as error:
        yield f"a database cannot be read: {error}"
        return
    yield from (f"a balance or a payment is wrong: {row}" for row in wrong)
    for update in moment.confirmed:
        name = _work_name(json.dumps(update), forgotten)
        if name is not None and name not in work:
            yield f"{name} was confirmed to Telegram, and is lost"
    done = {name for name, status in work.items() if status == "SUCCESS"}
    yield from _faults_of_messages(data, rows, done, forgotten)
    sounds = {hashlib.sha256(file.data).hexdigest() for file in moment.telegram.files.values()}
    yield from _faults_of_objects(data, rows, sounds)
    if is_told_forgotten(moment, forgotten) and any(row.chat_id == forgotten for row in rows):
        yield "somebody who was told to be forgotten is there"


def is_told_forgotten(moment: Moment, person: int) -> bool:
    """Whether a person was told that everything is deleted."""
    return any("Удалено всё" in message.get("text", "") for message in moment.telegram.messages.of(person))


def _faults_of_messages(data: Path, rows: list[_Row], done: set[str], forgotten: int) -> Iterator[str]:
    """Compare work that has ended with the rows, and rows with the objects."""
    known = {f"v:{BOT_ID}:{row.chat_id}:{row.message_id}:1": row for row in rows}
    for name in done:
        if name.startswith("v:") and f":{forgotten}:" not in name and (name not in known or known[name].text is None):
            yield f"{name} has ended, and there is no text"
    for row in rows:
        if row.chat_id == forgotten:
            continue
        if f"a:{row.id}" in done and row.audio_key is None:
            yield f"message {row.id} was archived, and its row does not know"
        if row.audio_key is not None and _sha256(data / "s3" / row.audio_key) != row.audio_sha256:
            yield f"{row.audio_key} is lost or damaged"
        text = data / "s3" / f"{row.id}/{row.id}_transcription.txt"
        if row.audio_key is not None and (not text.exists() or text.read_text(encoding="utf-8") != row.text):
            yield f"the text of message {row.id} is lost or damaged"


def _faults_of_objects(data: Path, rows: list[_Row], sounds: set[str]) -> Iterator[str]:
    """Look for objects of nobody, and for halves of a recording that count as a whole one."""
    numbers = {str(row.id) for row in rows}
    for path in (data / "s3").glob("*/*"):
        if not is_key(path.relative_to(data / "s3").as_posix()):
            continue
        if path.parent.name not in numbers:
            yield f"{path.name} belongs to nobody"
        if "_audio." in path.name and _sha256(path) not in sounds:
            yield f"{path.name} is not whole"


@cache
def _work_name(update: str, forgotten: int) -> str | None:
    work = work_for(Update.model_validate_json(update), BOT_ID, confirm_first=False, pace=Pace())
    return None if work is None or work.person == str(forgotten) else work.id


def _asked(path: Path, *queries: str) -> list[list[tuple[Any, ...]]]:
    """Return the rows of each query; none if there are no tables yet."""
    if not path.exists():
        return [[] for _ in queries]
    with closing(sqlite3.connect(path)) as connection:
        if (found := connection.execute("PRAGMA integrity_check").fetchone()) != ("ok",):
            raise sqlite3.DatabaseError(f"{path.name}: {found}")
        table = queries[0].rpartition(" ")[2]
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is None:
            return [[] for _ in queries]
        return [connection.execute(query).fetchall() for query in queries]


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
