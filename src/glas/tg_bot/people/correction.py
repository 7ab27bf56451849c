"""Receive corrections of texts from people.

In every chat, a person can press ✏️ and then send the right words. In a private chat, a person can also reply directly
to the text of the bot or to their own recording. If the reply is similar to the text, it counts as a correction. If it
is not clear whether the reply is a correction, the bot asks. In groups, people also reply to each other. So in a group,
a reply counts as a correction only after ✏️.
"""

from aiogram import Bot, F, Router
from aiogram.filters import Filter
from aiogram.types import CallbackQuery, Message, ReplyParameters

from glas.clients.db_assist import DbAssistClient
from glas.domain.corrections import Likeness, likeness
from glas.domain.errors import ConflictError, ImplausibleCorrectionError, NotFoundError
from glas.domain.messages import Status, Transcription
from glas.domain.people import Locale
from glas.tg_bot.api.senders import person_in
from glas.tg_bot.api.telegram import delete_message, edit_text
from glas.tg_bot.people.corrector import Corrector, found
from glas.tg_bot.people.rating import congratulate
from glas.tg_bot.talk.keyboards import FIX, INSIST, LEAVE, TAKE_BACK
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.presses import Pressed, message_of, toast
from glas.tg_bot.talk.prompts import Prompt, forced_reply
from glas.tg_bot.talk.texts import as_document, is_too_long
from glas.tg_bot.voices.jobs import AmendJob
from glas.tg_bot.voices.recordings import recording_in


class AnswersPrompt(Filter):
    """Filter that accepts a reply to the bot's request for the right words, if the person who was asked has replied.

    The filter passes the context of the request (see `glas.tg_bot.talk.prompts`) to the handler, as `prompt`.
    """

    async def __call__(self, message: Message, corrector: Corrector) -> bool | dict[str, Prompt]:
        """Return whether the reply passes the filter."""
        prompt, person = corrector.prompts.read(message.reply_to_message), person_in(message)
        if prompt is None or person is None or person.id != prompt.asker:
            return False
        return {"prompt": prompt}


class RepliesInPrivate(Filter):
    """Filter that accepts written replies in a private chat to a text of the bot, or to the person's own recording."""

    async def __call__(self, message: Message) -> bool:
        """Return whether the reply passes the filter."""
        is_reply = message.chat.type == "private" and message.reply_to_message is not None
        return is_reply and bool(message.text) and not (message.text or "").startswith("/")


def make_router() -> Router:
    """Make the router that receives corrections, and presses of their buttons."""
    router = Router()
    router.callback_query.register(on_fix, Pressed(FIX))
    router.callback_query.register(on_insist, Pressed(INSIST))
    router.callback_query.register(on_leave, Pressed(LEAVE))
    router.callback_query.register(on_take_back, Pressed(TAKE_BACK))
    router.message.register(on_words, AnswersPrompt(), F.text | F.document)
    router.message.register(on_reply, RepliesInPrivate(), F.text)
    return router


async def on_fix(query: CallbackQuery, *, values: tuple[int, ...], bot: Bot, corrector: Corrector, say: Say) -> None:
    """Ask a person for the right words after a press of ✏️.

    The request contains the current text, so that the person can copy it. A long text is sent as a file.
    """
    row, message = await corrector.row(values[0]), message_of(query)
    if row is None or message is None or row.status is not Status.DONE:
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return
    await toast(bot, query)
    prompt = Prompt(row.id, query.from_user.id, _name_in_front(message, query.from_user.full_name))
    to = ReplyParameters(message_id=row.message_id, allow_sending_without_reply=True)
    short = corrector.prompts.request(prompt, say("fix-ask"), shown=row.shown_text).as_kwargs()
    if not is_too_long(short["text"]):
        await message.answer(**short, reply_markup=forced_reply(say), reply_parameters=to)
        return
    caption = corrector.prompts.request(prompt, say("fix-ask-file")).as_caption_kwargs()
    document = as_document(row.shown_text, say("file-name"))
    await message.answer_document(document, **caption, reply_markup=forced_reply(say), reply_parameters=to)


def _name_in_front(message: Message, otherwise: str) -> str:
    """Return the speaker's name: in a group, the bot writes this name before the recognised text.

    Return `otherwise` if there is no name before the text. In a private chat, return an empty text.
    """
    if message.chat.type == "private":
        return ""
    front, is_there, _ = (message.text or "").partition(": ")
    return front if is_there else otherwise


async def on_words(
    message: Message, *, prompt: Prompt, corrector: Corrector, say: Say, locale: Locale
) -> AmendJob | None:
    """Record a correction: the words that a person sent in reply to the bot's request."""
    words, row = await corrector.words_in(message), await corrector.row(prompt.transcription_id)
    if words is None:
        await message.reply(say("fix-no-words"))
        return None
    if row is None:
        await message.reply(say("rate-stale"))
        return None
    job = await _take(message, row, words, prompt, corrector, say=say, locale=locale)
    if message.reply_to_message is not None and message.chat.type != "private":
        # In a group, delete the request for words after it was answered.
        await delete_message(corrector.bot, message.chat.id, message.reply_to_message.message_id)
    return job


async def on_reply(
    message: Message, *, bot: Bot, db_assist: DbAssistClient, corrector: Corrector, say: Say, locale: Locale
) -> AmendJob | None:
    """Decide whether a reply in a private chat is a correction; if it is similar to the text, record it.

    If the reply is very different from the text, and the person replied to a text of the bot, explain how to correct a
    text. In all other cases, ask whether the reply is a correction.
    """
    replied, words = message.reply_to_message, message.text or ""
    if replied is None:
        return None
    is_to_recording = recording_in(replied) is not None
    find = db_assist.by_recording if is_to_recording else db_assist.by_message
    row = await found(find(bot.id, message.chat.id, replied.message_id))
    if row is None:
        await message.answer(say("text-hint"))
        return None
    if row.status is not Status.DONE:
        await message.reply(say("fix-wait"))
        return None
    # In a private chat, the chat's id is the person's.
    prompt = Prompt(row.id, message.chat.id, "")
    like = min((likeness(words, text) for text in (row.shown_text, row.text or "")), key=list(Likeness).index)
    if like in (Likeness.SAME, Likeness.CLEAR):
        return await _take(message, row, words, prompt, corrector, say=say, locale=locale)
    if like is Likeness.FAR and not is_to_recording:
        await message.reply(say("fix-how"))
    else:
        await corrector.ask(message, row, prompt, say("fix-question"), say)
    return None


async def _take(
    message: Message,
    row: Transcription,
    words: str,
    prompt: Prompt,
    corrector: Corrector,
    *,
    say: Say,
    locale: Locale,
) -> AmendJob | None:
    """Record a correction and confirm it to the person.

    If the correction is doubtful, it does not replace the text yet, and the person is asked to confirm it.
    """
    if row.corrected_text is None and words.split() == row.shown_text.split():
        await message.reply(say("fix-same"))
        return None
    try:
        result = await corrector.correct(row, prompt.asker, words, is_confirmed=False)
    except ImplausibleCorrectionError:
        await message.reply(say("fix-no-words"))
        return None
    if not result.is_applied:
        await corrector.ask(message, row, prompt, say("fix-doubtful"), say)
        return None
    is_private, born_s = message.chat.type == "private", int(message.date.timestamp())
    keyboard = corrector.keyboards.take_back(row.id, result.change_id, asker=prompt.asker, born_s=born_s, say=say)
    told = corrector.told(result, prompt, words, is_private=is_private, say=say, locale=locale)
    await message.reply(**told, reply_markup=keyboard)
    await congratulate(corrector.bot, prompt.asker, result, say, locale)
    return corrector.amendment(result, prompt, locale)


async def on_insist(
    query: CallbackQuery, *, values: tuple[int, ...], bot: Bot, corrector: Corrector, say: Say, locale: Locale
) -> AmendJob | None:
    """Replace the text by a doubtful correction after the person has confirmed the correction."""
    message, row = message_of(query), await corrector.row(values[0])
    original = message.reply_to_message if message else None
    words = await corrector.words_in(original) if original else None
    if message is None or row is None or words is None:
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return None
    try:
        result = await corrector.correct(row, query.from_user.id, words, is_confirmed=True)
    except ImplausibleCorrectionError:
        await toast(bot, query, say("fix-no-words"), is_alert=True)
        return None
    await toast(bot, query)
    prompt, is_private = _prompt_of(query, message, row, corrector), message.chat.type == "private"
    born_s = int(message.date.timestamp())
    keyboard = corrector.keyboards.take_back(row.id, result.change_id, asker=prompt.asker, born_s=born_s, say=say)
    told = corrector.told(result, prompt, words, is_private=is_private, say=say, locale=locale)
    await edit_text(bot, message.chat.id, message.message_id, keyboard=keyboard, **told)
    await congratulate(bot, prompt.asker, result, say, locale)
    return corrector.amendment(result, prompt, locale)


def _prompt_of(query: CallbackQuery, message: Message, row: Transcription, corrector: Corrector) -> Prompt:
    """Return the context (see `glas.tg_bot.talk.prompts`) of the bot's message whose button was pressed.

    If the message contains no valid context, return a new context with the name of the person who pressed the button.
    """
    name = "" if message.chat.type == "private" else query.from_user.full_name
    return corrector.prompts.read(message) or Prompt(row.id, query.from_user.id, name)


async def on_leave(query: CallbackQuery, *, bot: Bot, say: Say) -> None:
    """Do not change the text, because the person has said that a reply is no correction."""
    await toast(bot, query)
    if message := message_of(query):
        await edit_text(bot, message.chat.id, message.message_id, say("fix-left"))


async def on_take_back(
    query: CallbackQuery, *, values: tuple[int, ...], bot: Bot, corrector: Corrector, say: Say, locale: Locale
) -> AmendJob | None:
    """Undo a correction after a press of ↩️."""
    message, (transcription_id, change_id) = message_of(query), values
    try:
        result = await corrector.db_assist.take_back(transcription_id, query.from_user.id, change_id)
    except ConflictError:
        await toast(bot, query, say("fix-changed-since"), is_alert=True)
        return None
    except NotFoundError:
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return None
    await toast(bot, query, say("fix-taken-back"))
    if message is None:
        return None
    prompt = _prompt_of(query, message, result.transcription, corrector)
    await edit_text(bot, message.chat.id, message.message_id, say("fix-taken-back"))
    return corrector.amendment(result, prompt, locale)
