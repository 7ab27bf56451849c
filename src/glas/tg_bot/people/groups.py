"""Greet a group to which the bot was added; explain if Telegram's privacy mode hides voice messages from the bot."""

from aiogram import Bot, Router
from aiogram.enums import ChatMemberStatus
from aiogram.filters import JOIN_TRANSITION, ChatMemberUpdatedFilter
from aiogram.types import ChatMemberUpdated

from glas.domain.people import Locale
from glas.tg_bot.api.telegram import said
from glas.tg_bot.talk.phrases import Phrases


def make_router() -> Router:
    """Make the router that receives updates about groups to which the bot was added."""
    router = Router()
    router.my_chat_member.register(on_added, ChatMemberUpdatedFilter(JOIN_TRANSITION))
    return router


async def on_added(event: ChatMemberUpdated, *, bot: Bot, phrases: Phrases) -> None:
    """Greet a group. If privacy mode hides the group's recordings from the bot, explain how to switch privacy mode off.

    The privacy mode is requested from Telegram each time, because the owner of the bot may have changed it since the
    start of the process.
    """
    if event.chat.type not in ("group", "supergroup"):
        return
    say = phrases[Locale.RU]
    me = await said(bot.get_me)
    is_administrator = event.new_chat_member.status == ChatMemberStatus.ADMINISTRATOR
    text = say("group-greeting")
    if not me.can_read_all_group_messages and not is_administrator:
        text += "\n\n" + say("group-privacy-mode")
    await said(lambda: bot.send_message(event.chat.id, text))
