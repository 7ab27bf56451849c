"""Test with aiogram's client that the Telegram server of the tests keeps Telegram's rules."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import BotCommand, BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup
from aiohttp import web

from tests.telegram.server import TelegramServer

ANNA = 5_000_000_001  # beyond 32 bits, as new accounts are


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    """Start a server for one test."""
    with TelegramServer() as server:
        yield server


@pytest.fixture
async def bot(telegram: TelegramServer) -> AsyncIterator[Bot]:
    """Make a client of aiogram for this server."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(telegram.url))
    async with Bot(telegram.token, session=session) as bot:
        yield bot


async def test_me(bot: Bot) -> None:
    """The client asks for its name; a wrong token is refused."""
    me = await bot.get_me()
    assert (me.is_bot, me.id) == (True, bot.id)


async def test_an_update_comes_again_until_it_is_acknowledged(telegram: TelegramServer, bot: Bot) -> None:
    """Only a higher offset confirms an update; limit and allowed_updates are observed."""
    for text in ("раз", "два", "три"):
        telegram.say(ANNA, text)
    first = await bot.get_updates(limit=2)
    again = await bot.get_updates(limit=2)
    assert [one.update_id for one in first] == [one.update_id for one in again]
    rest = await bot.get_updates(offset=first[-1].update_id + 1)
    assert [one.message.text for one in rest if one.message] == ["три"]
    await bot.get_updates(offset=rest[-1].update_id + 1, allowed_updates=["callback_query"])
    telegram.say(ANNA, "этого бот не просил")
    assert await bot.get_updates() == []


async def test_a_long_poll_waits_and_wakes(telegram: TelegramServer, bot: Bot) -> None:
    """A long poll ends when an update comes, or at its timeout."""
    began = time.monotonic()
    assert await bot.get_updates(timeout=1) == []
    assert time.monotonic() - began >= 0.9
    waiting = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.2)
    telegram.say(ANNA, "проснись")
    (update,) = await asyncio.wait_for(waiting, 2)
    assert update.message is not None
    assert update.message.from_user is not None
    assert update.message.from_user.id == ANNA


async def test_conflicts(bot: Bot) -> None:
    """A second poller ends the first; a webhook forbids polling."""
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.2)
    assert await bot.get_updates() == []
    with pytest.raises(TelegramConflictError, match="terminated by other"):
        await first
    await bot.set_webhook("http://127.0.0.1:9/none")
    with pytest.raises(TelegramConflictError, match="webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await bot.get_updates() == []


async def test_a_webhook_is_tried_until_it_says_yes(telegram: TelegramServer, bot: Bot) -> None:
    """The secret is sent in the header, and a refused update is sent again."""
    seen: list[tuple[str | None, int]] = []

    async def receive(request: web.Request) -> web.Response:
        seen.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), (await request.json())["update_id"]))
        return web.Response(status=503 if len(seen) < 3 else 200)

    app = web.Application()
    app.router.add_post("/hook", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await bot.set_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", secret_token="s3cret")
    telegram.say(ANNA, "слышно?")
    while (await bot.get_webhook_info()).pending_update_count:  # noqa: ASYNC110 - only a count to be read
        await asyncio.sleep(0.05)
    assert len(seen) == 3
    assert {secret for secret, _ in seen} == {"s3cret"}
    assert (
        await bot.get_webhook_info()
    ).last_error_message == "Wrong response from the webhook: 503 Service Unavailable"
    await bot.delete_webhook()
    await runner.cleanup()


async def test_files(telegram: TelegramServer, bot: Bot) -> None:
    """A download returns the bytes; missing, interrupted and too large files fail as at Telegram."""
    sent = telegram.speak(ANNA, b"x" * 5000)
    file_id = sent["voice"]["file_id"]
    file = await bot.get_file(file_id)
    assert file.file_path is not None
    data = await bot.download_file(file.file_path)
    assert data is not None
    assert data.read() == b"x" * 5000
    for fault, expected in (("missing", aiohttp.ClientResponseError), ("truncated", aiohttp.ClientPayloadError)):
        telegram.break_file(sent, fault)  # type: ignore[arg-type]
        with pytest.raises(expected):
            await bot.download_file(file.file_path)
    huge = telegram.speak(ANNA, b"x", size_bytes=21 * 1024 * 1024)
    with pytest.raises(TelegramBadRequest, match="file is too big"):
        await bot.get_file(huge["voice"]["file_id"])
    with pytest.raises(TelegramBadRequest, match="wrong file_id"):
        await bot.get_file("nobody")


async def test_messages_and_their_limits(telegram: TelegramServer, bot: Bot) -> None:
    """Lengths are counted in UTF-16 units; an edit that changes nothing is refused."""
    sent = await bot.send_message(ANNA, "…")
    await bot.edit_message_text("текст", chat_id=ANNA, message_id=sent.message_id)
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_message_text("текст", chat_id=ANNA, message_id=sent.message_id)
    await bot.send_message(ANNA, "😀" * 2048)
    with pytest.raises(TelegramBadRequest, match="message is too long"):
        await bot.send_message(ANNA, "😀" * 2048 + ".")
    with pytest.raises(TelegramBadRequest, match="message text is empty"):
        await bot.send_message(ANNA, " ")
    with pytest.raises(TelegramBadRequest, match="caption is too long"):
        await bot.send_document(ANNA, BufferedInputFile(b"1", "a.txt"), caption="я" * 1025)
    long = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="a", callback_data="x" * 64)]])
    await bot.edit_message_reply_markup(chat_id=ANNA, message_id=sent.message_id, reply_markup=long)
    assert telegram.answers(ANNA)[0]["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "x" * 64
    document = await bot.send_document(ANNA, BufferedInputFile("Привет".encode(), "Транскрипция.txt"))
    assert document.document is not None
    assert document.document.file_name == "Транскрипция.txt"
    assert telegram.world.documents[(ANNA, document.message_id)].decode() == "Привет"
    await bot.delete_message(ANNA, sent.message_id)
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_message_text("поздно", chat_id=ANNA, message_id=sent.message_id)
    await bot.set_my_commands([BotCommand(command="start", description="начать")])
    assert telegram.world.commands[""][0]["command"] == "start"


async def test_a_press_can_be_answered_once(telegram: TelegramServer, bot: Bot) -> None:
    """A second answer is refused, because the query is too old."""
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="✅", callback_data="best")]])
    sent = await bot.send_message(ANNA, "оцените", reply_markup=keyboard)
    query = telegram.press(ANNA, sent.message_id, "✅")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "best"
    await bot.answer_callback_query(query, text="Спасибо")
    assert telegram.world.presses[query].text == "Спасибо"
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query(query)


async def test_faults(telegram: TelegramServer, bot: Bot) -> None:
    """Each scripted fault looks as at Telegram; only a connection closed after the effect has an effect."""
    telegram.fail("sendMessage", "too_many", retry_after_s=30)
    with pytest.raises(TelegramRetryAfter) as refused:
        await bot.send_message(ANNA, "1")
    assert refused.value.retry_after == 30
    while not telegram.world.pauses:  # noqa: ASYNC110 - it begins after the last byte of the refusal, in another thread
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # the kernel tells only to some milliseconds when a request has arrived
    await bot.send_message(ANNA, "слишком рано")
    assert telegram.violations().before_retry_after == 1
    telegram.fail("sendMessage", "blocked")
    with pytest.raises(TelegramForbiddenError):
        await bot.send_message(ANNA, "2")
    telegram.fail("sendMessage", "server_error")
    with pytest.raises(TelegramServerError):
        await bot.send_message(ANNA, "3")
    telegram.fail("sendMessage", "cut_before")
    telegram.fail("sendMessage", "cut_after")
    for text in ("пропало", "дошло"):
        with pytest.raises(TelegramNetworkError):
            await bot.send_message(ANNA, text)
    assert [one["text"] for one in telegram.answers(ANNA)] == ["слишком рано", "дошло"]


async def test_rates_are_counted(telegram: TelegramServer, bot: Bot) -> None:
    """Two messages in one second to one chat exceed the rate; edits are not counted there."""
    first = await bot.send_message(ANNA, "…")
    await bot.edit_message_text("текст", chat_id=ANNA, message_id=first.message_id)
    assert telegram.violations() == (0, 0, 0, 0)
    await bot.send_message(ANNA, "ещё")
    for person in range(40):
        await bot.send_message(person + 1, "всем")
    found = telegram.violations()
    assert found.over_1_per_second_in_chat == 1
    assert found.over_30_per_second > 0


async def test_control_over_http(telegram: TelegramServer, bot: Bot) -> None:
    """Programs in other languages can add scripted faults, too."""
    async with aiohttp.ClientSession(telegram.url) as http:
        await http.post("/control/fail", json={"method": "sendMessage", "kind": "blocked"})
        await http.post("/control/say", json={"person": ANNA, "text": "/start"})
        with pytest.raises(TelegramForbiddenError):
            await bot.send_message(ANNA, "привет")
        async with http.post("/control/calls") as answer:
            assert [call["outcome"] for call in await answer.json()] == ["403"]
        await http.post(f"/control/speak?person={ANNA}", data=b"a recording")
    update, spoken = await bot.get_updates()
    assert update.message is not None
    assert update.message.text == "/start"
    assert spoken.message is not None
    assert spoken.message.voice is not None
    assert spoken.message.voice.file_size == len(b"a recording")
