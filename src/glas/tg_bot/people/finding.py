"""Answer /find: an administrator chooses a person by name in Telegram, and gets the address of the person's page.

Glas stores no names. So the administrator searches for the name in Telegram's own list of people, and the bot gets only
the id of the chosen person.
"""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.types import KeyboardButton, KeyboardButtonRequestUsers, Message, ReplyKeyboardMarkup, ReplyKeyboardRemove

from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import UnknownPersonError
from glas.tg_bot.people.admin import FromAdmin
from glas.tg_bot.talk.phrases import Say

_REQUEST = 1  # number of the button; the only one that asks for people


def make_router() -> Router:
    """Make the router that receives /find; the command works only in private chats.

    In other chats, Telegram does not permit the button that opens the list of people.
    """
    router = Router()
    router.message.filter(FromAdmin(), F.chat.type == "private")
    router.message.register(on_find, Command("find"))
    router.message.register(on_chosen, F.users_shared)
    return router


async def on_find(message: Message, say: Say) -> None:
    """Show a button that opens Telegram's list of people."""
    wanted = KeyboardButtonRequestUsers(request_id=_REQUEST, user_is_bot=False)
    button = KeyboardButton(text=say("button-find"), request_users=wanted)
    keyboard = ReplyKeyboardMarkup(keyboard=[[button]], resize_keyboard=True, one_time_keyboard=True)
    await message.answer(say("find-how"), reply_markup=keyboard)


async def on_chosen(message: Message, *, db_assist: DbAssistClient, page_url: str | None, say: Say) -> None:
    """Send the id of the chosen person, with the address of their page if there is one."""
    if message.users_shared is None:
        return
    (chosen,) = message.users_shared.users
    try:
        await db_assist.user(chosen.user_id)
    except UnknownPersonError:
        text = say("person-unknown", id=str(chosen.user_id))
    else:
        text = say("found", id=str(chosen.user_id))
        if page_url is not None:
            text += f"\n{page_url.rstrip('/')}/people/{chosen.user_id}"
    await message.answer(text, reply_markup=ReplyKeyboardRemove())
