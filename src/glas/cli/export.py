"""`glas export`: messages whose speakers agreed go to disk now, without waiting for the schedule."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from glas.cli.session import err, open_settings, out, russian, told
from glas.clients.data_loader import DataLoaderClient, ExportProgress, ExportReport

HELP = """
Выгрузить сообщения для обучения: только тех, кто согласился, и никогда пересланные.

Примеры:

    glas export           то, что изменилось с прошлого раза
    glas export --full    сверить всё, включая файлы на диске

Каталог downloads: папки по оценкам, manifest.jsonl (худшие первыми) и dataset для `datasets`. Подробно: docs/export.md.
Прерванная выгрузка ничего не портит: следующая закончит её. Работающий `glas run` выгружает сам, каждые 3 часа
(GLAS_DATA_LOADER__EXPORT_HOURS); эта команда просит его выгрузить сейчас.
"""

Full = Annotated[bool, typer.Option("--full", help="Сверить всё, а не только изменения.")]
OpenClient = Callable[[], AbstractAsyncContextManager[DataLoaderClient]]

_PHASES = {"messages": "сообщения", "manifest": "манифест", "dataset": "датасет"}
_SECONDS_PER_HOUR = 3600


def export(*, full: Full = False) -> None:
    """Export now."""
    settings = open_settings(quiet=True)
    from glas.launch.assembly import open_data_loader

    export_through(lambda: open_data_loader(settings), full=full)


def export_through(open_client: OpenClient, *, full: bool) -> None:
    """Export, with progress while it lasts, and say what came of it.

    Args:
        open_client: gives a client of the data_loader that is to work.
        full: compare everything.
    """

    async def ask(progress: Progress) -> ExportReport:
        task = progress.add_task("начинаю")
        async with open_client() as client:
            return await client.export_now(
                full=full, on_progress=lambda now: progress.update(task, description=_described(now))
            )

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with told(), Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        report = asyncio.run(ask(progress))
        show(report)


def show(report: ExportReport) -> None:
    """Print a report."""
    hours = russian(report.audio_s / _SECONDS_PER_HOUR, 2)
    out.print(f"✓ {report.directory}", markup=False)
    out.print(f"  сообщений {report.n_messages}, из них с правкой человека {report.n_references}, {hours} ч звука")
    out.print(
        f"  записано {report.n_written} (перенесено {report.n_moved}), убрано {report.n_removed}, "
        f"просмотрено {report.n_seen}, {russian(report.wall_s)} с"
    )
    if report.n_failed:
        out.print(f"  [yellow]•[/] не удалось выгрузить {report.n_failed}: причины в журнале data_loader", markup=True)


def _described(progress: ExportProgress) -> str:
    phase = _PHASES.get(progress.phase, progress.phase)
    return f"{phase}: просмотрено {progress.n_seen}, записано {progress.n_written}, убрано {progress.n_removed}"
