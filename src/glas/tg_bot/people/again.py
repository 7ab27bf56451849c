"""Answer requests about a recording: «Повторить» (try again), «Распознать» (recognise), /transcribe, subtitles."""

from aiogram import Bot, F, Router
from aiogram.filters import Command
from aiogram.types import BufferedInputFile, CallbackQuery, Message, ReplyParameters

from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import NotFoundError
from glas.domain.messages import MessageKind
from glas.tg_bot.api.senders import person_in
from glas.tg_bot.talk.keyboards import CONFIRM, RETRY, SRT, Keyboards
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.presses import Pressed, message_of, toast
from glas.tg_bot.talk.signing import ADMINISTRATORS
from glas.tg_bot.voices.admission import DailyLimitError
from glas.tg_bot.voices.jobs import VoiceJob, voice_job
from glas.tg_bot.voices.recordings import recording_in
from glas.tg_bot.voices.subtitles import Subtitling


def make_router() -> Router:
    """Make the router that receives requests to recognise a recording, to try again, or to send its subtitles."""
    router = Router()
    router.callback_query.register(on_retry, Pressed(RETRY))
    router.callback_query.register(on_confirm, Pressed(CONFIRM))
    router.callback_query.register(on_subtitles, Pressed(SRT))
    router.message.register(on_transcribe, Command("transcribe"))
    router.message.register(on_recording, F.voice | F.audio | F.video_note | F.video | F.document)
    return router


async def on_retry(query: CallbackQuery, *, values: tuple[int, ...], bot: Bot, say: Say) -> VoiceJob | None:
    """Begin another attempt to recognise a recording; the answer replaces the message about the failed attempt."""
    return await _begin(query, bot, say, attempt=values[0])


async def on_confirm(query: CallbackQuery, *, bot: Bot, say: Say) -> VoiceJob | None:
    """Begin the recognition of a recording after the person has confirmed it with a button."""
    return await _begin(query, bot, say, attempt=1)


async def _begin(query: CallbackQuery, bot: Bot, say: Say, *, attempt: int) -> VoiceJob | None:
    """Return the job for a recording, after a press of a button in the bot's reply to this recording.

    Return None if the person may not press the button; only the sender of the recording may press it.
    """
    message = message_of(query)
    original = message.reply_to_message if message else None
    job = voice_job(original, bot_id=bot.id, attempt=attempt) if original else None
    if message is None or job is None:
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return None
    await toast(bot, query)
    return job.model_copy(update={"answer_message_id": message.message_id, "is_asked": True})


async def on_transcribe(message: Message, *, bot: Bot, say: Say) -> VoiceJob | None:
    """Answer /transcribe in reply to a recording: recognise the recording, even if the chat's settings forbid this."""
    original = message.reply_to_message
    job = voice_job(original, bot_id=bot.id, is_asked=True) if original else None
    if job is None:
        await message.reply(say("transcribe-how"))
    return job


async def on_recording(message: Message, *, keyboards: Keyboards, say: Say) -> None:
    """Ask a person to confirm that their recording should be recognised.

    If the file in the message is not a recording, send a hint in a private chat, and nothing in a group.
    """
    if recording_in(message) is None:
        if message.chat.type == "private":
            await message.answer(say("text-hint"))
        return
    person = person_in(message)
    asker = ADMINISTRATORS if person is None else person.id
    keyboard = keyboards.confirm(asker=asker, born_s=int(message.date.timestamp()), say=say)
    await message.reply(say("confirm"), reply_markup=keyboard)


async def on_subtitles(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    db_assist: DbAssistClient,
    subtitling: Subtitling,
    say: Say,
) -> None:
    """Send the current text as subtitles; if the text is corrected later, the subtitles are updated."""
    message = message_of(query)
    try:
        row = await db_assist.transcription(values[0])
        user = await db_assist.user(query.from_user.id)
    except NotFoundError:
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return
    if row.user_id != user.id or message is None:
        await toast(bot, query, say("press-foreign"), is_alert=True)
        return
    await toast(bot, query, say("recognising"))
    to = ReplyParameters(message_id=message.message_id, allow_sending_without_reply=True)
    try:
        subtitles = await subtitling.subtitles(row, user.tg_id)
    except DailyLimitError:
        await bot.send_message(message.chat.id, say("subtitles-tomorrow"), reply_parameters=to)
        return
    document = BufferedInputFile(subtitles.encode(), say("subtitles-name"))
    sent = await bot.send_document(message.chat.id, document, reply_parameters=to)
    await db_assist.attach(row.id, MessageKind.SUBTITLES, sent.chat.id, sent.message_id)
