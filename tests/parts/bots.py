"""Functions for tests of the bot: the whole system in this process, with a test server instead of Telegram."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import URL

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.data_loader.app import create_app as create_data_loader
from glas.db import migrations
from glas.db.session import open_database
from glas.db_assist.app import create_app as create_db_assist
from glas.domain.messages import Transcription
from glas.durable import Durable, sqlite_place
from glas.launch.connections import entered
from glas.settings import Settings
from glas.tg_bot.app import TelegramBot, open_bot
from glas.tg_bot.services import Services
from tests.telegram.people import buttons
from tests.telegram.server import TelegramServer
from tests.telegram.world import BOT_ID, JsonObject

TIMEOUT_S = 60.0
people = count(5_300_000_001)
"""Ids of people whom nobody else is."""
_migrated: list[bytes] = []


@dataclass
class House:
    """The objects of the system that a test may use."""

    telegram: TelegramServer
    services: Services
    bot: TelegramBot
    durable: Durable
    settings: Settings
    running: "asyncio.Task[None]"

    async def until(self, condition: Callable[[], bool], what: str = "what the test waits for") -> None:
        """Wait until a condition about the test server of Telegram is true."""
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            if self.running.done():
                self.running.result()
            assert time.monotonic() < deadline, f"{what} did not happen; Telegram saw {self.shown()}"
            await asyncio.sleep(0.04)

    async def answer(self, sent: JsonObject, *, final: bool = True) -> JsonObject:
        """Return the bot's answer to a message when it is no longer a placeholder."""

        def found() -> JsonObject | None:
            for message in reversed(self.telegram.answers(sent["chat"]["id"])):
                is_reply = message.get("reply_to_message", {}).get("message_id") == sent["message_id"]
                is_later = "reply_to_message" not in message and message["message_id"] > sent["message_id"]
                if (is_reply or is_later) and not (final and is_waiting(message)):
                    return message
            return None

        await self.until(lambda: found() is not None, f"an answer to {sent}")
        message = found()
        assert message is not None
        return message

    async def start(self, person: int) -> JsonObject:
        """Let a person press /start."""
        return await self.answer(self.telegram.say(person, "/start"))

    async def press(self, person: int, message: JsonObject, button: str, **details: Any) -> str:
        """Press a button and wait for the words that then appear."""
        query = self.telegram.press(person, message["message_id"], button, **details)
        await self.until(lambda: self.telegram.world.presses[query].is_answered, f"an answer to {button}")
        return self.telegram.world.presses[query].text or ""

    async def row_of(self, answer: JsonObject) -> Transcription:
        """The database's row of an answer."""
        return await self.services.db_assist.by_message(BOT_ID, answer["chat"]["id"], answer["message_id"])

    async def archived(self, answer: JsonObject) -> Transcription:
        """Return the row when its audio is in the object store."""
        deadline = time.monotonic() + TIMEOUT_S
        while (row := await self.row_of(answer)).audio_key is None:
            assert time.monotonic() < deadline, "the audio was not archived"
            await asyncio.sleep(0.05)
        return row

    def shown(self) -> list[str]:
        """Return the present texts of all messages of the bot."""
        messages = sorted(self.telegram.world.messages.items(), key=lambda item: item[0][1])
        return [message.get("text", "?") for _, message in messages if message["from"]["id"] == BOT_ID]


def is_waiting(message: JsonObject) -> bool:
    """Whether a message is a placeholder or a status."""
    return message.get("text", "")[:1] in ("…", "⏳", "🎧")


def texts_of_buttons(message: JsonObject) -> list[str]:
    """Return the texts of the buttons under a message."""
    return [button["text"] for button in buttons(message)]


@dataclass
class Parts:
    """The parts around Telegram, running in this process."""

    services: Services
    bot: TelegramBot
    durable: Durable
    running: "asyncio.Task[None]"


async def _bring_tables(settings: Settings) -> None:
    """Put an empty database with our tables into a new data directory: to migrate each takes as long as many tests."""
    place = settings.data_dir / "glas.db"
    if settings.database_url is not None or place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if not _migrated:
        database = open_database(URL.create("sqlite+aiosqlite", database=str(place)))
        await migrations.upgrade(database)
        await database.close()
        _migrated.append(place.read_bytes())
    place.write_bytes(_migrated[0])


@asynccontextmanager
async def open_parts(settings: Settings, nn_service: NnServiceClient, *, slot: str = "test") -> AsyncIterator[Parts]:
    """Start db_assist, data_loader and the bot in this process."""
    await _bring_tables(settings)
    async with contextlib.AsyncExitStack() as stack:
        db_assist_app = create_db_assist(settings, key=None)
        db_assist = DbAssistClient(open_http(url=None, app=db_assist_app))
        stack.push_async_callback(db_assist.close)
        data_loader_app = create_data_loader(settings, key=None, db_assist=db_assist)
        data_loader = DataLoaderClient(open_http(url=None, app=data_loader_app))
        stack.push_async_callback(data_loader.close)
        for app in (db_assist_app, data_loader_app):
            await stack.enter_async_context(app.router.lifespan_context(app))
        services = Services(nn_service, db_assist, data_loader)
        durable = Durable(sqlite_place(settings.data_dir / "durable.sqlite"), slot=slot)
        bot = await stack.enter_async_context(open_bot(settings, services, durable))
        await durable.start()
        stack.push_async_callback(durable.close, patience_s=5.0)
        running = asyncio.create_task(bot.run())
        stack.push_async_callback(_stop, running)
        yield Parts(services, bot, durable, running)


@asynccontextmanager
async def open_house(
    settings: Settings, telegram: TelegramServer, nn_service: NnServiceClient, *, slot: str = "test"
) -> AsyncIterator[House]:
    """Start the parts and the test server of Telegram in this process."""
    settings = bot_settings(settings, telegram)
    async with open_parts(settings, nn_service, slot=slot) as parts:
        yield House(telegram, parts.services, parts.bot, parts.durable, settings, parts.running)


@asynccontextmanager
async def open_house_with(app: FastAPI, settings: Settings) -> AsyncIterator[tuple[House, httpx.AsyncClient]]:
    """Start the system with a given app as its nn_service, and with an HTTP client of this app."""
    with TelegramServer() as telegram:
        async with (
            entered([app]),
            open_http(url=None, app=app) as http,
            open_house(settings, telegram, NnServiceClient(http)) as house,
        ):
            yield house, http


def bot_settings(settings: Settings, telegram: TelegramServer) -> Settings:
    """Settings of a bot that uses the test server of Telegram."""
    return settings.model_copy(update={"telegram_token": SecretStr(telegram.token), "telegram_api_url": telegram.url})


async def newcomer(house: House) -> int:
    """A person whom no other test uses, and who has pressed /start."""
    person = next(people)
    await house.start(person)
    return person


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


def nn_service_at(url: str) -> NnServiceClient:
    """The client of a running server."""
    return NnServiceClient(open_http(url=url))


def dead_http() -> httpx.AsyncClient:
    """A client of a service that does not run."""
    return open_http(url="http://127.0.0.1:9")
