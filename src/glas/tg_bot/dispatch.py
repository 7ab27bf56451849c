"""Process each update that is not a recording: look up the sender, and call the handler of the command or button."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog
from aiogram import BaseMiddleware, Bot, Dispatcher
from aiogram.types import CallbackQuery, Message, TelegramObject, Update
from pydantic import TypeAdapter

from glas.domain.errors import GlasError
from glas.durable import Durable
from glas.tg_bot.api.errors import PersonGoneError
from glas.tg_bot.api.moves import has_moved
from glas.tg_bot.api.senders import person_in
from glas.tg_bot.api.telegram import said
from glas.tg_bot.metrics import Metrics
from glas.tg_bot.talk.languages import locale_of
from glas.tg_bot.talk.phrases import Phrases
from glas.tg_bot.talk.reasons import reason
from glas.tg_bot.voices.admission import AdmissionControl
from glas.tg_bot.voices.jobs import AmendJob, CleanJob, DecisionJob, ModelJob, RepairJob, VoiceJob
from glas.tg_bot.voices.steps import Steps

# Work that a handler returns. It is enqueued after the step that handles the update, since a step cannot enqueue work.
_Job: TypeAlias = VoiceJob | AmendJob | RepairJob | CleanJob | ModelJob | DecisionJob
_job: TypeAdapter[_Job] = TypeAdapter(_Job)

_log = structlog.stdlib.get_logger("glas.tg_bot")


@dataclass(frozen=True)
class Updates:
    """Processes updates with the handlers of the dispatcher."""

    bot: Bot
    dispatcher: Dispatcher
    durable: Durable
    steps: Steps
    phrases: Phrases
    metrics: Metrics

    async def handle(self, arguments: dict[str, Any]) -> None:
        """Process one update; this method is a workflow of the durable engine.

        If a handler returns a job, the job is put into its queue.
        """
        try:
            jobs = await self.steps.run("handle", lambda: self._feed(arguments))
        except PersonGoneError:
            return
        except GlasError as error:
            await self._apologise(arguments, error)
            return
        for job in jobs:
            await self.durable.enqueue(_job.validate_python(job).work())

    async def _feed(self, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        update = Update.model_validate(arguments, context={"bot": self.bot})
        given = await said(lambda: self.dispatcher.feed_update(self.bot, update))
        return [given.model_dump(mode="json")] if isinstance(given, _Job) else []

    async def _apologise(self, arguments: dict[str, Any], error: GlasError) -> None:
        _log.warning("an update could not be handled", code=error.code, error=error.message)
        self.metrics.update_failed(error.code)
        update = Update.model_validate(arguments, context={"bot": self.bot})
        event = update.callback_query or update.message
        locale = locale_of(event.from_user if event else None)
        text = self.phrases[locale]("failed", reason=reason(error, locale))

        async def tell() -> None:
            query, message = update.callback_query, update.message
            if query is not None:
                await said(lambda: self.bot.answer_callback_query(query.id, text[:200], show_alert=True))
            elif message is not None:
                await said(lambda: self.bot.send_message(message.chat.id, text))

        try:
            await self.steps.run("apologise", tell)
        except GlasError as second:
            _log.warning("the sender could not be told either", code=second.code)


class Acquaintance(BaseMiddleware):
    """Look up the sender of each update; pass the sender (`user`) and the language (`locale`, `say`) to the handlers.

    For people who are banned, or who are not permitted to use the bot, no handler is called.

    `user` is None if the sender has not pressed /start yet, or is an anonymous administrator or a channel.
    """

    def __init__(self, admission_control: AdmissionControl, phrases: Phrases) -> None:
        self._admission_control = admission_control
        self._phrases = phrases

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        """Look up the sender and call the handler."""
        if isinstance(event, Message) and has_moved(event):
            return await handler(event, data)  # a notice of Telegram, not a message of a person
        if not isinstance(event, Message | CallbackQuery) or event.from_user is None:
            return None
        sender = person_in(event) if isinstance(event, Message) else event.from_user
        person = None if sender is None else sender.id
        user = None if person is None else await self._admission_control.known(person)
        locale = user.locale if user else locale_of(sender)
        say = self._phrases[locale]
        if user is not None and user.is_banned:
            return None
        if not self._admission_control.serves(person):
            if person is not None and isinstance(event, Message) and event.chat.type == "private":
                await event.answer(say("not-allowed", id=person))
            return None
        return await handler(event, data | {"user": user, "locale": locale, "say": say})
