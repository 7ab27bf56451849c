"""Register the workflows and queues of the bot with the durable engine, and make the objects that they need."""

from dataclasses import dataclass
from typing import NamedTuple

from aiogram import Bot

from glas.durable import Durable, Retry, Schedule
from glas.settings import BotSettings, Settings, numbers
from glas.tg_bot.dispatch import Updates
from glas.tg_bot.handlers import make_dispatcher
from glas.tg_bot.metrics import Metrics
from glas.tg_bot.people import deciding, models, review
from glas.tg_bot.people.announcing import Announcing
from glas.tg_bot.people.corrector import Corrector
from glas.tg_bot.people.settings_menus import SettingsMenus
from glas.tg_bot.services import Services
from glas.tg_bot.talk.keyboards import Keyboards
from glas.tg_bot.talk.phrases import Phrases
from glas.tg_bot.talk.picture import START, Picture
from glas.tg_bot.talk.prompts import REVIEW_WORDS, Prompts
from glas.tg_bot.talk.signing import Signer
from glas.tg_bot.voices import jobs
from glas.tg_bot.voices.acknowledging import Acknowledging
from glas.tg_bot.voices.admission import AdmissionControl
from glas.tg_bot.voices.amending import Amending
from glas.tg_bot.voices.archive import Archiving
from glas.tg_bot.voices.delivery import Delivery
from glas.tg_bot.voices.fetching import Fetching
from glas.tg_bot.voices.pipeline import Limits, Pipeline
from glas.tg_bot.voices.placeholders import Placeholders
from glas.tg_bot.voices.pseudonyms import Pseudonyms
from glas.tg_bot.voices.recognising import RecordingRecogniser
from glas.tg_bot.voices.recognition_queue import ByteCache, RecognitionQueue
from glas.tg_bot.voices.repair import Repair
from glas.tg_bot.voices.second import SecondHypotheses
from glas.tg_bot.voices.steps import Steps
from glas.tg_bot.voices.subtitles import Subtitling

_MB = 1_000_000
_CACHED_BYTES = 64 * _MB
_S_PER_DAY = 86_400


@dataclass(frozen=True)
class Context:
    """Objects that the workflows of the bot need."""

    settings: Settings
    services: Services
    durable: Durable
    bot: Bot
    phrases: Phrases
    token: str
    recognition_queue: RecognitionQueue
    second: SecondHypotheses
    metrics: Metrics


class _Shared(NamedTuple):
    """Objects that several of the registration functions use."""

    signer: Signer
    pseudonyms: Pseudonyms
    steps: Steps
    keyboards: Keyboards
    admission_control: AdmissionControl


def register(context: Context) -> Announcing:
    """Register all workflows and queues of the bot; return the object that sends announcements.

    The caller must run the method `watch` of this object.
    """
    settings, durable = context.settings, context.durable
    signer, pseudonyms = Signer(context.token), Pseudonyms(context.token)
    admins, allowed = numbers(settings.admin_user_ids), numbers(settings.allowed_telegram_user_ids)
    shared = _Shared(
        signer,
        pseudonyms,
        Steps(durable, Retry(patience_s=settings.bot.patience_s)),
        Keyboards(signer, rating_days=settings.bot.rating_days),
        AdmissionControl(context.services.db_assist, settings.bot, admins, allowed, pseudonyms),
    )
    _register_updates(context, shared, _register_recordings(context, shared))
    announcing = _register_models(context, shared)
    _register_queues(durable, settings.bot)
    return announcing


def _register_recordings(context: Context, shared: _Shared) -> RecordingRecogniser:
    """Register the workflows for recordings: recognition, archive, repair."""
    bot, durable, options = context.bot, context.durable, context.settings.bot
    services, db_assist, data_loader = context.services, context.services.db_assist, context.services.data_loader
    byte_cache = ByteCache(_CACHED_BYTES)
    fetching = Fetching(bot, byte_cache, limit_bytes=options.max_file_mb * _MB, n_large=2 * options.recognitions)
    recogniser = RecordingRecogniser(
        bot,
        services.nn_service,
        db_assist,
        data_loader,
        context.recognition_queue,
        fetching,
        shared.pseudonyms,
        context.second,
        options.keywords,
    )
    delivery = Delivery(bot, shared.steps, db_assist, shared.keyboards, shared.pseudonyms)
    limits = Limits(file_mb=options.max_file_mb, minutes=int(context.settings.audio.max_duration_s // 60))
    placeholders = Placeholders(
        shared.steps, durable, shared.admission_control, delivery, context.phrases, shared.keyboards
    )
    pipeline = Pipeline(
        bot,
        durable,
        shared.steps,
        placeholders,
        recogniser,
        delivery,
        db_assist,
        context.phrases,
        shared.keyboards,
        limits,
        context.metrics,
    )
    archiving = Archiving(shared.steps, durable, recogniser, db_assist, data_loader, byte_cache)
    durable.workflow(jobs.ACKNOWLEDGE, Acknowledging(durable, placeholders, context.metrics).acknowledge)
    durable.workflow(jobs.HEAR, pipeline.hear)
    durable.workflow(jobs.KEEP, archiving.keep)
    durable.workflow(jobs.CLEAN, archiving.clean)
    repair = Repair(bot, shared.steps, archiving, db_assist, data_loader, context.phrases)
    durable.workflow(jobs.REPAIR, repair.run)
    return recogniser


def _register_updates(context: Context, shared: _Shared, recogniser: RecordingRecogniser) -> None:
    """Register the workflows for updates from Telegram, and for changes of texts that the bot has sent."""
    bot, durable, phrases, options = context.bot, context.durable, context.phrases, context.settings.bot
    services, db_assist, data_loader = context.services, context.services.db_assist, context.services.data_loader
    keyboards, admission_control, life_s = shared.keyboards, shared.admission_control, options.rating_days * _S_PER_DAY
    subtitling = Subtitling(data_loader, db_assist, recogniser, admission_control)
    amending = Amending(bot, shared.steps, db_assist, subtitling, phrases, keyboards)
    durable.workflow(jobs.AMEND, amending.run)
    prompts = Prompts(shared.signer, bot.id, life_s=life_s)
    review_prompts = Prompts(shared.signer, bot.id, life_s=life_s, action=REVIEW_WORDS)
    dispatcher = make_dispatcher(admission_control, phrases)
    # Handlers get these by the names of their parameters.
    dispatcher.workflow_data.update(
        nn_service=services.nn_service,
        db_assist=db_assist,
        data_loader=data_loader,
        durable=durable,
        options=options,
        picture=Picture(START),
        phrases=phrases,
        keyboards=keyboards,
        settings_menus=SettingsMenus(bot, services.nn_service, db_assist, keyboards),
        signer=shared.signer,
        dispatcher=dispatcher,
        subtitling=subtitling,
        corrector=Corrector(
            bot, db_assist, data_loader, services.nn_service, recogniser, keyboards, prompts, admission_control
        ),
        prompts=prompts,
        reviewing=review.Reviewing(bot, db_assist, data_loader, keyboards, review_prompts),
        pseudonyms=shared.pseudonyms,
        page_url=context.settings.web.url,
        admins=admission_control.admins,
    )
    updates = Updates(bot, dispatcher, durable, shared.steps, phrases, context.metrics)
    durable.workflow(jobs.UPDATE, updates.handle)


def _register_models(context: Context, shared: _Shared) -> Announcing:
    """Register the workflows for models: changes of the default model, decisions, announcements."""
    bot, durable, phrases, steps = context.bot, context.durable, context.phrases, shared.steps
    nn_service, db_assist = context.services.nn_service, context.services.db_assist
    announce_s = context.settings.bot.announce_s
    announcing = Announcing(
        bot, steps, durable, db_assist, phrases, shared.keyboards, shared.admission_control.admins, announce_s
    )
    durable.workflow(jobs.CHANGE_MODEL, models.ModelChange(bot, steps, nn_service, db_assist, phrases).run)
    durable.workflow(jobs.ANNOUNCE, announcing.run)
    durable.workflow(jobs.DECIDE, deciding.Deciding(bot, steps, nn_service, db_assist, phrases).run)
    return announcing


def _register_queues(durable: Durable, options: BotSettings) -> None:
    """Register the queues; also register the nightly repair if the settings enable it."""
    for queue in jobs.queues(options.concurrency, options.recognitions):
        durable.queue(queue)
    if options.repair_hour >= 0:
        durable.schedule(Schedule(jobs.REPAIR, jobs.REPAIR, f"0 30 {options.repair_hour} * * *", jobs.REPAIRS))
    else:
        durable.unschedule(jobs.REPAIR)
