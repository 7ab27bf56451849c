"""Test in which event loop DBOS starts work: a release of DBOS may change the private name that determines it."""

import asyncio
import time

from glas.durable import Durable, Place, Queue
from tests.parts.test_dbos_adapter import WALK, ended
from tests.parts.test_dbos_adapter import place as place  # noqa: PLC0414 - a fixture, found here by its name


def test_work_is_started_in_the_loop_of_the_engine(place: Place) -> None:
    """The queue is polled while the loop rests; DBOS alone would start the work in a loop of its own."""
    seen: list[asyncio.AbstractEventLoop] = []

    async def look() -> None:
        seen.append(asyncio.get_running_loop())

    with asyncio.Runner() as runner:
        durable = Durable(place, slot="one")
        durable.workflow("walk", look)
        durable.queue(Queue("walks", concurrency=4, poll_s=0.2))
        runner.run(durable.start())
        runner.run(durable.enqueue(WALK))
        time.sleep(1.5)
        runner.run(ended(WALK.id))
        runner.run(durable.close())
        assert seen == [runner.get_loop()]
