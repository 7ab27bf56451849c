"""Make the FastAPI app of data_loader, and answer requests about its health."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

import glas
from glas.audio.decoder import DecoderPool
from glas.audio.limits import decode_limits
from glas.clients.data_loader_bodies import Health
from glas.clients.db_assist import DbAssistClient
from glas.data_loader.archive import Archive
from glas.data_loader.export import ExportOptions
from glas.data_loader.exporter import Exporter, last_success_s
from glas.data_loader.metrics import Metrics
from glas.data_loader.routes import make_router
from glas.data_loader.stored_models import PREFIX as MODELS
from glas.data_loader.stored_models import StoredModels
from glas.data_loader.stored_models import make_router as make_models_router
from glas.domain.errors import ConfigurationError, ServiceTimeoutError
from glas.s3 import Store, open_store
from glas.serving.service import add_operation, make_internal, new_app
from glas.settings import MIB, Settings, plain
from glas.settings.keys import HashedKey, hashed

_READY_S = 3.0
_SECONDS_PER_HOUR = 3600


def create_app(
    settings: Settings, *, key: str | None, db_assist: DbAssistClient, previous_key: str | None = None
) -> FastAPI:
    """Make the app of data_loader; the object store is opened when the app starts.

    Args:
        settings: the whole configuration.
        key: the API key that callers must send as `Authorization: Bearer`; with None, callers need no API key.
        db_assist: client of db_assist, which decides what may be exported; the caller closes the client.
        previous_key: the former API key. It is also accepted, so that callers can change to the new API key at
            different times.
    """
    metrics = Metrics(
        {"data": settings.data_dir, "export": settings.export_dir},
        interval_s=settings.data_loader.export_hours * _SECONDS_PER_HOUR,
        exported_before_s=last_success_s(settings.export_dir),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = await asyncio.to_thread(make_store, settings)
        async with _open_exporter(settings, db_assist, store, metrics) as exporter:
            app.state.archive = Archive(store)
            app.state.stored_models = StoredModels(store, db_assist)
            app.state.exporter = exporter
            yield

    app = new_app("data_loader", lifespan)
    app.state.metrics = metrics
    app.state.derived = export_options(settings).derived
    max_body_bytes = settings.audio.max_upload_mb * MIB
    make_internal(
        app,
        "Object store and export of Glas, for its other parts.",
        key=key,
        previous_key=previous_key,
        max_body_bytes=max_body_bytes,
        readers=_readers(settings, key),
        readable=MODELS,
    )
    # Directly: `include_router` would build each route once more, at the first request.
    for router in (make_router(max_body_bytes=max_body_bytes), make_models_router()):
        app.router.routes.extend(router.routes)
    add_operation(
        app,
        health=health,
        ready=ready,
        ready_summary="Check whether the object store answers",
        # In a thread, because a slow disk may delay the query for its free space.
        render=functools.partial(asyncio.to_thread, metrics.render),
    )
    return app


def _readers(settings: Settings, key: str | None) -> tuple[HashedKey, ...]:
    """Return the API keys with which servers of nn_service may read models; empty if requests need no API key."""
    token = plain(settings.data_loader.models_token)
    return () if key is None or token is None else (HashedKey("nn_service", "user", hashed(token)),)


@asynccontextmanager
async def _open_exporter(
    settings: Settings, db_assist: DbAssistClient, store: Store, metrics: Metrics
) -> AsyncIterator[Exporter]:
    """Yield an exporter that can be used while the context is open.

    The decoder processes are started when the first export needs them.
    """
    decoder = DecoderPool(settings.audio.decode_workers, decode_limits(settings.audio))
    exporter = Exporter(
        export_options(settings),
        models_dir=settings.models_dir,
        db_assist=db_assist,
        store=store,
        decoder=decoder,
        metrics=metrics,
    )
    try:
        yield exporter
    finally:
        await exporter.close()
        await asyncio.to_thread(decoder.close)


async def health(request: Request) -> Health:
    """Return the state of the service; the object store is not checked."""
    return Health(status="ok", store=request.app.state.archive.store.kind, version=glas.__version__)


async def ready(request: Request) -> Health:
    """Return the state of the service if the object store answers.

    Raises:
        ServiceError: the object store cannot be reached, or refuses the access keys.
    """
    try:
        async with asyncio.timeout(_READY_S):
            await request.app.state.archive.store.check()
    except TimeoutError as error:
        raise ServiceTimeoutError(f"the object store did not answer within {_READY_S:g} s") from error
    return await health(request)


def make_store(settings: Settings) -> Store:
    """Return the object store that the settings name: a bucket, or a directory.

    Raises:
        ConfigurationError: the settings name an S3 server, but no access keys for this server.
    """
    if settings.s3_endpoint is not None and (settings.s3_access_key is None or settings.s3_secret_key is None):
        raise ConfigurationError("expected GLAS_S3_ACCESS_KEY and GLAS_S3_SECRET_KEY with GLAS_S3_ENDPOINT, got none")
    return open_store(
        directory=settings.data_dir / "s3",
        endpoint=settings.s3_endpoint,
        bucket=settings.s3_bucket,
        access_key=settings.s3_access_key,
        secret_key=plain(settings.s3_secret_key),
    )


def export_options(settings: Settings) -> ExportOptions:
    """Return the directory and all other options of exports, as the settings say."""
    return ExportOptions(
        directory=settings.export_dir,
        test_share=settings.data_loader.test_share,
        reconcile_s=settings.data_loader.reconcile_hours * _SECONDS_PER_HOUR,
        derived=(settings.data_dir / "rounds", settings.models_dir),
    )
