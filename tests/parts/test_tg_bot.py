"""A voice message passes all parts: from Telegram to its text, rating, coins and archive."""

import hashlib
import io
import wave
from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio
from aiogram.types import Message

from glas.clients.db_assist_bodies import ChatSettings
from glas.domain.messages import Score, Status
from glas.domain.rewards import reward_hundredths
from glas.domain.transcription import SURE
from glas.settings import Settings
from glas.tg_bot.voices.jobs import voice_job
from tests.conftest import Sample, Server
from tests.parts.bots import House, is_waiting, nn_service_at, open_house, texts_of_buttons
from tests.parts.corrections import ask, shows
from tests.parts.recordings import in_noise
from tests.telegram.people import buttons
from tests.telegram.server import TelegramServer
from tests.telegram.world import BOT_ID, JsonObject

pytestmark = pytest.mark.asyncio(loop_scope="module")

_people = count(5_000_000_001)


def silence_wav(seconds: float = 2.0) -> bytes:
    """A recording of silence."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(int(seconds * 32_000)))
    return buffer.getvalue()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, server: Server) -> AsyncIterator[House]:
    """The system, with the embedded model; each test brings people of its own."""
    nn_service = nn_service_at(server.url)
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("bot"))
    with TelegramServer() as telegram:
        async with open_house(settings, telegram, nn_service) as opened:
            yield opened
    await nn_service.close()


@pytest_asyncio.fixture(loop_scope="module")
async def anna(house: House) -> int:
    """A person who has pressed /start."""
    person = next(_people)
    await house.start(person)
    return person


async def test_a_voice_message_is_answered_rated_paid_and_kept(house: House, anna: int, samples: list[Sample]) -> None:
    """The main task of the bot, from the beginning to the end."""
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
    assert "Оценка записана" in await house.press(anna, answer, "❌")
    assert (await house.row_of(answer)).score is Score.BAD
    assert (await house.services.db_assist.user(anna)).cash_hundredths == user.cash_hundredths
    assert [one.get("text") for one in house.telegram.answers(anna)].count(direct.text) == 1


async def test_an_uncertain_text_says_so_and_is_kept_without_these_words(
    house: House, anna: int, samples: list[Sample]
) -> None:
    """The person gets a warning; the stored text does not contain the warning."""
    noisy = in_noise(samples[3].path.read_bytes(), snr_db=-5)
    direct = (await house.services.nn_service.transcribe(noisy)).hypothesis
    assert direct.confidence is not None
    assert direct.confidence < SURE
    answer = await house.answer(house.telegram.speak(anna, noisy))
    text, doubt = answer["text"].rsplit("\n\n", 1)
    assert text == direct.text
    assert doubt.startswith("🤔 Не уверен,")
    assert (await house.row_of(answer)).text == direct.text


@pytest.mark.parametrize("kind", ["audio", "video_note", "video", "document"])
async def test_other_media_are_answered_too(house: House, anna: int, first_words: list[bytes], kind: str) -> None:
    """The bytes decide, and not the kind that Telegram states."""
    answer = await house.answer(house.telegram.speak(anna, first_words[1], kind=kind))
    assert texts_of_buttons(answer)[:3] == ["❌", "👌", "✅"]
    assert (await house.row_of(answer)).media_kind == kind


async def test_a_forwarded_recording_is_answered_and_earns_nothing(
    house: House, anna: int, first_words: list[bytes]
) -> None:
    """Another person speaks in a forwarded recording."""
    sent = house.telegram.speak(anna, first_words[1], forwarded=True)
    answer = await house.answer(sent)
    assert (await house.row_of(answer)).is_forwarded
    assert "не начисляются" in await house.press(anna, answer, "✅")


async def test_the_same_file_is_answered_from_memory(house: House, anna: int, first_words: list[bytes]) -> None:
    """The file is downloaded and recognised once; the second answer is equal, and the archive copies the bytes."""
    sent = house.telegram.speak(anna, first_words[1], file_id="one")
    first = await house.answer(sent)
    await house.archived(first)
    before = (await house.services.nn_service.figures()).outcomes
    second = await house.answer(house.telegram.speak(anna, b"", file_id="one"))
    await house.archived(second)
    assert first["text"] == second["text"]
    path = house.telegram.world.files["one"].path
    assert [call.params["path"] for call in house.telegram.world.calls if call.method == "download"].count(path) == 1
    assert (await house.services.nn_service.figures()).outcomes == before


async def test_silence_is_said_to_be_silence(house: House, anna: int) -> None:
    """No words are written, and there is nothing to rate."""
    answer = await house.answer(house.telegram.speak(anna, silence_wav()))
    assert answer["text"] == "Речи не слышно."
    assert texts_of_buttons(answer) == []


async def test_a_file_that_is_away_gets_a_reason_and_another_attempt(
    house: House, anna: int, first_words: list[bytes]
) -> None:
    """«Повторить» replaces the message by the text."""
    sent = house.telegram.speak(anna, first_words[1])
    file = house.telegram.world.files.pop(sent["voice"]["file_id"])
    answer = await house.answer(sent)
    assert answer["text"].startswith("⚠️ Скачать запись из Telegram не удалось.")
    assert texts_of_buttons(answer) == ["🔁 Повторить"]
    house.telegram.world.files[sent["voice"]["file_id"]] = file
    house.telegram.press(anna, answer["message_id"], "🔁")
    await house.until(lambda: "✅" in texts_of_buttons(house.telegram.answers(anna)[-1]))
    assert house.telegram.answers(anna)[-1]["message_id"] == answer["message_id"]


async def test_a_file_over_the_limit_is_refused_in_words(house: House, anna: int) -> None:
    """Nothing is downloaded."""
    sent = house.telegram.speak(anna, b"x", size_bytes=25_000_000)
    assert (await house.answer(sent))["text"].startswith("Файл больше 20 МБ")
    asked = [call.params["file_id"] for call in house.telegram.world.calls if call.method == "getFile"]
    assert sent["voice"]["file_id"] not in asked


async def test_a_group_is_answered_by_name_and_by_its_setting(
    house: House, anna: int, first_words: list[bytes]
) -> None:
    """Unregistered people are answered and not stored; administrators may switch automatic answers off."""
    group, stranger, data = -1001, next(_people), first_words[1]
    answer = await house.answer(house.telegram.speak(stranger, data, chat=group))
    assert answer["text"].startswith(f"Person {stranger}: ")
    assert texts_of_buttons(answer) == []
    house.telegram.world.admins[group] = {anna}
    menu = await house.answer(house.telegram.say(anna, "/settings", chat=group))
    foreign = house.telegram.press(stranger, menu["message_id"], "Только", chat=group)
    await house.until(lambda: "администраторы" in (house.telegram.world.presses[foreign].text or ""))
    await house.press(anna, menu, "Только", chat=group)
    quiet = house.telegram.speak(anna, data, chat=group)
    asked = house.telegram.say(anna, "/transcribe", chat=group, reply_to=quiet["message_id"])
    answer = await house.answer(quiet)
    assert answer["message_id"] > asked["message_id"]
    assert answer["text"].startswith(f"Person {anna}: ")
    assert "✅" in texts_of_buttons(answer)
    query = house.telegram.press(stranger, answer["message_id"], "✅", chat=group)
    await house.until(lambda: "не для вас" in (house.telegram.world.presses[query].text or ""))


async def test_a_group_becomes_a_supergroup(house: House, anna: int, samples: list[Sample]) -> None:
    """The settings are kept; an answer that was being made is sent once to the new chat."""
    group, supergroup, data = -1002, -100_1002, samples[3].path.read_bytes()
    house.telegram.world.admins[group] = {anna}
    menu = await house.answer(house.telegram.say(anna, "/settings", chat=group))
    await house.press(anna, menu, "Только", chat=group)
    quiet = house.telegram.speak(anna, data, chat=group)
    house.telegram.fail("getFile", "slow", delay_s=1.0)
    house.telegram.say(anna, "/transcribe", chat=group, reply_to=quiet["message_id"])
    await house.answer(quiet, final=False)
    house.telegram.upgrade(anna, group, supergroup)
    await house.until(lambda: bool(house.telegram.answers(supergroup)))
    (answer,) = house.telegram.answers(supergroup)
    assert answer["text"].startswith(f"Person {anna}: ")
    assert "Спасибо" in await house.press(anna, answer, "✅", chat=supergroup)
    asked = await ask(house, anna, answer)
    right = samples[3].text.upper()
    fixed = await house.answer(house.telegram.say(anna, right, chat=supergroup, reply_to=asked["message_id"]))
    assert "Спасибо, исправлено:" in fixed["text"]
    await shows(house, answer, f"Person {anna}: {right}")
    house.telegram.world.messages.pop((supergroup, fixed["message_id"]))
    for chat in (group, supergroup):
        assert not (await house.services.db_assist.chat(BOT_ID, chat)).answers_automatically
    # What came before the change and is only begun now has its one answer in the new chat, too.
    job = voice_job(Message.model_validate(quiet), bot_id=BOT_ID, is_asked=True, attempt=2)
    assert job is not None
    await house.durable.enqueue(job.work())
    await house.until(lambda: len(house.telegram.answers(supergroup)) == 2)
    await house.until(lambda: not is_waiting(house.telegram.answers(supergroup)[-1]))
    assert len(house.telegram.answers(supergroup)) == 2
    await house.services.db_assist.set_chat(BOT_ID, supergroup, ChatSettings(answers_automatically=True))
    house.telegram.upgrade(anna, group, supergroup)
    answer = await house.answer(house.telegram.speak(anna, data, chat=supergroup))
    assert answer["text"].startswith(f"Person {anna}: ")


async def test_subtitles_are_sent_for_a_press(house: House, anna: int, samples: list[Sample]) -> None:
    """«📄 SRT» sends a file in reply to the text, before and after archiving; only to the person who may press."""
    answer = await house.answer(house.telegram.speak(anna, samples[0].path.read_bytes()))
    foreign = house.telegram.press(next(_people), answer["message_id"], "📄", chat=anna)
    await house.until(lambda: house.telegram.world.presses[foreign].is_answered)
    await house.archived(answer)
    for number in (1, 2):
        assert await house.press(anna, answer, "📄")
        await house.until(lambda number=number: len(sent_documents(house, anna)) == number)  # type: ignore[misc]
    for message, data in sent_documents(house, anna):
        assert message["document"]["file_name"] == "Субтитры.srt"
        assert message["reply_to_message"]["message_id"] == answer["message_id"]
        first, times, *words = data.decode().split("\n\n")[0].splitlines()
        assert (first, times[:14], times[12:17]) == ("1", times[:12] + " -", " --> ")
        assert " ".join(words).split()[0] == answer["text"].split()[0]


def sent_documents(house: House, chat: int) -> list[tuple[JsonObject, bytes]]:
    """Files that the bot sent to a chat."""
    world = house.telegram.world
    with world.lock:
        return [(world.messages[where], data) for where, data in world.documents.items() if where[0] == chat]


async def test_buttons_cannot_be_forged(house: House, anna: int, first_words: list[bytes]) -> None:
    """Random data, or another message's number with an old signature, is refused, and nothing is paid."""
    answer = await house.answer(house.telegram.speak(anna, first_words[1]))
    real = next(one["callback_data"] for one in buttons(answer))
    for data in ("x" * 64, "", "r:1:3", real.replace("r:", "r:9"), real[:-1] + "!", "r:-1:zz:0:" + real[-12:]):
        query = house.telegram.press(anna, answer["message_id"], data=data)
        await house.until(lambda query=query: house.telegram.world.presses[query].is_answered)  # type: ignore[misc]
        assert "другому боту" in (house.telegram.world.presses[query].text or "")
    assert (await house.services.db_assist.user(anna)).cash_hundredths == 0


async def test_many_presses_pay_once(house: House, anna: int, samples: list[Sample]) -> None:
    """Repeated presses earn nothing."""
    answer = await house.answer(house.telegram.speak(anna, samples[2].path.read_bytes()))
    queries = [house.telegram.press(anna, answer["message_id"], "✅") for _ in range(30)]
    await house.until(lambda: all(house.telegram.world.presses[query].is_answered for query in queries))
    assert len(await house.services.db_assist.transactions(anna)) == 1
    assert (await house.services.db_assist.check_ledger()).is_balanced
