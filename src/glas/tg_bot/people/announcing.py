"""Send announcements about models: news to people from whom a model learnt, and questions to administrators.

The bot requests announcements from db_assist at intervals, and enqueues each announcement once, as a separate work.
News must not be sent twice. So the work first stores in the database that it sends the news (a claim), and then sends
the news. If the process is killed in between, the work is repeated, finds the claim, and sends nothing. Before the
claim, a call to Telegram without a visible effect checks whether the person can be reached.
"""

import asyncio
import contextlib
import secrets
import time
from dataclasses import dataclass
from typing import Any

import structlog
from aiogram import Bot
from aiogram.enums import ChatAction
from aiogram.types import InlineKeyboardMarkup, ReplyParameters
from aiogram.utils.formatting import Bold, Text

from glas.clients.db_assist import DbAssistClient
from glas.clients.model_record_bodies import Announcement, ModelRecord
from glas.domain.errors import (
    ConfigurationError,
    ConflictError,
    GlasError,
    InvalidParameterError,
    NotFoundError,
    OverloadedError,
)
from glas.domain.model_records import AnnouncementKind, ModelState, Outcome
from glas.domain.people import Locale
from glas.durable import Durable
from glas.localisation import rounded
from glas.localisation.gate import written_figure
from glas.tg_bot.api.errors import PersonGoneError, UnreadableAnswerError
from glas.tg_bot.api.telegram import said, sent
from glas.tg_bot.talk.differences import new_words
from glas.tg_bot.talk.keyboards import MODEL_NEWS, Keyboards
from glas.tg_bot.talk.phrases import Phrases
from glas.tg_bot.voices.jobs import AnnounceJob
from glas.tg_bot.voices.steps import Steps

# Conditions of the gate that an administrator is shown; the parts of the test set are in the report.
_SHOWN = ("gain", "guard", "nonspeech", "speed")

_log = structlog.stdlib.get_logger("glas.tg_bot")


@dataclass(frozen=True)
class Announcing:
    """Sends announcements; its fields contain the objects that it uses."""

    bot: Bot
    steps: Steps
    durable: Durable
    db_assist: DbAssistClient
    phrases: Phrases
    keyboards: Keyboards
    admins: frozenset[int]
    look_s: float

    async def watch(self) -> None:
        """Request announcements from db_assist at intervals, and enqueue them, until the task is cancelled."""
        while True:
            try:
                for model in await self.db_assist.models(ModelState.CANDIDATE):
                    await self.db_assist.ask_about(model.id, self.bot.id, self.admins)
                for one in await self.db_assist.waiting_announcements(self.bot.id):
                    job = AnnounceJob(bot_id=self.bot.id, announcement_id=one.id, person=one.tg_id)
                    await self.durable.enqueue(job.work())
            except GlasError as error:
                _log.warning("announcements could not be requested", code=error.code, error=error.message)
            except Exception:  # noqa: BLE001 - logged; a bug met once must not end all later announcements
                _log.exception("announcements could not be requested")
            await asyncio.sleep(self.look_s)

    async def run(self, arguments: dict[str, Any]) -> None:
        """Send one announcement; this function is the workflow of an `AnnounceJob`."""
        job, claim = AnnounceJob.model_validate(arguments), secrets.token_hex(8)
        try:
            try:
                await self.steps.run("reach", lambda: self._reach(job))
            except PersonGoneError:
                ended = await self.steps.run("give up", lambda: self._give_up(job, claim))
            else:
                ended = await self.steps.run("send", lambda: self._send(job, claim))
            if ended is not None:
                await self.steps.run("mark", lambda: self._mark(job, ended))
        except GlasError as error:
            _log.warning("an announcement was not sent", announcement=job.announcement_id, code=error.code)

    async def _reach(self, job: AnnounceJob) -> None:
        """Check whether Telegram and the person can be reached; people do not see the check, so it may be repeated."""
        with contextlib.suppress(InvalidParameterError, UnreadableAnswerError):
            await said(lambda: self.bot.send_chat_action(job.person, ChatAction.TYPING))

    async def _give_up(self, job: AnnounceJob, claim: str) -> dict[str, Any] | None:
        found = await self.db_assist.claim_announcement(job.announcement_id, claim)
        return None if found is None else _ended(claim, Outcome.UNREACHABLE)

    async def _send(self, job: AnnounceJob, claim: str) -> dict[str, Any] | None:
        """Claim an announcement and send it at most once.

        Return whether and how the announcement was sent, for `end_announcement` of db_assist. Return None if the
        announcement must not be sent.

        Raises:
            GlasError: the announcement was not sent; another attempt may succeed later.
        """
        found = await self.db_assist.claim_announcement(job.announcement_id, claim)
        if found is None:
            return None
        try:
            message_id = await self._say(found)
        except PersonGoneError:
            return _ended(claim, Outcome.UNREACHABLE)
        except InvalidParameterError as error:
            _log.error("Telegram refuses an announcement", announcement=found.id, error=error.message)
            return _ended(claim, Outcome.UNREACHABLE)
        except (OverloadedError, ConfigurationError):
            await self.db_assist.end_announcement(found.id, claim, None)
            raise
        except GlasError as error:
            if found.kind is AnnouncementKind.QUESTION:
                raise
            # The connection broke, so it is not known whether the person got the news. Nobody must get news twice.
            _log.warning("it is not known whether news were delivered", announcement=found.id, code=error.code)
            return _ended(claim, Outcome.SENT)
        return _ended(claim, Outcome.SENT, message_id)

    async def _mark(self, job: AnnounceJob, ended: dict[str, Any]) -> None:
        # The person's data was deleted meanwhile, or a later run has ended the announcement.
        with contextlib.suppress(NotFoundError, ConflictError):
            await self.db_assist.end_announcement(
                job.announcement_id, ended["claim"], Outcome(ended["outcome"]), message_id=ended["message_id"]
            )

    async def _say(self, found: Announcement) -> int:
        text, keyboard = await self._made(found)
        is_private = found.chat_id == found.tg_id and found.recording_message_id is not None
        to = ReplyParameters(message_id=found.recording_message_id or 0, allow_sending_without_reply=True)
        message = await sent(
            lambda: self.bot.send_message(
                found.tg_id,
                **text.as_kwargs(replace_parse_mode=False),
                reply_markup=keyboard,
                reply_parameters=to if is_private else None,
            )
        )
        return message.message_id

    async def _made(self, found: Announcement) -> tuple[Text, InlineKeyboardMarkup]:
        say, born_s = self.phrases[found.locale], int(time.time())
        if found.kind is not AnnouncementKind.QUESTION:
            before, after = found.text_before or "", found.text_after or ""
            first = say("own-news" if found.kind is AnnouncementKind.OWN_NEWS else "news")
            news = Text(
                first, "\n\n", Bold(say("news-before")), "\n", before, "\n\n",
                Bold(say("news-after")), "\n", *new_words(before, after), "\n\n", say("news-thanks"),
            )  # fmt: skip
            return news, self.keyboards.switch(MODEL_NEWS, is_on=True, asker=found.tg_id, born_s=born_s, say=say)
        model = await model_of(found.model_id, self.db_assist)
        keyboard = self.keyboards.decision(model.id, asker=found.tg_id, born_s=born_s, say=say)
        text = f"{question(model, found.locale, self.phrases)}\n\n{say('candidate-ask')}"
        return Text(text), keyboard


def _ended(claim: str, outcome: Outcome, message_id: int | None = None) -> dict[str, Any]:
    return {"claim": claim, "outcome": outcome.value, "message_id": message_id}


async def model_of(model_id: int | None, db_assist: DbAssistClient) -> ModelRecord:
    """Return the model record with the id `model_id`.

    Raises:
        NotFoundError: there is no such model.
    """
    for model in await db_assist.models():
        if model.id == model_id:
            return model
    raise NotFoundError("expected a model that was judged")


def question(model: ModelRecord, locale: Locale, phrases: Phrases) -> str:
    """Return the question to an administrator whether a candidate should become the default model.

    The text contains the name of the candidate, the measurements of the gate, and the number of people from whose
    recordings the candidate learnt.
    """
    say, verdict = phrases[locale], model.verdict
    lines = [say("candidate", name=model.name.rpartition("/")[2], version=model.version)]
    if verdict is not None:
        before, after = rounded(100 * verdict.wer_before), rounded(100 * verdict.wer_after)
        lines.append(say("candidate-rates", before=before, after=after))
        for check in verdict.checks:
            if check.condition in _SHOWN:
                title = say(f"gate-{check.condition}", **({"subject": check.subject} if check.subject else {}))
                value = written_figure(check.condition, check.value, say)
                lines.append(f"{'✓' if check.passed else '✗'} {title}: {value}")
    if model.n_people:
        lines.append(say("candidate-people", count=model.n_people))
    return "\n".join(lines)
