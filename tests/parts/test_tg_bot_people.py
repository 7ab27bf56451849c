"""What people can ask of the bot besides text: their data, their languages, their choices; and what admins can."""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator

import pytest

from glas.domain.errors import NotFoundError
from glas.domain.people import Locale, Purpose, Role
from glas.settings import BotSettings, Settings
from glas.tg_bot.phrases import Phrases, coins
from tests.conftest import Sample, Server
from tests.parts.bots import House, nn_service_at, open_house, texts_of_buttons
from tests.telegram.server import TelegramServer

ADMIN, ANNA, BORIS = 5_100_000_001, 5_100_000_002, 5_100_000_003


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    """A Telegram of this test."""
    with TelegramServer() as running:
        yield running


@pytest.fixture
async def house(settings: Settings, telegram: TelegramServer, server: Server) -> AsyncIterator[House]:
    """The system, with one administrator."""
    nn_service = nn_service_at(server.url)
    with_admin = settings.model_copy(update={"admin_user_ids": str(ADMIN)})
    async with open_house(with_admin, telegram, nn_service) as opened:
        yield opened
    await nn_service.close()


def test_both_languages_say_the_same_things() -> None:
    """No phrase is missing in one of them, and all have the same variables."""
    phrases = Phrases()
    assert phrases.names(Locale.RU) == phrases.names(Locale.EN)


@pytest.mark.parametrize(
    ("hundredths", "expected"),
    [
        (0, "0 монет"),
        (100, "1 монета"),
        (250, "2,5 монеты"),
        (1100, "11 монет"),
        (-300, "−3 монеты"),
        (5, "0,05 монеты"),
    ],
)
def test_coins_are_said_in_the_right_form(hundredths: int, expected: str) -> None:
    """Russian counts in three ways."""
    assert coins(hundredths, Locale.RU) == expected


async def test_a_newcomer_registers_and_chooses(house: House) -> None:
    """Registered by /start; the consent to training is separate, recorded and withdrawn; the language changes."""
    db_assist = house.services.db_assist
    welcome = await house.start(ANNA)
    assert texts_of_buttons(welcome) == ["✅ Разрешаю учиться"]
    user = await db_assist.user(ANNA)
    assert user.consents == {Purpose.SERVICE}
    assert "разрешение записано" in (await house.press(ANNA, welcome, "✅")).lower()
    assert Purpose.TRAINING in (await db_assist.user(ANNA)).consents
    settings = await house.answer(house.telegram.say(ANNA, "/settings"))
    assert "разрешено" in settings["text"]
    await house.press(ANNA, settings, "🚫")
    assert Purpose.TRAINING not in (await db_assist.user(ANNA)).consents
    languages = await house.answer(house.telegram.say(ANNA, "/language"))
    await house.press(ANNA, languages, "English")
    assert (await house.answer(house.telegram.say(ANNA, "/balance")))["text"].startswith("Balance: 0 coins")
    assert (await house.answer(house.telegram.say(ANNA, "hello")))["text"].startswith("Send a voice message")


async def test_everything_is_given_and_everything_is_forgotten(house: House, samples: list[Sample]) -> None:
    """/mydata holds the recording and its text; after /forget nothing is left anywhere but a ledger without a name."""
    await house.start(ANNA)
    data = samples[0].path.read_bytes()
    answer = await house.answer(house.telegram.speak(ANNA, data))
    row = await house.archived(answer)
    assert row.audio_key is not None
    sent = await house.answer(house.telegram.say(ANNA, "/mydata"))
    archive = zipfile.ZipFile(io.BytesIO(house.telegram.world.documents[(ANNA, sent["message_id"])]))
    assert archive.read(f"{row.id}/{row.id}_audio.ogg") == data
    assert json.loads(archive.read("data.json"))["transcriptions"][0]["text"] == answer["text"]
    question = await house.answer(house.telegram.say(ANNA, "/forget"))
    await house.press(ANNA, question, "Нет")
    question = await house.answer(house.telegram.say(ANNA, "/forget"))
    await house.press(ANNA, question, "🗑")
    await house.until(lambda: any("Удалено всё" in text for text in house.shown()))
    with pytest.raises(NotFoundError):
        await house.services.db_assist.user(ANNA)
    with pytest.raises(NotFoundError):
        await house.services.data_loader.fetch_audio(row.audio_key)
    durable = (house.settings.data_dir / "durable.sqlite").read_bytes()
    assert row.file_id.encode() not in durable or await house.durable.forget(str(ANNA)) <= 1


async def test_administrators_only_by_number(house: House) -> None:
    """Anybody may type the commands; they work for numbers in the settings."""
    await house.start(ANNA)
    await house.start(ADMIN)
    for text in ("/grant 1 1000 себе", "/stats", "/ban 1"):
        assert (await house.answer(house.telegram.say(ANNA, text)))["text"].startswith("Пришлите голосовое")
    granted = await house.answer(house.telegram.say(ADMIN, f"/grant {ANNA} 12,5 за помощь"))
    assert granted["text"] == f"Готово. Баланс {ANNA}: 12,5 монеты"
    assert (await house.services.db_assist.user(ADMIN)).role is Role.ADMIN
    assert "Людей: 2" in (await house.answer(house.telegram.say(ADMIN, "/stats")))["text"]
    await house.answer(house.telegram.say(ADMIN, f"/ban {ANNA}"))
    before = len(house.telegram.answers(ANNA))
    house.telegram.say(ANNA, "/balance")
    await house.answer(house.telegram.say(ADMIN, f"/unban {ANNA}"))
    assert len(house.telegram.answers(ANNA)) == before
    assert (await house.answer(house.telegram.say(ANNA, "/balance")))["text"].startswith("Баланс: 12,5 монеты")


async def test_limits_and_the_allow_list(
    settings: Settings, telegram: TelegramServer, server: Server, samples: list[Sample]
) -> None:
    """Strangers are told their number; minutes a day are counted; a confirmation can be asked first."""
    nn_service = nn_service_at(server.url)
    closed = settings.model_copy(
        update={
            "allowed_telegram_user_ids": str(ANNA),
            "bot": BotSettings(user_minutes_per_day=1, confirm_first=True, concurrency=2),
        }
    )
    async with open_house(closed, telegram, nn_service) as house:
        refused = await house.answer(telegram.say(BORIS, "/start"))
        assert str(BORIS) in refused["text"]
        await house.start(ANNA)
        question = await house.answer(telegram.speak(ANNA, samples[1].path.read_bytes()))
        assert texts_of_buttons(question) == ["▶️ Распознать"]
        telegram.press(ANNA, question["message_id"], "▶️")
        await house.until(lambda: "✅" in texts_of_buttons(telegram.answers(ANNA)[-1]))
        assert telegram.answers(ANNA)[-1]["message_id"] == question["message_id"]
        question = await house.answer(telegram.speak(ANNA, samples[2].path.read_bytes(), duration_s=90))
        telegram.press(ANNA, question["message_id"], "▶️")
        await house.until(lambda: "кончились" in telegram.answers(ANNA)[-1]["text"])
    await nn_service.close()
