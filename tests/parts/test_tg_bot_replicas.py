"""Two bot processes with one database: one polls, both work, and one takes over the work of the other."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from glas.db import migrations
from glas.db.session import open_database
from tests.conftest import Postgres, Sample, Server
from tests.parts.bots import is_waiting
from tests.parts.hostile import silent_opus
from tests.ports import free_port
from tests.system.forking import Fork, Order, Zygote
from tests.telegram.server import TelegramServer
from tests.telegram.world import JsonObject

TOKENS = {f"GLAS_{name}_TOKEN": f"token-of-{name}-for-these-tests" for name in ("DB_ASSIST", "DATA_LOADER")}
PATIENCE_S = 180.0  # on a machine that may be busy


class Replicas:
    """Two bots and their common objects."""

    def __init__(
        self, telegram: TelegramServer, url: str, environment: dict[str, str], directory: Path, zygote: Zygote
    ) -> None:
        self.telegram = telegram
        self._zygote = zygote
        # One for all questions: a connection is a process of the server.
        self._connection = psycopg.connect(url, options="-c search_path=durable_tg_bot", autocommit=True)
        self._environment = environment
        self._directory = directory
        self.processes: dict[str, Fork] = {}

    def start(self, slot: str) -> None:
        """Start a bot with short times, so that the test need not wait for half a minute."""
        environment = self._environment | {"GLAS_BOT__SLOT": slot, "GLAS_DATA_DIR": str(self._directory / slot)}
        log = str(self._directory / f"{slot}.log")
        order = Order(["run", "tg_bot"], environment, str(self._directory), log, log, is_quick=True)
        self.processes[slot] = self._zygote.fork(order)

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        """Query the database of durable work."""
        return self._connection.execute(query.encode()).fetchall()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not happen:\n{self.logs()}"
            time.sleep(0.1)

    def logs(self) -> str:
        """Return the last lines of their logs."""
        return "\n".join(path.read_text(encoding="utf-8")[-3000:] for path in self._directory.glob("*.log"))

    def answered(self, sent: list[JsonObject]) -> bool:
        """Return whether each message has exactly one final answer."""
        shown = [one for chat in {one["chat"]["id"] for one in sent} for one in self.telegram.answers(chat)]
        # A kill between a placeholder and its record leaves a placeholder that nobody edits.
        replies = [one for one in shown if "reply_to_message" in one and not is_waiting(one)]
        finals = sorted(one["reply_to_message"]["message_id"] for one in replies)
        return finals == sorted(one["message_id"] for one in sent)


@pytest.fixture
def replicas(
    *,
    postgres: Postgres,
    server: Server,
    start_glas: Callable[..., Any],
    zygote: Zygote,
    glas_environment: dict[str, str],
    tmp_path: Path,
) -> Iterator[Replicas]:
    """Telegram, the services, and two bots that start at the same moment on an empty database."""
    url = postgres.create(f"replicas_{os.getpid()}")
    asyncio.run(_migrate(url))
    ports = {name: free_port() for name in ("DB_ASSIST", "DATA_LOADER")}
    services = TOKENS | {f"GLAS_{name}__PORT": str(port) for name, port in ports.items()}
    urls = {f"GLAS_{name}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items()}
    with ExitStack() as stack:
        telegram = stack.enter_context(TelegramServer())
        stack.enter_context(start_glas("db_assist", "data_loader", GLAS_DATABASE_URL=url, **services))
        bots = {"TELEGRAM_TOKEN": telegram.token, "GLAS_TELEGRAM_API_URL": telegram.url, "GLAS_DATABASE_URL": url}
        # Few at a time, so that the one who asks Telegram cannot take everything before the other looks.
        bots["GLAS_BOT__CONCURRENCY"] = "4"
        environment = glas_environment | TOKENS | urls | bots | {"GLAS_NN_SERVICE_URL": server.url}
        both = Replicas(telegram, url, environment, tmp_path, zygote)
        for slot in ("bot-1", "bot-2"):
            both.start(slot)
        try:
            yield both
        finally:
            for process in both.processes.values():
                process.kill()
                process.wait()
            both.close()


async def _migrate(url: str) -> None:
    database = open_database(make_url(url).set(drivername="postgresql+asyncpg"))
    await migrations.upgrade(database)
    await database.close()


def _polls(telegram: TelegramServer) -> list[str]:
    return [call.outcome for call in telegram.world.calls if call.method == "getUpdates"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_share_the_work_and_one_finishes_it(replicas: Replicas, samples: list[Sample]) -> None:
    """One polls Telegram and both answer; after kill -9 of this one, the other completes all work once."""
    # Most say nothing, which is recognised at once.
    telegram, voices = replicas.telegram, [samples[0].path.read_bytes(), *(silent_opus(1 + n / 10) for n in range(3))]
    ready = "SELECT slot FROM glas_executors WHERE note LIKE '%\"is_taking_in\":true%'"
    replicas.until(lambda: _polls(telegram), "the first question")
    replicas.until(lambda: len(replicas.asked(ready)) == 2, "the readiness of both")
    first = [telegram.speak(5_300_000_000 + number, voices[number % len(voices)]) for number in range(16)]
    replicas.until(lambda: replicas.answered(first), "the answers")
    workers = replicas.asked("SELECT DISTINCT executor_id FROM workflow_status WHERE name = 'hear'")
    assert set(workers) == {("bot-1",), ("bot-2",)}
    assert set(_polls(telegram)) == {"ok"}, "two asked Telegram at once"

    ((holder,),) = replicas.asked("SELECT holder FROM glas_leases")
    telegram.fail("getFile", "slow", times=40, delay_s=1.0)
    second = [telegram.speak(5_300_001_000 + number, voices[number % len(voices)]) for number in range(16)]
    begun = f"SELECT 1 FROM workflow_status WHERE executor_id = '{holder}' AND status = 'PENDING'"  # noqa: S608
    replicas.until(lambda: len(replicas.asked(begun)) > 2, "work of the one that will die")
    replicas.processes[holder].kill()
    replicas.until(lambda: replicas.answered(second), "the answers of the one that lives")
    third = [telegram.speak(5_300_002_000, voices[0])]
    replicas.until(lambda: replicas.answered(third), "the answer after the lease was taken")
    assert replicas.asked("SELECT holder FROM glas_leases") != [(holder,)]
    (living,) = set(replicas.processes) - {holder}
    replicas.processes[living].terminate()
    assert replicas.processes[living].wait(30) == 0
    assert replicas.asked("SELECT slot FROM glas_executors") == [(holder,)]
