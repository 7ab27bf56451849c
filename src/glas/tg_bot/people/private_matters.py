"""Answer personal commands, such as /mydata, that were sent in a group; the answer is sent to the private chat."""

from typing import Any

import structlog
from aiogram import Bot, Dispatcher, F, Router
from aiogram.filters import Command
from aiogram.types import Chat, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update

from glas.domain.people import User
from glas.tg_bot.api.errors import PersonGoneError
from glas.tg_bot.api.telegram import said
from glas.tg_bot.talk.phrases import Say

_PRIVATE = ("start", "balance", "words", "language", "privacy", "mydata", "forget", "review", "web")
_FROM_GROUP = "group"  # argument of /start if a person follows the link

_log = structlog.stdlib.get_logger("glas.tg_bot")


def make_router() -> Router:
    """Make the router that handles personal commands in group chats, where the bot does not answer them.

    Include this router before the routers that answer these commands in private chats.
    """
    router = Router()
    router.message.register(on_private_matter, Command(*_PRIVATE), F.chat.type != "private")
    return router


async def on_private_matter(message: Message, *, bot: Bot, dispatcher: Dispatcher, user: User | None, say: Say) -> Any:
    """Answer a command as if the person had sent it in the private chat; in the group, only say where the answer is.

    A bot cannot begin a private chat. So if the person has no private chat with the bot, the bot sends a link that
    opens a private chat.
    """
    if user is not None:
        here = {"chat": Chat(id=user.tg_id, type="private"), "message_thread_id": None, "is_topic_message": None}
        update = Update(update_id=0, message=message.model_copy(update=here))
        try:
            given = await said(lambda: dispatcher.feed_update(bot, update))
        except PersonGoneError:
            _log.info("a person has no private chat with the bot; a link to it is sent")
        else:
            await message.reply(say("answered-privately"))
            return given
    me = await bot.me()
    link = InlineKeyboardButton(text=say("button-private"), url=f"https://t.me/{me.username}?start={_FROM_GROUP}")
    await message.reply(say("private-first"), reply_markup=InlineKeyboardMarkup(inline_keyboard=[[link]]))
    return None
