"""Carry out the decision of an administrator about a candidate.

The first administrator who presses a button decides. All administrators who were asked see the result.
"""

from dataclasses import dataclass
from typing import Any

import structlog
from aiogram import Bot, Router
from aiogram.types import CallbackQuery

from glas.clients.db_assist import DbAssistClient
from glas.clients.model_record_bodies import Announcement, DecisionRequest, ModelRecord
from glas.clients.nn_service import NnServiceClient
from glas.domain.error_bodies import from_code
from glas.domain.errors import ConflictError, GlasError, NotFoundError
from glas.domain.model_records import ModelState
from glas.domain.people import Role, User
from glas.tg_bot.api.errors import MessageGoneError, PersonGoneError
from glas.tg_bot.api.telegram import edit_text
from glas.tg_bot.people.announcing import model_of, question
from glas.tg_bot.talk.keyboards import DECIDE
from glas.tg_bot.talk.phrases import Phrases, Say
from glas.tg_bot.talk.presses import Pressed, toast
from glas.tg_bot.talk.reasons import reason
from glas.tg_bot.voices.jobs import DecisionJob
from glas.tg_bot.voices.steps import Steps

_LONGEST_REASON = 500
_US = "tg_bot"

_log = structlog.stdlib.get_logger("glas.tg_bot")


def make_router() -> Router:
    """Make the router that receives presses of the buttons by which administrators accept or refuse a candidate."""
    router = Router()
    router.callback_query.register(on_decision, Pressed(DECIDE))
    return router


async def on_decision(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    user: User | None,
    db_assist: DbAssistClient,
    admins: frozenset[int],
    say: Say,
) -> DecisionJob | None:
    """Return the job that carries out an administrator's decision; None if somebody has decided already."""
    person = query.from_user.id
    if person not in admins or user is None:
        await toast(bot, query, say("admin-only"), is_alert=True)
        return None
    model_id, lets_serve = values[0], bool(values[1])
    try:
        model = await model_of(model_id, db_assist)
    except NotFoundError:
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return None
    if model.state is not ModelState.CANDIDATE:
        await toast(bot, query, say("candidate-decided"), is_alert=True)
        return None
    if user.role is not Role.ADMIN:
        await db_assist.set_role(person, Role.ADMIN)
    await toast(bot, query, say("candidate-yes-begun") if lets_serve else "")
    return DecisionJob(
        bot_id=bot.id,
        model_id=model_id,
        administrator=person,
        administrator_name=query.from_user.full_name,
        press=query.id,
        lets_serve=lets_serve,
    )


@dataclass(frozen=True)
class Deciding:
    """Carries out decisions; its fields contain the objects that it uses."""

    bot: Bot
    steps: Steps
    nn_service: NnServiceClient
    db_assist: DbAssistClient
    phrases: Phrases

    async def run(self, arguments: dict[str, Any]) -> None:
        """Store a decision, carry it out, and show the result to all administrators who were asked.

        This function is the workflow of a `DecisionJob`. If the administrator refused the candidate, the champion
        stays the champion.
        """
        job = DecisionJob.model_validate(arguments)
        try:
            await self.steps.run("decide", lambda: self._decide(job))
        except ConflictError:
            return  # another administrator was first; their work tells everybody
        except GlasError as error:
            _log.error("a decision about a model is not stored", model=job.model_id, code=error.code)
            return
        ended = {"outcome": "candidate-left"}
        if job.lets_serve:
            ended = await self._serve(job)
        try:
            await self.steps.run("tell", lambda: self._tell(job, ended))
        except GlasError as error:
            _log.warning("some administrators were not told of a decision", model=job.model_id, code=error.code)

    async def _decide(self, job: DecisionJob) -> None:
        wanted = DecisionRequest(
            state=ModelState.CHAMPION if job.lets_serve else ModelState.REFUSED,
            tg_id=job.administrator,
            expected=ModelState.CANDIDATE,
            key=job.work().id,
        )
        await self.db_assist.decide(job.model_id, wanted)

    async def _serve(self, job: DecisionJob) -> dict[str, str]:
        """Make the candidate the default model, and return the result to show.

        If this fails, the decision is taken back.
        """
        model = await model_of(job.model_id, self.db_assist)
        try:
            is_kept = await self.steps.run("serve", lambda: self.nn_service.serve(model.name))
        except GlasError as error:
            _log.error("a model that was chosen cannot serve", model=model.name, code=error.code)
            failed = {"outcome": "candidate-failed", "code": error.code, "message": error.message[:_LONGEST_REASON]}
            await self.steps.run("take back", lambda: self._take_back(job, failed["message"]))
            return failed
        return {"outcome": "candidate-serves" if is_kept else "candidate-serves-until-restart"}

    async def _take_back(self, job: DecisionJob, why: str) -> None:
        key = f"{job.work().id}:failed"
        wanted = DecisionRequest(state=ModelState.ROLLED_BACK, operator=_US, reason=why or None, key=key)
        await self.db_assist.decide(job.model_id, wanted)

    async def _tell(self, job: DecisionJob, ended: dict[str, str]) -> None:
        model = await model_of(job.model_id, self.db_assist)
        for asked in await self.db_assist.ask_about(job.model_id, self.bot.id, ()):
            if asked.message_id is not None and asked.bot_id == self.bot.id:
                await self._show(asked, model, job, ended)

    async def _show(self, asked: Announcement, model: ModelRecord, job: DecisionJob, ended: dict[str, str]) -> None:
        say = self.phrases[asked.locale]
        if "code" in ended:
            error = from_code(ended["code"], ended["message"])
            told = say("candidate-failed", reason=reason(error, asked.locale), who=job.administrator_name)
        else:
            told = say(ended["outcome"], who=job.administrator_name)
        text = f"{question(model, asked.locale, self.phrases)}\n\n{told}"
        try:
            await edit_text(self.bot, asked.tg_id, asked.message_id or 0, text)
        except (MessageGoneError, PersonGoneError):
            return  # this administrator has deleted it, or has left
