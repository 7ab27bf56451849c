"""What has begun is finished, whether or not its caller still waits.

Over TCP a caller who gives up does not stop a route. In process, where a caller awaits the route itself, it would
cancel the route in the middle of a transaction; SQLite then keeps its lock until the interrupted statement is
collected, and everybody else waits for that. So requests run in tasks of their own here.
"""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send


class Finishing:
    """ASGI middleware that shields requests from their callers' cancellation."""

    def __init__(self, app: ASGIApp, *, running: set[asyncio.Task[None]]) -> None:
        self._app = app
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request in a task that outlives its caller."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        task = asyncio.create_task(self._answer(scope, receive, send))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.shield(task)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
