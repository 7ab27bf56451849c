"""Record a person's correction of a text, and make the message that confirms it."""

import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiogram import Bot
from aiogram.types import Message
from aiogram.utils.formatting import Text

from glas.clients.correction_bodies import CorrectionResult
from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient
from glas.domain.corrections import Sound
from glas.domain.errors import NotFoundError
from glas.domain.messages import Transcription
from glas.domain.people import Locale
from glas.tg_bot.api.download import download
from glas.tg_bot.talk.differences import word_diff
from glas.tg_bot.talk.keyboards import Keyboards
from glas.tg_bot.talk.phrases import Say, coins
from glas.tg_bot.talk.prompts import Prompt, Prompts
from glas.tg_bot.talk.texts import MAX_UNITS, units
from glas.tg_bot.talk.words import listed
from glas.tg_bot.voices.admission import AdmissionControl
from glas.tg_bot.voices.jobs import AmendJob
from glas.tg_bot.voices.recognising import RecordingRecogniser

_MAX_FILE_BYTES = 400_000


@dataclass(frozen=True)
class Corrector:
    """Records corrections; the dispatcher passes this object to the handlers."""

    bot: Bot
    db_assist: DbAssistClient
    data_loader: DataLoaderClient
    nn_service: NnServiceClient
    recogniser: RecordingRecogniser
    keyboards: Keyboards
    prompts: Prompts
    admission_control: AdmissionControl

    async def correct(self, row: Transcription, person: int, words: str, *, is_confirmed: bool) -> CorrectionResult:
        """Record a correction, after a model has estimated whether the words were said in the recording.

        The estimate is recorded with the correction. It takes as much processor time as a recognition. So there is a
        daily limit for the minutes of sound that are used for estimates. This limit is as high as the daily limit for
        recordings. But the minutes are counted separately, so corrections do not reduce the minutes for recordings.
        When the limit for estimates is reached, a correction is judged only by its edit distance from the text.

        Raises:
            GlasError: the errors of `DbAssistClient.correct`.
        """
        sound, duration_s = Sound.UNKNOWN, row.duration_s or 0.0
        judging = self.admission_control.pseudonyms.judging(person)
        if not await self.admission_control.minutes_exceeded(person, judging, duration_s):
            sound = await self.nn_service.judge_text(partial(self._audio, row), words, against=row.text or "")
            record = self.admission_control.pseudonyms.record(judging, secrets.token_hex(), duration_s)
            await self.db_assist.count_usage(record)
        return await self.db_assist.correct(row.id, person, words, is_confirmed=is_confirmed, sound=sound)

    async def row(self, transcription_id: int) -> Transcription | None:
        """Return the row of a message; None if the row does not exist any more."""
        return await found(self.db_assist.transcription(transcription_id))

    async def ask(self, message: Message, row: Transcription, prompt: Prompt, question: str, say: Say) -> None:
        """Ask whether a reply is meant as a correction.

        Nothing is stored with the question, because the words of the correction are in the reply.
        """
        born_s = int(message.date.timestamp())
        keyboard = self.keyboards.question(row.id, asker=prompt.asker, born_s=born_s, say=say)
        content = self._change(prompt, question, row.shown_text, message.text or "", tail="")
        await message.reply(**content, reply_markup=keyboard)

    def told(
        self, result: CorrectionResult, prompt: Prompt, words: str, *, is_private: bool, say: Say, locale: Locale
    ) -> dict[str, Any]:
        """Return the content of the message that confirms a correction; it mentions coins only in private chats."""
        notes = list[str]()
        if result.paid_hundredths and result.is_first and is_private:
            balance = coins(result.balance_hundredths, locale)
            notes.append(say("fixed-paid", coins=coins(result.paid_hundredths, locale), balance=balance))
        if result.learned:
            notes.append(say("words-learned", words=listed(result.learned)))
        return self._change(prompt, say("fixed"), result.before, words, tail="\n".join(notes))

    def amendment(self, result: CorrectionResult, prompt: Prompt, locale: Locale) -> AmendJob:
        """Return the job that updates all messages of the bot that show the corrected text."""
        return AmendJob(
            transcription_id=result.transcription.id,
            change_id=result.change_id,
            person=prompt.asker,
            name=prompt.name,
            locale=locale,
        )

    async def words_in(self, message: Message) -> str | None:
        """Return the text of a message or of the text file that is attached to it; None if there is no text."""
        if message.text is not None:
            return message.text
        if message.document is None or (message.document.file_size or 0) > _MAX_FILE_BYTES:
            return None
        data = await download(self.bot, message.document.file_id, limit_bytes=_MAX_FILE_BYTES)
        try:
            return data.decode("utf-8-sig").strip() or None
        except UnicodeDecodeError:
            return None

    def _change(self, prompt: Prompt, head: str, before: str, after: str, *, tail: str) -> dict[str, Any]:
        """Return the content of a message: the text `head`, the differences between two texts, the text `tail`.

        The two texts are `before` and `after`. If the message would be too long, it contains no differences.
        """
        mark, end = self.prompts.mark(prompt), ["\n\n", tail] if tail else []
        whole = Text(mark, f" {head}\n\n", *word_diff(before, after), *end)
        if not after or units(whole.as_kwargs()["text"]) > MAX_UNITS:
            whole = Text(mark, f" {head}", *end)
        return whole.as_kwargs()

    async def _audio(self, row: Transcription) -> bytes:
        if row.audio_key is not None:
            return await self.data_loader.fetch_audio(row.audio_key)
        return await self.recogniser.fetch(row.file_id)


async def found(asked: Awaitable[Transcription]) -> Transcription | None:
    """Return the row that a call of db_assist returns; None if the call fails because there is no such row."""
    try:
        return await asked
    except NotFoundError:
        return None
