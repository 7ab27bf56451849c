"""`glas migrate` brings the database up to this program; `glas ledger` proves that all balances are right.

The database's packages are imported by the commands themselves: a machine that only recognises speech has none of them.
"""

import asyncio

import typer

from glas.cli.session import EXIT_FAILED, err, open_settings, out, told
from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import LedgerCheck
from glas.clients.http import open_http
from glas.settings import Settings, plain

HELP = """
Обновить таблицы базы данных до версии программы. Повторный запуск ничего не меняет.

Например:

    GLAS_DATABASE_URL=postgresql://имя:пароль@сервер/база glas migrate

Встроенная база (файл SQLite) обновляется сама, когда запускается db_assist; остальные — только этой командой, и
остановленную систему обновлять не нужно: пока идёт обновление, запросы ждут.
"""

LEDGER_HELP = """
Проверить, что баланс каждого равен сумме его операций. Код выхода 1, если нет.
"""

_HUNDREDTHS = 100


def migrate() -> None:
    """Bring the schema up."""
    settings = open_settings(quiet=True)
    with told():
        name, before, after = asyncio.run(_migrate(settings))
    was = "уже была" if before == after else f"была {before or 'пустой'}, стала"
    out.print(f"✓ База {name} {was} {after}", markup=False)


def ledger() -> None:
    """Compare balances with the ledger."""
    settings = open_settings(quiet=True)
    with told():
        check = asyncio.run(_check(settings))
    if check.is_balanced:
        out.print(f"✓ Всё сходится: людей {check.n_users}, операций {check.n_transactions}", markup=False)
        return
    for wrong in check.discrepancies:
        cash, total = (f"{value / _HUNDREDTHS:.2f}" for value in (wrong.cash_hundredths, wrong.ledger_hundredths))
        err.print(f"✗ Человек {wrong.user_id}: баланс {cash}, по операциям {total}", style="red", markup=False)
    raise typer.Exit(EXIT_FAILED)


async def _migrate(settings: Settings) -> tuple[str, str | None, str | None]:
    from glas.db import migrations
    from glas.db.session import database_url, open_database

    database = open_database(database_url(settings))
    try:
        before = await migrations.current(database)
        await migrations.upgrade(database)
        return database.name, before, await migrations.current(database)
    finally:
        await database.close()


async def _check(settings: Settings) -> LedgerCheck:
    """Ask the db_assist that runs elsewhere or in a server's process here; look into the database where none runs."""
    if settings.db_assist_url is not None:
        async with open_http(url=settings.db_assist_url, token=plain(settings.db_assist_token)) as http:
            return await DbAssistClient(http).check_ledger()
    from glas.db import migrations
    from glas.db.session import database_url, open_database
    from glas.db_assist.ledger import check
    from glas.launch import side_door

    if settings.database_url is None:
        async with side_door.client_of(settings, "db_assist") as running:
            if running is not None:
                return await DbAssistClient(running).check_ledger()

    database = open_database(database_url(settings))
    try:
        await migrations.require_current(database)
        async with database.reading() as session:
            return await check(session=session)
    finally:
        await database.close()
