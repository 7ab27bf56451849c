"""`glas backup` and `glas restore`: the data of the embedded mode in one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glas.cli.session import EXIT_FAILED, err, open_settings, out, russian, told

if TYPE_CHECKING:
    from glas.launch.backup import BackupReport

BACKUP_HELP = """
Сохранить всё, что Глас помнит, в один файл. Сервер при этом может работать.

Например:

    glas backup glas-2026-11-22.tar
    glas backup glas.tar --force      заменить прежнюю копию

Внутри: базы данных, записи и тексты, контрольные суммы. Модели и каталог downloads не входят: модели скачиваются,
выгрузку повторит `glas export --full`. В файле голоса и слова людей: храните его так же, как саму систему.
Только для встроенного режима; PostgreSQL и S3 сохраняют своими средствами (docs/operations.md).
"""

RESTORE_HELP = """
Вернуть данные из файла, который сделал `glas backup`. Сервер должен быть остановлен.

Примеры:

    glas restore glas-2026-11-22.tar
    glas restore glas-2026-11-22.tar --force      заменить то, что уже есть

Сначала всё распаковывается рядом и сверяется с контрольными суммами; повреждённый файл не меняет ничего.
Данные тех, кто после этой копии попросил их удалить, не возвращаются: о них знают каталог данных и файл
glas-…-deletions.jsonl рядом с копиями.
"""

_MB = 1_000_000

File = Annotated[Path, typer.Argument(metavar="ФАЙЛ", help="Резервная копия, tar.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Заменить то, что уже есть.")]


def backup(file: File, *, force: Force = False) -> None:
    """Write a backup."""
    settings = open_settings(quiet=True)
    from glas.launch.backup import back_up

    with told():
        try:
            _show(f"✓ {file}", back_up(settings, file, force=force))
        except OSError as error:
            _fail(error)


def restore(file: File, *, force: Force = False) -> None:
    """Put a backup back."""
    settings = open_settings(quiet=True)
    from glas.launch.restore import restore as put_back

    with told():
        try:
            _show(f"✓ {settings.data_dir.absolute()}", put_back(settings, file, force=force))
        except OSError as error:
            _fail(error)
    out.print("  Если есть каталог downloads, сверьте его: glas export --full", style="dim")


def _show(subject: str, report: "BackupReport") -> None:
    size = russian(report.size_bytes / _MB)
    out.print(subject, markup=False)
    out.print(f"  баз данных {report.n_databases}, записей и текстов {report.n_objects}, {size} МБ", markup=False)
    if report.n_forgotten:
        out.print(f"  после этой копии попросили удалить свои данные: {report.n_forgotten} — они не вернулись")


def _fail(error: OSError) -> None:
    err.print(f"✗ {error.filename or ''}: {error.strerror or error}", style="red", markup=False)
    raise typer.Exit(EXIT_FAILED) from None
