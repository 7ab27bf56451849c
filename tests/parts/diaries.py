"""A durable engine whose workflow writes its steps into a diary, and an empty database of each kind."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from glas.durable import Durable, Place, Queue, Work, postgres_place, sqlite_place
from tests.conftest import Postgres


class Diary:
    """The steps that the workflow has done, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.door = asyncio.Event()
        self.door.set()


@pytest.fixture
async def diary() -> Diary:
    """An empty diary; the workflow need not wait."""
    return Diary()


def make(place: Place, diary: Diary, slot: str = "one") -> Durable:
    """An engine with one queue and one workflow of two steps."""
    durable = Durable(place, slot=slot)

    async def write(who: str, line: str) -> str:
        async def first() -> str:
            diary.lines.append(f"{who} first {line}")
            return f"{line}!"

        async def second() -> None:
            await diary.door.wait()
            diary.lines.append(f"{who} second {said}")

        said = await durable.step("first", first)
        await durable.step("second", second)
        return said

    durable.workflow("write", write)
    durable.queue(Queue("lines", concurrency=4))
    return durable


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return sqlite_place(tmp_path / "durable.sqlite")
    postgres = request.getfixturevalue("postgres")
    assert isinstance(postgres, Postgres)
    return postgres_place(postgres.create(f"durable_{tmp_path.name[-20:].lower()}"), "tg_bot")


@pytest.fixture
async def durable(place: Place, diary: Diary) -> AsyncIterator[Durable]:
    """A started engine."""
    engine = make(place, diary)
    await engine.start()
    yield engine
    await engine.close()


def work(who: str, line: str, name: str) -> Work:
    """A line to be written."""
    return Work("lines", "write", name, (who, line), person=who)


async def until(diary: Diary, n_lines: int) -> None:
    """Wait for the steps to be done."""
    async with asyncio.timeout(20):
        while len(diary.lines) < n_lines:  # noqa: ASYNC110 - the steps have no event to offer
            await asyncio.sleep(0.02)
