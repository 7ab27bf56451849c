"""Delivery of updates: long polling, where an offset confirms, or a webhook, tried until it answers 2xx."""

import asyncio
import contextlib
import time
from typing import Any

import aiohttp

from tests.telegram.rules import MAX_UPDATES, RefusalError, bad_request
from tests.telegram.world import JsonObject, Webhook, World

_WEBHOOK_TIMEOUT_S = 10.0
_FIRST_DELAY_S = 0.05  # Telegram starts with 1 s; tests need not wait that long
_LONGEST_DELAY_S = 1.0


class Updates:
    """Delivers updates on the event loop of the server."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._news = asyncio.Event()
        self._poller: asyncio.Future[None] | None = None
        self._pusher: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Wake waiting tasks because of a new update or the end."""
        self._news.set()

    async def get_updates(self, params: JsonObject) -> list[JsonObject]:
        """`getUpdates`: confirm the updates below the offset, then wait for further updates."""
        if self._world.webhook.url:
            raise RefusalError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
                "webhook first",
            )
        if (allowed := params.get("allowed_updates")) is not None:
            self._world.allowed = frozenset(allowed) or None
        if (offset := params.get("offset")) is not None:
            self._world.acknowledge(int(offset))
        limit = min(int(params.get("limit", MAX_UPDATES)), MAX_UPDATES)
        if self._poller is not None and not self._poller.done():
            self._poller.set_exception(
                RefusalError(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
            )
        mine = self._poller = asyncio.get_running_loop().create_future()
        try:
            return await self._wait(mine, limit, time.monotonic() + float(params.get("timeout", 0)))
        finally:
            if not mine.done():
                mine.set_result(None)
            elif mine.exception() is None:
                mine.result()

    async def _wait(self, mine: "asyncio.Future[None]", limit: int, deadline: float) -> list[JsonObject]:
        while True:
            if mine.done():
                mine.result()
            with self._world.lock:
                found = list(self._world.updates[:limit])
            left_s = deadline - time.monotonic()
            if found or left_s <= 0:
                self._world.delivered += len(found)
                return found
            self._news.clear()
            news = asyncio.ensure_future(self._news.wait())
            both: set[asyncio.Future[Any]] = {news, mine}
            await asyncio.wait(both, timeout=min(left_s, 1.0), return_when=asyncio.FIRST_COMPLETED)
            news.cancel()

    async def set_webhook(self, params: JsonObject) -> bool:
        """`setWebhook`: send updates to an address; an empty address removes the webhook."""
        url = params.get("url", "")
        if url and not url.startswith(("https://", "http://127.0.0.1")):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        self._world.webhook = Webhook(url, params.get("secret_token"))
        if (allowed := params.get("allowed_updates")) is not None:
            self._world.allowed = frozenset(allowed) or None
        await self._stop_pushing()
        if url:
            self._pusher = asyncio.create_task(self._push())
        return True

    async def delete_webhook(self, params: JsonObject) -> bool:
        """`deleteWebhook`."""
        self._world.webhook = Webhook()
        await self._stop_pushing()
        if str(params.get("drop_pending_updates", "")).lower() == "true":
            self._world.updates.clear()
        return True

    async def webhook_info(self, _params: JsonObject) -> dict[str, Any]:
        """`getWebhookInfo`."""
        webhook = self._world.webhook
        info: dict[str, Any] = {
            "url": webhook.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._world.updates),
        }
        return info | ({"last_error_message": webhook.last_error} if webhook.last_error else {})

    async def close(self) -> None:
        """Stop the webhook and end waiting polls."""
        await self._stop_pushing()
        if self._poller is not None and not self._poller.done():
            self._poller.set_result(None)
        self._news.set()

    async def _stop_pushing(self) -> None:
        if self._pusher is not None:
            self._pusher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pusher
            self._pusher = None

    async def _push(self) -> None:
        """Deliver updates one after another; a refused update is sent again after growing pauses."""
        delay_s = _FIRST_DELAY_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_WEBHOOK_TIMEOUT_S)) as http:
            while True:
                if not self._world.updates:
                    self._news.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._news.wait(), 0.2)
                    continue
                update = self._world.updates[0]
                if await self._deliver(http, update):
                    self._world.delivered += 1
                    self._world.acknowledge(update["update_id"] + 1)
                    delay_s = _FIRST_DELAY_S
                else:
                    await asyncio.sleep(delay_s)
                    delay_s = min(delay_s * 2, _LONGEST_DELAY_S)

    async def _deliver(self, http: aiohttp.ClientSession, update: JsonObject) -> bool:
        webhook = self._world.webhook
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        try:
            async with http.post(webhook.url, json=update, headers=headers) as answer:
                if answer.ok:
                    return True
                webhook.last_error = f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            webhook.last_error = f"Connection failed: {type(error).__name__}"
        return False
