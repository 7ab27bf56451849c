"""Complete every HTTP request that has begun, even if its caller is cancelled.

If callers use TCP, a caller who closes the connection does not stop a route. In embedded mode, the caller and the route
run in the same process and the same asyncio task. Without this module, the cancellation of the caller would cancel the
route in the middle of a transaction. SQLite would then keep its lock until the interrupted statement is garbage
collected, and all other callers would wait. So this module runs each request in a separate task.
"""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send


class Finishing:
    """ASGI middleware that protects requests from the cancellation of their callers."""

    def __init__(self, app: ASGIApp, *, running: set[asyncio.Task[None]]) -> None:
        self._app = app
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request in a task that continues if its caller is cancelled."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        task = asyncio.create_task(self._answer(scope, receive, send))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.shield(task)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
