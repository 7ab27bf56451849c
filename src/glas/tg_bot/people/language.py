"""Answer /language: show the languages of the bot, and store the language that a person chose."""

from aiogram import Bot, Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from glas.clients.db_assist import DbAssistClient
from glas.domain.people import Locale, Purpose, User
from glas.tg_bot.api.telegram import edit_caption, edit_text
from glas.tg_bot.talk.keyboards import LANGUAGE, Keyboards
from glas.tg_bot.talk.phrases import Phrases, Say
from glas.tg_bot.talk.presses import Pressed, message_of, toast


def make_router() -> Router:
    """Make the router that receives /language and presses of its buttons."""
    router = Router()
    router.message.register(on_language, Command("language"))
    router.callback_query.register(on_language_chosen, Pressed(LANGUAGE))
    return router


async def on_language(message: Message, *, keyboards: Keyboards, say: Say) -> None:
    """Show a button for each language of the bot.

    This works only in private chats, because only there the id of the chat is the id of the person.
    """
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
    """Store the language that a person chose with a button.

    If the button is below the text of /start, show this text again in the new language.
    """
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
