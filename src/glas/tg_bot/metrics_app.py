"""Serve the bot's metrics at a separate port.

A separate port is necessary: a bot that polls has no other port, and the port of a webhook is open to everybody.
"""

from fastapi import FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

import glas
from glas.serving import errors
from glas.serving.gate import Gate
from glas.tg_bot.app import TelegramBot

_MAX_BODY_BYTES = 1024


def create_app(bot: TelegramBot, *, key: str | None) -> FastAPI:
    """Make the app; the caller opens and closes the bot.

    Args:
        bot: the bot.
        key: the key that callers must send in the header `Authorization: Bearer KEY`; None if no key is required.
    """

    async def figures() -> Response:
        return Response(await bot.figures(), media_type=CONTENT_TYPE_LATEST)

    async def health() -> dict[str, str]:
        return {"status": "ok", "version": glas.__version__}

    async def ready() -> dict[str, str]:
        await bot.require_ready()
        return {"status": "ready"}

    app = FastAPI(title="Glas tg_bot", version=glas.__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Gate, key=key, max_body_bytes=_MAX_BODY_BYTES)
    errors.install(app, max_body_bytes=_MAX_BODY_BYTES)
    app.add_api_route("/health", health, methods=["GET"])
    app.add_api_route("/ready", ready, methods=["GET"])
    app.add_api_route("/metrics", figures, methods=["GET"], response_class=Response)
    return app
