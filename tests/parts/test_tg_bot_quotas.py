"""Daily limits: counted for everybody by one rule, and not reset by /forget."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio
from sqlalchemy import select

from glas.db.session import database_url, open_database
from glas.db.tables import Base
from glas.domain.object_keys import recognition_key
from glas.settings import BotSettings, Settings
from tests.parts.bots import House, open_house
from tests.parts.corrections import HEARD, RIGHT
from tests.parts.kept import OGG, pressed, speak
from tests.parts.recogniser import Recogniser, open_recogniser
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

in_the_module = pytest.mark.asyncio(loop_scope="module")

MINUTES = 1
_people, _groups = count(5_950_000_001), count(1_001_000_001_401)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def recogniser() -> AsyncIterator[Recogniser]:
    """A recogniser of this module."""
    async with open_recogniser() as made:
        speak(made, HEARD)
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, recogniser: Recogniser) -> AsyncIterator[House]:
    """The system, with a limit of one minute a day for everybody."""
    options = BotSettings(user_minutes_per_day=MINUTES)
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("bot"), bot=options)
    with TelegramServer() as telegram:
        async with open_house(settings, telegram, recogniser.client) as opened:
            yield opened


async def say_for(house: House, recogniser: Recogniser, person: int, seconds: float, **details: object) -> JsonObject:
    """Send a recording of a given length, which Telegram also states."""
    recogniser.duration_s = seconds
    return await house.answer(house.telegram.speak(person, OGG, duration_s=int(seconds), **details))  # type: ignore[arg-type]


def is_refused(answer: JsonObject) -> bool:
    """Whether an answer says that the recording is beyond the daily limit."""
    return "а это предел" in answer["text"]


@in_the_module
async def test_the_unregistered_have_the_same_limit(house: House, recogniser: Recogniser) -> None:
    """Their recordings still count after /start; no Telegram id is stored for this."""
    stranger = next(_people)
    assert not is_refused(await say_for(house, recogniser, stranger, 40))
    assert is_refused(await say_for(house, recogniser, stranger, 40))
    assert not is_refused(await say_for(house, recogniser, next(_people), 40))
    stored = await everything(house)
    assert str(stranger) not in stored
    await house.start(stranger)
    assert is_refused(await say_for(house, recogniser, stranger, 40))
    assert not is_refused(await say_for(house, recogniser, stranger, 15))


async def everything(house: House) -> str:
    """Return all rows of the database as text."""
    opened = open_database(database_url(house.settings))
    async with opened.reading() as session:
        rows = [(await session.execute(select(table))).all() for table in Base.metadata.tables.values()]
    await opened.close()
    return str(rows)


@in_the_module
async def test_forgetting_gives_no_new_minutes(house: House, recogniser: Recogniser) -> None:
    """The usage has only a pseudonym, so it stays."""
    anna = next(_people)
    await house.start(anna)
    assert not is_refused(await say_for(house, recogniser, anna, 40))
    question = await house.answer(house.telegram.say(anna, "/forget"))
    await house.press(anna, question, "🗑")
    await house.until(lambda: "Удалено" in house.telegram.world.messages[(anna, question["message_id"])]["text"])
    assert is_refused(await say_for(house, recogniser, anna, 40))
    await house.start(anna)
    assert is_refused(await say_for(house, recogniser, anna, 40))


@in_the_module
async def test_a_chat_that_speaks_has_a_limit(house: House, recogniser: Recogniser) -> None:
    """Anonymous administrators of a group share one limit; in a group a refusal is not sent."""
    group = -next(_groups)
    chat = {"id": group, "type": "supergroup", "title": "Соседи"}
    await say_for(house, recogniser, 1, 40, chat=group, speaking_as=chat)
    refused = house.telegram.speak(1, OGG, chat=group, speaking_as=chat, duration_s=40)
    after = await say_for(house, recogniser, 1, 15, chat=group, speaking_as=chat)
    replied = [one["reply_to_message"]["message_id"] for one in house.telegram.answers(group)]
    assert refused["message_id"] not in replied
    assert after["reply_to_message"]["message_id"] in replied


@in_the_module
async def test_subtitles_of_older_messages_count(house: House, recogniser: Recogniser) -> None:
    """Without a stored recognition they are recognised again, which the limit can refuse."""
    anna = next(_people)
    await house.start(anna)
    kept, first, second = [await say_for(house, recogniser, anna, 15) for _ in range(3)]
    for answer in (kept, first, second):
        row = await house.archived(answer)
        if answer is not kept:
            await house.services.data_loader.delete_keys([recognition_key(row.id)])
    assert "пятнадцать" in await pressed(house, anna, first)
    n_before = recogniser.n_transcribed
    await house.press(anna, second, "📄")
    await house.until(lambda: "минуты на сегодня кончились" in house.telegram.answers(anna)[-1].get("text", ""))
    assert recogniser.n_transcribed == n_before
    assert "пятнадцать" in await pressed(house, anna, kept)


@in_the_module
async def test_judging_corrections_has_a_limit_of_its_own(house: House, recogniser: Recogniser) -> None:
    """Beyond it the letters decide; the minutes for recordings are not reduced."""
    anna = next(_people)
    await house.start(anna)
    answer = await say_for(house, recogniser, anna, 25)
    for number, words in enumerate((RIGHT, HEARD.replace("пятницу", "субботу"), RIGHT), start=1):
        corrected = await house.answer(house.telegram.say(anna, words, reply_to=answer["message_id"]))
        assert "Спасибо" in corrected["text"]
        assert recogniser.n_judged == min(number, 2)
    assert not is_refused(await say_for(house, recogniser, anna, 30))
