"""The way of a voice message through all parts: from Telegram to the text, the rating, the coins and the archive."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest

from glas.domain.messages import Score, Status
from glas.domain.rewards import reward_hundredths
from glas.settings import Settings
from tests.conftest import Sample, Server
from tests.parts.bots import House, nn_service_at, open_house, texts_of_buttons
from tests.telegram.server import TelegramServer

_people = count(5_000_000_001)


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    """A Telegram of this test."""
    with TelegramServer() as running:
        yield running


@pytest.fixture
async def house(settings: Settings, telegram: TelegramServer, server: Server) -> AsyncIterator[House]:
    """The system, with the embedded model."""
    nn_service = nn_service_at(server.url)
    async with open_house(settings, telegram, nn_service) as opened:
        yield opened
    await nn_service.close()


@pytest.fixture
async def anna(house: House) -> int:
    """A person who has pressed /start."""
    person = next(_people)
    await house.start(person)
    return person


async def test_a_voice_message_is_answered_rated_paid_and_kept(house: House, anna: int, samples: list[Sample]) -> None:
    """The main job, whole."""
    data = samples[0].path.read_bytes()
    direct = (await house.services.nn_service.transcribe(data)).hypothesis
    answer = await house.answer(house.telegram.speak(anna, data))
    assert answer["text"] == direct.text
    assert texts_of_buttons(answer)[:3] == ["❌", "👌", "✅"]
    row = await house.archived(answer)
    assert (row.status, row.text) == (Status.DONE, direct.text)
    assert row.duration_s == pytest.approx(direct.duration_s)
    assert row.audio_key is not None
    assert await house.services.data_loader.fetch_audio(row.audio_key) == data
    assert row.audio_sha256 == hashlib.sha256(data).hexdigest()
    words = await house.press(anna, answer, "✅")
    assert words.startswith("Спасибо! Начислено ")
    user = await house.services.db_assist.user(anna)
    assert user.cash_hundredths == reward_hundredths(direct.duration_s)
    await house.until(lambda: "✅ ●" in texts_of_buttons(house.telegram.answers(anna)[-1]))
    assert "Оценка изменена" in await house.press(anna, answer, "❌")
    assert (await house.row_of(answer)).score is Score.BAD
    assert (await house.services.db_assist.user(anna)).cash_hundredths == user.cash_hundredths
    assert [one["text"] for one in house.telegram.answers(anna) if one["text"] == direct.text] == [direct.text]
