"""Answer /settings: a person can switch settings on and off; a group can choose what the bot does in the group."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiogram import Bot, F, Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import ChatSettings
from glas.clients.own_models import OwnModelChoice
from glas.domain.errors import NotFoundError
from glas.domain.people import CONSENT_VERSION, Purpose, User
from glas.tg_bot.api.telegram import edit_keyboard
from glas.tg_bot.people.settings_menus import SettingsMenus
from glas.tg_bot.talk.keyboards import CHAT, MODEL_NEWS, OWN_MODEL, TRAINING, Keyboards, Switch
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.presses import Pressed, message_of, toast


def make_router() -> Router:
    """Make the router that receives /settings and presses of its buttons."""
    router = Router()
    router.message.register(on_moved, F.migrate_to_chat_id | F.migrate_from_chat_id)
    router.message.register(on_chat_settings, Command("settings"), F.chat.type != "private")
    router.message.register(on_settings, Command("settings"))
    for choice in (_CONSENT, _NEWS):
        router.callback_query.register(choice.on_pressed, Pressed(choice.switch.action))
    router.callback_query.register(on_chat_chosen, Pressed(CHAT))
    router.callback_query.register(on_own_model, Pressed(OWN_MODEL))
    return router


async def on_settings(message: Message, *, user: User | None, settings_menus: SettingsMenus, say: Say) -> None:
    """Show a person's settings, with buttons to change them."""
    if user is None:
        await message.answer(say("not-registered"))
        return
    menu = await settings_menus.of_person(user, message, say)
    await menu.answer(message)


@dataclass(frozen=True)
class _Choice:
    """A setting that a person can switch on and off, with a button under /settings or under another message.

    Attributes:
        switch: the button of the setting.
        store: function that stores the choice in db_assist, and returns the person with the new value.
        turned_on: name of the message in the catalogue that confirms that the setting is on.
        turned_off: name of the message in the catalogue that confirms that the setting is off.
    """

    switch: Switch
    store: Callable[..., Awaitable[User]]
    turned_on: str
    turned_off: str

    async def on_pressed(
        self,
        query: CallbackQuery,
        *,
        values: tuple[int, ...],
        bot: Bot,
        user: User | None,
        db_assist: DbAssistClient,
        keyboards: Keyboards,
        settings_menus: SettingsMenus,
        say: Say,
    ) -> None:
        """Store the choice of a person, and show it in the message with the button."""
        if user is None:
            await toast(bot, query, say("not-registered"), is_alert=True)
            return
        is_on, in_settings = (bool(value) for value in values)
        user = await self.store(db_assist, query.from_user.id, is_on=is_on)
        await toast(bot, query, say(self.turned_on if is_on else self.turned_off), is_alert=True)
        message = message_of(query)
        if message is None:
            return
        if in_settings:
            menu = await settings_menus.of_person(user, message, say)
            await menu.update(message, bot)
        else:
            born_s = int(message.date.timestamp())
            keyboard = keyboards.switch(self.switch, is_on=is_on, asker=user.tg_id, born_s=born_s, say=say)
            await edit_keyboard(bot, message.chat.id, message.message_id, keyboard)


async def _store_consent(db_assist: DbAssistClient, tg_id: int, *, is_on: bool) -> User:
    return await db_assist.set_consent(tg_id, Purpose.TRAINING, granted=is_on, text_version=CONSENT_VERSION)


async def _store_news(db_assist: DbAssistClient, tg_id: int, *, is_on: bool) -> User:
    return await db_assist.want_news(tg_id, wanted=is_on)


_CONSENT = _Choice(TRAINING, _store_consent, "consent-given", "consent-withdrawn")
_NEWS = _Choice(MODEL_NEWS, _store_news, "news-wanted", "news-refused")


async def on_own_model(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    user: User | None,
    db_assist: DbAssistClient,
    settings_menus: SettingsMenus,
    say: Say,
) -> None:
    """Store whether recordings of a person or a group are recognised by their own model or by the champion.

    Afterwards, show the stored choice in the message with the button.
    """
    message, is_used = message_of(query), bool(values[0])
    if message is None:
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return
    is_private = message.chat.type == "private"
    whose = {"tg_id": query.from_user.id} if is_private else {"chat_id": message.chat.id}
    try:
        await db_assist.choose_own_model(OwnModelChoice(**whose, is_used=is_used))
    except NotFoundError:
        await toast(bot, query, say("own-model-gone"), is_alert=True)
    else:
        chosen = say("own-model-chosen" if is_private else "chat-model-chosen")
        await toast(bot, query, chosen if is_used else say("common-model-chosen"))
    if not is_private:
        menu = await settings_menus.of_chat(message, say)
        await menu.update(message, bot)
    elif user is not None:
        menu = await settings_menus.of_person(user, message, say)
        await menu.update(message, bot)


async def on_chat_settings(message: Message, *, settings_menus: SettingsMenus, say: Say) -> None:
    """Show what the bot does in a group, with buttons to change it."""
    menu = await settings_menus.of_chat(message, say)
    await menu.answer(message)


async def on_chat_chosen(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    db_assist: DbAssistClient,
    settings_menus: SettingsMenus,
    say: Say,
) -> None:
    """Change what the bot does in a group; only administrators of the group may press the button."""
    message = message_of(query)
    if message is None:
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return
    await db_assist.set_chat(bot.id, message.chat.id, ChatSettings(answers_automatically=bool(values[0])))
    await toast(bot, query)
    menu = await settings_menus.of_chat(message, say)
    await menu.update(message, bot)


async def on_moved(message: Message, *, bot: Bot, db_assist: DbAssistClient) -> None:
    """Copy the settings of a group to its new chat id when the group has become a supergroup."""
    was = message.migrate_from_chat_id or message.chat.id
    now = message.migrate_to_chat_id or message.chat.id
    await db_assist.move_chat(bot.id, was, now)
