"""Answer /model: an administrator chooses a model; it is downloaded, and then becomes the default model."""

import asyncio
from dataclasses import dataclass
from typing import Any

import structlog
from aiogram import Bot, Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from glas.clients.db_assist import DbAssistClient
from glas.clients.model_record_bodies import ChoiceRequest
from glas.clients.nn_service import NnServiceClient
from glas.clients.nn_service_model_bodies import FetchBody, OfferedBody
from glas.domain.error_bodies import from_code
from glas.domain.errors import ConflictError, GlasError, UnknownModelError
from glas.domain.people import Locale, Role, User
from glas.tg_bot.api.telegram import edit_text
from glas.tg_bot.people.admin import FromAdmin
from glas.tg_bot.talk.keyboards import MODEL, Keyboards, model_number
from glas.tg_bot.talk.phrases import Phrases, Say
from glas.tg_bot.talk.presses import Pressed, message_of, toast
from glas.tg_bot.talk.reasons import reason
from glas.tg_bot.voices.jobs import ModelJob
from glas.tg_bot.voices.steps import Steps

# Telegram lets a bot edit about one message a second in a chat.
LOOK_S = 3.0
_LONGEST_CAUSE = 1500
_RUNNING = ("fetching", "loading")

_log = structlog.stdlib.get_logger("glas.tg_bot")


def make_router() -> Router:
    """Make the router that receives /model and presses of its buttons; it accepts only those of administrators."""
    router = Router()
    router.message.register(on_model, Command("model"), FromAdmin())
    router.callback_query.register(on_model_chosen, Pressed(MODEL))
    return router


async def on_model(
    message: Message, *, nn_service: NnServiceClient, keyboards: Keyboards, say: Say, locale: Locale
) -> None:
    """Show the default model, and buttons for all other known models, the best model first."""
    health = await nn_service.health()
    offered = await nn_service.offered_models()
    asker = message.from_user.id if message.from_user else message.chat.id
    born_s = int(message.date.timestamp())
    keyboard = keyboards.models(offered, asker=asker, born_s=born_s, say=say, locale=locale)
    await message.answer(say("models", model=health.title[locale]), reply_markup=keyboard)


async def on_model_chosen(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    nn_service: NnServiceClient,
    db_assist: DbAssistClient,
    user: User | None,
    admins: frozenset[int],
    say: Say,
    locale: Locale,
) -> ModelJob | None:
    """Return the job that makes the chosen model the default model; the message with the buttons shows the progress."""
    if query.from_user.id not in admins:
        await toast(bot, query, say("admin-only"), is_alert=True)
        return None
    message = message_of(query)
    offered = await nn_service.offered_models()
    chosen = next((model for model in offered if model_number(model.id) == values[0]), None)
    if message is None or chosen is None:
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return None
    await toast(bot, query, chosen.title[locale])
    health = await nn_service.health()
    if user is None or user.role is not Role.ADMIN:
        # The role lets db_assist record who has chosen the model.
        await db_assist.register(query.from_user.id)
        await db_assist.set_role(query.from_user.id, Role.ADMIN)
    return ModelJob(
        bot_id=bot.id,
        chat_id=message.chat.id,
        message_id=message.message_id,
        press=query.id,
        model=chosen.id,
        locale=locale,
        administrator=query.from_user.id,
        former=health.served,
    )


@dataclass(frozen=True)
class ModelChange:
    """Changes the default model at an administrator's request.

    This class starts the download of the chosen model, shows the progress in the message with which the model was
    chosen, and records who chose the model.
    """

    bot: Bot
    steps: Steps
    nn_service: NnServiceClient
    db_assist: DbAssistClient
    phrases: Phrases

    async def run(self, arguments: dict[str, Any]) -> None:
        """Change the default model, and show the progress meanwhile.

        This method is the workflow of a `ModelJob`. After a crash, this method may be repeated without harm.
        """
        job = ModelJob.model_validate(arguments)
        say = self.phrases[job.locale]
        try:
            text = await self.steps.run("change", lambda: self._change(job, say))
        except ConflictError:
            text = say("model-busy")
        except GlasError as error:
            text = say("model-failed", reason=reason(error, job.locale), cause=error.message[:_LONGEST_CAUSE])
        else:
            await self._record(job)
        try:
            await self.steps.run("tell", lambda: edit_text(self.bot, job.chat_id, job.message_id, text))
        except GlasError as error:
            _log.warning("no administrator was told of the model", model=job.model, code=error.code)

    async def _record(self, job: ModelJob) -> None:
        """Record who has chosen the model, if the model is the default model now."""
        try:
            await self.steps.run("record", lambda: self._tell_db_assist(job))
        except GlasError as error:
            _log.warning("the choice of a model is not recorded", model=job.model, code=error.code)

    async def _tell_db_assist(self, job: ModelJob) -> None:
        served = (await self.nn_service.health()).served
        if served is None or served.name != job.model or job.administrator is None:
            return  # the download was stopped, or somebody has chosen another model meanwhile
        choice = ChoiceRequest(model=served, former=job.former, tg_id=job.administrator, key=job.work().id)
        await self.db_assist.choose_model(choice)

    async def _change(self, job: ModelJob, say: Say) -> str:
        """Start the download of the model if necessary, and wait until the download has ended.

        Returns:
            The text to show after the download.

        Raises:
            GlasError: the download failed.
        """
        await self.nn_service.fetch_and_serve(job.model)
        told = ""
        while True:
            model = await self._look(job.model)
            title = model.title[job.locale]
            if model.fetch is None:
                # The service was restarted meanwhile and does not know the download.
                await self.nn_service.fetch_and_serve(job.model)
            elif model.fetch.state not in _RUNNING:
                return _ended(model.fetch, title, say)
            elif (text := _progress(model.fetch, title, say)) != told:
                await edit_text(self.bot, job.chat_id, job.message_id, text)
                told = text
            await asyncio.sleep(LOOK_S)

    async def _look(self, name: str) -> OfferedBody:
        for model in await self.nn_service.offered_models():
            if model.id == name:
                return model
        raise UnknownModelError(f"expected {name} among the models that nn_service knows")


def _progress(fetch: FetchBody, title: str, say: Say) -> str:
    if fetch.state == "loading":
        return say("model-loading", title=title)
    percent = 100 * fetch.done_bytes // fetch.total_bytes if fetch.total_bytes else 0
    return say("model-fetching", title=title, percent=percent)


def _ended(fetch: FetchBody, title: str, say: Say) -> str:
    """Return the text about a download that has ended.

    Raises:
        GlasError: the download failed; this is the error that ended the download.
    """
    if fetch.error is not None:
        raise from_code(fetch.error.code, fetch.error.message)
    if fetch.state == "stopped":
        return say("model-stopped", title=title)
    kept = "" if fetch.survives_restart else "\n" + say("model-until-restart")
    return say("model-serves", title=title) + kept
