"""The command line. It alone reads the environment, once, and hands settings down."""

from typing import Annotated

import typer

import glas
from glas.cli import backup, dataset, doctor, evaluate, export, keys, migrate, models, run, train, transcribe

app = typer.Typer(
    name="glas",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""
**Глас** превращает русскую речь в текст: голосовые сообщения, записи, видео.

Попробуйте сразу, без сети и настройки:

    glas transcribe samples/*.ogg        текст в терминале
    glas run                             страница и API на http://127.0.0.1:8000
    glas models                          какие модели бывают и какие есть на диске
    glas doctor                          всё ли в порядке и что исправить

Настройки — переменные `GLAS_…` или файл `.env`; все они описаны в docs/settings.md.
""",
)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - Typer's own way to call it
    if asked:
        typer.echo(f"Глас {glas.__version__}")
        raise typer.Exit


@app.callback()
def _whatever_command(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Показать версию."),
    ] = False,
) -> None:
    """Take the options that stand before every command."""


app.command("transcribe", help=transcribe.HELP)(transcribe.transcribe)
app.command("run", help=run.HELP)(run.run)
app.command("evaluate", help=evaluate.HELP)(evaluate.evaluate)
app.add_typer(models.app, name="models", help=models.HELP)
app.add_typer(keys.app, name="keys", help=keys.HELP)
app.add_typer(train.app, name="train", help=train.HELP)
app.command("doctor", help=doctor.HELP)(doctor.doctor)
app.command("export", help=export.HELP)(export.export)
app.add_typer(dataset.app, name="dataset", help=dataset.HELP)
app.command("migrate", help=migrate.HELP)(migrate.migrate)
app.command("ledger", help=migrate.LEDGER_HELP)(migrate.ledger)
app.command("backup", help=backup.BACKUP_HELP)(backup.backup)
app.command("restore", help=backup.RESTORE_HELP)(backup.restore)
