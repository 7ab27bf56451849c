"""Let a command call db_assist, which runs in the process of the command or in a server."""

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from glas.clients.db_assist import DbAssistClient
    from glas.settings import Settings

_T = TypeVar("_T")


def ask_db_assist(settings: "Settings", call: "Callable[[DbAssistClient], Awaitable[_T]]") -> _T:
    """Pass a client of db_assist to `call`, and return the result of `call`; see `assembly.open_db_assist`.

    Raises:
        GlasError: db_assist does not answer, or answered with an error.
    """
    from glas.launch.assembly import open_db_assist

    async def ask() -> _T:
        async with open_db_assist(settings) as db_assist:
            return await call(db_assist)

    return asyncio.run(ask())
