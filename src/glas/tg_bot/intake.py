"""Receive updates from Telegram, and store each update in the database before it is confirmed to Telegram.

The bot can poll, that is, request updates from Telegram. Then each request confirms the updates of the previous
request. If the process crashes after storing an update and before confirming it, Telegram sends the update again. The
durable engine ignores this second copy, because a work with the same name exists already. If several processes use one
database, only one of them polls: the process that has the lease for polling.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import structlog
from aiogram import Bot
from aiogram.types import Update
from pydantic import ValidationError

from glas import tracing
from glas.domain.errors import ConfigurationError, GlasError
from glas.durable import Durable, Work, is_away
from glas.tg_bot.api.errors import UnreadableAnswerError
from glas.tg_bot.api.moves import has_moved
from glas.tg_bot.api.senders import party_in
from glas.tg_bot.api.telegram import said
from glas.tg_bot.metrics import Metrics
from glas.tg_bot.pace import Pace
from glas.tg_bot.talk.prompts import is_prompt
from glas.tg_bot.voices.jobs import ACKNOWLEDGE, ARRIVALS, HEAR, LATER, UPDATE, UPDATES, VOICES, voice_job

ALLOWED_UPDATES = ["message", "channel_post", "callback_query", "my_chat_member"]

_LEASE = "intake"
_LEASE_S = 30.0
_RETAKEN_S = 3.0  # how often a process that does not poll tries to take the lease
_POLL_S = 10
_FULL_BATCH = 100
_MANY_WAITING = 10_000
_COUNTED_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
_CONFLICTS, _CONFLICT_WINDOW_S = 4, 60.0
_CONFLICT_PAUSE_S = 1.0

_log = structlog.stdlib.get_logger("glas.tg_bot")


class Intake:
    """Receives updates, by polling or from a webhook, and stores them."""

    def __init__(
        self,
        bot: Bot,
        durable: Durable,
        *,
        confirm_first: bool,
        n_at_once: int,
        concurrency: int,
        metrics: Metrics | None = None,
    ) -> None:
        """Make the object; updates are received only when `poll` or `store` is called.

        Args:
            bot: the client of the Bot API.
            durable: the durable engine, which stores each update as a work in a queue.
            confirm_first: whether a recording in a private chat is recognised only after the person has pressed a
                button.
            n_at_once: largest number of recordings within a second that the bot processes without an acknowledgement.
                An acknowledgement is a message which tells the person that the recording waits. The bot acknowledges
                every further recording of this second. While any recording waits, the bot acknowledges every new
                recording.
            concurrency: number of recordings on which a process works at the same time. While so many recordings are
                being processed, the bot acknowledges every new recording.
            metrics: counts the updates; None if nobody needs the counts.
        """
        self._bot = bot
        self._durable = durable
        self._confirm_first = confirm_first
        self._metrics = metrics or Metrics()
        self._n_at_once = n_at_once
        self._concurrency = concurrency
        self._counting = asyncio.Lock()  # so that updates that are stored at the same time use the same count
        self._n_waiting, self._n_running, self._n_new, self._counted_s = 0, 0, 0, float("-inf")
        self._pace = Pace()
        self._offset: int | None = None

    async def store(self, update: Update) -> None:
        """Store an update in the database. When this method returns, the update is not lost even in a crash."""
        work = work_for(update, self._bot.id, confirm_first=self._confirm_first, pace=self._pace)
        if work is not None:
            is_recording = work.workflow == HEAR
            if work.queue == VOICES and await self._must_wait(work.person):
                work = acknowledged_first(work)
            with tracing.begin("tg_bot", "take in", work.traceparent):
                await self._durable.enqueue(work)
            self._metrics.received(is_recording=is_recording)

    async def _must_wait(self, person: str) -> bool:
        """Return whether a recording of a person may have to wait.

        It may have to wait if other recordings wait, if too many recordings came within a second, if at least
        `concurrency` recordings are being processed, or if another recording of this person is not answered yet. But if
        a command /start of this person is not processed yet, return False. The recording is then put into the queue
        `VOICES` behind this command.
        """
        if await self._durable.backlog.has_work(person, VOICES, workflow=UPDATE):
            return False
        async with self._counting:
            if (now_s := time.monotonic()) > self._counted_s + _COUNTED_S:
                self._n_waiting = await self._durable.backlog.count_waiting(VOICES, LATER, ARRIVALS)
                self._n_running = await self._durable.backlog.count_running(VOICES, ARRIVALS)
                self._counted_s, self._n_new = now_s, 0
            self._n_new += 1
        is_full = self._n_running + self._n_new > self._concurrency
        if is_full or self._n_waiting > 0 or self._n_new > self._n_at_once:
            return True
        return await self._durable.backlog.has_work(person, VOICES, LATER, ARRIVALS)

    async def poll(self) -> None:
        """Request updates from Telegram again and again, until the task is cancelled.

        Raises:
            ConfigurationError: another program polls with the same token, or the token is wrong.
        """
        pause_s, conflicts = _FIRST_PAUSE_S, deque[float](maxlen=_CONFLICTS)
        while True:
            try:
                if not await self._durable.take_lease(_LEASE, _LEASE_S):
                    self._offset = None
                    await asyncio.sleep(_RETAKEN_S)
                    continue
                await self._turn()
                pause_s = _FIRST_PAUSE_S
            except ConfigurationError as error:
                conflicts.append(time.monotonic())
                is_endless = len(conflicts) == _CONFLICTS and conflicts[-1] - conflicts[0] < _CONFLICT_WINDOW_S
                if "onflict" not in error.message or is_endless:
                    raise _told(error) from None
                # Telegram may still hold the poll of a process that crashed a moment ago.
                await asyncio.sleep(_CONFLICT_PAUSE_S)
            except Exception as error:  # noqa: BLE001 - unconfirmed updates come again
                _tell(error, pause_s)
                if pause_s > _RETAKEN_S:
                    await self._let_others_poll()
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _let_others_poll(self) -> None:
        """Give up the lease for polling before a long pause, because another machine may be able to reach Telegram."""
        self._offset = None
        try:
            await self._durable.drop_lease(_LEASE)
        except Exception as error:  # noqa: BLE001 - the lease ends by itself, only later
            _log.warning("the lease could not be released", cause=type(error).__name__)

    async def _turn(self) -> None:
        """Request some updates from Telegram, and store them.

        The request of the next call of this method confirms these updates to Telegram.
        """
        updates = await self._ask()
        parties: dict[int | None, list[Update]] = {}
        for update in updates:
            parties.setdefault(_party(update), []).append(update)
        # The updates of one party are stored in their order. Different parties are stored at the same time, so that no
        # party waits for the database writes of all others.
        stored = await asyncio.gather(*map(self._store_all, parties.values()), return_exceptions=True)
        for error in stored:
            if error is not None:
                raise error
        if updates:
            self._offset = updates[-1].update_id + 1
        if len(updates) >= _FULL_BATCH:
            await self._wait_for_room()

    async def _store_all(self, updates: Sequence[Update]) -> None:
        for update in updates:
            await self.store(update)

    async def _ask(self) -> Sequence[Update]:
        try:
            return await said(
                lambda: self._bot.get_updates(
                    offset=self._offset, timeout=_POLL_S, allowed_updates=ALLOWED_UPDATES, request_timeout=_POLL_S + 15
                )
            )
        except UnreadableAnswerError as error:
            return list(readable(error.body, self._bot))

    async def _wait_for_room(self) -> None:
        """Wait while too many recordings wait in the queue; Telegram stores further updates for at most a day."""
        while await self._durable.backlog.count_waiting(VOICES, LATER, ARRIVALS) >= _MANY_WAITING:  # noqa: ASYNC110 - a count in a database
            await asyncio.sleep(1.0)


def work_for(update: Update, bot_id: int, *, confirm_first: bool, pace: Pace) -> Work | None:
    """Return the work that processes an update; None if the update is not for the bot, so it must not be stored."""
    message = update.message or update.channel_post
    job = None if message is None else voice_job(message, bot_id=bot_id)
    if message is not None:
        if job is not None and not (confirm_first and job.is_private):
            return job.model_copy(update={"n_in_minute": pace.count(job)}).work()
        if job is None and update.channel_post is not None:
            return None  # commands are for chats in which it is known who writes
        if job is None and message.chat.type != "private" and not _is_addressed(update, bot_id):
            return None
    if (party := _party(update)) is None:
        return None
    # A newcomer's /start must be handled before the recording that follows it.
    is_start = bool(message and message.text and message.text.startswith("/start"))
    body = update.model_dump(mode="json", exclude_unset=True, by_alias=True)
    name = f"u:{bot_id}:{update.update_id}"
    traceparent = None if job is None else job.traceparent
    return Work(VOICES if is_start else UPDATES, UPDATE, name, (body,), person=str(party), traceparent=traceparent)


def acknowledged_first(work: Work) -> Work:
    """Return a work that first tells a person that their recording waits, and then enqueues the recording.

    If `work` is the command /start of a new person, return the same work in the queue `ARRIVALS`. The first recordings
    of this person wait in this queue, too, so /start is processed before these recordings.
    """
    if work.workflow != HEAR:
        return replace(work, queue=ARRIVALS)
    return replace(work, queue=ARRIVALS, workflow=ACKNOWLEDGE, id=f"k:{work.id}")


def _party(update: Update) -> int | None:
    """Return the id of the person who caused an update, or the id of the chat if no person is known.

    Updates for which this function returns the same id are processed in their order.

    Return None for kinds of updates that the bot ignores.
    """
    if update.message is not None:
        return party_in(update.message)
    if update.callback_query is not None:
        return update.callback_query.from_user.id
    return None if update.my_chat_member is None else update.my_chat_member.chat.id


def readable(body: Any, bot: Bot) -> Iterator[Update]:
    """Parse each update in `body` (an answer of Telegram) separately, and yield the updates.

    If an update cannot be parsed, an update without content is yielded instead. It has the same `update_id`. So one
    update of an unknown format does not prevent the processing of the others.
    """
    for raw in body["result"]:
        try:
            yield Update.model_validate(raw, context={"bot": bot})
        except ValidationError as error:
            # Log the place of the error but not the value, which may contain what people wrote.
            places = [".".join(map(str, one["loc"])) for one in error.errors(include_input=False, include_url=False)]
            _log.error("an update cannot be parsed and is skipped", update=raw.get("update_id"), places=places[:5])
            yield Update(update_id=raw["update_id"])


def _is_addressed(update: Update, bot_id: int) -> bool:
    """Return whether an update of a group is for the bot.

    Such an update is a command, a reply to the bot's request for words, or Telegram's notice of the group's new id.
    """
    message = update.message
    if message is None:
        return False
    if has_moved(message):
        return True
    return is_prompt(message.reply_to_message, bot_id) or bool(message.text and message.text.startswith("/"))


def _tell(error: Exception, pause_s: float) -> None:
    """Log why updates cannot be received. The log contains a traceback only if the cause is a bug."""
    if isinstance(error, GlasError):
        _log.warning("updates cannot be received now", cause=error.message, pause_s=pause_s)
    elif is_away(error):
        _log.warning("updates cannot be received now", cause=type(error).__name__, pause_s=pause_s)
    else:
        _log.error("updates cannot be received because of a bug", exc_info=error, pause_s=pause_s)


def _told(error: ConfigurationError) -> ConfigurationError:
    if "webhook" in error.message:
        return ConfigurationError(
            "another program has set a webhook for this bot's token; end it, or use another token"
        )
    if "onflict" in error.message:
        return ConfigurationError(
            "another program asks Telegram for this bot's updates; a token belongs to one installation: end the other "
            "one, or get a token of your own from @BotFather"
        )
    return error
