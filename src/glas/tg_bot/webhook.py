"""Receive updates that Telegram sends to a webhook: an HTTP route of the bot that requires a secret.

Telegram gets an answer with status 200 only after the update is stored.
"""

import hmac

import structlog
from fastapi import FastAPI, Request
from pydantic import ValidationError
from starlette.responses import Response

import glas
from glas.domain.errors import AuthenticationError, ConfigurationError
from glas.serving import errors
from glas.serving.gate import Gate
from glas.settings import MIB, plain
from glas.tg_bot.app import TelegramBot
from glas.tg_bot.intake import readable

PATH = "/telegram"

_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
_MAX_BODY_BYTES = 1 * MIB

_log = structlog.stdlib.get_logger("glas.tg_bot")


def create_app(bot: TelegramBot) -> FastAPI:
    """Make the app that receives requests to `GLAS_BOT__WEBHOOK_URL`; the caller opens and closes the bot.

    Raises:
        ConfigurationError: no secret is set, so anybody could send updates.
    """
    secret = plain(bot.settings.bot.webhook_secret)
    if secret is None:
        raise ConfigurationError("expected GLAS_BOT__WEBHOOK_SECRET: without it anybody could send updates")

    async def receive(request: Request) -> Response:
        """Store one update; if the status of the answer is not 200, Telegram sends the update again."""
        given = request.headers.get(_SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            raise AuthenticationError("expected Telegram's secret in the header, got another or none")
        try:
            body = await request.json()
            updates = list(readable({"result": [body]}, bot.bot))
        except (ValueError, KeyError, AttributeError, TypeError, ValidationError):
            # Telegram would send the same update again, so it is dropped and answered with 200.
            _log.warning("a request to the webhook is not an update")
            return Response()
        for update in updates:
            await bot.intake.store(update)
        return Response()

    async def ready() -> dict[str, str]:
        await bot.require_ready()
        return {"status": "ready"}

    app = FastAPI(title="Glas tg_bot", version=glas.__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Gate, key=None, max_body_bytes=_MAX_BODY_BYTES)
    errors.install(app, max_body_bytes=_MAX_BODY_BYTES)
    app.add_api_route(PATH, receive, methods=["POST"], response_model=None)
    app.add_api_route("/health", health, methods=["GET"])
    app.add_api_route("/ready", ready, methods=["GET"])
    return app


async def health() -> dict[str, str]:
    """Report that the process answers; the state of other parts is not checked."""
    return {"status": "ok", "version": glas.__version__}
