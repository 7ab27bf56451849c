"""The dispatcher of updates, with the handlers of all messages and buttons."""

from aiogram import Dispatcher

from glas.tg_bot.dispatch import Acquaintance
from glas.tg_bot.people import (
    admin,
    again,
    commands,
    correction,
    deciding,
    finding,
    groups,
    language,
    models,
    privacy,
    private_matters,
    rating,
    review,
    settings,
    web,
    words,
)
from glas.tg_bot.talk import presses
from glas.tg_bot.talk.phrases import Phrases
from glas.tg_bot.voices.admission import AdmissionControl


def make_dispatcher(admission_control: AdmissionControl, phrases: Phrases) -> Dispatcher:
    """Make the dispatcher with all handlers. An update is processed by the first handler whose filters accept it."""
    dispatcher = Dispatcher(disable_fsm=True)
    acquaintance = Acquaintance(admission_control, phrases)
    dispatcher.message.outer_middleware(acquaintance)
    dispatcher.callback_query.outer_middleware(acquaintance)
    dispatcher.include_routers(
        groups.make_router(),
        private_matters.make_router(),
        commands.make_router(),
        rating.make_router(),
        language.make_router(),
        settings.make_router(),
        privacy.make_router(),
        admin.make_router(),
        finding.make_router(),
        models.make_router(),
        deciding.make_router(),
        words.make_router(),  # before corrections, which take any reply in a private chat
        review.make_router(),
        web.make_router(),
        correction.make_router(),
        again.make_router(),
        presses.make_last_router(),
        commands.make_last_router(),
    )
    return dispatcher
