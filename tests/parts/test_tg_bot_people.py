"""Commands of people besides recordings: their data, languages and choices; and commands of administrators."""

import hashlib
import io
import json
import sqlite3
import zipfile
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import count

import pytest
import pytest_asyncio

from glas.clients.erasure import erase_person
from glas.data_loader.exporter import last_success_s
from glas.domain.audit import Action
from glas.domain.errors import NotFoundError
from glas.domain.people import Locale, Purpose, Role
from glas.settings import Settings
from glas.tg_bot.people import privacy
from glas.tg_bot.talk.phrases import Phrases, coins
from glas.tg_bot.talk.picture import START
from glas.tg_bot.talk.texts import units
from glas.tg_bot.voices.jobs import RepairJob
from tests.conftest import Sample, Server
from tests.parts.bots import House, nn_service_at, open_house, texts_of_buttons
from tests.telegram.server import TelegramServer
from tests.telegram.world import BOT_ID

ADMIN = 5_100_000_001
_people = count(5_100_000_002)
in_the_module = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, server: Server) -> AsyncIterator[House]:
    """The system, with one administrator; each test brings people of its own."""
    nn_service = nn_service_at(server.url)
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("bot"), admin_user_ids=str(ADMIN))
    with TelegramServer() as telegram:
        async with open_house(settings, telegram, nn_service) as opened:
            yield opened
    await nn_service.close()


@pytest.fixture
def anna() -> int:
    """A person who has not pressed /start."""
    return next(_people)


def remembered(house: House, person: int) -> list[str]:
    """Return what the durable engine's tables contain about a person."""
    with closing(sqlite3.connect(house.settings.data_dir / "durable.sqlite", timeout=10)) as connection:
        query = "SELECT workflow_uuid FROM workflow_status WHERE authenticated_user = ? OR inputs LIKE ?"
        rows = connection.execute(query, (str(person), f"%{person}%"))
        wishes = connection.execute("SELECT person FROM glas_forgotten WHERE person = ?", (str(person),))
        return [name for (name,) in (*rows, *wishes)]


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
    """Russian has three plural forms."""
    assert coins(hundredths, Locale.RU) == expected


@in_the_module
async def test_a_newcomer_registers_and_chooses(house: House, anna: int) -> None:
    """Registered by /start; the consent to training is separate, recorded and withdrawn; the language changes."""
    db_assist = house.services.db_assist
    welcome = await house.start(anna)
    assert texts_of_buttons(welcome) == ["✅ Разрешаю учиться"]
    assert welcome["photo"]
    assert welcome["caption"].startswith("Здравствуйте!")
    user = await db_assist.user(anna)
    assert user.consents == {Purpose.SERVICE}
    assert "разрешение записано" in (await house.press(anna, welcome, "✅")).lower()
    assert Purpose.TRAINING in (await db_assist.user(anna)).consents
    settings = await house.answer(house.telegram.say(anna, "/settings"))
    assert "разрешено" in settings["text"]
    await house.press(anna, settings, "🚫")
    assert Purpose.TRAINING not in (await db_assist.user(anna)).consents
    languages = await house.answer(house.telegram.say(anna, "/language"))
    await house.press(anna, languages, "English")
    assert (await house.answer(house.telegram.say(anna, "/balance")))["text"].startswith("Balance: 0 coins")
    assert (await house.answer(house.telegram.say(anna, "hello")))["text"].startswith("Send a voice message")


@in_the_module
async def test_an_english_app_gets_english_and_a_choice(house: House, anna: int) -> None:
    """A button below /start shows the text in the other language, which is stored; the consent does not change."""
    welcome = await house.answer(house.telegram.say(anna, "/start", language="en"))
    assert welcome["caption"].startswith("Hello!")
    assert texts_of_buttons(welcome) == ["✅ I allow it", "Русский"]
    await house.press(anna, welcome, "Русский")
    place = (anna, welcome["message_id"])
    await house.until(lambda: house.telegram.world.messages[place]["caption"].startswith("Здравствуйте!"))
    await house.until(lambda: texts_of_buttons(house.telegram.world.messages[place])[1:] == ["English"])
    assert (await house.services.db_assist.user(anna)).locale is Locale.RU
    assert (await house.answer(house.telegram.say(anna, "/balance", language="en")))["text"].startswith("Баланс")


@in_the_module
@pytest.mark.parametrize(("language", "button"), [("ru", []), ("kk", ["English"])])
async def test_other_apps_get_russian(house: House, anna: int, language: str, button: list[str]) -> None:
    """A person with a third language may choose English, too."""
    told = await house.answer(house.telegram.say(anna, "/settings", language=language))
    assert told["text"] == "Сначала нажмите /start."
    welcome = await house.answer(house.telegram.say(anna, "/start", language=language))
    assert welcome["caption"].startswith("Здравствуйте!")
    assert texts_of_buttons(welcome) == ["✅ Разрешаю учиться", *button]


@in_the_module
async def test_the_picture_is_uploaded_once(house: House) -> None:
    """Later messages use its id; without permission for pictures or with an unknown id, /start works as well."""
    world, data = house.telegram.world, START.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    await house.start(next(_people))
    # One, or as many as pressed /start at the same moment, before its id was known.
    n_uploads = list(world.documents.values()).count(data)
    assert n_uploads >= 1
    for _ in range(3):
        await house.start(next(_people))
    assert list(world.documents.values()).count(data) == n_uploads
    for file_id in [one for one in world.files if one.startswith("sent-photo")]:
        del world.files[file_id]
    assert (await house.start(next(_people)))["photo"]
    assert list(world.documents.values()).count(data) == n_uploads + 1
    house.telegram.fail("sendPhoto", "bad_request", times=2)
    plain = await house.start(next(_people))
    assert plain["text"].startswith("Здравствуйте!")
    assert texts_of_buttons(plain) == ["✅ Разрешаю учиться"]


@pytest.mark.parametrize("locale", list(Locale))
def test_the_first_words_fit_under_the_picture(locale: Locale) -> None:
    """Telegram's limit for a caption is 1,024 units."""
    assert units(Phrases()[locale]("start")) <= 1024


@in_the_module
async def test_everything_is_given_and_everything_is_forgotten(house: House, anna: int, samples: list[Sample]) -> None:
    """/mydata contains the recording and its text; after /forget only ledger entries without a name are left."""
    await house.press(anna, await house.start(anna), "✅")
    data = samples[0].path.read_bytes()
    answer = await house.answer(house.telegram.speak(anna, data))
    row = await house.archived(answer)
    assert row.audio_key is not None
    await house.services.data_loader.export_now()
    assert last_success_s(house.settings.export_dir) is not None
    exported = house.settings.data_dir / "downloads" / "0" / str(row.id)
    assert exported.exists()
    sent = await house.answer(house.telegram.say(anna, "/mydata"))
    archive = zipfile.ZipFile(io.BytesIO(house.telegram.world.documents[(anna, sent["message_id"])]))
    assert archive.read(f"{row.id}/{row.id}_audio.ogg") == data
    assert json.loads(archive.read("data.json"))["transcriptions"][0]["text"] == answer["text"]
    question = await house.answer(house.telegram.say(anna, "/forget"))
    await house.press(anna, question, "Нет")
    question = await house.answer(house.telegram.say(anna, "/forget"))
    await house.press(anna, question, "🗑")
    await house.until(lambda: any("Удалено всё" in text for text in house.shown()))
    with pytest.raises(NotFoundError):
        await house.services.db_assist.user(anna)
    with pytest.raises(NotFoundError):
        await house.services.data_loader.fetch_audio(row.audio_key)
    await house.until(lambda: not exported.exists(), "the export's forgetting, without waiting for its hour")
    await house.until(lambda: not remembered(house, anna), "the durable engine's forgetting, of the press itself too")


@in_the_module
async def test_what_is_deleted_on_the_pages_is_forgotten_here_too(
    house: House, anna: int, samples: list[Sample]
) -> None:
    """The pages cannot delete the durable engine's records and queue."""
    await house.start(anna)
    await house.archived(await house.answer(house.telegram.speak(anna, samples[0].path.read_bytes())))
    assert remembered(house, anna)
    services = house.services
    assert await erase_person(anna, services.db_assist, services.data_loader) == 1
    await privacy.forget_work(services.db_assist, house.durable)
    await house.until(lambda: not remembered(house, anna), "the durable engine's forgetting")
    assert anna not in (await services.db_assist.work_to_forget()).people


@in_the_module
async def test_lost_originals_are_fetched_again(house: House, anna: int, samples: list[Sample]) -> None:
    """Missing, damaged and never archived objects are repaired, if Telegram has the file; /repair reports it."""
    await house.start(anna)
    await house.start(ADMIN)
    rows = []
    for number in range(5):
        sent = house.telegram.speak(anna, samples[number % 2].path.read_bytes(), file_id=f"lost-{number}")
        rows.append(await house.archived(await house.answer(sent)))
    store = house.settings.data_dir / "s3"
    missing, damaged, textless, _unarchived, gone = [store / (row.audio_key or "") for row in rows]
    original = damaged.read_bytes()
    missing.unlink()
    # Only reading finds this one, and each is read on one day of the week.
    damaged.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    (textless.parent / f"{rows[2].id}_transcription.txt").unlink()
    with closing(sqlite3.connect(house.settings.data_dir / "glas.db", timeout=10)) as connection, connection:
        old = "2026-01-01 00:00:00.000000"
        connection.execute(
            "UPDATE transcriptions SET audio_key = NULL, audio_sha256 = NULL, audio_size_bytes = NULL, "
            "changed_datetime = ? WHERE id = ?",
            (old, rows[3].id),
        )
    gone.unlink()
    del house.telegram.world.files["lost-4"]
    day = datetime(2026, 11, 23 + rows[1].id % 7, 12, tzinfo=UTC)  # the 23rd is a Monday
    job = RepairJob(bot_id=BOT_ID, chat_id=ADMIN, message_id=1, time=day.isoformat())
    await house.durable.enqueue(job.work())
    await house.until(
        lambda: "восстановлено: 4, вернуть нельзя: 1" in house.telegram.answers(ADMIN)[-1].get("text", "")
    )
    for row in rows[:4]:
        again = await house.services.db_assist.transcription(row.id)
        assert again.audio_key == row.audio_key
        data = (store / (row.audio_key or "")).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row.audio_sha256 == again.audio_sha256
        text = (store / f"{row.id}/{row.id}_transcription.txt").read_text(encoding="utf-8")
        assert text == row.text
    house.telegram.say(anna, "/repair")
    asked = await house.answer(house.telegram.say(ADMIN, "/repair"))
    assert asked["text"].startswith("Ищу")
    await house.until(lambda: "Потеряно: 1, восстановлено: 0" in house.telegram.answers(ADMIN)[-1].get("text", ""))


@in_the_module
async def test_administrators_only_by_number(house: House, anna: int) -> None:
    """The commands work only for ids in the settings."""
    await house.start(anna)
    await house.start(ADMIN)
    for text in ("/grant 1 1000 себе", "/stats", "/ban 1"):
        assert (await house.answer(house.telegram.say(anna, text)))["text"].startswith("Пришлите голосовое")
    granted = await house.answer(house.telegram.say(ADMIN, f"/grant {anna} 12,5 за помощь"))
    assert granted["text"] == f"Готово. Баланс {anna}: 12,5 монеты"
    assert (await house.services.db_assist.user(ADMIN)).role is Role.ADMIN
    assert "Людей: " in (await house.answer(house.telegram.say(ADMIN, "/stats")))["text"]
    await house.answer(house.telegram.say(ADMIN, f"/ban {anna}"))
    before = len(house.telegram.answers(anna))
    house.telegram.say(anna, "/balance")
    await house.answer(house.telegram.say(ADMIN, f"/unban {anna}"))
    assert len(house.telegram.answers(anna)) == before
    done = (await house.services.db_assist.audit(tg_id=anna)).items
    assert [(one.action, one.actor_tg_id) for one in done[::-1]] == [
        (Action.GRANT, ADMIN),
        (Action.BAN, ADMIN),
        (Action.BAN, ADMIN),
    ]
    assert (await house.answer(house.telegram.say(anna, "/balance")))["text"].startswith("Баланс: 12,5 монеты")
