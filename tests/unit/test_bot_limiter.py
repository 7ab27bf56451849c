"""Test that calls keep Telegram's rates at their arrival, however long each call travels, and that pauses are kept."""

import asyncio
import random
from itertools import pairwise
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import SendMessage, TelegramMethod
from aiogram.methods.base import Response

from glas.tg_bot.api import limiter
from glas.tg_bot.api.limiter import NotNowError, RateLimiter, Urgency, urgency
from glas.tg_bot.metrics import Metrics

LIMIT, PERIOD_S = 5, 0.1


class Telegram:
    """A server at which each call arrives at some time between its beginning and its answer."""

    def __init__(self) -> None:
        self.arrived: list[float] = []
        self.pauses: list[float] = []
        self._dice = random.Random(7)  # noqa: S311 - a repeatable test, no secret

    async def call(self, _bot: Bot, method: TelegramMethod[Any]) -> Response[Any]:
        """Answer the call, or request a pause."""
        await asyncio.sleep(self._dice.uniform(0, PERIOD_S))
        self.arrived.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._dice.uniform(0, PERIOD_S))
        if self.pauses:
            raise TelegramRetryAfter(method=method, message="Flood control", retry_after=int(self.pauses.pop()))
        return Response(ok=True, result=None)


@pytest.fixture
def telegram() -> Telegram:
    """A Telegram server with a slow connection."""
    return Telegram()


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> RateLimiter:
    """A limiter with a short second, so that tests are fast."""
    monkeypatch.setattr(limiter, "_PER_SECOND", LIMIT)
    monkeypatch.setattr(limiter, "_SECOND_S", PERIOD_S)
    monkeypatch.setattr(limiter, "_CHAT_SECOND_S", PERIOD_S)
    return RateLimiter()


async def send(rates: RateLimiter, telegram: Telegram, chat: int) -> None:
    """Send one message through the limiter."""
    await rates(telegram.call, Bot("1:a"), SendMessage(chat_id=chat, text="."))  # type: ignore[arg-type]


async def test_whatever_arrives_together_was_counted_together(rates: RateLimiter, telegram: Telegram) -> None:
    """Of many simultaneous calls, at most the permitted number arrives within any second."""
    await asyncio.gather(*(send(rates, telegram, chat) for chat in range(10 * LIMIT)))
    arrived = sorted(telegram.arrived)
    assert len(arrived) == 10 * LIMIT
    assert all(later - earlier >= PERIOD_S for earlier, later in zip(arrived, arrived[LIMIT:], strict=False))


async def test_messages_to_one_chat_keep_their_distance(rates: RateLimiter, telegram: Telegram) -> None:
    """At most one message per second arrives in one chat."""
    await asyncio.gather(*(send(rates, telegram, 1) for _ in range(5)))
    assert all(later - earlier >= PERIOD_S for earlier, later in pairwise(sorted(telegram.arrived)))


async def test_nobody_leaves_during_a_pause(rates: RateLimiter, telegram: Telegram) -> None:
    """During a pause calls to all chats wait; they are sent afterwards."""
    telegram.pauses.append(1)
    refused = asyncio.create_task(send(rates, telegram, 0))
    while telegram.pauses:  # noqa: ASYNC110 - the test's own flag
        await asyncio.sleep(0)
    told_s = asyncio.get_running_loop().time()
    await asyncio.gather(refused, *(send(rates, telegram, chat) for chat in range(1, 4)))
    assert len(telegram.arrived) == 5
    assert all(at_s >= told_s + 1 for at_s in telegram.arrived[1:])


async def test_a_call_that_is_given_up_leaves_its_place(rates: RateLimiter, telegram: Telegram) -> None:
    """A call that is cancelled while it waits, or when its turn comes, frees its place."""
    waiting = [asyncio.create_task(send(rates, telegram, chat)) for chat in range(4 * LIMIT)]
    while len(telegram.arrived) < LIMIT + 1:  # noqa: ASYNC110 - likewise
        await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.wait_for(send(rates, telegram, 99), 10)


async def test_status_lines_leave_room_for_replies(rates: RateLimiter, telegram: Telegram) -> None:
    """While a third of the rate is used, a status line of another chat is dropped, and a message is sent at once."""
    first = [asyncio.create_task(send(rates, telegram, chat)) for chat in range(max(1, LIMIT // 3))]
    await asyncio.sleep(0)
    with urgency(Urgency.STATUS), pytest.raises(NotNowError):
        await send(rates, telegram, 98)
    last = asyncio.create_task(send(rates, telegram, 99))
    await asyncio.sleep(0)
    assert not rates._waiting
    await asyncio.gather(*first, last)


async def test_what_waits_or_is_dropped_is_counted(rates: RateLimiter, telegram: Telegram) -> None:
    """Of three messages to one chat, the first is sent at once and two wait; a status line meanwhile is dropped."""
    metrics = Metrics()
    rates._metrics = metrics
    telegram.pauses.append(0)
    sending = [asyncio.create_task(send(rates, telegram, 1)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with urgency(Urgency.STATUS), pytest.raises(NotNowError):
        await send(rates, telegram, 1)
    await asyncio.gather(*sending)
    lines = metrics.render().decode().splitlines()
    assert "glas_bot_status_lines_dropped_total 1.0" in lines
    assert "glas_bot_pauses_asked_total 1.0" in lines
    (held,) = [float(line.split()[1]) for line in lines if line.startswith("glas_bot_sends_held_seconds_count ")]
    assert held >= 2
