"""Many people and groups send messages at once while Telegram asks for pauses.

Its rates are kept, and everybody is answered.

`make test` sends 120 messages, `make chaos` 5,000.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import TelegramMethod
from aiogram.methods.base import Response, TelegramType

from glas.clients.nn_service import NnServiceClient
from glas.settings import Settings
from tests.parts.bots import House, is_waiting, open_house
from tests.parts.recogniser import answer, health
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

N_MESSAGES = int(os.environ.get("BURST_MESSAGES", "120"))
N_IN_GROUPS = N_MESSAGES // 5
# Not everybody speaks once only. In a group each answer takes two of its twenty calls a minute.
PEOPLE = [5_300_000_000 + number for number in range(N_MESSAGES * 3 // 5)]
GROUPS = [-1_005_300_000_000 - number for number in range(-(-N_IN_GROUPS // 7))]
FREE = ("GetUpdates",)
OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()
PATIENCE_S = 60 + 0.3 * N_MESSAGES


@dataclass
class Sent:
    """A call of the bot: its beginning, the time of its answer, and the pause that Telegram requested."""

    method: str
    chat_id: int | None
    began_s: float
    ended_s: float = float("inf")
    pause_s: float | None = None


@dataclass
class Wire(BaseRequestMiddleware):
    """Records calls between the limiter and the network, with what the bot knew when it made them."""

    sent: list[Sent] = field(default_factory=list)

    async def __call__(
        self, make_request: NextRequestMiddlewareType[TelegramType], bot: Bot, method: TelegramMethod[TelegramType]
    ) -> Response[TelegramType]:
        """Record a call."""
        call = Sent(type(method).__name__, getattr(method, "chat_id", None), time.monotonic())
        self.sent.append(call)
        try:
            return await make_request(bot, method)
        except TelegramRetryAfter as error:
            call.pause_s = error.retry_after
            raise
        finally:
            call.ended_s = time.monotonic()

    def pauses(self) -> list[Sent]:
        """Return the calls that Telegram refused because of its rates."""
        return [call for call in self.sent if call.pause_s is not None]

    def hasty(self) -> list[Sent]:
        """Return calls that began within a known pause: for a group only calls to this group, otherwise all calls."""
        found = []
        for refused in self.pauses():
            chat = refused.chat_id if refused.chat_id in GROUPS else None
            until_s = refused.ended_s + (refused.pause_s or 0)
            concerned = [call for call in self.sent if call.method not in FREE and chat in (None, call.chat_id)]
            found += [call for call in concerned if refused.ended_s < call.began_s < until_s]
        return found


def recognised(_request: httpx.Request) -> httpx.Response:
    """The answer of a recogniser that answers at once."""
    return httpx.Response(200, json=health() | answer("привет", 3.0))


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    """The test server of Telegram for this test."""
    with TelegramServer() as running:
        yield running


@pytest.fixture
async def house(settings: Settings, telegram: TelegramServer) -> AsyncIterator[House]:
    """The system with a recogniser that answers at once."""
    transport = httpx.MockTransport(recognised)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://nn_service", timeout=60) as http,
        open_house(settings, telegram, NnServiceClient(http)) as opened,
    ):
        yield opened


def speak(telegram: TelegramServer) -> list[JsonObject]:
    """Let everybody send a message at once, also in groups."""
    sent = []
    for number in range(N_MESSAGES):
        person = PEOPLE[number % len(PEOPLE)]
        chat = GROUPS[number // 5 % len(GROUPS)] if number % 5 == 0 else None
        sent.append(telegram.speak(person, OGG, chat=chat))
    return sent


def ask_for_pauses(telegram: TelegramServer) -> int:
    """At intervals, let Telegram refuse all calls of a method, or calls to one group; return how often."""
    scripted: list[dict[str, Any]] = []
    for number in range(max(1, N_MESSAGES // 250)):
        skip = 20 + 240 * number
        scripted += [
            {"method": "sendMessage", "retry_after_s": 2, "skip": skip},
            {"method": "editMessageText", "retry_after_s": 1, "skip": skip},
            {"method": "sendMessage", "retry_after_s": 3, "skip": 2, "chat_id": GROUPS[number]},
        ]
    for fault in scripted:
        telegram.fail(kind="too_many", **fault)
    return len(scripted)


def replies(telegram: TelegramServer) -> list[JsonObject]:
    """Return the bot's replies in all chats, including placeholders."""
    with telegram.world.lock:
        messages = list(telegram.world.messages.values())
    return [one for one in messages if "reply_to_message" in one]


def answered(telegram: TelegramServer) -> "Counter[int]":
    """Return how many final answers each message has."""
    return Counter(one["reply_to_message"]["message_id"] for one in replies(telegram) if not is_waiting(one))


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_S + 30)
async def test_a_burst_with_pauses_asked_for(house: House) -> None:
    """Pauses for all chats and for one group are kept; everybody is answered once."""
    telegram, wire = house.telegram, Wire()
    house.bot.bot.session.middleware(wire)
    n_pauses = ask_for_pauses(telegram)
    sent, began_s = speak(telegram), time.monotonic()
    while len(answered(telegram)) < len(sent):
        assert not house.running.done()
        assert time.monotonic() - began_s < PATIENCE_S, f"{len(answered(telegram))} of {len(sent)} are answered"
        await asyncio.sleep(0.5)
    took_s = time.monotonic() - began_s
    assert answered(telegram) == Counter(message["message_id"] for message in sent)
    assert len(replies(telegram)) == len(sent)
    assert len(wire.pauses()) == n_pauses
    assert wire.hasty() == []
    assert telegram.violations()[:3] == (0, 0, 0)
    on_the_way = telegram.violations().before_retry_after
    print(f"{len(sent)} messages, {n_pauses} pauses, {took_s:.0f} s; {on_the_way} calls met a 429 that was on its way")  # noqa: T201 - shown by `pytest -s` and `make chaos`
