"""`glas export`: run an export of messages for training now, and do not wait for the scheduled time."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from glas.cli.language import say
from glas.cli.session import err, open_settings, out, told
from glas.clients.data_loader import DataLoaderClient
from glas.clients.data_loader_bodies import ExportProgress, ExportReport
from glas.localisation import rounded

Full = Annotated[bool, typer.Option("--full", help=say("export-full"))]
OpenClient = Callable[[], AbstractAsyncContextManager[DataLoaderClient]]

_SECONDS_PER_HOUR = 3600


def export(*, full: Full = False) -> None:
    """Export the messages that have changed since the last export."""
    settings = open_settings(quiet=True)
    from glas.launch.assembly import open_data_loader

    export_through(lambda: open_data_loader(settings), full=full)


def export_through(open_client: OpenClient, *, full: bool) -> None:
    """Let data_loader run an export, show the progress, and print the result.

    Args:
        open_client: returns a context manager, which opens and closes a client of data_loader.
        full: whether to compare all messages with the exported files, and not only the messages that have changed since
            the last export.
    """

    async def ask(progress: Progress) -> ExportReport:
        task = progress.add_task(say("export-begin"))
        async with open_client() as client:
            return await client.export_now(
                full=full, on_progress=lambda now: progress.update(task, description=_described(now))
            )

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with told(), Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        report = asyncio.run(ask(progress))
        show(report)


def show(report: ExportReport) -> None:
    """Print the result of an export."""
    out.print(f"✓ {report.directory}", markup=False)
    summary = say(
        "export-summary",
        messages=report.n_messages,
        references=report.n_references,
        hours=rounded(report.audio_s / _SECONDS_PER_HOUR, 2),
    )
    work = say(
        "export-work",
        written=report.n_written,
        moved=report.n_moved,
        removed=report.n_removed,
        seen=report.n_seen,
        seconds=rounded(report.wall_s),
    )
    out.print(f"  {summary}\n  {work}", markup=False)
    if report.n_failed:
        out.print("  [yellow]•[/] ", end="", markup=True)
        out.print(say("export-failed", count=report.n_failed), markup=False)


def _described(progress: ExportProgress) -> str:
    if not progress.phase:
        return say("export-begin")
    return say(
        "export-progress",
        phase=say(f"export-phase-{progress.phase}"),
        seen=progress.n_seen,
        written=progress.n_written,
        removed=progress.n_removed,
    )
