"""Search each night for lost recordings, and download them again from Telegram.

Each night, the existence and the size of every object are checked. In addition, a seventh of all objects is read each
night and compared with the stored sha256, so each object is read once a week. If a recording was not archived after its
answer, because a service was unavailable for too long, the nightly search archives the recording.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiogram import Bot

from glas.clients.data_loader import DataLoaderClient
from glas.clients.data_loader_bodies import Expected
from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import ConflictError, GlasError, InputError, NotFoundError
from glas.domain.messages import Transcription
from glas.domain.object_keys import transcription_key
from glas.domain.people import Locale
from glas.tg_bot.api.telegram import said
from glas.tg_bot.talk.phrases import Phrases
from glas.tg_bot.voices.archive import Archiving
from glas.tg_bot.voices.jobs import ToArchive
from glas.tg_bot.voices.steps import Steps

_PAGE = 400  # a message has two objects, and one request may name 1,000
_DAYS = 7
# A newer message is not repaired, because its own workflow may still be archiving it.
_TIME_TO_ARCHIVE = timedelta(hours=2)

_log = structlog.stdlib.get_logger("glas.tg_bot")


@dataclass(frozen=True)
class Repair:
    """Searches for lost recordings; its fields contain the objects that it uses."""

    bot: Bot
    steps: Steps
    archiving: Archiving
    db_assist: DbAssistClient
    data_loader: DataLoaderClient
    phrases: Phrases

    async def run(self, scheduled: Any, chat_id: int | None) -> None:
        """Check all messages; this function is a workflow of the durable engine.

        Args:
            scheduled: the time for which the search was scheduled; its day determines which objects are read.
            chat_id: chat of the administrator who requested the search and gets the result; None for the scheduled
                search.
        """
        day = datetime.fromisoformat(str(scheduled)).weekday()
        found: Counter[str] = Counter()
        cursor: str | None = ""
        while cursor is not None:
            page = await self.steps.run("page", lambda cursor=cursor: self._page(cursor, day))  # type: ignore[misc]
            found.update(page["found"])
            cursor = page["next"]
        _log.info("lost originals were searched", **found)
        if chat_id is not None:
            await self.steps.run("tell", lambda: self._tell(chat_id, found))

    async def _page(self, cursor: str, day: int) -> dict[str, Any]:
        """Check the next messages after `cursor` (the position in the list of messages), and repair them.

        This step may be repeated after a crash: messages that were repaired before the crash are not repaired again.
        """
        page = await self.db_assist.changed_since(cursor, limit=_PAGE)
        rows = [one.transcription for one in page.items if one.transcription is not None]
        found: Counter[str] = Counter(seen=len(rows))
        lost = await self.data_loader.lost([one for row in rows for one in _expected(row, day)])
        for row in rows:
            for what, result in (await self._repaired(row, lost)).items():
                found[what] += result
        return {"next": page.next_cursor if page.has_more else None, "found": dict(found)}

    async def _repaired(self, row: Transcription, lost: frozenset[str]) -> Counter[str]:
        """Repair one message if some of its objects are lost, or if the message was not archived in time.

        If Telegram no longer has the recording, the message cannot be repaired, and an error is logged.

        Returns:
            Counts of messages, each 0 or 1: `lost`, `repaired`, and `gone` (cannot be repaired).
        """
        is_unarchived = row.audio_key is None and datetime.now(UTC) - row.changed_datetime > _TIME_TO_ARCHIVE
        is_audio_lost, is_text_lost = row.audio_key in lost, transcription_key(row.id) in lost
        if not (is_unarchived or is_audio_lost or is_text_lost):
            return Counter()
        found: Counter[str] = Counter(lost=1)
        try:
            if is_unarchived:
                self._require_ours(row)
                await self.archiving.store(_to_archive(row))
            if is_audio_lost:
                self._require_ours(row)
                data = await self.archiving.recogniser.fetch(row.file_id)
                await self.data_loader.store_audio(row.id, data, lost_sha256=row.audio_sha256)
            if is_text_lost:
                text = row.text or ""
                await self.data_loader.store_transcription(row.id, text, lost_sha256=_sha256(text))
            await self.db_assist.transcription(row.id)
        except NotFoundError:
            # The person's data was deleted meanwhile, so delete what was just stored, too.
            await self.data_loader.delete(row.id)
            return Counter()
        except InputError as error:
            # Telegram does not have it any more. Any other error is an outage, and the page is tried again.
            _log.error("an original is lost", transcription=row.id, code=error.code, error=error.message)
            return found + Counter(gone=1)
        _log.warning("a lost original was downloaded again", transcription=row.id)
        return found + Counter(repaired=1)

    def _require_ours(self, row: Transcription) -> None:
        if row.bot_id != self.bot.id:
            raise ConflictError(f"the file was sent to another bot ({row.bot_id}), whose file ids this bot cannot use")

    async def _tell(self, chat_id: int, found: Counter[str]) -> None:
        say = self.phrases[Locale.RU]
        text = say("repair-done", **{name: found[name] for name in ("seen", "lost", "repaired", "gone")})
        try:
            await said(lambda: self.bot.send_message(chat_id, text))
        except GlasError as error:
            _log.warning("the administrator was not told of the repair", code=error.code)


def _expected(row: Transcription, day: int) -> Sequence[Expected]:
    """Return the objects that an archived message must have.

    The sha256 of the objects is included only if they are read on this day.
    """
    if row.audio_key is None or row.text is None:
        return ()
    is_read = row.id % _DAYS == day
    text = row.text.encode()
    return (
        Expected(key=row.audio_key, size_bytes=row.audio_size_bytes or 0, sha256=row.audio_sha256 if is_read else None),
        Expected(key=transcription_key(row.id), size_bytes=len(text), sha256=_sha256(row.text) if is_read else None),
    )


def _to_archive(row: Transcription) -> ToArchive:
    """Return the file and the text to archive for a message that was never archived.

    The recognition of the message no longer exists. If times of words are needed later, the recording is recognised
    again.
    """
    return ToArchive(
        transcription_id=row.id,
        file_id=row.file_id,
        file_unique_id=row.file_unique_id,
        text=row.text or "",
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
