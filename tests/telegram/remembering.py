"""A Telegram server that stores its state at each call of the bot, so that a test can continue from any call."""

import copy
import itertools
from contextvars import ContextVar
from typing import Any, NamedTuple

from aiohttp import web

from tests.telegram.faults import Fault
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject, World

_COPIED = ("updates", "messages", "versions", "documents", "interfaces", "files", "presses", "commands", "allowed")

_port: ContextVar[int] = ContextVar("port")


class Remembered(NamedTuple):
    """A call of the bot.

    Attributes:
        port: from which the bot called.
        world: what Telegram knew after the call, or when the bot began to wait for updates.
        confirmed: all updates that the bot had confirmed.
    """

    port: int
    world: World
    confirmed: tuple[JsonObject, ...]


class RememberingTelegram(TelegramServer):
    """Stores every call, in the order of their ends."""

    def __init__(self) -> None:
        super().__init__()
        self.remembered: list[Remembered] = []
        self._seen: dict[int, JsonObject] = {}

    async def _on_call(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        _port.set(request.transport.get_extra_info("peername")[1])
        return await super()._on_call(request)

    async def _call(
        self, method: str, params: JsonObject, chat_id: int | None, token: str, fault: Fault | None
    ) -> object:
        with self.world.lock:
            self._seen |= {update["update_id"]: update for update in self.world.updates}
        if method == "getUpdates":
            if "offset" in params:
                self.world.acknowledge(int(params["offset"]))
            self._remember()
            return await super()._call(method, params, chat_id, token, fault)
        try:
            return await super()._call(method, params, chat_id, token, fault)
        finally:
            self._remember()

    def _remember(self) -> None:
        world = copied(self.world)
        waiting = {update["update_id"] for update in world.updates}
        confirmed = tuple(update for number, update in sorted(self._seen.items()) if number not in waiting)
        self.remembered.append(Remembered(_port.get(), world, confirmed))


def copied(world: World) -> World:
    """Copy the state of a Telegram server; numbers given by the copy differ from those of the original."""
    copied_world = World()
    with world.lock:
        values: dict[str, Any] = {name: copy.deepcopy(getattr(world, name)) for name in _COPIED}
    for name, value in values.items():
        setattr(copied_world, name, value)
    copied_world._message_ids = itertools.count(1_000_001)
    copied_world._update_ids = itertools.count(800_000_001)
    return copied_world
