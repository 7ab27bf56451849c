"""Steps of the bot's workflows: how values, errors and bugs are recorded."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS

from glas.domain.errors import AudioTooLongError, GlasError, ServiceFaultError
from glas.durable import Durable, Queue, Retry, Work, sqlite_place
from glas.tg_bot.voices.steps import Steps

WORK = Work("lines", "hear", "w:1", ())


class Bot:
    """A workflow like those of the bot: two steps, and another step instead of the third if the second fails."""

    def __init__(self, durable: Durable) -> None:
        self._durable = durable
        self._steps = Steps(durable, Retry(first_s=0.01))
        self.done: list[str] = []
        self.errors: list[GlasError] = []
        self.recognise: Callable[[], Awaitable[str]] = self._recognised

    async def ended(self) -> list[str]:
        """Have the work done; names of its recorded steps."""
        await self._durable.enqueue(WORK)
        return await ended(WORK.id)

    async def hear(self) -> None:
        """The workflow."""
        await self._steps.run("placeholder", self._noted("placeholder"))
        try:
            await self._steps.run("recognise", self.recognise)
        except GlasError as error:
            self.errors.append(error)
            await self._steps.run("confess", self._noted("confess"))
            return
        await self._steps.run("deliver", self._noted("deliver"))

    def _noted(self, name: str) -> Callable[[], Awaitable[str]]:
        async def step() -> str:
            self.done.append(name)
            return name

        return step

    async def _recognised(self) -> str:
        self.done.append("recognise")
        return "text"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    """With a started engine."""
    durable = Durable(sqlite_place(tmp_path / "durable.sqlite"), slot="one")
    bot = Bot(durable)
    durable.workflow("hear", bot.hear)
    durable.queue(Queue("lines", concurrency=1))
    await durable.start()
    yield bot
    await durable.close()


async def ended(workflow_id: str) -> list[str]:
    """Wait for the end of a workflow; names of its recorded steps."""
    async with asyncio.timeout(20):
        while (found := await DBOS.get_workflow_status_async(workflow_id)) is None or found.status != "SUCCESS":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return [step["function_name"] for step in await DBOS.list_workflow_steps_async(workflow_id)]


def failing(error: Exception) -> Callable[[], Awaitable[Any]]:
    """A step that fails."""

    async def step() -> None:
        raise error

    return step


@pytest.mark.usefixtures("plain_log")
async def test_a_bug_is_told_and_not_recorded(bot: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    """A later run, here with a release without the bug, repeats the step that failed and then continues correctly."""
    bot.recognise = failing(KeyError("no such thing"))
    assert await bot.ended() == ["placeholder"]
    assert [type(error) for error in bot.errors] == [ServiceFaultError]
    assert bot.done == ["placeholder", "confess"]
    assert "Traceback" in capsys.readouterr().out
    bot.recognise = bot._recognised
    again = await DBOS.fork_workflow_async(WORK.id, 2)
    assert await ended(again.workflow_id) == ["placeholder", "recognise", "deliver"]
    assert bot.done == ["placeholder", "confess", "recognise", "deliver"]


async def test_an_error_that_is_a_result_is_recorded(bot: Bot) -> None:
    """A recording that is too long is too long in each run."""
    bot.recognise = failing(AudioTooLongError("two hours"))
    assert await bot.ended() == ["placeholder", "recognise", "confess"]
    bot.recognise = bot._recognised
    again = await DBOS.fork_workflow_async(WORK.id, 3)
    await ended(again.workflow_id)
    assert [type(error) for error in bot.errors] == [AudioTooLongError, AudioTooLongError]
    assert "deliver" not in bot.done


async def test_one_bug_does_not_touch_other_work(bot: Bot) -> None:
    """Later work in the same process is recorded as usual."""
    bot.recognise = failing(KeyError("no such thing"))
    await bot.ended()
    bot.recognise = bot._recognised
    handle = await DBOS.fork_workflow_async(WORK.id, 1)
    assert await ended(handle.workflow_id) == ["placeholder", "recognise", "deliver"]
