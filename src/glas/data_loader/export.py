"""Update the directory of the export; afterwards, the directory contains all messages that may be used for training.

The duration of an update depends only on the number of messages that have changed since the last export.

`run_export` reads the changes from db_assist, and updates the directories of the changed messages. The changes are
committed to the index (`glas.data_loader.index`), together with the position (cursor) in the list of changes. Then
`run_export` writes the manifest, and those dataset files that contain a changed message. If an export is killed, the
next export repeats the changes that were not committed, and writes the missing files.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from glas.audio.decoder import DecoderPool
from glas.clients.data_loader_bodies import ExportProgress, ExportReport
from glas.clients.db_assist import DbAssistClient
from glas.data_loader.dataset import write_manifest, write_shard
from glas.data_loader.folders import Folders, locked
from glas.data_loader.index import MANIFEST, Index, Position, open_index
from glas.data_loader.message import MessageWriter
from glas.data_loader.page import PageExport, Tally
from glas.domain.errors import ServiceFaultError
from glas.s3 import Store
from glas.system.files import delete
from glas.system.message_files import delete_stale

_PAGE = 200
_AT_ONCE = 4  # some wait for the disk while others decode
_FORMAT = 3  # increase it if all exported files must be written again

_P = ParamSpec("_P")
_T = TypeVar("_T")

_log = structlog.stdlib.get_logger("glas.data_loader")


@dataclass(frozen=True)
class ExportOptions:
    """Options of an export.

    Attributes:
        directory: directory into which messages are exported.
        test_share: share of the speakers, 0..1, whose messages are in the test set.
        reconcile_s: time between full exports in seconds. A full export compares all messages, not only changed
            messages. If this time has passed since the end of the last full export, the next export is a full export.
        full: whether to make a full export, even if it is not yet time for one.
        derived: directories with files that training made from exported messages. If a message is not exported any
            more, an export deletes the files in these directories that were made from the message.
        on_progress: function that is called after every message, with the counts of the messages processed so far.
        on_step: function that is called with the name of a step after that step; tests use it to simulate crashes.
    """

    directory: Path
    test_share: float = 0.1
    reconcile_s: float = 86_400
    full: bool = False
    derived: tuple[Path, ...] = ()
    on_progress: Callable[[ExportProgress], None] = lambda _progress: None
    on_step: Callable[[str], None] = lambda _step: None


async def run_export(
    options: ExportOptions, *, db_assist: DbAssistClient, store: Store, decoder: DecoderPool
) -> ExportReport:
    """Export all changes since the last export; see the module's docstring.

    Raises:
        ConflictError: another export into this directory is running.
        ServiceError: db_assist or the object store cannot be reached; the next export continues where this export
            stopped.
    """
    began = time.monotonic()
    with locked(options.directory, options.on_step) as folders, open_index(folders.index_path) as index:
        threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="export")
        try:
            run = _Run(options, db_assist, store, folders=folders, index=index, decoder=decoder, threads=threads)
            is_full = await run.export()
            stale = await asyncio.to_thread(delete_stale, options.derived, index.numbers())
        finally:
            # Wait for threads that still write before the lock is released, without blocking the event loop.
            await asyncio.shield(asyncio.to_thread(threads.shutdown, cancel_futures=True))
        report = ExportReport(
            **run.tally.model_dump(),
            **index.totals()._asdict(),
            is_full=is_full,
            directory=str(options.directory),
            wall_s=round(time.monotonic() - began, 3),
        )
    _log.info("export done", **report.model_dump(exclude={"phase"}), n_stale=len(stale))
    return report


class _Run:
    """One export, during which the directory is locked."""

    def __init__(
        self,
        options: ExportOptions,
        db_assist: DbAssistClient,
        store: Store,
        *,
        folders: Folders,
        index: Index,
        decoder: DecoderPool,
        threads: ThreadPoolExecutor,
    ) -> None:
        self._options = options
        self._db_assist = db_assist
        self._folders = folders
        self._index = index
        self._threads = threads
        self._must_repeat = False
        self.tally = Tally()
        writer = MessageWriter(store, decoder, folders, self._in_thread, options.on_step)
        self._pages = PageExport(
            store,
            folders,
            index,
            writer,
            self._in_thread,
            tally=self.tally,
            test_share=options.test_share,
            at_once=_AT_ONCE,
            on_message=self._report_progress,
        )

    async def export(self) -> bool:
        """Export all changes; return whether this was a full export."""
        await self._in_thread(self._folders.begin)
        position = self._start()
        is_full = position.is_full
        self.tally.phase = "messages"
        position = await self._take_in(position)
        if position.is_full:
            position = await self._finish_full(position)
        try:
            await self._in_thread(self._write_files)
        except FileNotFoundError as error:
            self._index.commit(position._replace(options=""))
            raise ServiceFaultError(
                f"files of the export were taken away ({error.filename}); the next export compares everything"
            ) from error
        if self._must_repeat:
            self._index.commit(position._replace(options=""))
        await self._in_thread(self._folders.end)
        return is_full

    def _start(self) -> Position:
        """Return the position in the changes at which this export begins.

        This is the position after the last exported page of changes. For a new full export, it is the beginning of the
        list of changes.
        """
        position, options = self._index.position, self._made_with
        is_due = time.time() - position.full_at_s >= self._options.reconcile_s and not position.is_full
        if self._options.full or is_due or position.options != options:
            position = Position("", position.number + 1, is_full=True, full_at_s=position.full_at_s, options=options)
            self._index.commit(position)
            self._index.mark([MANIFEST])
        return position

    @property
    def _made_with(self) -> str:
        return f"format {_FORMAT}, test share {self._options.test_share:g}"

    async def _take_in(self, position: Position) -> Position:
        """Export all pages of changes from `position` on; return the position after the last page."""
        while True:
            page = await self._db_assist.changed_since(position.cursor, limit=_PAGE)
            done = await self._pages.update(page.items, is_full=position.is_full)
            self._must_repeat |= done.must_repeat
            if page.items or page.next_cursor != position.cursor:
                position = position._replace(cursor=page.next_cursor)
                await self._in_thread(
                    self._index.commit, position, kept=done.kept, changed=done.changed, gone=done.gone
                )
                self._options.on_step("page committed")
                _log.info("export continues", **self.tally.model_dump())
            if not page.has_more:
                return position

    async def _finish_full(self, position: Position) -> Position:
        """Complete a full export: remove files that do not belong to the export, and write files that are missing."""
        gone = self._index.left_behind(position.number)
        for transcription_id in gone:
            await self._in_thread(self._folders.remove, transcription_id)
        self.tally.n_removed += len(gone)
        position = position._replace(is_full=False, full_at_s=time.time())
        await self._in_thread(self._index.commit, position, gone=gone)
        await self._in_thread(self._sweep)
        return position

    def _sweep(self) -> None:
        shards = self._index.shards()
        folders, files = self._folders.strangers(self._index.folders(), shards)
        for folder in folders:
            _log.warning("a directory that does not belong to the export was removed", folder=folder)
            delete(self._folders.directory / folder)
        for file in files:
            delete(self._folders.dataset / file)
        self._index.mark(file for file in shards if not (self._folders.dataset / file).exists())

    def _report_progress(self) -> None:
        self._options.on_progress(self.tally.progress())

    def _write_files(self) -> None:
        """Write the manifest and the dataset files that contain a changed message."""
        for file in self._index.unwritten():
            self.tally.phase = "manifest" if file == MANIFEST else "dataset"
            self._report_progress()
            draft = self._folders.draft(file)
            if file == MANIFEST:
                write_manifest(draft, self._index.worst_first())
                self._folders.publish(draft, self._folders.directory / MANIFEST)
            else:
                self._write_shard(file, draft)
            self._options.on_step(f"{self.tally.phase} written")
            self._index.written(file)

    def _write_shard(self, file: str, draft: Path) -> None:
        target = self._folders.dataset / file
        if file not in self._index.shards():
            delete(target)
            return
        write_shard(draft, self._index.records(file), directory=self._folders.directory)
        self.tally.n_shards += self._folders.publish(draft, target)

    async def _in_thread(self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        def call() -> _T:
            return function(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._threads, call)
