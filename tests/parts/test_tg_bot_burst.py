"""A burst: many people and groups speak at once while Telegram asks for pauses; its rates hold, nobody is forgotten."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from glas.clients.nn_service import NnServiceClient
from glas.settings import Settings
from tests.parts.bots import House, is_waiting, open_house
from tests.telegram.calls import Call
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

PEOPLE = [5_300_000_000 + number for number in range(94)]
GROUPS = [-1_005_300_000_000 - number for number in range(6)]
IN_PRIVATE, IN_GROUPS = 108, 42  # in a group each takes two of its twenty calls a minute
# What Telegram asks for: by everybody's calls of a method, or by those in one group.
PAUSES_S: dict[tuple[str, int | None], int] = {
    ("sendMessage", None): 2,
    ("editMessageText", None): 1,
    ("sendMessage", GROUPS[0]): 3,
}
# A refusal takes back no call that left before it came.
ON_THE_WAY_S = 0.3
FREE = ("getUpdates", "download")
OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()


def recognised(_request: httpx.Request) -> httpx.Response:
    """What a recogniser answers, at once."""
    body = {"status": "ok", "model": "stub", "version": "1", "in_flight": 0}
    return httpx.Response(200, json=body | {"text": "привет", "duration": 3.0, "processing_seconds": 0.1})


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    """A Telegram of this test."""
    with TelegramServer() as running:
        yield running


@pytest.fixture
async def house(settings: Settings, telegram: TelegramServer) -> AsyncIterator[House]:
    """The system with a recogniser that answers at once."""
    transport = httpx.MockTransport(recognised)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://nn_service") as http,
        open_house(settings, telegram, NnServiceClient(http)) as opened,
    ):
        yield opened


def speak(telegram: TelegramServer) -> list[JsonObject]:
    """Everybody at once; groups in between."""
    sent = [telegram.speak(PEOPLE[number % len(PEOPLE)], OGG) for number in range(IN_PRIVATE)]
    for number in range(IN_GROUPS):
        person, group = PEOPLE[number % len(PEOPLE)], GROUPS[number % len(GROUPS)]
        sent.append(telegram.speak(person, OGG, chat=group))
    return sent


def answered(telegram: TelegramServer, chats: set[int]) -> "Counter[tuple[int, int]]":
    """How many final answers each message has, by its chat and number."""
    return Counter(
        (chat, answer["reply_to_message"]["message_id"])
        for chat in chats
        for answer in telegram.answers(chat)
        if "reply_to_message" in answer and not is_waiting(answer)
    )


def hasty(calls: list[Call]) -> list[Call]:
    """Calls within a pause that Telegram asked for: in a group's only those to it, in any other one all of them."""
    found = []
    for refused in (call for call in calls if call.outcome == "429"):
        chat = refused.chat_id if refused.chat_id in GROUPS else None
        pause_s = PAUSES_S.get((refused.method, chat), PAUSES_S[refused.method, None])
        begin_s, end_s = refused.at_s + ON_THE_WAY_S, refused.at_s + pause_s
        concerned = [call for call in calls if call.method not in FREE and chat in (None, call.chat_id)]
        found += [call for call in concerned if begin_s < call.at_s < end_s]
    return found


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_burst_with_pauses_asked_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses for all and for one group are each kept to; everybody is answered once."""
    monkeypatch.setattr("tests.parts.bots.TIMEOUT_S", 90.0)
    telegram = house.telegram
    for (method, group), pause_s in PAUSES_S.items():
        telegram.fail(method, "too_many", retry_after_s=pause_s, chat_id=group, skip=20 if group is None else 2)
    sent = speak(telegram)
    chats = {message["chat"]["id"] for message in sent}
    await house.until(lambda: len(answered(telegram, chats)) == len(sent), "an answer to everybody")
    assert set(answered(telegram, chats).values()) == {1}
    assert sum(len(telegram.answers(chat)) for chat in chats) == len(sent)
    assert [call.outcome for call in telegram.world.calls].count("429") == len(PAUSES_S)
    assert hasty(telegram.world.calls) == []
    assert telegram.violations()[:3] == (0, 0, 0)
