"""Handlers of choices: /language, /settings with the consent to training, and the behaviour in a group."""

from collections.abc import Callable
from functools import partial

from aiogram import Bot, F, Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import ChatSettings
from glas.domain.people import CONSENT_VERSION, Locale, Purpose, User
from glas.tg_bot.api.telegram import edit_caption, edit_keyboard, edit_text
from glas.tg_bot.talk.keyboards import CHAT, CONSENT, LANGUAGE, NEWS, Keyboards
from glas.tg_bot.talk.phrases import Phrases, Say
from glas.tg_bot.talk.presses import Pressed, message_of, toast

_NAMES = {Locale.RU: "русский", Locale.EN: "English"}


def make_router() -> Router:
    """Make the router of choices."""
    router = Router()
    router.message.register(on_moved, F.migrate_to_chat_id | F.migrate_from_chat_id)
    router.message.register(on_language, Command("language"))
    router.message.register(on_chat_settings, Command("settings"), F.chat.type != "private")
    router.message.register(on_settings, Command("settings"))
    router.callback_query.register(on_language_chosen, Pressed(LANGUAGE))
    router.callback_query.register(on_consent, Pressed(CONSENT))
    router.callback_query.register(on_news, Pressed(NEWS))
    router.callback_query.register(on_chat_chosen, Pressed(CHAT))
    return router


async def on_language(message: Message, *, keyboards: Keyboards, say: Say) -> None:
    """Show the languages; in private chats only, where the chat's id is the person's."""
    keyboard = keyboards.language(asker=message.chat.id, born_s=int(message.date.timestamp()))
    await message.answer(say("language"), reply_markup=keyboard)


async def on_language_chosen(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    user: User | None,
    db_assist: DbAssistClient,
    phrases: Phrases,
    keyboards: Keyboards,
    say: Say,
) -> None:
    """Set the language of the person; under /start, say its text again in this language."""
    if user is None:
        await toast(bot, query, say("not-registered"), is_alert=True)
        return
    locale = list(Locale)[values[0]]
    await db_assist.set_locale(query.from_user.id, locale)
    await toast(bot, query)
    message = message_of(query)
    if message is None:
        return
    said_now = phrases[locale]
    if len(values) == 1:
        await edit_text(bot, message.chat.id, message.message_id, said_now("language-set"))
        return
    keyboard = keyboards.start(
        given=Purpose.TRAINING in user.consents,
        asker=user.tg_id,
        born_s=int(message.date.timestamp()),
        say=said_now,
        others=[other for other in Locale if other is not locale],
    )
    edit = edit_caption if message.photo else edit_text
    await edit(bot, message.chat.id, message.message_id, said_now("start"), keyboard)


async def on_settings(message: Message, *, user: User | None, keyboards: Keyboards, say: Say) -> None:
    """Show a person's settings, with the button of the consent."""
    if user is None:
        await message.answer(say("not-registered"))
        return
    keyboard = _settings_keyboard(user, message, keyboards, say)
    await message.answer(_settings_text(user, say), reply_markup=keyboard)


def _settings_text(user: User, say: Say) -> str:
    consent = say("settings-on") if Purpose.TRAINING in user.consents else say("settings-off")
    news = say("settings-news-on") if user.wants_news else say("settings-news-off")
    text = say("settings", language=_NAMES[user.locale], consent=consent)
    return text + "\n" + say("settings-news", news=news) + "\n\n" + say("consent-ask")


def _settings_keyboard(user: User, message: Message, keyboards: Keyboards, say: Say) -> InlineKeyboardMarkup:
    given, born_s = Purpose.TRAINING in user.consents, int(message.date.timestamp())
    return keyboards.settings(given=given, wants_news=user.wants_news, asker=user.tg_id, born_s=born_s, say=say)


async def on_consent(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    user: User | None,
    db_assist: DbAssistClient,
    keyboards: Keyboards,
    say: Say,
) -> None:
    """Store a consent to training or its withdrawal, and show it in the message with the button."""
    if user is None:
        await toast(bot, query, say("not-registered"), is_alert=True)
        return
    given, in_settings = (bool(value) for value in values)
    person = query.from_user.id
    user = await db_assist.set_consent(person, Purpose.TRAINING, granted=given, text_version=CONSENT_VERSION)
    await toast(bot, query, say("consent-given") if given else say("consent-withdrawn"), is_alert=True)
    button = None if in_settings else partial(keyboards.consent, given=given)
    await _show_choice(bot, query, user, keyboards, say, button=button)


async def on_news(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    user: User | None,
    db_assist: DbAssistClient,
    keyboards: Keyboards,
    say: Say,
) -> None:
    """Store whether a person wants news of models that learnt from them, and show it in the message."""
    if user is None:
        await toast(bot, query, say("not-registered"), is_alert=True)
        return
    wanted, in_settings = (bool(value) for value in values)
    user = await db_assist.want_news(query.from_user.id, wanted=wanted)
    await toast(bot, query, say("news-wanted") if wanted else say("news-refused"), is_alert=True)
    button = None if in_settings else partial(keyboards.news, wanted=wanted)
    await _show_choice(bot, query, user, keyboards, say, button=button)


async def _show_choice(
    bot: Bot,
    query: CallbackQuery,
    user: User,
    keyboards: Keyboards,
    say: Say,
    *,
    button: Callable[..., InlineKeyboardMarkup] | None,
) -> None:
    """Update the message whose button was pressed: the whole text of /settings, or elsewhere only its `button`."""
    message = message_of(query)
    if message is None:
        return
    if button is None:
        keyboard = _settings_keyboard(user, message, keyboards, say)
        await edit_text(bot, message.chat.id, message.message_id, _settings_text(user, say), keyboard)
    else:
        keyboard = button(asker=user.tg_id, born_s=int(message.date.timestamp()), say=say)
        await edit_keyboard(bot, message.chat.id, message.message_id, keyboard)


async def on_chat_settings(
    message: Message, *, bot: Bot, db_assist: DbAssistClient, keyboards: Keyboards, say: Say
) -> None:
    """Show the bot's behaviour in a group."""
    chat = await db_assist.chat(bot.id, message.chat.id)
    keyboard = keyboards.chat(born_s=int(message.date.timestamp()), say=say)
    await message.answer(_chat_text(chat, say), reply_markup=keyboard)


async def on_chat_chosen(
    query: CallbackQuery, *, values: tuple[int, ...], bot: Bot, db_assist: DbAssistClient, say: Say
) -> None:
    """Change the bot's behaviour in a group; only its administrators may press the button."""
    message = message_of(query)
    if message is None:
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return
    chat_id = message.chat.id
    chat = await db_assist.set_chat(bot.id, chat_id, ChatSettings(answers_automatically=bool(values[0])))
    await toast(bot, query)
    await edit_text(bot, chat_id, message.message_id, _chat_text(chat, say), message.reply_markup)


async def on_moved(message: Message, *, bot: Bot, db_assist: DbAssistClient) -> None:
    """Copy the settings of a group to the supergroup that it has become."""
    was = message.migrate_from_chat_id or message.chat.id
    now = message.migrate_to_chat_id or message.chat.id
    await db_assist.move_chat(bot.id, was, now)


def _chat_text(chat: ChatSettings, say: Say) -> str:
    return say("chat-settings", mode=say("chat-auto") if chat.answers_automatically else say("chat-asked"))
