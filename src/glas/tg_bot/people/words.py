"""Answer /words: show a person's vocabulary (words that the person corrected or added), remove words, add words."""

from collections.abc import Sequence

from aiogram import Bot, F, Router
from aiogram.filters import Command, Filter
from aiogram.types import CallbackQuery, Message

from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import ConflictError, NotFoundError
from glas.domain.people import Locale, User
from glas.domain.vocabulary import VocabularyWord, spelled
from glas.tg_bot.api.senders import person_in
from glas.tg_bot.talk.keyboards import ADD_WORDS, WORD, WORDS, Keyboards
from glas.tg_bot.talk.menus import Menu
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.presses import Pressed, message_of, toast
from glas.tg_bot.talk.prompts import Prompts, forced_reply
from glas.tg_bot.talk.words import counted, listed, typed

_PAGE = 10
_MOST_AT_ONCE = 50


class AnswersWordsPrompt(Filter):
    """Filter that accepts a reply to a request for words of a vocabulary, if the person who was asked has replied."""

    async def __call__(self, message: Message, prompts: Prompts) -> bool:
        """Return whether the reply passes the filter."""
        asker, person = prompts.read_words(message.reply_to_message), person_in(message)
        return asker is not None and person is not None and person.id == asker


def make_router() -> Router:
    """Make the router that receives /words, presses of its buttons, and words that a person adds."""
    router = Router()
    router.message.register(on_words, Command("words"))
    router.message.register(on_typed, AnswersWordsPrompt(), F.text)
    router.callback_query.register(on_page, Pressed(WORDS))
    router.callback_query.register(on_word, Pressed(WORD))
    router.callback_query.register(on_add, Pressed(ADD_WORDS))
    return router


async def on_words(
    message: Message, *, user: User | None, db_assist: DbAssistClient, keyboards: Keyboards, say: Say, locale: Locale
) -> None:
    """Show a person's vocabulary.

    This works only in private chats, because only there the id of the chat is the id of the person.
    """
    if user is None:
        await message.answer(say("not-registered"))
        return
    words, born_s = await db_assist.words(user.tg_id), int(message.date.timestamp())
    menu = _page(words, 0, keyboards=keyboards, asker=user.tg_id, born_s=born_s, say=say, locale=locale)
    await menu.answer(message)


def _page(
    words: Sequence[VocabularyWord],
    page: int,
    *,
    keyboards: Keyboards,
    asker: int,
    born_s: int,
    say: Say,
    locale: Locale,
) -> Menu:
    """Return the text and the buttons of a page of the vocabulary; return the last page if `page` is too large."""
    n_pages = max(1, -(-len(words) // _PAGE))
    page = min(page, n_pages - 1)
    text = say("words", count=counted(len(words), locale)) if words else say("words-empty")
    if n_pages > 1:
        text += "\n\n" + say("words-page", page=page + 1, pages=n_pages)
    shown = words[page * _PAGE : (page + 1) * _PAGE]
    keyboard = keyboards.words(shown, page=page, n_pages=n_pages, asker=asker, born_s=born_s, say=say)
    return Menu(text, keyboard)


async def on_page(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    db_assist: DbAssistClient,
    keyboards: Keyboards,
    say: Say,
    locale: Locale,
) -> None:
    """Show another page of the vocabulary after a press of a button."""
    try:
        words = await db_assist.words(query.from_user.id)
    except NotFoundError:
        await toast(bot, query, say("not-registered"), is_alert=True)
        return
    await toast(bot, query)
    await _show_page(query, words, values[0], bot=bot, keyboards=keyboards, say=say, locale=locale)


async def on_word(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    db_assist: DbAssistClient,
    keyboards: Keyboards,
    say: Say,
    locale: Locale,
) -> None:
    """Remove a word from the vocabulary after a press of its button; a second press changes nothing."""
    word_id, page = values
    try:
        before = await db_assist.words(query.from_user.id)
        words = await db_assist.remove_word(query.from_user.id, word_id)
    except NotFoundError:
        await toast(bot, query, say("not-registered"), is_alert=True)
        return
    removed = [one.word for one in before if one.id == word_id]
    await toast(bot, query, say("word-removed", word=removed[0]) if removed else "")
    await _show_page(query, words, page, bot=bot, keyboards=keyboards, say=say, locale=locale)


async def _show_page(
    query: CallbackQuery,
    words: Sequence[VocabularyWord],
    page: int,
    *,
    bot: Bot,
    keyboards: Keyboards,
    say: Say,
    locale: Locale,
) -> None:
    """Show a page of the vocabulary in the message that contains the button."""
    if (message := message_of(query)) is None:
        return
    asker, born_s = query.from_user.id, int(message.date.timestamp())
    menu = _page(words, page, keyboards=keyboards, asker=asker, born_s=born_s, say=say, locale=locale)
    await menu.update(message, bot)


async def on_add(query: CallbackQuery, *, bot: Bot, prompts: Prompts, say: Say) -> None:
    """Ask a person for words to add to their vocabulary."""
    await toast(bot, query)
    if (message := message_of(query)) is not None:
        asked = prompts.words_request(query.from_user.id, say("words-ask")).as_kwargs()
        await message.answer(**asked, reply_markup=forced_reply(say, "words-placeholder"))


async def on_typed(message: Message, *, user: User | None, db_assist: DbAssistClient, say: Say, locale: Locale) -> None:
    """Add words to a person's vocabulary: the words that the person sent in reply to the bot's request."""
    if user is None:
        await message.answer(say("not-registered"))
        return
    words = typed(message.text or "")[:_MOST_AT_ONCE]
    good = [word for one in words if (word := spelled(one)) is not None]
    bad = [one for one in words if spelled(one) is None]
    if not good:
        await message.reply(say("words-none"))
        return
    try:
        vocabulary = await db_assist.add_words(user.tg_id, good)
    except ConflictError:
        await message.reply(say("words-full"))
        return
    text = say("words-added", words=listed(good), count=counted(len(vocabulary), locale))
    if bad:
        text += "\n" + say("words-refused", words=listed(bad))
    await message.reply(text)
