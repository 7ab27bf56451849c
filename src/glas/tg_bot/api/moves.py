"""Replace the old chat id of a group that has become a supergroup by the new chat id.

When Telegram refuses a call with the old id, Telegram's answer contains the new id. New messages are sent to the new
id. Messages that were sent to the old id cannot be edited any more.
"""

from typing import Any

import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramMigrateToChat
from aiogram.methods import (
    DeleteMessage,
    EditMessageCaption,
    EditMessageMedia,
    EditMessageReplyMarkup,
    EditMessageText,
    SendChatAction,
    SendDocument,
    SendMessage,
    SendPhoto,
    TelegramMethod,
)
from aiogram.methods.base import Response, TelegramType
from aiogram.types import Message

_SENDING = (SendMessage, SendDocument, SendPhoto, SendChatAction)
_EDITING = (EditMessageText, EditMessageCaption, EditMessageReplyMarkup, EditMessageMedia, DeleteMessage)

_log = structlog.stdlib.get_logger("glas.tg_bot")


class Moves(BaseRequestMiddleware):
    """Repeat a call with the new chat id if the group has become a supergroup.

    This is a request middleware of aiogram's client. It runs before the rate limiter, so that the repeated call also
    passes through the rate limiter.
    """

    def __init__(self) -> None:
        # The new ids are not stored, because Telegram states them again after a restart.
        self._moved: dict[int, int] = {}

    async def __call__(
        self, make_request: NextRequestMiddlewareType[TelegramType], bot: Bot, method: TelegramMethod[TelegramType]
    ) -> Response[TelegramType]:
        """Make a call; if the chat has a new id, make the call with the new id."""
        chat_id = getattr(method, "chat_id", None)
        if isinstance(chat_id, int) and chat_id in self._moved and not isinstance(method, _EDITING):
            return await make_request(bot, _sent_to(method, self._moved[chat_id]))
        try:
            return await make_request(bot, method)
        except TelegramMigrateToChat as error:
            if not isinstance(chat_id, int) or isinstance(method, _EDITING):
                raise
            self._moved[chat_id] = error.migrate_to_chat_id
            _log.info("a group has become a supergroup")
            return await make_request(bot, _sent_to(method, error.migrate_to_chat_id))


def _sent_to(method: TelegramMethod[TelegramType], chat_id: int) -> TelegramMethod[TelegramType]:
    values: dict[str, Any] = {"chat_id": chat_id}
    if isinstance(method, _SENDING) and not isinstance(method, SendChatAction):
        # The message to which the call replies has another id in the new chat, and Telegram does not state this id.
        values["reply_parameters"] = None
    return method.model_copy(update=values)


def has_moved(message: Message) -> bool:
    """Return whether a message is Telegram's notice that a group has a new id.

    Telegram sends this notice twice: with the old id and with the new id of the chat.
    """
    return message.migrate_to_chat_id is not None or message.migrate_from_chat_id is not None
