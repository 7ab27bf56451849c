"""`glas migrate`: upgrade the schema of the database. `glas ledger`: compare people's balances with the ledger.

Both commands import the packages of the database only when they run, because a machine that only recognises speech does
not have these packages.
"""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import typer

from glas.cli.language import say
from glas.cli.session import EXIT_FAILED, err, open_settings, out, told
from glas.settings import Settings, plain

if TYPE_CHECKING:
    from glas.clients.db_assist_bodies import LedgerCheck


def migrate() -> None:
    """Upgrade the schema of the database."""
    settings = open_settings(quiet=True)
    with told():
        name, before, after = asyncio.run(_migrate(settings))
    if before == after:
        text = say("migrate-same", name=name, after=str(after))
    elif before is None:
        text = say("migrate-new", name=name, after=str(after))
    else:
        text = say("migrate-done", name=name, before=before, after=str(after))
    out.print(text, markup=False)
    made = ", ".join(_passwords(settings))
    if made and name == "postgresql":
        out.print(say("migrate-roles", roles=made), markup=False)


def ledger() -> None:
    """Check that the balance of each person is equal to the sum of the person's ledger entries."""
    settings = open_settings(quiet=True)
    with told():
        check = asyncio.run(_check_ledger(settings))
    if check.is_balanced:
        balanced = say("ledger-balanced", people=check.n_users, transactions=check.n_transactions)
        out.print(balanced, markup=False)
        return
    for wrong in check.discrepancies:
        cash, total = (Decimal(value).scaleb(-2) for value in (wrong.cash_hundredths, wrong.ledger_hundredths))
        err.print(say("ledger-wrong", id=wrong.user_id, balance=cash, total=total), style="red", markup=False)
    raise typer.Exit(EXIT_FAILED)


async def _migrate(settings: Settings) -> tuple[str, str | None, str | None]:
    from glas.db import migrations
    from glas.db.session import database_url, open_database

    database = open_database(database_url(settings))
    try:
        before = await migrations.current(database)
        await migrations.upgrade(database, passwords=_passwords(settings))
        return database.name, before, await migrations.current(database)
    finally:
        await database.close()


def _passwords(settings: Settings) -> dict[str, str]:
    """Return the passwords of the database's roles; the keys of the dictionary are the names of the roles."""
    from glas.db.roles import ROLES

    found = {role: plain(getattr(settings.database_roles, f"{role}_password")) for role in ROLES}
    return {role: password for role, password in found.items() if password is not None}


async def _check_ledger(settings: Settings) -> "LedgerCheck":
    """Compare people's balances with the ledger, through db_assist or directly in the database.

    If the settings contain an address of db_assist, db_assist is called at this address. If the settings contain
    neither this address nor a database, and a server with db_assist runs on this machine, this server is called.
    Otherwise this process opens the database.
    """
    from glas.clients.db_assist import DbAssistClient

    if settings.db_assist_url is not None:
        from glas.clients.http import open_http

        token, authority = plain(settings.db_assist_token), settings.tls.authority
        async with open_http(url=settings.db_assist_url, token=token, authority=authority) as http:
            return await DbAssistClient(http).check_ledger()
    from glas.db import migrations
    from glas.db.session import database_url, open_database
    from glas.db_assist.ledger import check
    from glas.launch import control_socket

    if settings.database_url is None:
        async with control_socket.client_of(settings, "db_assist") as running:
            if running is not None:
                return await DbAssistClient(running).check_ledger()

    database = open_database(database_url(settings))
    try:
        await migrations.require_current(database)
        async with database.reading() as session:
            return await check(session=session)
    finally:
        await database.close()
