"""The FastAPI app of data_loader."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

import glas
from glas.audio.decoder import DecoderPool
from glas.audio.limits import decode_limits
from glas.clients.data_loader import Health
from glas.clients.db_assist import DbAssistClient
from glas.data_loader.archive import Archive
from glas.data_loader.export import ExportOptions
from glas.data_loader.exporter import Exporter, last_success_s
from glas.data_loader.metrics import Metrics
from glas.data_loader.routes import make_router
from glas.domain.errors import ConfigurationError, ServiceTimeoutError
from glas.s3 import Store, open_store
from glas.serving import errors
from glas.serving.gate import Gate
from glas.serving.keys import retiring
from glas.serving.openapi import describe_internal
from glas.serving.telemetry import telemetry
from glas.settings import MIB, Settings, plain

_READY_S = 3.0
_SECONDS_PER_HOUR = 3600


def create_app(
    settings: Settings, *, key: str | None, db_assist: DbAssistClient, previous_key: str | None = None
) -> FastAPI:
    """Make the app; its lifespan opens the store.

    Args:
        settings: the whole configuration.
        key: the key that callers must send as `Authorization: Bearer`; None requires no key.
        db_assist: client of the service that knows what may be exported; the caller closes it.
        previous_key: the former key, which is still accepted while keys are exchanged.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = await asyncio.to_thread(make_store, settings)
        decoder = _make_decoder(settings)
        options, metrics = export_options(settings), app.state.metrics
        exporter = Exporter(
            options,
            models_dir=settings.models_dir,
            db_assist=db_assist,
            store=store,
            decoder=decoder,
            metrics=metrics,
        )
        app.state.archive = Archive(store)
        app.state.exporter = exporter
        app.state.derived = options.derived
        try:
            yield
        finally:
            await exporter.close()
            await asyncio.to_thread(decoder.close)

    max_body_bytes = settings.audio.max_upload_mb * MIB
    app = FastAPI(
        title="Glas data_loader",
        version=glas.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry=telemetry("data_loader"),
    )
    app.state.metrics = Metrics(
        {"data": settings.data_dir, "export": settings.export_dir},
        interval_s=settings.data_loader.export_hours * _SECONDS_PER_HOUR,
        exported_before_s=last_success_s(settings.export_dir),
    )
    app.state.figures = functools.partial(render, app)
    app.add_middleware(Gate, key=key, others=retiring(previous_key), max_body_bytes=max_body_bytes)
    errors.install(app, max_body_bytes=max_body_bytes)
    app.include_router(make_router(max_body_bytes=max_body_bytes))
    app.add_api_route("/health", health, methods=["GET"], summary="That the process answers")
    app.add_api_route("/ready", ready, methods=["GET"], summary="Whether the object store answers")
    app.add_api_route("/metrics", figures, methods=["GET"], summary="Figures for Prometheus", response_class=Response)
    describe_internal(app, "Object store and export of Glas, for its other parts.", needs_key=key is not None)
    return app


async def figures(request: Request) -> Response:
    """Return the metrics."""
    return Response(await render(request.app), media_type=CONTENT_TYPE_LATEST)


async def render(app: FastAPI) -> bytes:
    """Return the metrics in Prometheus' text format.

    A slow disk can delay this, because its free space is looked up.
    """
    rendered: bytes = await asyncio.to_thread(app.state.metrics.render)
    return rendered


async def health(request: Request) -> Health:
    """Answer without asking the object store."""
    return Health(status="ok", store=request.app.state.archive.store.kind, version=glas.__version__)


async def ready(request: Request) -> Health:
    """Answer 200 if the object store answers.

    Raises:
        ServiceError: the object store cannot be reached, or refuses the keys.
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
        ConfigurationError: the settings name an S3 server, but no keys for it.
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
    """Return directory and options of exports from the settings."""
    return ExportOptions(
        directory=settings.export_dir,
        test_share=settings.data_loader.test_share,
        reconcile_s=settings.data_loader.reconcile_hours * _SECONDS_PER_HOUR,
        derived=(settings.data_dir / "rounds", settings.models_dir),
    )


def _make_decoder(settings: Settings) -> DecoderPool:
    """Make the pool of decoding child processes; they start with the first export."""
    return DecoderPool(settings.audio.decode_workers, decode_limits(settings.audio))
