"""Assemble the bot: open it, register its work with the durable engine, run it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog
from aiogram import Bot, Dispatcher
from aiogram.types import BotCommand

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import ConfigurationError, GlasError
from glas.domain.people import Locale
from glas.durable import Durable, Retry, Schedule, is_away, with_retries
from glas.settings import BotSettings, Settings, numbers, plain
from glas.tg_bot.api.counting import Counting
from glas.tg_bot.api.limiter import RateLimiter
from glas.tg_bot.api.telegram import Patience, open_telegram, said
from glas.tg_bot.dispatch import Acquaintance, Updates
from glas.tg_bot.intake import ALLOWED_UPDATES, Intake
from glas.tg_bot.metrics import Metrics
from glas.tg_bot.people import (
    admin,
    again,
    choices,
    commands,
    correction,
    groups,
    models,
    privacy,
    private_matters,
    rating,
    review,
    words,
)
from glas.tg_bot.people.corrector import Corrector
from glas.tg_bot.talk import presses
from glas.tg_bot.talk.keyboards import Keyboards
from glas.tg_bot.talk.phrases import Phrases
from glas.tg_bot.talk.picture import START, Picture
from glas.tg_bot.talk.prompts import REVIEW_WORDS, Prompts
from glas.tg_bot.talk.signing import Signer
from glas.tg_bot.voices import jobs
from glas.tg_bot.voices.admission import Doorkeeper
from glas.tg_bot.voices.amending import Amending
from glas.tg_bot.voices.archive import Archiving
from glas.tg_bot.voices.delivery import Delivery
from glas.tg_bot.voices.desk import Desk, Shelf
from glas.tg_bot.voices.fetching import Fetching
from glas.tg_bot.voices.hearing import Hearing
from glas.tg_bot.voices.notice import Notice
from glas.tg_bot.voices.pipeline import Limits, Pipeline
from glas.tg_bot.voices.pseudonyms import Pseudonyms
from glas.tg_bot.voices.repair import Repair
from glas.tg_bot.voices.steps import Steps
from glas.tg_bot.voices.subtitles import Subtitling

_log = structlog.stdlib.get_logger("glas.tg_bot")

_MB = 1_000_000
_SHELF_BYTES = 64 * _MB
_COMMANDS = ("start", "help", "balance", "words", "settings", "language", "privacy", "mydata", "forget", "transcribe")


@dataclass(frozen=True)
class Services:
    """Clients of the other parts."""

    nn_service: NnServiceClient
    db_assist: DbAssistClient
    data_loader: DataLoaderClient


@dataclass
class TelegramBot:
    """The bot after its work is registered; it runs once the durable engine has started."""

    bot: Bot
    intake: Intake
    phrases: Phrases
    notice: Notice
    settings: Settings
    services: Services
    durable: Durable
    metrics: Metrics

    async def run(self) -> None:
        """Receive updates by polling until cancelled; with a webhook they arrive through `webhook.create_app` instead.

        Raises:
            ConfigurationError: the token is wrong, or another program uses it.
        """
        await self.introduce()
        await self._forget_shared_accounts()
        self.notice.is_taking_in = True
        if self.settings.bot.webhook_url is None:
            await self.intake.poll()
        await asyncio.Event().wait()

    async def introduce(self) -> None:
        """Tell Telegram how updates are received and which commands exist; wait while Telegram is unavailable."""
        await _patiently(self._look_at_privacy_mode)
        webhook, secret = self.settings.bot.webhook_url, plain(self.settings.bot.webhook_secret)
        if webhook is None:
            await _patiently(self.bot.delete_webhook)
        else:
            await _patiently(
                lambda: self.bot.set_webhook(webhook, secret_token=secret, allowed_updates=ALLOWED_UPDATES)
            )
        for locale in Locale:
            say = self.phrases[locale]
            shown = [BotCommand(command=name, description=say(f"command-{name}")) for name in _COMMANDS]
            code = None if locale is Locale.RU else locale.value
            await _patiently(partial(self.bot.set_my_commands, shown, language_code=code))

    async def figures(self) -> bytes:
        """Return the metrics in Prometheus' text format; the depth of a queue is NaN if it is not known."""
        for queue in jobs.queues(1):
            try:
                n_works: float = await self.durable.count_waiting(queue.name)
            except Exception as error:
                if not is_away(error):
                    raise
                n_works = float("nan")
            self.metrics.waiting(queue.name, n_works)
        return self.metrics.render()

    async def _forget_shared_accounts(self) -> None:
        """Delete rows that earlier versions stored by mistake; if a service is unavailable, try at the next start."""
        services = self.services
        try:
            job = await privacy.forget_shared_accounts(services.db_assist, services.data_loader, self.durable)
        except GlasError as error:
            _log.warning("recordings of anonymous senders could not be looked for", code=error.code)
            return
        if job is not None:
            await self.durable.enqueue(job.work())

    async def _look_at_privacy_mode(self) -> None:
        """Warn the administrator in the log if privacy mode hides the recordings of groups from the bot."""
        me = await self.bot.get_me()
        if not me.can_read_all_group_messages:
            _log.warning(
                "Telegram's privacy mode is on: in groups the bot hears recordings only where it is an administrator; "
                "turn it off with /setprivacy at @BotFather, then add the bot to its groups again"
            )


async def _patiently(call: Callable[[], Awaitable[object]]) -> None:
    """Call Telegram again and again until it answers."""
    patience = Patience()
    await with_retries(lambda: said(call), Retry(patience_s=float("inf")), name="introduce", pause_s=patience.pause_s)


@asynccontextmanager
async def open_bot(settings: Settings, services: Services, durable: Durable) -> AsyncIterator[TelegramBot]:
    """Open the bot and register its work with a durable engine that has not started yet.

    Raises:
        ConfigurationError: there is no token, or a webhook without a secret.
    """
    token = plain(settings.telegram_token)
    if token is None:
        raise ConfigurationError("expected a bot's token in TELEGRAM_TOKEN; @BotFather in Telegram gives one")
    if settings.bot.webhook_url is not None and settings.bot.webhook_secret is None:
        raise ConfigurationError("expected GLAS_BOT__WEBHOOK_SECRET with GLAS_BOT__WEBHOOK_URL: anybody could push")
    metrics = Metrics()
    limiter = RateLimiter(metrics)
    async with open_telegram(
        token, api_url=settings.telegram_api_url, is_local=settings.bot.api_is_local, limiter=limiter
    ) as bot:
        bot.session.middleware(Counting(metrics))
        phrases = Phrases()
        desk = Desk(settings.bot.recognitions)
        notice = Notice(desk, limiter)
        durable.tell(notice.say, notice.hear)
        _register(settings, services, durable, bot=bot, phrases=phrases, token=token, desk=desk, metrics=metrics)
        intake = Intake(bot, durable, confirm_first=settings.bot.confirm_first, metrics=metrics)
        yield TelegramBot(bot, intake, phrases, notice, settings, services, durable, metrics)


def _register(
    settings: Settings,
    services: Services,
    durable: Durable,
    *,
    bot: Bot,
    phrases: Phrases,
    token: str,
    desk: Desk,
    metrics: Metrics,
) -> None:
    """Register the workflows with the objects that they need."""
    options, signer, pseudonyms = settings.bot, Signer(token), Pseudonyms(token)
    steps = Steps(durable, Retry(patience_s=options.patience_s))
    admins, allowed = numbers(settings.admin_user_ids), numbers(settings.allowed_telegram_user_ids)
    doorkeeper = Doorkeeper(services.db_assist, options, admins, allowed, pseudonyms)
    keyboards = Keyboards(signer, rating_days=options.rating_days)
    shelf = Shelf(_SHELF_BYTES)
    fetching = Fetching(bot, shelf, limit_bytes=options.max_file_mb * _MB, n_large=2 * options.recognitions)
    hearing = Hearing(
        bot, services.nn_service, services.db_assist, services.data_loader, desk, fetching, options.keywords
    )
    delivery = Delivery(bot, steps, services.db_assist, keyboards, pseudonyms)
    limits = Limits(file_mb=options.max_file_mb, minutes=int(settings.audio.max_duration_s // 60))
    pipeline = Pipeline(
        bot, durable, steps, doorkeeper, hearing, delivery, services.db_assist, phrases, keyboards, limits, metrics
    )
    archiving = Archiving(steps, durable, hearing, services.db_assist, services.data_loader, shelf)
    repair = Repair(bot, steps, archiving, services.db_assist, services.data_loader, phrases)
    subtitling = Subtitling(services.data_loader, services.db_assist, hearing, doorkeeper)
    amending = Amending(bot, steps, services.db_assist, subtitling, phrases, keyboards)
    prompts = Prompts(signer, bot.id, life_s=options.rating_days * 86_400)
    corrector = Corrector(
        bot, services.db_assist, services.data_loader, services.nn_service, hearing, keyboards, prompts, doorkeeper
    )
    review_prompts = Prompts(signer, bot.id, life_s=options.rating_days * 86_400, action=REVIEW_WORDS)
    reviewing = review.Reviewing(bot, services.db_assist, services.data_loader, keyboards, review_prompts)
    dispatcher = make_dispatcher(doorkeeper, phrases)
    dispatcher.workflow_data.update(
        _for_handlers(services, durable, options), phrases=phrases, keyboards=keyboards, signer=signer
    )
    dispatcher.workflow_data.update(
        dispatcher=dispatcher,
        subtitling=subtitling,
        corrector=corrector,
        prompts=prompts,
        reviewing=reviewing,
        pseudonyms=pseudonyms,
        admins=doorkeeper.admins,
    )
    durable.workflow(jobs.HEAR, pipeline.hear)
    durable.workflow(jobs.AMEND, amending.run)
    durable.workflow(jobs.KEEP, archiving.keep)
    durable.workflow(jobs.REPAIR, repair.run)
    durable.workflow(jobs.CLEAN, archiving.clean)
    durable.workflow(jobs.UPDATE, Updates(bot, dispatcher, durable, steps, phrases, metrics).handle)
    durable.workflow(jobs.CHANGE_MODEL, models.ModelChange(bot, steps, services.nn_service, phrases).run)
    _register_queues(durable, options)


def _for_handlers(services: Services, durable: Durable, options: BotSettings) -> dict[str, object]:
    """Return the objects that handlers get as arguments, by the names of their parameters."""
    return {
        "nn_service": services.nn_service,
        "db_assist": services.db_assist,
        "data_loader": services.data_loader,
        "durable": durable,
        "options": options,
        "picture": Picture(START),
    }


def _register_queues(durable: Durable, options: BotSettings) -> None:
    """Register the queues, and the nightly repair if there is to be one."""
    for queue in jobs.queues(options.concurrency):
        durable.queue(queue)
    if options.repair_hour >= 0:
        durable.schedule(Schedule(jobs.REPAIR, jobs.REPAIR, f"0 30 {options.repair_hour} * * *", jobs.REPAIRS))
    else:
        durable.unschedule(jobs.REPAIR)


def make_dispatcher(doorkeeper: Doorkeeper, phrases: Phrases) -> Dispatcher:
    """Make the dispatcher with all handlers, in the order in which they are tried."""
    dispatcher = Dispatcher(disable_fsm=True)
    acquaintance = Acquaintance(doorkeeper, phrases)
    dispatcher.message.outer_middleware(acquaintance)
    dispatcher.callback_query.outer_middleware(acquaintance)
    dispatcher.include_routers(
        groups.make_router(),
        private_matters.make_router(),
        commands.make_router(),
        rating.make_router(),
        choices.make_router(),
        privacy.make_router(),
        admin.make_router(),
        models.make_router(),
        words.make_router(),  # before corrections, which take any reply in a private chat
        review.make_router(),
        correction.make_router(),
        again.make_router(),
        presses.make_last_router(),
        commands.make_last_router(),
    )
    return dispatcher
