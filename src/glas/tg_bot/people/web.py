"""Answer /web: send a link with which a person can sign in to the web pages once."""

import secrets

from aiogram import F, Router
from aiogram.filters import Command, Filter
from aiogram.types import Message

from glas.clients.db_assist import DbAssistClient
from glas.clients.login_bodies import LOGIN_MINUTES
from glas.domain.people import Role, User
from glas.tg_bot.talk.phrases import Say


class HasPage(Filter):
    """Filter that accepts messages only if the settings contain the address of the web pages."""

    async def __call__(self, _message: Message, page_url: str | None) -> bool:
        """Return whether the message passes the filter."""
        return page_url is not None


def make_router() -> Router:
    """Make the router that receives /web."""
    router = Router()
    router.message.register(on_web, Command("web"), F.chat.type == "private", HasPage())
    return router


async def on_web(
    message: Message, *, user: User | None, db_assist: DbAssistClient, admins: frozenset[int], page_url: str, say: Say
) -> None:
    """Send a link with which a person signs in to the web pages.

    This works only in private chats, because only there the id of the chat is the id of the person.

    The link is not a button, because Telegram refuses buttons with a local address such as `localhost`.
    """
    if user is None:
        await message.answer(say("not-registered"))
        return
    if user.tg_id in admins and user.role is not Role.ADMIN:
        await db_assist.set_role(user.tg_id, Role.ADMIN)
    token = secrets.token_urlsafe(32)
    await db_assist.offer_login(user.tg_id, token)
    url = f"{page_url.rstrip('/')}/sign-in/{token}"
    await message.answer(say("web-link", url=url, minutes=LOGIN_MINUTES), protect_content=True)
