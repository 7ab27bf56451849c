"""Run at most one export at a time, report its progress, and stop it when data_loader ends."""

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path

import structlog

from glas import tracing
from glas.audio.decoder import DecoderPool
from glas.clients.data_loader_bodies import ExportFailure, ExportProgress, ExportReport, ExportState
from glas.clients.db_assist import DbAssistClient
from glas.data_loader.export import ExportOptions, run_export
from glas.data_loader.folders import Folders
from glas.data_loader.metrics import Metrics
from glas.data_loader.own_models import delete_unowned
from glas.domain.errors import ConflictError, GlasError, ServiceFaultError
from glas.s3 import Store

_log = structlog.stdlib.get_logger("glas.data_loader")


class Exporter:
    """Runs the exports of one data_loader; routes find this object in `app.state.exporter`."""

    def __init__(
        self,
        options: ExportOptions,
        *,
        models_dir: Path,
        db_assist: DbAssistClient,
        store: Store,
        decoder: DecoderPool,
        metrics: Metrics,
    ) -> None:
        self._options = options
        self._models_dir = models_dir
        self._db_assist = db_assist
        self._store = store
        self._decoder = decoder
        self._metrics = metrics
        self._task: asyncio.Task[ExportReport] | None = None
        self.state = ExportState(run=0, is_running=False)

    def start(self, *, full: bool = False) -> asyncio.Task[ExportReport]:
        """Start an export in the background; if `full` is set, it compares all messages, not only changed messages.

        Raises:
            ConflictError: an export is running.
        """
        if self.state.is_running:
            raise ConflictError("an export is running already")
        self.state = ExportState(run=self.state.run + 1, is_running=True)
        self._task = asyncio.create_task(self._export(full=full))
        self._task.add_done_callback(_seen)
        return self._task

    def has_exported(self) -> bool:
        """Return whether any message was ever exported into the directory of exports.

        If a message was exported, the files of the export may contain messages that were later deleted from the
        database.
        """
        return Folders(self._options.directory, self._options.on_step).index_path.exists()

    async def delete_own_models(self) -> None:
        """Delete the files of own models that are not assigned any more.

        Raises:
            ServiceError: db_assist cannot be reached.
        """
        await delete_unowned(self._db_assist, self._models_dir)

    async def run(self, *, full: bool = False) -> ExportReport:
        """Start an export and wait for its end; if the caller stops waiting, the export continues.

        Raises:
            ConflictError: an export is running.
            GlasError: the error that ended the export early.
        """
        return await asyncio.shield(self.start(full=full))

    async def close(self) -> None:
        """Stop the running export, if any; the next export continues where this export stopped."""
        if self._task is not None:
            self._task.cancel()
            # The error of the export is already in the state and in the log.
            await asyncio.wait([self._task])

    async def _export(self, *, full: bool) -> ExportReport:
        try:
            with tracing.begin("data_loader", "export"):
                await self.delete_own_models()
                report = await run_export(
                    replace(self._options, full=full, on_progress=self._look),
                    db_assist=self._db_assist,
                    store=self._store,
                    decoder=self._decoder,
                )
        except BaseException as error:
            self._fail(error)
            raise
        self.state = self.state.model_copy(update={"is_running": False, "progress": report, "report": report})
        await asyncio.to_thread(_mark, self._options.directory)
        self._metrics.exported(report)
        return report

    def _look(self, progress: ExportProgress) -> None:
        self.state = self.state.model_copy(update={"progress": progress})

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, asyncio.CancelledError):
            failure = ExportFailure(code=ServiceFaultError.code, message="the export was stopped; the next one goes on")
            _log.info("export stopped; the next export continues")
        elif isinstance(error, GlasError):
            failure = ExportFailure(code=error.code, message=error.message)
            _log.error("export failed", code=error.code, message=error.message)
        else:
            failure = ExportFailure(code=ServiceFaultError.code, message=f"the export failed ({type(error).__name__})")
            _log.error("export failed", code=failure.code, exc_info=error)
        self.state = self.state.model_copy(update={"is_running": False, "failure": failure})
        self._metrics.export_failed(failure.code)


def last_success_s(directory: Path) -> float | None:
    """Return the Unix time at which an export into a directory last succeeded; None if it is not known."""
    try:
        return _marker(directory).stat().st_mtime
    except OSError:
        return None


def _mark(directory: Path) -> None:
    """Record that an export succeeded now, with the modification time of an empty file; a metric shows this time."""
    with contextlib.suppress(OSError):
        _marker(directory).touch()


def _marker(directory: Path) -> Path:
    return directory / ".export" / "succeeded"


def _seen(task: "asyncio.Task[ExportReport]") -> None:
    """Read the exception of an export, so that asyncio does not log what `_fail` has logged already."""
    if not task.cancelled():
        task.exception()
