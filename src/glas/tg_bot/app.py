"""Open the bot, register its workflows with the durable engine (`glas.durable`), and run the bot."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog
from aiogram import Bot
from aiogram.types import BotCommand

from glas.domain.errors import ConfigurationError, GlasError, ServiceUnreachableError
from glas.domain.people import Locale
from glas.durable import Durable, Retry, is_away, with_retries
from glas.settings import Settings, plain
from glas.tg_bot.api.counting import Counting
from glas.tg_bot.api.errors import RetryRule
from glas.tg_bot.api.limiter import RateLimiter
from glas.tg_bot.api.telegram import open_telegram, said
from glas.tg_bot.intake import ALLOWED_UPDATES, Intake
from glas.tg_bot.metrics import Metrics
from glas.tg_bot.people import privacy, showing
from glas.tg_bot.people.announcing import Announcing
from glas.tg_bot.people.canary import CanaryWatch
from glas.tg_bot.services import Services
from glas.tg_bot.talk.phrases import Phrases
from glas.tg_bot.voices import jobs
from glas.tg_bot.voices.notice import Notice
from glas.tg_bot.voices.recognition_queue import RecognitionQueue
from glas.tg_bot.voices.second import SecondHypotheses
from glas.tg_bot.workflows import Context, register

_log = structlog.stdlib.get_logger("glas.tg_bot")

_COMMANDS = ("start", "help", "balance", "words", "settings", "language", "privacy", "mydata", "forget", "transcribe")


@dataclass
class TelegramBot:
    """The bot; its workflows are registered with the durable engine. Call `run` after the start of this engine."""

    bot: Bot
    intake: Intake
    phrases: Phrases
    notice: Notice
    settings: Settings
    services: Services
    durable: Durable
    announcing: Announcing
    metrics: Metrics

    async def run(self) -> None:
        """Run the bot until the task is cancelled: receive updates by polling, and do the regular tasks of the bot.

        If a webhook is set, this method does not poll, because the app of `webhook.create_app` receives the updates.

        Raises:
            ConfigurationError: the token is wrong, or another program polls with the same token.
        """
        await self.introduce()
        await self._forget_shared_accounts()
        self.notice.is_taking_in = True
        canary = CanaryWatch(self.services.nn_service, self.services.db_assist, self.settings.bot.announce_s)
        beside = [
            asyncio.create_task(self.announcing.watch()),
            asyncio.create_task(canary.watch()),
            asyncio.create_task(privacy.keep_forgetting(self.services.db_assist, self.durable)),
            asyncio.create_task(showing.keep_showing(self.bot, self.services.db_assist, self.durable)),
        ]
        try:
            if self.settings.bot.webhook_url is None:
                await self.intake.poll()
            await asyncio.Event().wait()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)

    async def introduce(self) -> None:
        """Inform Telegram how the bot receives updates and which commands exist; wait while Telegram is unavailable."""
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
            names = _COMMANDS if self.settings.web.url is None else (*_COMMANDS, "web")
            shown = [BotCommand(command=name, description=say(f"command-{name}")) for name in names]
            code = None if locale is Locale.RU else locale.value
            await _patiently(partial(self.bot.set_my_commands, shown, language_code=code))

    async def require_ready(self) -> None:
        """Raise an error if the bot could not receive or store an update now.

        Raises:
            ServiceUnreachableError: Telegram has not answered yet, or the durable engine's database is unavailable.
        """
        if not self.notice.is_taking_in:
            raise ServiceUnreachableError("Telegram has not answered yet")
        try:
            await self.durable.backlog.count_waiting(jobs.VOICES)
        except Exception as error:
            if not is_away(error):
                raise
            raise ServiceUnreachableError("the database of the durable work does not answer") from error

    async def figures(self) -> bytes:
        """Return the metrics in Prometheus' text format. The length of a queue is NaN if it is not known now."""
        for name in [queue.name for queue in jobs.queues(1, 1) if queue.name != jobs.LATER]:
            # Recordings wait in two queues; the metrics show the sum of both.
            queues = (name, jobs.LATER) if name == jobs.VOICES else (name,)
            n_waiting = n_running = float("nan")
            try:
                n_waiting = await self.durable.backlog.count_waiting(*queues)
                n_running = await self.durable.backlog.count_running(*queues)
            except Exception as error:
                if not is_away(error):
                    raise
            self.metrics.waiting(name, n_waiting)
            self.metrics.running(name, n_running)
        return self.metrics.render()

    async def _forget_shared_accounts(self) -> None:
        """Delete data that earlier versions of Glas stored by mistake for shared accounts.

        For the meaning of shared accounts, see `glas.tg_bot.api.senders`.

        If a service is unavailable, the data is deleted at the next start of the bot.
        """
        services = self.services
        try:
            job = await privacy.forget_shared_accounts(services.db_assist, services.data_loader, self.durable)
        except GlasError as error:
            _log.warning("recordings of anonymous senders could not be searched", code=error.code)
            return
        if job is not None:
            await self.durable.enqueue(job.work())

    async def _look_at_privacy_mode(self) -> None:
        """Log a warning if Telegram's privacy mode is on: then the bot does not get the recordings of groups."""
        me = await self.bot.get_me()
        if not me.can_read_all_group_messages:
            _log.warning(
                "Telegram's privacy mode is on: in groups the bot hears recordings only where it is an administrator; "
                "turn it off with /setprivacy at @BotFather, then add the bot to its groups again"
            )


async def _patiently(call: Callable[[], Awaitable[object]]) -> None:
    """Repeat a call to Telegram, with pauses between the attempts, until Telegram answers."""
    patience = RetryRule()
    await with_retries(lambda: said(call), Retry(patience_s=float("inf")), name="introduce", pause_s=patience.pause_s)


@asynccontextmanager
async def open_bot(settings: Settings, services: Services, durable: Durable) -> AsyncIterator[TelegramBot]:
    """Open the bot, and register its workflows with the durable engine, which must not have started yet.

    Raises:
        ConfigurationError: the settings contain no token, or the URL of a webhook but no secret for the webhook.
    """
    token = plain(settings.telegram_token)
    if token is None:
        raise ConfigurationError("expected a bot's token in TELEGRAM_TOKEN; @BotFather in Telegram gives one")
    if settings.bot.webhook_url is not None and settings.bot.webhook_secret is None:
        raise ConfigurationError(
            "expected GLAS_BOT__WEBHOOK_SECRET with GLAS_BOT__WEBHOOK_URL: anybody could send updates"
        )
    metrics = Metrics()
    limiter = RateLimiter(metrics)
    async with open_telegram(
        token, api_url=settings.telegram_api_url, is_local=settings.bot.api_is_local, limiter=limiter
    ) as bot:
        bot.session.middleware(Counting(metrics))
        phrases = Phrases()
        recognition_queue = RecognitionQueue(settings.bot.recognitions)
        notice = Notice(recognition_queue, limiter)
        durable.tell(notice.say, notice.hear)
        second = SecondHypotheses(services.nn_service, services.db_assist)
        announcing = register(
            Context(settings, services, durable, bot, phrases, token, recognition_queue, second, metrics)
        )
        intake = Intake(
            bot,
            durable,
            confirm_first=settings.bot.confirm_first,
            n_at_once=settings.bot.recognitions,
            concurrency=settings.bot.concurrency,
            metrics=metrics,
        )
        try:
            yield TelegramBot(bot, intake, phrases, notice, settings, services, durable, announcing, metrics)
        finally:
            await second.close()
