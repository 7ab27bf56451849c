"""More recordings than can be recognised: everybody gets a reply at once, and newcomers wait only for a short time."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio

from glas.settings import BotSettings, Settings
from tests.parts.bots import House, is_waiting, open_house, texts_of_buttons
from tests.parts.kept import OGG
from tests.parts.recogniser import Recogniser, open_recogniser
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

in_the_module = pytest.mark.asyncio(loop_scope="module")
AT_ONCE, A_MINUTE = 2, 5

_people = count(5_950_000_001)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def recogniser() -> AsyncIterator[Recogniser]:
    """A recogniser that returns no text until the test permits it."""
    async with open_recogniser() as made:
        made.pieces, made.delay_s = [(1.0, "Раз.")], 0.8  # so that recognition, not the queue, is slow
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, recogniser: Recogniser) -> AsyncIterator[House]:
    """A bot that handles two recordings at a time."""
    options = BotSettings(concurrency=AT_ONCE, recognitions=1, user_messages_per_minute=A_MINUTE)
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("bot"), bot=options)
    with TelegramServer() as telegram:
        async with open_house(settings, telegram, recogniser.client) as opened:
            yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def crowd(house: House, recogniser: Recogniser) -> AsyncIterator[list[JsonObject]]:
    """People whose recordings occupy the bot until the recogniser may answer."""
    recogniser.may_end.clear()
    running = [house.telegram.speak(next(_people), OGG) for _ in range(AT_ONCE)]
    for one in running:
        await house.answer(one, final=False)
    yield [*running, *(house.telegram.speak(next(_people), OGG) for _ in range(2))]
    recogniser.may_end.set()


def ended_s(house: House, answer: JsonObject) -> float:
    """Return when a message of the bot got its last text."""
    place = (answer["chat"]["id"], answer["message_id"])
    return max(one.at_s for one in house.telegram.world.versions if (one.chat_id, one.message_id) == place)


@in_the_module
async def test_everybody_is_told_at_once_and_answered_once(
    house: House, recogniser: Recogniser, crowd: list[JsonObject]
) -> None:
    """Meanwhile nothing is recognised; people beyond their limit are told so."""
    anna = next(_people)
    sent = [house.telegram.speak(anna, OGG) for _ in range(A_MINUTE + 1)]
    told = [await house.answer(one, final=False) for one in (*crowd, *sent)]
    assert recogniser.n_transcribed <= 1
    assert all(is_waiting(one) for one in told[:-1])
    assert "в очереди" in told[-2]["text"].lower()
    assert told[-1]["text"].startswith("Слишком часто")
    assert texts_of_buttons(told[-1])
    recogniser.may_end.set()
    answers = [await house.answer(one) for one in (*crowd, *sent)]
    assert [one["message_id"] for one in answers] == [one["message_id"] for one in told]
    assert all(one["text"].startswith(recogniser.text) for one in answers[:-1])


@in_the_module
async def test_a_newcomer_does_not_wait_for_all_recordings_of_somebody_else(
    house: House, recogniser: Recogniser, crowd: list[JsonObject]
) -> None:
    """The newcomer's single recording came last but is not answered last."""
    anna, boris = next(_people), next(_people)
    many = [house.telegram.speak(anna, OGG) for _ in range(A_MINUTE)]
    for one in (*crowd, *many):
        await house.answer(one, final=False)
    last = house.telegram.speak(boris, OGG)
    await house.answer(last, final=False)
    recogniser.may_end.set()
    newcomer = ended_s(house, await house.answer(last))
    others = [ended_s(house, await house.answer(one)) for one in many]
    assert newcomer < others[-2]
    assert others[1:] == sorted(others[1:])


@in_the_module
async def test_a_newcomer_is_welcomed_at_once(house: House, crowd: list[JsonObject]) -> None:
    """The answer to /start does not wait for recordings."""
    for one in crowd:
        await house.answer(one, final=False)
    welcome = await house.start(next(_people))
    assert not is_waiting(welcome)
