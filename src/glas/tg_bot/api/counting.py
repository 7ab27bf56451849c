"""Count the calls to Telegram, separately for success and for each error. The counts show if Telegram has problems."""

import aiohttp
from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import ClientDecodeError, TelegramAPIError
from aiogram.methods import TelegramMethod
from aiogram.methods.base import Response, TelegramType

from glas import tracing
from glas.tg_bot.api.errors import TelegramAwayError, UnreadableAnswerError, translated
from glas.tg_bot.metrics import OK, Metrics


class Counting(BaseRequestMiddleware):
    """Request middleware of aiogram: counts the calls to Telegram by their result (success, or the kind of error)."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(
        self, make_request: NextRequestMiddlewareType[TelegramType], bot: Bot, method: TelegramMethod[TelegramType]
    ) -> Response[TelegramType]:
        """Make a call to Telegram, and count it."""
        try:
            with tracing.span("tg_bot", f"call {type(method).__name__}"):
                answer = await make_request(bot, method)
        except TelegramAPIError as error:
            self._metrics.called(translated(error).code)
            raise
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
            self._metrics.called(TelegramAwayError.code)
            raise
        except ClientDecodeError:
            self._metrics.called(UnreadableAnswerError.code)
            raise
        self._metrics.called(OK)
        return answer
