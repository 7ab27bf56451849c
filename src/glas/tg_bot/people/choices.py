"""Handlers of choices: /language, /settings with the consent to training, and the behaviour in a group."""

from collections.abc import Callable
from functools import partial

from aiogram import Bot, F, Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import ChatSettings
from glas.clients.nn_service import NnServiceClient
from glas.clients.own_models import OwnModelChoice
from glas.domain.errors import NotFoundError
from glas.domain.people import CONSENT_VERSION, Locale, Purpose, User
from glas.tg_bot.api.telegram import edit_caption, edit_keyboard, edit_text
from glas.tg_bot.people.own_models import line_of_chat, line_of_person
from glas.tg_bot.talk.keyboards import CHAT, CONSENT, LANGUAGE, NEWS, OWN_MODEL, Keyboards
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
    router.callback_query.register(on_own_model, Pressed(OWN_MODEL))
    return router


async def on_language(message: Message, *, keyboards: Keyboards, say: Say) -> None:
    """Show the languages; in private chats only, because only there the id of the chat is that of the person."""
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
    """Set the language of a person; below /start, also show its text again in this language."""
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


async def on_settings(
    message: Message,
    *,
    user: User | None,
    nn_service: NnServiceClient,
    db_assist: DbAssistClient,
    keyboards: Keyboards,
    say: Say,
) -> None:
    """Show a person's settings, with the button of the consent."""
    if user is None:
        await message.answer(say("not-registered"))
        return
    text, keyboard = await _settings(message, user, nn_service, db_assist, keyboards=keyboards, say=say)
    await message.answer(text, reply_markup=keyboard)


async def _settings(
    message: Message,
    user: User,
    nn_service: NnServiceClient,
    db_assist: DbAssistClient,
    *,
    keyboards: Keyboards,
    say: Say,
) -> tuple[str, InlineKeyboardMarkup]:
    """Return text and buttons of a person's settings."""
    given, own = Purpose.TRAINING in user.consents, await line_of_person(user.tg_id, nn_service, db_assist, say)
    lines = (
        say("settings", language=_NAMES[user.locale], consent=say("settings-on") if given else say("settings-off")),
        say("settings-news", news=say("settings-news-on") if user.wants_news else say("settings-news-off")),
        *filter(None, [own.text]),
    )
    keyboard = keyboards.settings(
        given=given,
        wants_news=user.wants_news,
        uses_own=own.is_used,
        asker=user.tg_id,
        born_s=int(message.date.timestamp()),
        say=say,
    )
    return "\n".join(lines) + "\n\n" + say("consent-ask"), keyboard


async def on_consent(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    user: User | None,
    nn_service: NnServiceClient,
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
    message = message_of(query)
    if message is None:
        return
    if in_settings:
        await _show_settings(message, user, bot, nn_service, db_assist, keyboards=keyboards, say=say)
    else:
        await _show_button(message, user, bot, partial(keyboards.consent, given=given), say)


async def on_own_model(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    user: User | None,
    nn_service: NnServiceClient,
    db_assist: DbAssistClient,
    keyboards: Keyboards,
    say: Say,
) -> None:
    """Store whether the own model or the common model answers a person, or everybody in a group. Update the message."""
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
        text, keyboard = await _chat_settings(message, bot, nn_service, db_assist, keyboards=keyboards, say=say)
        await edit_text(bot, message.chat.id, message.message_id, text, keyboard)
    elif user is not None:
        await _show_settings(message, user, bot, nn_service, db_assist, keyboards=keyboards, say=say)


async def on_news(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    user: User | None,
    nn_service: NnServiceClient,
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
    message = message_of(query)
    if message is None:
        return
    if in_settings:
        await _show_settings(message, user, bot, nn_service, db_assist, keyboards=keyboards, say=say)
    else:
        await _show_button(message, user, bot, partial(keyboards.news, wanted=wanted), say)


async def _show_settings(
    message: Message,
    user: User,
    bot: Bot,
    nn_service: NnServiceClient,
    db_assist: DbAssistClient,
    *,
    keyboards: Keyboards,
    say: Say,
) -> None:
    """Update a message with a person's settings."""
    text, keyboard = await _settings(message, user, nn_service, db_assist, keyboards=keyboards, say=say)
    await edit_text(bot, message.chat.id, message.message_id, text, keyboard)


async def _show_button(
    message: Message, user: User, bot: Bot, button: Callable[..., InlineKeyboardMarkup], say: Say
) -> None:
    """Update only the button of a message."""
    keyboard = button(asker=user.tg_id, born_s=int(message.date.timestamp()), say=say)
    await edit_keyboard(bot, message.chat.id, message.message_id, keyboard)


async def on_chat_settings(
    message: Message,
    *,
    bot: Bot,
    nn_service: NnServiceClient,
    db_assist: DbAssistClient,
    keyboards: Keyboards,
    say: Say,
) -> None:
    """Show the bot's behaviour in a group."""
    text, keyboard = await _chat_settings(message, bot, nn_service, db_assist, keyboards=keyboards, say=say)
    await message.answer(text, reply_markup=keyboard)


async def on_chat_chosen(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    nn_service: NnServiceClient,
    db_assist: DbAssistClient,
    keyboards: Keyboards,
    say: Say,
) -> None:
    """Change the bot's behaviour in a group; only its administrators may press the button."""
    message = message_of(query)
    if message is None:
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return
    await db_assist.set_chat(bot.id, message.chat.id, ChatSettings(answers_automatically=bool(values[0])))
    await toast(bot, query)
    text, keyboard = await _chat_settings(message, bot, nn_service, db_assist, keyboards=keyboards, say=say)
    await edit_text(bot, message.chat.id, message.message_id, text, keyboard)


async def _chat_settings(
    message: Message,
    bot: Bot,
    nn_service: NnServiceClient,
    db_assist: DbAssistClient,
    *,
    keyboards: Keyboards,
    say: Say,
) -> tuple[str, InlineKeyboardMarkup]:
    """Return text and buttons of the bot's behaviour in a group."""
    chat = await db_assist.chat(bot.id, message.chat.id)
    own = await line_of_chat(message.chat.id, nn_service, db_assist, say)
    mode = say("chat-auto") if chat.answers_automatically else say("chat-asked")
    keyboard = keyboards.chat(uses_own=own.is_used, born_s=int(message.date.timestamp()), say=say)
    return "\n".join(filter(None, (say("chat-settings", mode=mode), own.text))), keyboard


async def on_moved(message: Message, *, bot: Bot, db_assist: DbAssistClient) -> None:
    """Copy the settings of a group to the supergroup that it has become."""
    was = message.migrate_from_chat_id or message.chat.id
    now = message.migrate_to_chat_id or message.chat.id
    await db_assist.move_chat(bot.id, was, now)
