"""Delete the files of own models that are not assigned any more, for example after the command `/forget`."""

import asyncio
from pathlib import Path

import structlog

from glas.clients.db_assist import DbAssistClient
from glas.engines.catalogue import made_here
from glas.system.files import delete

_log = structlog.stdlib.get_logger("glas.data_loader")


async def delete_unowned(db_assist: DbAssistClient, models_dir: Path) -> None:
    """Delete own models that are assigned to nobody: their directories on this machine, then their database rows.

    If the deletion is interrupted, the next call completes it.

    Raises:
        ServiceError: db_assist cannot be reached.
    """
    for record in await db_assist.own_models_to_delete():
        name = made_here(record.name, models_dir)
        if name is not None:
            await asyncio.to_thread(delete, Path(name.partition(":")[2]))
        await db_assist.own_model_deleted(record.id)
        _log.info("own model deleted", own_model=record.id)
