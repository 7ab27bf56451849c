"""Export: update a directory from the database; the time depends only on the number of changed messages.

`run_export` reads the changes from db_assist, updates the folders of the changed messages, and commits them to the
index together with the cursor. Then it writes the manifest and those dataset files that contain a changed message. It
can be killed at any time: the next run repeats what was not committed, and writes the files that were not written yet.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from glas import tracing
from glas.audio.decoder import DecoderPool
from glas.clients.data_loader import ExportProgress, ExportReport
from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Change
from glas.data_loader.dataset import write_manifest, write_shard
from glas.data_loader.folders import Folders, locked
from glas.data_loader.index import MANIFEST, Index, Position, open_index
from glas.data_loader.message import MessageWriter
from glas.data_loader.record import Record, describe
from glas.domain.errors import AudioError, NotFoundError, ServiceFaultError
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
        directory: directory of the export.
        test_share: share of the speakers in the test set, 0..1.
        reconcile_s: seconds after which an export compares all messages.
        full: whether to compare all messages now.
        derived: directories with files that were made from exported messages; those made from messages that are no
            longer exported are emptied.
        on_progress: is called after every message.
        on_step: is called at each step after which a crash is possible; tests kill the process there.
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
    """Export all changes since the last run; see the module's docstring.

    Raises:
        ConflictError: another export into this directory is running.
        ServiceError: db_assist or the object store cannot be reached; the next run continues from there.
    """
    began = time.monotonic()
    with locked(options.directory, options.on_step) as folders, open_index(folders.index_path) as index:
        threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="export")
        try:
            run = _Run(options, db_assist, store, folders=folders, index=index, decoder=decoder, threads=threads)
            is_full = await run.work()
            stale = await asyncio.to_thread(delete_stale, options.derived, index.numbers())
        finally:
            # Wait for threads that still write before the lock is released, without blocking the event loop.
            await asyncio.shield(asyncio.to_thread(threads.shutdown, cancel_futures=True))
        report = ExportReport(
            **run.tally.progress().model_dump(),
            **index.totals()._asdict(),
            is_full=is_full,
            directory=str(options.directory),
            wall_s=round(time.monotonic() - began, 3),
        )
    _log.info("export done", **report.model_dump(exclude={"phase"}), n_stale=len(stale))
    return report


@dataclass
class _Tally:
    """Counts, as in `ExportProgress`."""

    phase: str = ""
    n_seen: int = 0
    n_written: int = 0
    n_moved: int = 0
    n_removed: int = 0
    n_failed: int = 0
    n_shards: int = 0

    def progress(self) -> ExportProgress:
        return ExportProgress.model_validate(asdict(self))


@dataclass
class _Page:
    """Result of one page of changes."""

    kept: list[int] = field(default_factory=list)
    changed: list[Record] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)


class _Run:
    """One export, which holds the lock of the directory."""

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
        self._store = store
        self._folders = folders
        self._index = index
        self._threads = threads
        self._writer = MessageWriter(store, decoder, folders, self._in_thread, options.on_step)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._must_repeat = False
        self.tally = _Tally()

    async def work(self) -> bool:
        """Run the export; return whether all messages were compared."""
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
        """Return the position at which to begin: after the last page, or at the beginning for a full export."""
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
        """Process all pages of changes from `position` on."""
        while True:
            page = await self._db_assist.changed_since(position.cursor, limit=_PAGE)
            done = await self._bring_into_order(page.items, is_full=position.is_full)
            if page.items or page.next_cursor != position.cursor:
                position = position._replace(cursor=page.next_cursor)
                await self._in_thread(
                    self._index.commit, position, kept=done.kept, changed=done.changed, gone=done.gone
                )
                self._options.on_step("page committed")
                _log.info("export goes on", **asdict(self.tally))
            if not page.has_more:
                return position

    async def _bring_into_order(self, changes: Sequence[Change], *, is_full: bool) -> _Page:
        """Update the folders of a page's messages, several at once; an error ends the whole export."""
        page = _Page()
        try:
            async with asyncio.TaskGroup() as group:
                for change in changes:
                    group.create_task(self._one(change, page, is_full=is_full))
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
        return page

    async def _one(self, change: Change, page: _Page, *, is_full: bool) -> None:
        async with self._places:
            record = await self._in_thread(describe, change, test_share=self._options.test_share)
            if record is None:
                await self._leave_out(change, page)
            else:
                traceparent = None if change.transcription is None else change.transcription.traceparent
                await self._keep_or_write(record, page, is_full=is_full, traceparent=traceparent)
            self.tally.n_seen += 1
            self._options.on_progress(self.tally.progress())

    async def _leave_out(self, change: Change, page: _Page) -> None:
        """Remove a message that may not be exported, or not yet; of a deleted one delete the objects, too."""
        self.tally.n_removed += self._index.known(change.transcription_id) is not None
        # The index is not used: it may lack a folder that a killed run has left.
        await self._in_thread(self._folders.remove, change.transcription_id)
        if change.transcription is None:
            await self._store.delete(await self._store.keys(change.transcription_id))
        page.gone.append(change.transcription_id)

    async def _keep_or_write(self, record: Record, page: _Page, *, is_full: bool, traceparent: str | None) -> None:
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
            self.tally.n_failed += 1
            page.gone.append(record.id)
            return
        if written is None:
            self.tally.n_failed += 1
            self._must_repeat = True
            page.kept.append(record.id)
            return
        self.tally.n_written += 1
        self.tally.n_moved += known is not None and known.folder != record.folder
        page.changed.append(written)

    async def _finish_full(self, position: Position) -> Position:
        """After a full export, remove files that do not belong there, and write missing ones."""
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
            _log.warning("a folder that does not belong to the export was removed", folder=folder)
            delete(self._folders.directory / folder)
        for file in files:
            delete(self._folders.dataset / file)
        self._index.mark(file for file in shards if not (self._folders.dataset / file).exists())

    def _write_files(self) -> None:
        """Write the manifest and the dataset files that contain a changed message."""
        for file in self._index.unwritten():
            self.tally.phase = "manifest" if file == MANIFEST else "dataset"
            self._options.on_progress(self.tally.progress())
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
