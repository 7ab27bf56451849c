"""Delete people's data from the object store and the database; used by the bot and the web pages.

Objects are deleted first. If rows were deleted first, a crash would leave objects whose owner is unknown. Each function
may be called again after a failure.
"""

from contextlib import suppress

import structlog

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import ConflictError, GlasError, NotFoundError

_log = structlog.stdlib.get_logger("glas.clients")


async def erase_person(
    tg_id: int, db_assist: DbAssistClient, data_loader: DataLoaderClient, *, by: int | None = None
) -> int:
    """Delete all objects and rows of a person. The bot deletes its own records of the person soon after.

    Args:
        tg_id: Telegram id of the person.
        db_assist: client of the service that deletes rows.
        data_loader: client of the service that deletes objects.
        by: Telegram id of the administrator who deletes the data; None if the person deletes it.

    Returns:
        The number of deleted messages.
    """
    with suppress(NotFoundError):
        for row in (await db_assist.export_user(tg_id)).transcriptions:
            await data_loader.delete(row.id)
    gone = await db_assist.forget(tg_id, by=by)
    await data_loader.delete_keys(gone.object_keys)
    for transcription_id in gone.transcription_ids:
        await data_loader.delete(transcription_id)
    return len(gone.transcription_ids)


async def erase_message(
    transcription_id: int,
    tg_id: int,
    db_assist: DbAssistClient,
    data_loader: DataLoaderClient,
    *,
    by: int | None = None,
) -> None:
    """Delete the objects and the row of a message of a person.

    Raises:
        NotFoundError: there is no such message, or it belongs to another person.
        ForbiddenError: the person with the Telegram id `by` is not an administrator.
    """
    user = await db_assist.user(tg_id)
    message = await db_assist.transcription(transcription_id)
    if message.user_id != user.id:
        raise NotFoundError("expected a message of this person", param="transcription_id")
    await data_loader.delete(transcription_id)
    gone = await db_assist.delete_message(transcription_id, tg_id, by=by)
    # The recording may have been archived after the first deletion.
    await data_loader.delete_keys(gone.object_keys)
    await data_loader.delete(transcription_id)


async def clean_export(data_loader: DataLoaderClient) -> None:
    """Start an export, which removes deleted data from the exported files; if it fails, the next export does this."""
    try:
        await data_loader.start_export(only_again=True)
    except ConflictError:
        _log.info("an export runs; the next export removes the deleted messages")
    except GlasError as error:
        _log.warning("no export could be started; the next export removes the deleted messages", code=error.code)
