"""Faults: services and Telegram are unavailable for some time, calls are refused, many people write at once."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import SecretStr

from glas.domain.errors import ConfigurationError
from glas.durable import Work, sqlite_place
from glas.durable.members import Members
from glas.settings import BotSettings, Settings
from glas.tg_bot import webhook
from tests.parts.bots import House, bot_settings, open_house, open_parts, texts_of_buttons
from tests.parts.recogniser import Recogniser, open_recogniser
from tests.telegram.server import TelegramServer

ANNA = 5_200_000_001
OGG = (Path(__file__).parents[2] / "samples" / "message-1.ogg").read_bytes()


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    """A Telegram of this test."""
    with TelegramServer() as running:
        yield running


@pytest.fixture
async def recogniser() -> AsyncIterator[Recogniser]:
    """A recogniser of this test."""
    async with open_recogniser() as made:
        yield made


@pytest.fixture
async def house(settings: Settings, telegram: TelegramServer, recogniser: Recogniser) -> AsyncIterator[House]:
    """The system, with ANNA registered."""
    async with open_house(settings, telegram, recogniser.client) as opened:
        await opened.start(ANNA)
        yield opened


async def test_a_long_text_comes_as_a_file(house: House, recogniser: Recogniser) -> None:
    """Telegram counts UTF-16 units: two thousand emoji are four thousand units."""
    recogniser.text = "слово " * 900
    house.telegram.speak(ANNA, OGG)
    await house.until(lambda: any(text.startswith("📄 Текст длинный") for text in house.shown()))
    answer = next(one for one in house.telegram.answers(ANNA) if one.get("text", "").startswith("📄"))
    document = next(one for one in house.telegram.answers(ANNA) if "document" in one)
    assert document["document"]["file_name"] == "Транскрипция.txt"
    assert house.telegram.world.documents[(ANNA, document["message_id"])].decode() == recogniser.text.strip()
    assert "✅" in texts_of_buttons(answer)


async def test_waiting_is_shown(house: House, recogniser: Recogniser) -> None:
    """While the service is unavailable the placeholder says so; then the text comes automatically."""
    recogniser.is_away = True
    sent = house.telegram.speak(ANNA, OGG)
    await house.until(lambda: any("не отвечает" in text for text in house.shown()))
    recogniser.is_away = False
    assert (await house.answer(sent))["text"] == "привет"
    texts = [version.text for version in house.telegram.world.versions if version.chat_id == ANNA]
    assert texts[1:] == [
        "…",
        "⏳ Служба распознавания сейчас не отвечает. Текст придёт, как только она заработает.",
        "привет",
    ]
    assert house.telegram.world.actions


async def test_a_service_that_stays_away_is_confessed(
    settings: Settings, telegram: TelegramServer, recogniser: Recogniser
) -> None:
    """After the time of GLAS_BOT__PATIENCE_S there is a reason and a button that works."""
    hasty = settings.model_copy(update={"bot": BotSettings(patience_s=0.3)})
    async with open_house(hasty, telegram, recogniser.client) as house:
        await house.start(ANNA)
        recogniser.is_away = True
        answer = await house.answer(telegram.speak(ANNA, OGG))
        assert answer["text"] == "⚠️ Служба не отвечает. Попробуйте чуть позже."
        recogniser.is_away = False
        telegram.press(ANNA, answer["message_id"], "🔁")
        await house.until(lambda: telegram.answers(ANNA)[-1].get("text") == "привет")


async def test_the_text_comes_although_the_object_store_is_away(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The audio is stored when the store is available again."""
    store = house.services.data_loader._http
    real, is_away = store.request, True

    async def request(*arguments: Any, **options: Any) -> httpx.Response:
        if is_away:
            raise httpx.ConnectError("away")
        return await real(*arguments, **options)

    monkeypatch.setattr(store, "request", request)
    answer = await house.answer(house.telegram.speak(ANNA, OGG))
    assert answer["text"] == "привет"
    await asyncio.sleep(0.5)
    assert (await house.row_of(answer)).audio_key is None
    is_away = False
    row = await house.archived(answer)
    assert row.audio_key is not None
    assert await house.services.data_loader.fetch_audio(row.audio_key) == OGG


async def test_telegram_goes_away_and_comes_back(house: House) -> None:
    """Everything is sent later, and nothing twice."""
    sent = house.telegram.speak(ANNA, OGG)
    await house.until(lambda: len(house.telegram.answers(ANNA)) > 1)
    house.telegram.go_away()
    await asyncio.sleep(1.0)
    later = house.telegram.speak(ANNA, OGG, file_id="later")
    house.telegram.go_away(away=False)
    assert [(await house.answer(one))["text"] for one in (sent, later)] == ["привет", "привет"]
    assert house.shown().count("привет") == 2


async def test_who_does_not_reach_telegram_lets_others_poll(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot may reach the database but not Telegram, while another machine reaches both."""
    monkeypatch.setattr("glas.tg_bot.intake._RETAKEN_S", 0.1)
    other = sqlite_place(house.settings.data_dir / "durable.sqlite").open()
    members = Members(other, None)
    assert not members.take_lease("intake", "other", 30)
    house.telegram.go_away()
    async with asyncio.timeout(10):
        while not members.take_lease("intake", "other", 30):  # noqa: ASYNC110 - the lease has no event to offer
            await asyncio.sleep(0.05)
    other.dispose()


@pytest.mark.parametrize("fault", ["cut_after", "cut_before", "server_error"])
async def test_an_edit_that_is_cut_off_is_repeated(house: House, fault: str) -> None:
    """The text is shown once, whether or not the first edit arrived."""
    house.telegram.fail("editMessageText", fault)  # type: ignore[arg-type]
    house.telegram.break_file(sent := house.telegram.speak(ANNA, OGG), "truncated")
    assert (await house.answer(sent))["text"] == "привет"
    assert house.shown().count("привет") == 1


async def test_retry_after_is_obeyed(house: House) -> None:
    """No call is made before its end."""
    house.telegram.fail("sendMessage", "too_many", retry_after_s=2)
    began = time.monotonic()
    sent = [house.telegram.speak(ANNA, OGG)]
    while not any(call.outcome == "429" for call in house.telegram.world.calls):  # noqa: ASYNC110 - a log of another thread
        await asyncio.sleep(0.01)
    # What is already on the wire when the refusal comes cannot be called back; what comes later must wait.
    await asyncio.sleep(0.3)
    sent += [house.telegram.speak(ANNA + number, OGG) for number in range(1, 5)]
    for one in sent:
        await house.answer(one)
    assert time.monotonic() - began >= 2
    assert house.telegram.violations() == (0, 0, 0, 0)


async def test_a_failure_is_told_even_when_the_placeholder_was_deleted(house: House) -> None:
    """The bot sends a new message, because there is none to edit."""
    house.telegram.fail("getFile", "too_many", retry_after_s=1)
    house.telegram.fail("getFile", "bad_request")
    sent = house.telegram.speak(ANNA, OGG)
    placeholder = await house.answer(sent, final=False)
    del house.telegram.world.messages[(ANNA, placeholder["message_id"])]
    answer = await house.answer(sent)
    assert answer["text"].startswith("⚠️ Скачать запись из Telegram не удалось")
    assert texts_of_buttons(answer) == ["🔁 Повторить"]


async def test_somebody_who_blocked_the_bot_holds_nobody_up(house: House) -> None:
    """An answer 403 is final and is not repeated."""
    house.telegram.fail("sendMessage", "blocked", chat_id=ANNA)
    house.telegram.speak(ANNA, OGG)
    assert (await house.answer(house.telegram.speak(ANNA + 1, OGG)))["text"].startswith("привет")


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_burst_keeps_the_rates(house: House) -> None:
    """Many people are all answered, and Telegram's rates are never exceeded."""
    began = time.monotonic()
    sent = [house.telegram.speak(6_200_000_000 + number % 30, OGG) for number in range(60)]
    for one in sent:
        await house.answer(one)
    took_s = time.monotonic() - began
    print(f"{len(sent)} messages in {took_s:.1f} s: {len(sent) / took_s:.1f}/s")  # noqa: T201 - shown by `pytest -s`
    assert house.telegram.violations() == (0, 0, 0, 0)


async def test_a_second_installation_is_told_apart(
    settings: Settings, telegram: TelegramServer, recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program with the same token causes a clear error message."""
    monkeypatch.setattr("glas.tg_bot.intake._CONFLICT_PAUSE_S", 0.2)
    async with (
        open_parts(bot_settings(settings, telegram), recogniser.client) as parts,
        httpx.AsyncClient(timeout=60) as other,
    ):
        async with asyncio.timeout(20):
            while not parts.running.done():
                await other.post(f"{telegram.url}/bot{telegram.token}/getUpdates", data={"timeout": "0"})
                await asyncio.sleep(0.1)
        with pytest.raises(ConfigurationError, match="another program asks Telegram"):
            await parts.running


async def test_a_webhook_stores_before_it_says_yes(
    settings: Settings, telegram: TelegramServer, recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Updates with the secret are stored, others refused; if storing fails, Telegram sends the update again."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}{webhook.PATH}"
        options = BotSettings(webhook_url=url, webhook_secret=SecretStr("a-secret-of-telegram-for-tests"))
        with_webhook = settings.model_copy(update={"bot": options})
        async with open_house(with_webhook, telegram, recogniser.client) as house:
            config = uvicorn.Config(webhook.create_app(house.bot), lifespan="off", log_config=None)
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[sock]))
            enqueue, failures = house.durable.enqueue, iter([True, True])

            async def flaky(work: Work) -> None:
                if next(failures, False):
                    raise OSError("the disk is full")
                await enqueue(work)

            monkeypatch.setattr(house.durable, "enqueue", flaky)
            await house.start(ANNA)
            assert (await house.answer(telegram.speak(ANNA, OGG)))["text"] == "привет"
            async with httpx.AsyncClient(timeout=60) as stranger:
                for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "a-guess"}):
                    answer = await stranger.post(url, json={"update_id": 1}, headers=headers)
                    assert answer.status_code == 401
            server.should_exit = True
            await serving


async def test_a_local_bot_api_server_gives_out_large_files(
    settings: Settings, telegram: TelegramServer, recogniser: Recogniser, tmp_path: Path
) -> None:
    """They are read from its directory, up to the limit of the setting; nothing is downloaded."""
    telegram.world.local_dir = tmp_path / "bot-api"
    telegram.world.local_dir.mkdir()
    options = BotSettings(api_is_local=True, max_file_mb=40)
    async with open_house(settings.model_copy(update={"bot": options}), telegram, recogniser.client) as house:
        await house.start(ANNA)
        large = OGG + bytes(30_000_000)
        answer = await house.answer(telegram.speak(ANNA, large))
        assert answer["text"] == "привет"
        row = await house.archived(answer)
        assert row.audio_size_bytes == len(large)
        refused = await house.answer(telegram.speak(ANNA, OGG, size_bytes=50_000_000))
        assert refused["text"].startswith("Файл больше 40 МБ")
        liar = await house.answer(telegram.speak(ANNA, OGG + bytes(45_000_000), size_bytes=1000))
        assert liar["text"].startswith("⚠️")
        assert not [call for call in telegram.world.calls if call.method == "download"]
        # Its directory is not shared with this machine.
        telegram.world.local_dir = tmp_path / "elsewhere"
        lost = house.telegram.speak(ANNA, OGG)
        assert "Скачать запись из Telegram не удалось" in (await house.answer(lost))["text"]


async def test_limits_and_the_allow_list(settings: Settings, telegram: TelegramServer, recogniser: Recogniser) -> None:
    """People who are not on the list are told their id; minutes are counted; a confirmation can be required."""
    hasty = BotSettings(user_messages_per_minute=2)
    async with open_house(settings.model_copy(update={"bot": hasty}), telegram, recogniser.client) as house:
        await house.start(ANNA)
        sent = [telegram.speak(ANNA, OGG, file_id=f"hasty-{number}") for number in range(4)]
        answers = [await house.answer(one) for one in sent]
        assert [one["text"] for one in answers[:2]] == ["привет", "привет"]
        for refused in answers[2:]:
            assert refused["text"].startswith("Слишком часто: больше 2 записей")
            telegram.press(ANNA, refused["message_id"], "▶️ Распознать")
        await house.until(lambda: house.shown().count("привет") == 4)
        assert (await house.answer(telegram.speak(ANNA + 5, OGG)))["text"].startswith("привет")
    options = BotSettings(user_minutes_per_day=1, confirm_first=True, concurrency=2)
    closed = settings.model_copy(update={"allowed_telegram_user_ids": str(ANNA), "bot": options})
    async with open_house(closed, telegram, recogniser.client) as house:
        refused = await house.answer(telegram.say(ANNA + 1, "/start"))
        assert str(ANNA + 1) in refused["text"]
        await house.start(ANNA)
        question = await house.answer(telegram.speak(ANNA, OGG))
        assert texts_of_buttons(question) == ["▶️ Распознать"]
        telegram.press(ANNA, question["message_id"], "▶️")
        await house.until(lambda: "✅" in texts_of_buttons(telegram.answers(ANNA)[-1]))
        assert telegram.answers(ANNA)[-1]["message_id"] == question["message_id"]
        question = await house.answer(telegram.speak(ANNA, OGG, duration_s=90))
        telegram.press(ANNA, question["message_id"], "▶️")
        await house.until(lambda: "считаются последние 24 часа" in telegram.answers(ANNA)[-1].get("text", ""))
