"""Test a rolling upgrade: messages are sent while each process is replaced by a process of this checkout.

`make upgrade FROM=REVISION` runs it. The earlier release comes from the history, which a shallow clone lacks.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.conftest import ROOT, Postgres, Sample
from tests.system.acting import final_replies, replies
from tests.system.releases import Installation, checkout
from tests.telegram.server import TelegramServer

FROM = os.environ.get("UPGRADE_FROM", "")
N_PEOPLE = 12
EVERY_S = float(os.environ.get("UPGRADE_EVERY_S", "1.0"))
BETWEEN_S = 4.0
PATIENCE_S = 240.0
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not FROM, reason="needs UPGRADE_FROM, a revision of the history"),
]


@contextmanager
def again_and_again(work: Callable[[], None], every_s: float) -> Iterator[None]:
    """Repeat a function in a thread until the context ends."""
    is_over = threading.Event()

    def run() -> None:
        while not is_over.wait(every_s):
            work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


class Callers:
    """They call the API of nn_service and of db_assist, and count failures."""

    def __init__(self, installation: Installation, person: int, data: bytes) -> None:
        self.outcomes: Counter[str] = Counter()
        self._installation = installation
        self._person = person
        self._data = data

    def call(self) -> None:
        """Call each of the two services once."""
        urls = {name: balancer.url for name, balancer in self._installation.balancers.items()}
        self._count("db_assist", "GET", f"{urls['db_assist']}/users/{self._person}")
        file = {"file": ("a.ogg", self._data)}
        self._count("nn_service", "POST", f"{urls['nn_service']}/v1/audio/transcriptions", files=file)

    def _count(self, name: str, method: str, url: str, **content: object) -> None:
        key = {"Authorization": f"Bearer {self._installation.tokens[name]}"}
        try:
            answer = httpx.request(method, url, headers=key, timeout=60, trust_env=False, **content)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            self.outcomes[f"{name}: {type(error).__name__}"] += 1
        else:
            self.outcomes[f"{name}: {answer.status_code}"] += 1


def install(installation: Installation, release: Path) -> None:
    """Start an installation of one release."""
    installation.migrate(release)
    for name in ("db_assist", "nn_service"):
        for number in (1, 2):
            installation.start(name, release, f"{name}-{number}")
    installation.start("data_loader", release, "data_loader")
    for number in (1, 2):
        installation.start("tg_bot", release, f"tg_bot-{number}")


def upgrade(installation: Installation, release: Path) -> Iterator[str]:
    """Run the steps of docs/operations.md, and yield the name of each finished step."""
    installation.migrate(release)
    yield "migrate"
    for place in ("db_assist-1", "db_assist-2", "data_loader", "nn_service-1", "nn_service-2", "tg_bot-1", "tg_bot-2"):
        installation.replace(place.partition("-")[0], release, place)
        yield place


def until(condition: Callable[[], bool], what: str, tails: Callable[[], str]) -> None:
    """Wait until a condition in Telegram is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come\n{tails()}"
        time.sleep(0.2)


def test_nobody_notices_an_upgrade(postgres: Postgres, samples: list[Sample], tmp_path: Path) -> None:
    """Nothing is lost or answered twice, and no request fails."""
    people = [7_700_000_001 + number for number in range(N_PEOPLE)]
    sent: list[dict[str, Any]] = []
    database_url = postgres.create(f"upgrade_{os.getpid()}")
    with checkout(FROM, tmp_path / "before") as before, TelegramServer() as telegram:
        (tmp_path / "parts").mkdir()
        with Installation(tmp_path / "parts", telegram, database_url) as installation:
            install(installation, before)
            for person in people:
                telegram.say(person, "/start")
            data = [sample.path.read_bytes() for sample in samples]
            callers = Callers(installation, people[0], data[0])
            until(lambda: all(telegram.answers(person) for person in people), "welcomes", installation.tails)

            def speak() -> None:
                sent.append(telegram.speak(people[len(sent) % N_PEOPLE], data[len(sent) % len(data)]))

            with again_and_again(speak, EVERY_S), again_and_again(callers.call, EVERY_S):
                time.sleep(BETWEEN_S)
                for step in upgrade(installation, ROOT):
                    print(f"{step}: {len(sent)} sent, {dict(callers.outcomes)}")  # noqa: T201 - shown by `make upgrade`
                    time.sleep(BETWEEN_S)
            wanted = {one["message_id"] for one in sent}
            until(lambda: wanted <= final_replies(telegram).keys(), "answers", installation.tails)
            time.sleep(BETWEEN_S)
            found = replies(telegram)
        address = sa.make_url(database_url).set(drivername="postgresql+psycopg")
        with sa.create_engine(address, poolclass=sa.NullPool).connect() as connection:
            rows = connection.execute(sa.text("SELECT status, count(*) FROM transcriptions GROUP BY status")).all()
    print(f"{len(sent)} messages; rows: {rows}; requests: {dict(callers.outcomes)}")  # noqa: T201
    assert {len(found[one["message_id"]]) for one in sent} == {1}
    assert sum(int(count) for _, count in rows) == len(sent)
    assert set(callers.outcomes) == {"db_assist: 200", "nn_service: 200"}
    assert telegram.violations() == (0, 0, 0, 0)
