"""The FastAPI app of db_assist."""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

import glas
from glas.clients.db_assist_bodies import Health
from glas.db import migrations
from glas.db.deletions import FILE, DeletionLog
from glas.db.session import Database, database_url, open_database
from glas.db_assist import bans, forgetting, ledger, logins, metrics, retention, usage
from glas.db_assist import showing as texts_to_show
from glas.db_assist.agreement import Agreement
from glas.db_assist.dashboard import KeptFigures
from glas.db_assist.finishing import Finishing
from glas.db_assist.review_choice import ReviewChoices
from glas.db_assist.routes import (
    corrections,
    dashboard,
    database,
    holding,
    models,
    own_models,
    reviews,
    showing,
    transcriptions,
    users,
    vocabulary,
)
from glas.db_assist.routes import ledger as ledger_routes
from glas.db_assist.routes import logins as login_routes
from glas.domain.error_bodies import to_body
from glas.domain.errors import ConflictError, GlasError, OverloadedError, ServiceFaultError
from glas.serving.gate import retry_header
from glas.serving.service import add_operation, make_internal, new_app
from glas.settings import MIB, DbAssistSettings, Settings

# The longest body is a recognised text.
_MAX_BODY_BYTES = 8 * MIB
_RETRY_AFTER_S = 2.0
_EXPIRY_S = 3600.0
# Prometheus requests metrics several times a minute. The check reads the whole ledger, so its result is kept for this
# time.
_LEDGER_CHECK_S = 300.0
# Shorter than the clients' time-out, so that they receive the error.
_STATEMENT_TIMEOUT_S = 20.0
# PostgreSQL's classes of temporary errors: connection, no database, deadlock, resources, operator, system.
_PASSING_SQLSTATES = ("08", "3D", "40", "53", "57", "58")

_log = structlog.stdlib.get_logger("glas.db_assist")


def create_app(settings: Settings, *, key: str | None, previous_key: str | None = None) -> FastAPI:
    """Make the app; the lifespan of the app opens the database.

    Migrations run at the start only for the embedded SQLite file, which belongs to this process alone. Any other
    database must have been migrated by `glas migrate`, otherwise the app refuses to start.

    Args:
        settings: the whole configuration.
        key: the key that callers must send as `Authorization: Bearer`; if it is None, no key is required.
        previous_key: the former key, which is accepted until all callers have the new key; None if there is none.
    """
    running: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _open(settings) as opened, _repeating(opened, settings.db_assist, running):
            app.state.database = opened
            yield

    app = new_app("db_assist", lifespan)
    app.state.rules = settings.db_assist
    app.state.agreement = Agreement(settings.db_assist)
    app.state.dashboard = KeptFigures()
    app.state.review_choices = ReviewChoices()
    app.state.checked = None
    # Only the embedded database has a log of deletions in a file. For any other database, a backup reads the deletions
    # from the database itself: see `privacy.deletions`.
    app.state.deletions = DeletionLog(settings.data_dir / FILE) if settings.database_url is None else None
    app.add_middleware(Finishing, running=running)
    make_internal(
        app,
        "The database of Glas, for its other parts.",
        key=key,
        previous_key=previous_key,
        max_body_bytes=_MAX_BODY_BYTES,
    )
    for error in (DBAPIError, PoolTimeoutError, OSError):
        app.add_exception_handler(error, on_database_error)
    _add_routes(app)
    return app


def _add_routes(app: FastAPI) -> None:
    api = (
        *(users, holding, transcriptions, corrections, reviews, vocabulary),
        *(models, own_models, login_routes, ledger_routes, dashboard, showing),
    )
    # The route objects are added directly. `include_router` would build each route again for this app, which takes 0.1
    # s in all.
    app.router.routes.extend(route for module in api for route in module.router.routes)
    add_operation(
        app,
        health=health,
        ready=ready,
        ready_summary="Check whether the database can be used",
        render=functools.partial(render, app),
    )


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Database]:
    """Open the database while the context is open; raise an error if its tables are older than this program."""
    opened = open_database(
        database_url(settings), pool_size=settings.db_assist.pool_size, statement_timeout_s=_STATEMENT_TIMEOUT_S
    )
    try:
        if settings.database_url is None:
            await migrations.upgrade(opened)
        await migrations.require_current(opened)
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def _repeating(
    opened: Database, rules: DbAssistSettings, running: set[asyncio.Task[None]]
) -> AsyncIterator[None]:
    """Delete expired rows and lift ended bans periodically while the context is open.

    At the end of the context, wait for the tasks in `running` that have not ended.
    """
    is_ending = asyncio.Event()
    running.add(asyncio.create_task(_delete_expired(opened, rules, is_ending)))
    running.add(asyncio.create_task(_lift_bans(opened, is_ending)))
    try:
        yield
    finally:
        is_ending.set()
        await asyncio.gather(*running, return_exceptions=True)


async def _delete_expired(opened: Database, rules: DbAssistSettings, is_ending: asyncio.Event) -> None:
    """Delete expired rows and old messages, at the start and every hour."""
    while not is_ending.is_set():
        try:
            async with opened.writing() as session:
                await usage.delete_expired(session=session)
                await logins.delete_expired(session=session)
                await forgetting.delete_expired(session=session)
                await texts_to_show.delete_expired(session=session)
            await retention.delete_old(opened, rules)
            await opened.empty_log()
        except (DBAPIError, PoolTimeoutError, OSError) as error:
            _log.warning("expired rows could not be deleted", error=type(error).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(is_ending.wait(), _EXPIRY_S)


async def _lift_bans(opened: Database, is_ending: asyncio.Event) -> None:
    """Lift all bans whose end has passed; repeat this at intervals."""
    while not is_ending.is_set():
        try:
            await bans.lift_ended(opened)
        except (DBAPIError, PoolTimeoutError, OSError) as error:
            _log.warning("expired bans could not be ended", error=type(error).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(is_ending.wait(), bans.LIFT_S)


async def health(request: Request) -> Health:
    """Return the state of the service; the database is not checked."""
    return Health(status="ok", database=database(request).name, version=glas.__version__)


async def ready(request: Request) -> Health:
    """Return the state of the service if the database answers, and if its schema is as new as this program or newer.

    The schema may be newer, because an upgrade changes the schema before the programs are restarted.

    Raises:
        ConfigurationError: the database has an older schema.
    """
    async with database(request).reading() as session:
        await session.execute(text("SELECT 1"))
    await migrations.require_not_older(database(request))
    return await health(request)


async def render(app: FastAPI) -> bytes:
    """Return the metrics in Prometheus' text format."""
    state = app.state
    opened: Database = state.database
    async with opened.reading() as session:
        counted = await ledger.statistics(session=session)
        if state.checked is None or time.monotonic() - state.checked[0] >= _LEDGER_CHECK_S:
            checked = await ledger.check(session=session)
            state.checked = (time.monotonic(), len(checked.discrepancies))
    return metrics.render(counted, n_wrong_balances=state.checked[1])


async def on_database_error(_request: Request, error: Exception) -> JSONResponse:
    """Answer a violated constraint with 409, a refused statement with 500, and all other database errors with 503.

    After the answer 503, callers repeat the request. A repeated request does no harm.
    """
    answer: GlasError
    if isinstance(error, IntegrityError):
        answer = ConflictError("the database refused this: a rule of its tables would be broken")
        # PostgreSQL's own message contains the values that violate the constraint.
        _log.warning("a rule of the database was broken", rule=str(getattr(error.orig, "constraint_name", "")))
    elif isinstance(error, DBAPIError) and not _is_away(error):
        answer = ServiceFaultError("the database refused a statement; the log of db_assist says more")
        _log.error("the database refused a statement", exc_info=error)
    else:
        answer = OverloadedError("the database does not answer", retry_after_s=_RETRY_AFTER_S)
        _log.warning("the database does not answer", error=type(error).__name__)
    return JSONResponse(to_body(answer), answer.status, headers=retry_header(answer))


def _is_away(error: DBAPIError) -> bool:
    """Return whether the SQL statement that caused this error may succeed later.

    This is the case after a lost connection, a shutdown of the database, a full disk, or a deadlock.
    """
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return True
    return str(getattr(error.orig, "sqlstate", "")).startswith(_PASSING_SQLSTATES)
