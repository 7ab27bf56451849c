"""Describe in /settings whether an own model answers a person or a group."""

from typing import NamedTuple

from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import GlasError
from glas.domain.own_models import OwnModelRecord
from glas.tg_bot.talk.phrases import Say


class OwnModelLine(NamedTuple):
    """The part of /settings about an own model: a line of text, and whether the model is used.

    If there is no own model, the text is empty, and `is_used` is None.
    """

    text: str = ""
    is_used: bool | None = None


async def line_of_person(tg_id: int, nn_service: NnServiceClient, db_assist: DbAssistClient, say: Say) -> OwnModelLine:
    """Return the line in a person's /settings about their own model."""
    for record in await db_assist.own_models(tg_id=tg_id):
        return OwnModelLine(say(f"settings-own-model-{await _state(record, nn_service)}"), record.is_used)
    return OwnModelLine()


async def line_of_chat(chat_id: int, nn_service: NnServiceClient, db_assist: DbAssistClient, say: Say) -> OwnModelLine:
    """Return the line in a group's /settings about its own model."""
    for record in await db_assist.own_models(chat_id=chat_id):
        return OwnModelLine(say(f"chat-own-model-{await _state(record, nn_service)}"), record.is_used)
    return OwnModelLine()


async def _state(record: OwnModelRecord, nn_service: NnServiceClient) -> str:
    """Return the state of an own model: `on`, `off`, or `waits`.

    `waits` means that the own model is not used now: it was compared with a former default model, not with the present
    one.
    """
    if not record.is_used:
        return "off"
    try:
        served = (await nn_service.health()).model_version
    except GlasError:
        return "on"
    return "on" if served in (None, record.instead_of) else "waits"
