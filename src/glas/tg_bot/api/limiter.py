"""Stay within Telegram's limits: 30 messages a second in all, one a second to a chat, 20 a minute to a group.

Every call to Telegram passes through `RateLimiter`. If Telegram refuses a call and requests a pause (`retry_after`),
the call is sent again after the pause. Waiting calls are sent in the order of their urgency, so a finished text is sent
before status lines. A status line that would have to wait is dropped.
"""

import asyncio
import contextlib
import heapq
import itertools
from collections import defaultdict, deque
from collections.abc import Iterator
from contextvars import ContextVar
from enum import IntEnum
from typing import Any

import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import (
    EditMessageCaption,
    EditMessageMedia,
    EditMessageReplyMarkup,
    EditMessageText,
    GetUpdates,
    SendDocument,
    SendMessage,
    SendPhoto,
    SendVoice,
    TelegramMethod,
)
from aiogram.methods.base import Response, TelegramType

from glas import tracing
from glas.tg_bot.metrics import Metrics

_NEW = (SendMessage, SendDocument, SendPhoto, SendVoice)
_EDITS = (EditMessageText, EditMessageCaption, EditMessageReplyMarkup, EditMessageMedia)

# Telegram's rates, with a margin for differing clocks.
_PER_SECOND, _SECOND_S = 30, 1.02
_CHAT_SECOND_S = 1.02
_PER_GROUP_MINUTE, _MINUTE_S = 20, 60.5
_MANY_CHATS = 10_000
# Status lines may fill a third of the rate of all chats. If they filled it all, first replies would wait for them.
_STATUS_PART = 3

_log = structlog.stdlib.get_logger("glas.tg_bot")


class Urgency(IntEnum):
    """Urgency of a call; of the waiting calls, the one with the lowest value is sent first."""

    FINAL = 0
    NORMAL = 1
    STATUS = 2


class NotNowError(Exception):
    """A status line was dropped, because the limits did not permit to send it immediately."""


_urgency: ContextVar[Urgency] = ContextVar("urgency", default=Urgency.NORMAL)


@contextlib.contextmanager
def urgency(value: Urgency) -> Iterator[None]:
    """Set the urgency of all calls that are made while the context is open."""
    token = _urgency.set(value)
    try:
        yield
    finally:
        _urgency.reset(token)


class _Window:
    """Delay calls so that at most `limit` of them arrive at Telegram within any `period_s` seconds.

    The time at which a call arrives at Telegram is not known exactly: it is between the beginning of the call and its
    answer. So a call is counted from its beginning until `period_s` seconds after its answer. In this way, calls that
    may have arrived within one period are always counted together.
    """

    def __init__(self, limit: int, period_s: float) -> None:
        self._limit = limit
        self._period_s = period_s
        self._n_on_the_way = 0
        self._answered: deque[float] = deque()

    def free_at(self, now_s: float, share: int) -> float:
        """Return the time at which the next call may begin; infinity if a call that is running must end first.

        Args:
            now_s: the current time of a monotonic clock in seconds. The result is a time of the same clock.
            share: number of processes among which the limit is divided equally.
        """
        while self._answered and self._answered[0] <= now_s - self._period_s:
            self._answered.popleft()
        n_too_many = self._n_on_the_way + len(self._answered) + 1 - max(1, self._limit // share)
        if n_too_many <= 0:
            return now_s
        return self._answered[n_too_many - 1] + self._period_s if n_too_many <= len(self._answered) else float("inf")

    def begin(self) -> None:
        """Record that a call has begun."""
        self._n_on_the_way += 1

    def end(self, now_s: float) -> None:
        """Record that a call has ended, with or without an answer."""
        self._n_on_the_way -= 1
        self._answered.append(now_s)

    def is_quiet(self, now_s: float) -> bool:
        """Return whether this window counts no call at the time `now_s`, so that it cannot delay a new call."""
        return not self._n_on_the_way and (not self._answered or self._answered[-1] <= now_s - self._period_s)


class RateLimiter(BaseRequestMiddleware):
    """Request middleware of aiogram: delays calls to Telegram so that they stay within Telegram's limits."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self._metrics = metrics or Metrics()
        self.share = 1  # how many processes send with this token
        self._everything = _Window(_PER_SECOND, _SECOND_S)
        self._chats: dict[int, _Window] = defaultdict(lambda: _Window(1, _CHAT_SECOND_S))
        self._groups: dict[int, _Window] = defaultdict(lambda: _Window(_PER_GROUP_MINUTE, _MINUTE_S))
        self._held_until: dict[int | None, float] = {}
        self._waiting: list[tuple[int, int, TelegramMethod[Any], asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(
        self, make_request: NextRequestMiddlewareType[TelegramType], bot: Bot, method: TelegramMethod[TelegramType]
    ) -> Response[TelegramType]:
        """Wait until the limits permit a call, then send the call and return its answer.

        If Telegram refuses the call and requests a pause, send the call again after the pause.
        """
        while True:
            if not isinstance(method, GetUpdates):
                await self._take_turn(method)
            try:
                return await make_request(bot, method)
            except TelegramRetryAfter as error:
                if isinstance(method, GetUpdates):
                    await asyncio.sleep(error.retry_after)
                else:
                    self._hold(method, error.retry_after)
            finally:
                self._end(method)

    def pauses(self) -> dict[int | None, float]:
        """Return the remaining seconds of each pause that Telegram requested, by chat; the key None means all chats."""
        now_s = asyncio.get_running_loop().time()
        self._held_until = {chat: until_s for chat, until_s in self._held_until.items() if until_s > now_s}
        return {chat: until_s - now_s for chat, until_s in self._held_until.items()}

    def pause(self, chat: int | None, left_s: float) -> None:
        """Send nothing to a chat for `left_s` seconds, because Telegram requested a pause; None means all chats."""
        until_s = asyncio.get_running_loop().time() + left_s
        self._held_until[chat] = max(until_s, self._held_until.get(chat, 0.0))

    def _hold(self, method: TelegramMethod[Any], retry_after_s: float) -> None:
        """Begin the pause that Telegram has requested in reply to a call.

        For a call to a group, only this group is paused, because the usual cause is the limit for a group. For other
        calls, all chats are paused.
        """
        chat = _chat(method)
        where = chat if chat is not None and chat < 0 else None
        self.pause(where, retry_after_s + 0.1)
        self._metrics.pause_asked()
        place = "everywhere" if where is None else "one group"
        _log.warning("Telegram asks for a pause", seconds=retry_after_s, where=place, method=type(method).__name__)

    async def _take_turn(self, method: TelegramMethod[Any]) -> None:
        """Wait until a call may begin; record in the metrics how long the call waited, or that it was dropped."""
        now_s = asyncio.get_running_loop().time
        began_s = now_s()
        try:
            has_waited = await self._turn(method)
        except NotNowError:
            self._metrics.dropped()
            raise
        if has_waited:
            waited_s = now_s() - began_s
            self._metrics.held(waited_s)
            tracing.waited("tg_bot", "wait for Telegram's rates", waited_s)

    async def _turn(self, method: TelegramMethod[Any]) -> bool:
        """Wait until a call may begin, and count the call; return whether the call had to wait."""
        loop, wanted = asyncio.get_running_loop(), _urgency.get()
        if wanted is Urgency.STATUS and (self._waiting or not self._has_room_for_status(loop.time())):
            raise NotNowError
        if (at_s := self._free_at(method, now_s := loop.time())) <= now_s and self._waiting:
            # Other calls came first.
            self._pump()
            at_s = self._free_at(method, now_s)
        if at_s <= now_s:
            self._begin(method)
            return False
        if wanted is Urgency.STATUS:
            raise NotNowError
        while True:
            future: asyncio.Future[None] = loop.create_future()
            heapq.heappush(self._waiting, (wanted, next(self._numbers), method, future))
            self._look_at(at_s)
            try:
                await future
            except asyncio.CancelledError:
                if future.done() and not future.cancelled():
                    self._end(method)
                raise
            # A task continues only in the loop's next round; Telegram may have asked for a pause meanwhile.
            if (at_s := self._held(method)) <= loop.time():
                return True
            self._end(method)

    def _has_room_for_status(self, now_s: float) -> bool:
        return self._everything.free_at(now_s, self.share * _STATUS_PART) <= now_s

    def _look_at(self, at_s: float) -> None:
        """Schedule a check of the waiting calls at the given time, unless an earlier check is scheduled."""
        if at_s < float("inf") and (self._timer is None or at_s < self._timer.when()):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_at(at_s + 0.001, self._pump)

    def _pump(self) -> None:
        """Start all calls that may begin now, the most urgent first, and schedule the next check."""
        now_s, soonest_s, kept = asyncio.get_running_loop().time(), float("inf"), []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            entry = heapq.heappop(self._waiting)
            _, _, method, future = entry
            if future.done():
                continue
            if (at_s := self._free_at(method, now_s)) <= now_s:
                self._begin(method)
                future.set_result(None)
            else:
                kept.append(entry)
                soonest_s = min(soonest_s, at_s)
        self._waiting = kept
        heapq.heapify(self._waiting)
        self._look_at(soonest_s)

    def _free_at(self, method: TelegramMethod[Any], now_s: float) -> float:
        chat = _chat(method)
        times = [self._held(method), now_s]
        if isinstance(method, (*_NEW, *_EDITS)):
            times.append(self._everything.free_at(now_s, self.share))
            if chat is not None and chat < 0:
                times.append(self._groups[chat].free_at(now_s, self.share))
        if isinstance(method, _NEW) and chat is not None:
            times.append(self._chats[chat].free_at(now_s, 1))
        return max(times)

    def _held(self, method: TelegramMethod[Any]) -> float:
        """Return the end of the current pause for a call's chat; return a time in the past if there is no pause."""
        return max(self._held_until.get(where, 0.0) for where in (None, _chat(method)))

    def _windows(self, method: TelegramMethod[Any]) -> Iterator[_Window]:
        """Yield the windows that limit a call: the window of all chats, and the windows of the call's chat or group."""
        chat = _chat(method)
        if isinstance(method, (*_NEW, *_EDITS)):
            yield self._everything
            if chat is not None and chat < 0:
                yield self._groups[chat]
        if isinstance(method, _NEW) and chat is not None:
            yield self._chats[chat]

    def _begin(self, method: TelegramMethod[Any]) -> None:
        for window in self._windows(method):
            window.begin()

    def _end(self, method: TelegramMethod[Any]) -> None:
        now_s = asyncio.get_running_loop().time()
        for window in self._windows(method):
            window.end(now_s)
        if self._waiting:
            # Calls that waited for this answer now wait until the end of its period.
            self._look_at(now_s + _CHAT_SECOND_S)
        if len(self._chats) > _MANY_CHATS:
            self._forget_quiet(now_s)

    def _forget_quiet(self, now_s: float) -> None:
        """Delete the windows of chats whose last calls are too old to delay new calls."""
        for windows in (self._chats, self._groups):
            for chat in [chat for chat, window in windows.items() if window.is_quiet(now_s)]:
                del windows[chat]


def _chat(method: TelegramMethod[Any]) -> int | None:
    chat = getattr(method, "chat_id", None)
    return chat if isinstance(chat, int) else None
