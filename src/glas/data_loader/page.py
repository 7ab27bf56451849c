"""Export one page of changes: write, remove or keep the directories of the messages on this page."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from pydantic import ConfigDict

from glas import tracing
from glas.clients.data_loader_bodies import ExportProgress
from glas.clients.db_assist_bodies import Change
from glas.data_loader.folders import Folders
from glas.data_loader.index import Index
from glas.data_loader.message import InThread, MessageWriter
from glas.data_loader.record import Record, describe
from glas.domain.errors import AudioError, NotFoundError
from glas.s3 import Store

_log = structlog.stdlib.get_logger("glas.data_loader")


class Tally(ExportProgress):
    """The counts of a running export; the export increases these counts."""

    model_config = ConfigDict(frozen=False)

    def progress(self) -> ExportProgress:
        """Return a copy of the counts so far; the export does not change the copy."""
        return ExportProgress.model_validate(self.model_dump())


@dataclass
class Page:
    """Result of the export of one page of changes.

    Attributes:
        kept: ids of messages whose directories stay as they are.
        changed: messages whose directories were written.
        gone: ids of messages that are not in the export any more.
        must_repeat: whether the page must be exported a second time, because a decoder failed for a reason that does
            not depend on the file.
    """

    kept: list[int] = field(default_factory=list)
    changed: list[Record] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    must_repeat: bool = False


class PageExport:
    """Updates the directories of messages, several at the same time.

    Args:
        store: the object store with the recordings.
        folders: the locked directories of the export.
        index: the list of the messages that the export contains.
        writer: object that writes the directory of a message.
        in_thread: function that runs another function in a thread. It is used for functions that wait for the disk.
        tally: counts of processed messages, which are increased for each message.
        test_share: share of the speakers, 0..1, whose messages are in the test set.
        at_once: largest number of messages that are written at the same time.
        on_message: function that is called after every message.
    """

    def __init__(
        self,
        store: Store,
        folders: Folders,
        index: Index,
        writer: MessageWriter,
        in_thread: InThread,
        *,
        tally: Tally,
        test_share: float,
        at_once: int,
        on_message: Callable[[], None],
    ) -> None:
        self._store = store
        self._folders = folders
        self._index = index
        self._writer = writer
        self._in_thread = in_thread
        self._tally = tally
        self._test_share = test_share
        self._on_message = on_message
        self._places = asyncio.Semaphore(at_once)

    async def update(self, changes: Sequence[Change], *, is_full: bool) -> Page:
        """Update the directories of the messages that changed; an error ends the whole export."""
        page = Page()
        try:
            async with asyncio.TaskGroup() as group:
                for change in changes:
                    group.create_task(self._update_one(change, page, is_full=is_full))
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
        return page

    async def _update_one(self, change: Change, page: Page, *, is_full: bool) -> None:
        async with self._places:
            record = await self._in_thread(describe, change, test_share=self._test_share)
            if record is None:
                await self._leave_out(change, page)
            else:
                traceparent = None if change.transcription is None else change.transcription.traceparent
                await self._keep_or_write(record, page, is_full=is_full, traceparent=traceparent)
            self._tally.n_seen += 1
            self._on_message()

    async def _leave_out(self, change: Change, page: Page) -> None:
        """Remove the directory of a message that may not be exported; delete the objects of a deleted message, too."""
        self._tally.n_removed += self._index.known(change.transcription_id) is not None
        # The index is not used, because a directory that a killed run has left may not be in the index.
        await self._in_thread(self._folders.remove, change.transcription_id)
        if change.transcription is None:
            await self._store.delete(await self._store.keys(change.transcription_id))
        page.gone.append(change.transcription_id)

    async def _keep_or_write(self, record: Record, page: Page, *, is_full: bool, traceparent: str | None) -> None:
        known = self._index.known(record.id)
        is_whole = known is not None and (not is_full or await self._in_thread(self._folders.is_complete, known.record))
        is_same = known is not None and is_whole and known.fingerprint == record.fingerprint
        if known is not None and is_same and not (is_full and await self._writer.has_more(known.record)):
            page.kept.append(record.id)
            return
        try:
            with tracing.span("data_loader", "export a message", linked=traceparent, transcription=record.id):
                written = await self._writer.write(record, known.record if known is not None and is_whole else None)
        except (NotFoundError, AudioError) as error:
            _log.warning("a message cannot be exported", id=record.id, code=error.code, message=error.message)
            await self._in_thread(self._folders.remove, record.id)
            self._tally.n_failed += 1
            page.gone.append(record.id)
            return
        if written is None:
            self._tally.n_failed += 1
            page.must_repeat = True
            page.kept.append(record.id)
            return
        self._tally.n_written += 1
        self._tally.n_moved += known is not None and known.folder != record.folder
        page.changed.append(written)
