"""`glas backup` and `glas restore`: write all data into one file, and restore the data from this file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glas.cli.language import say
from glas.cli.session import EXIT_FAILED, err, open_settings, out, told
from glas.localisation import rounded

if TYPE_CHECKING:
    from glas.launch.backups.archive import BackupReport

_MB = 1_000_000

File = Annotated[Path, typer.Argument(metavar=say("metavar-file"), help=say("backup-file"), show_default=False)]
Recipients = Annotated[
    list[str] | None,
    typer.Option("--recipient", metavar=say("metavar-key"), help=say("backup-recipient"), show_default=False),
]
Identity = Annotated[
    Path | None,
    typer.Option("--identity", metavar=say("metavar-file"), help=say("restore-identity"), show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help=say("backup-force"))]


def backup(file: File, *, recipient: Recipients = None, force: Force = False) -> None:
    """Write all data into one file; encrypt the file if public keys (recipients) are given."""
    settings = open_settings(quiet=True)
    from glas.launch.backups.backup import back_up

    with told():
        try:
            _show(f"✓ {file}", back_up(settings, file, recipients=recipient or (), force=force))
        except OSError as error:
            _fail(error)


def restore(file: File, *, identity: Identity = None, force: Force = False) -> None:
    """Restore all data from a file that `glas backup` wrote."""
    settings = open_settings(quiet=True)
    from glas.launch.backups.restore import restore as put_back

    with told():
        try:
            report = put_back(settings, file, identity=identity, force=force)
            place = settings.data_dir.absolute() if settings.database_url is None else "PostgreSQL, S3"
            _show(f"✓ {place}", report)
        except OSError as error:
            _fail(error)
    out.print(f"  {say('restore-next')}", style="dim")


def _show(subject: str, report: "BackupReport") -> None:
    out.print(subject, markup=False)
    contents = say(
        "backup-contents",
        databases=report.n_databases,
        objects=report.n_objects,
        megabytes=rounded(report.size_bytes / _MB),
    )
    out.print(f"  {contents}", markup=False)
    if report.n_forgotten:
        out.print(f"  {say('restore-forgotten', count=report.n_forgotten)}", markup=False)


def _fail(error: OSError) -> None:
    reason = say("failed-file", file=str(error.filename or ""), reason=error.strerror or str(error))
    err.print(reason, style="red", markup=False)
    raise typer.Exit(EXIT_FAILED) from None
